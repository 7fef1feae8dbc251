// Batch norm and ReLU of channels-last maps: forward in one reading for the statistics and one for the result,
// backward in two readings, with nothing stored between them but a mean and a variance a channel.
//
// A map is `rows` (images x height x width) of `channels`. Rows of either side may be further apart than they are
// wide: that is how maps are cut out of, and put into, wider ones without a copy. Every thread takes the same rows
// in both readings, so that the second finds them in its cache. Sums run in float32 over a block of rows and in
// double beyond, thread by thread in order, so that the same threads give the same bits.

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "bits.h"

namespace {

constexpr int64_t BLOCK = 64;

// Everything about one map, as Python hands it over: all 64 bits wide. Strides are elements between rows.
struct Map {
    const void* x;
    void* y;               // forward: the joined result; backward: the gradient of x
    const void* gradient;  // backward: of the joined result
    int64_t channels, x_stride, y_stride, gradient_stride;
    const float *weight, *bias;
    float *mean, *variance, *weight_gradient, *bias_gradient;
    const void* residual;     // what is added in front of the ReLU, laid out as the joined side; null for nothing
    void* residual_gradient;  // backward: its gradient
};

// The maps of networks that run side by side, member by member: each has its share of the channels of every map,
// and the joined side (the result, or its gradient) holds a member's maps one after the other.
template <typename T>
std::vector<Map> members_of(const Map* maps, int64_t count, int64_t members, bool joined_is_y) {
    int64_t joined = 0;
    for (int64_t m = 0; m < count; ++m) joined += maps[m].channels / members;
    std::vector<Map> all;
    for (int64_t member = 0; member < members; ++member) {
        int64_t before = 0;
        for (int64_t m = 0; m < count; ++m) {
            Map map = maps[m];
            map.channels /= members;
            const int64_t own = member * map.channels, shared = member * joined + before;
            map.x = static_cast<const T*>(map.x) + own;
            map.y = static_cast<T*>(map.y) + (joined_is_y ? shared : own);
            if (map.gradient) map.gradient = static_cast<const T*>(map.gradient) + shared;
            if (map.residual) map.residual = static_cast<const T*>(map.residual) + shared;
            if (map.residual_gradient) map.residual_gradient = static_cast<T*>(map.residual_gradient) + shared;
            for (const float** values : {&map.weight, &map.bias}) *values += own;
            for (float** values : {&map.mean, &map.variance, &map.weight_gradient, &map.bias_gradient})
                if (*values) *values += own;
            before += map.channels;
            all.push_back(map);
        }
    }
    return all;
}

// What a reading multiplies and adds, channel by channel, for all maps one after the other.
struct Factors {
    std::vector<float> factor, slope, level;
    explicit Factors(int64_t channels) : factor(channels), slope(channels), level(channels) {}
};

// Runs `read(map, offset, from, to, sums)` over blocks of rows for the two sums a channel, `combine(totals)` once,
// and `write(map, offset, from, to)` over the same blocks. `offset` counts the channels of the maps before.
template <typename Read, typename Combine, typename Write>
void twice(const Map* maps, int64_t count, int64_t rows, int threads, Read read, Combine combine, Write write) {
    int64_t channels = 0;
    for (int64_t m = 0; m < count; ++m) channels += maps[m].channels;
    std::vector<double> parts(static_cast<size_t>(threads) * 2 * channels, 0.0), totals(2 * channels, 0.0);
#pragma omp parallel num_threads(threads)
    {
        const int64_t me = omp_get_thread_num(), all = omp_get_num_threads();
        const int64_t first = rows * me / all, last = rows * (me + 1) / all;
        const auto over_blocks = [=](auto work) {
            int64_t offset = 0;
            for (int64_t m = 0; m < count; offset += maps[m++].channels)
                for (int64_t row = first; row < last; row += BLOCK)
                    work(maps[m], offset, row, std::min(row + BLOCK, last));
        };
        double* mine = parts.data() + me * 2 * channels;
        over_blocks([=](const Map& map, int64_t offset, int64_t from, int64_t to) {
            read(map, offset, from, to, mine + 2 * offset);
        });
#pragma omp barrier
#pragma omp single
        {
            for (int64_t thread = 0; thread < all; ++thread)
                for (int64_t i = 0; i < 2 * channels; ++i) totals[i] += parts[thread * 2 * channels + i];
            int64_t offset = 0;
            for (int64_t m = 0; m < count; offset += maps[m++].channels) combine(maps[m], offset, &totals[2 * offset]);
        }
        over_blocks(write);
    }
}

template <typename T>
void forward(const Map* given, int64_t given_count, int64_t members, int64_t rows, float eps, int threads) {
    const std::vector<Map> all = members_of<T>(given, given_count, members, true);
    const Map* maps = all.data();
    const int64_t count = static_cast<int64_t>(all.size());
    int64_t channels = 0;
    for (const Map& map : all) channels += map.channels;
    Factors of(channels);
    twice(
        maps, count, rows, threads,
        [](const Map& map, int64_t, int64_t from, int64_t to, double* sums) {
            const T* x = static_cast<const T*>(map.x);
            by_strips(map.channels, [&](auto strip, int64_t c) {
                using S = decltype(strip);
                // Relative to the first row, so that a large mean does not drown a small variance.
                const auto origin = S::load(x + c);
                S a = S::zero(), b = S::zero();
                for (int64_t row = from; row < to; ++row) {
                    const auto d = S::load(x + row * map.x_stride + c) - origin;
                    a = a + d;
                    b = b + d * d;
                }
                a.add_to(sums + c);
                b.add_to(sums + map.channels + c);
            });
        },
        [&](const Map& map, int64_t offset, const double* sums) {
            const T* x = static_cast<const T*>(map.x);
            for (int64_t c = 0; c < map.channels; ++c) {
                const double shift = sums[c] / rows;
                map.mean[c] = static_cast<float>(widened(x[c]) + shift);
                map.variance[c] = static_cast<float>(std::max(0.0, sums[map.channels + c] / rows - shift * shift));
                of.factor[offset + c] = map.weight[c] / std::sqrt(map.variance[c] + eps);
            }
        },
        [&](const Map& map, int64_t offset, int64_t from, int64_t to) {
            const T* x = static_cast<const T*>(map.x);
            T* y = static_cast<T*>(map.y);
            const T* residual = static_cast<const T*>(map.residual);
            by_strips(map.channels, [&](auto strip, int64_t c) {
                using S = decltype(strip);
                const auto factor = S::load(&of.factor[offset + c]), mean = S::load(map.mean + c);
                const auto bias = S::load(map.bias + c);
                for (int64_t row = from; row < to; ++row) {
                    auto z = (S::load(x + row * map.x_stride + c) - mean) * factor + bias;
                    if (residual) z = z + S::load(residual + row * map.y_stride + c);
                    z.clipped().store(y + row * map.y_stride + c);
                }
            });
        });
}

template <typename T>
void backward(const Map* given, int64_t given_count, int64_t members, int64_t rows, float eps, int threads) {
    const std::vector<Map> all = members_of<T>(given, given_count, members, false);
    const Map* maps = all.data();
    const int64_t count = static_cast<int64_t>(all.size());
    int64_t channels = 0;
    for (const Map& map : all) channels += map.channels;
    Factors of(channels);
    int64_t offset = 0;
    for (int64_t m = 0; m < count; offset += maps[m++].channels)
        for (int64_t c = 0; c < maps[m].channels; ++c)
            of.factor[offset + c] = maps[m].weight[c] / std::sqrt(maps[m].variance[c] + eps);
    twice(
        maps, count, rows, threads,
        [&](const Map& map, int64_t offset, int64_t from, int64_t to, double* sums) {
            const T* x = static_cast<const T*>(map.x);
            const T* gradient = static_cast<const T*>(map.gradient);
            const T* residual = static_cast<const T*>(map.residual);
            by_strips(map.channels, [&](auto strip, int64_t c) {
                using S = decltype(strip);
                const auto factor = S::load(&of.factor[offset + c]), mean = S::load(map.mean + c);
                const auto bias = S::load(map.bias + c);
                S a = S::zero(), b = S::zero();
                for (int64_t row = from; row < to; ++row) {
                    const auto centred = S::load(x + row * map.x_stride + c) - mean;
                    const auto g = S::load(gradient + row * map.gradient_stride + c);
                    auto z = centred * factor + bias;
                    if (residual) z = z + S::load(residual + row * map.gradient_stride + c);
                    const auto passed = g.where_positive(z);
                    a = a + passed;
                    b = b + passed * centred;
                }
                a.add_to(sums + c);
                b.add_to(sums + map.channels + c);
            });
        },
        [&](const Map& map, int64_t offset, const double* sums) {
            // dx = factor * (passed - mean(passed) - normalised * mean(passed * normalised))
            for (int64_t c = 0; c < map.channels; ++c) {
                const double rstd = 1.0 / std::sqrt(static_cast<double>(map.variance[c]) + eps);
                const double total = sums[c], along = sums[map.channels + c] * rstd;
                map.bias_gradient[c] = static_cast<float>(total);
                map.weight_gradient[c] = static_cast<float>(along);
                of.slope[offset + c] = static_cast<float>(-map.weight[c] * rstd * rstd * along / rows);
                of.level[offset + c] = static_cast<float>(-map.weight[c] * rstd * total / rows);
            }
        },
        [&](const Map& map, int64_t offset, int64_t from, int64_t to) {
            const T* x = static_cast<const T*>(map.x);
            const T* gradient = static_cast<const T*>(map.gradient);
            T* out = static_cast<T*>(map.y);
            const T* residual = static_cast<const T*>(map.residual);
            T* residual_gradient = static_cast<T*>(map.residual_gradient);
            by_strips(map.channels, [&](auto strip, int64_t c) {
                using S = decltype(strip);
                const auto factor = S::load(&of.factor[offset + c]), mean = S::load(map.mean + c);
                const auto bias = S::load(map.bias + c);
                const auto slope = S::load(&of.slope[offset + c]), level = S::load(&of.level[offset + c]);
                for (int64_t row = from; row < to; ++row) {
                    const auto centred = S::load(x + row * map.x_stride + c) - mean;
                    const auto g = S::load(gradient + row * map.gradient_stride + c);
                    auto z = centred * factor + bias;
                    if (residual) z = z + S::load(residual + row * map.gradient_stride + c);
                    const auto passed = g.where_positive(z);
                    if (residual) passed.store(residual_gradient + row * map.gradient_stride + c);
                    (factor * passed + slope * centred + level).store(out + row * map.y_stride + c);
                }
            });
        });
}

}  // namespace

extern "C" {
void norm_relu_forward_bf16(const Map* maps, int64_t count, int64_t members, int64_t rows, float eps, int threads) {
    forward<uint16_t>(maps, count, members, rows, eps, threads);
}
void norm_relu_forward_fp32(const Map* maps, int64_t count, int64_t members, int64_t rows, float eps, int threads) {
    forward<float>(maps, count, members, rows, eps, threads);
}
void norm_relu_backward_bf16(const Map* maps, int64_t count, int64_t members, int64_t rows, float eps, int threads) {
    backward<uint16_t>(maps, count, members, rows, eps, threads);
}
void norm_relu_backward_fp32(const Map* maps, int64_t count, int64_t members, int64_t rows, float eps, int threads) {
    backward<float>(maps, count, members, rows, eps, threads);
}
}
