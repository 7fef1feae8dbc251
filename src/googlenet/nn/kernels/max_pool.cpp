// Max-pool of channels-last maps, with the place of each maximum as one byte where a gradient will want it.
//
// Values are compared as integers that sort as the floats do, so that bfloat16 needs no conversion and the
// compiler fills whole vectors. A window is reduced along its rows first, then over rows: two comparisons a
// direction for 3x3 instead of nine, and the first maximum in row order wins a tie, as in PyTorch.

#include <vector>

#include "bits.h"

namespace {

// Reads as a sorted integer: NaN above everything, -0 equal to 0. Its own inverse but for those two.
template <typename Bits>
inline Bits sorted(Bits x) {
    constexpr int sign = 8 * sizeof(Bits) - 1;
    constexpr Bits magnitude = static_cast<Bits>(~(Bits(1) << sign));
    constexpr Bits infinity = sizeof(Bits) == 2 ? Bits(0x7f80) : Bits(0x7f800000);
    Bits key = static_cast<Bits>(x ^ ((x >> sign) & magnitude));
    key = static_cast<Bits>(key + (key == Bits(-1)));
    return (x & magnitude) > infinity ? magnitude : key;
}

template <typename Bits>
inline Bits unsorted(Bits key) {
    constexpr int sign = 8 * sizeof(Bits) - 1;
    constexpr Bits magnitude = static_cast<Bits>(~(Bits(1) << sign));
    return static_cast<Bits>(key ^ ((key >> sign) & magnitude));
}

struct Axis {
    int64_t in, out, kernel, stride, padding;
};
struct Shape {
    int64_t images, channels;
    Axis height, width;
};

// The outputs [first, last) whose window covers input position `at`.
struct Range {
    int64_t first, last;
};
inline Range covering(int64_t at, const Axis& axis) {
    int64_t lowest = at + axis.padding - axis.kernel + 1;
    int64_t first = lowest <= 0 ? 0 : (lowest + axis.stride - 1) / axis.stride;
    int64_t last = (at + axis.padding) / axis.stride + 1;
    return {first, last < axis.out ? last : axis.out};
}

// One input row reduced along its width: the greatest of each window's columns, and which column it was.
template <bool placed, typename Bits>
void reduce_row(const Bits* row, Bits* best, Bits* column, const Shape& s) {
    const int64_t C = s.channels;
    const Axis& axis = s.width;
    for (int64_t ow = 0; ow < axis.out; ++ow) {
        Bits* __restrict b = best + ow * C;
        Bits* __restrict at = column + ow * C;
        bool empty = true;
        for (int64_t k = 0; k < axis.kernel; ++k) {
            int64_t w = ow * axis.stride - axis.padding + k;
            if (w < 0 || w >= axis.in) continue;
            const Bits* __restrict x = row + w * C;
            const Bits place = static_cast<Bits>(k);
            if (empty) {
                for (int64_t c = 0; c < C; ++c) {
                    b[c] = sorted(x[c]);
                    if (placed) at[c] = place;
                }
                empty = false;
            } else {
                for (int64_t c = 0; c < C; ++c) {
                    Bits key = sorted(x[c]);
                    bool greater = key > b[c];
                    b[c] = greater ? key : b[c];
                    if (placed) at[c] = greater ? place : at[c];
                }
            }
        }
    }
}

// `places` may be null if not `placed`.
template <bool placed, typename Bits>
void forward(const Bits* x, Bits* y, uint8_t* places, const Shape& s, int threads) {
    const int64_t line = s.width.out * s.channels;
    const int64_t blocks = s.images >= threads ? 1 : threads;  // few images: share their rows out too
#pragma omp parallel num_threads(threads)
    {
        // A ring of reduced rows: neighbouring windows share them.
        std::vector<Bits> keys(s.height.kernel * line), columns(s.height.kernel * line), best(line), code(line);
        std::vector<int64_t> held(s.height.kernel);
#pragma omp for collapse(2) schedule(static)
        for (int64_t n = 0; n < s.images; ++n)
            for (int64_t block = 0; block < blocks; ++block) {
                const Bits* image = x + n * s.height.in * s.width.in * s.channels;
                held.assign(s.height.kernel, -1);
                int64_t from = s.height.out * block / blocks, to = s.height.out * (block + 1) / blocks;
                for (int64_t oh = from; oh < to; ++oh) {
                    bool empty = true;
                    for (int64_t k = 0; k < s.height.kernel; ++k) {
                        int64_t h = oh * s.height.stride - s.height.padding + k;
                        if (h < 0 || h >= s.height.in) continue;
                        int64_t slot = h % s.height.kernel;
                        Bits* __restrict key = keys.data() + slot * line;
                        Bits* __restrict column = columns.data() + slot * line;
                        if (held[slot] != h) {
                            reduce_row<placed>(image + h * s.width.in * s.channels, key, column, s);
                            held[slot] = h;
                        }
                        Bits* __restrict b = best.data();
                        Bits* __restrict at = code.data();
                        const Bits base = static_cast<Bits>(k * s.width.kernel);
                        if (empty) {
                            for (int64_t i = 0; i < line; ++i) {
                                b[i] = key[i];
                                if (placed) at[i] = static_cast<Bits>(base + column[i]);
                            }
                            empty = false;
                        } else {
                            for (int64_t i = 0; i < line; ++i) {
                                bool greater = key[i] > b[i];
                                b[i] = greater ? key[i] : b[i];
                                if (placed) at[i] = greater ? static_cast<Bits>(base + column[i]) : at[i];
                            }
                        }
                    }
                    Bits* __restrict out = y + (n * s.height.out + oh) * line;
                    for (int64_t i = 0; i < line; ++i) out[i] = unsorted(best[i]);
                    if (placed) {
                        uint8_t* __restrict place = places + (n * s.height.out + oh) * line;
                        for (int64_t i = 0; i < line; ++i) place[i] = static_cast<uint8_t>(code[i]);
                    }
                }
            }
    }
}

template <typename T>
void backward(const T* gradient, const uint8_t* places, T* out, const Shape& s, int threads) {
    const int64_t C = s.channels;
#pragma omp parallel num_threads(threads)
    {
        std::vector<float> sums(s.width.in * C);
#pragma omp for collapse(2) schedule(static)
        for (int64_t n = 0; n < s.images; ++n)
            for (int64_t h = 0; h < s.height.in; ++h) {
                sums.assign(s.width.in * C, 0.0f);
                Range rows = covering(h, s.height);
                for (int64_t oh = rows.first; oh < rows.last; ++oh) {
                    int64_t row = h + s.height.padding - oh * s.height.stride;
                    int64_t start = (n * s.height.out + oh) * s.width.out * C;
                    for (int64_t w = 0; w < s.width.in; ++w) {
                        float* __restrict sum = sums.data() + w * C;
                        Range columns = covering(w, s.width);
                        for (int64_t ow = columns.first; ow < columns.last; ++ow) {
                            const uint8_t code = static_cast<uint8_t>(row * s.width.kernel + w + s.width.padding - ow * s.width.stride);
                            const T* __restrict g = gradient + start + ow * C;
                            const uint8_t* __restrict place = places + start + ow * C;
                            for (int64_t c = 0; c < C; ++c) sum[c] += place[c] == code ? widened(g[c]) : 0.0f;
                        }
                    }
                }
                T* __restrict target = out + (n * s.height.in + h) * s.width.in * C;
                for (int64_t i = 0; i < s.width.in * C; ++i) narrowed(sums[i], target[i]);
            }
    }
}

}  // namespace

extern "C" {
void max_pool_values_bf16(const int16_t* x, int16_t* y, const Shape* s, int threads) {
    forward<false>(x, y, nullptr, *s, threads);
}
void max_pool_values_fp32(const int32_t* x, int32_t* y, const Shape* s, int threads) {
    forward<false>(x, y, nullptr, *s, threads);
}
void max_pool_forward_bf16(const int16_t* x, int16_t* y, uint8_t* places, const Shape* s, int threads) {
    forward<true>(x, y, places, *s, threads);
}
void max_pool_forward_fp32(const int32_t* x, int32_t* y, uint8_t* places, const Shape* s, int threads) {
    forward<true>(x, y, places, *s, threads);
}
void max_pool_backward_bf16(const uint16_t* g, const uint8_t* places, uint16_t* out, const Shape* s, int threads) {
    backward(g, places, out, *s, threads);
}
void max_pool_backward_fp32(const float* g, const uint8_t* places, float* out, const Shape* s, int threads) {
    backward(g, places, out, *s, threads);
}
}
