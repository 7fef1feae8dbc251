// Batch norm and ReLU of channels-last maps: forward in one reading for the statistics and one for the result,
// backward in two readings, with nothing stored between them but a mean and a deviation a channel.
//
// A map is `rows` (images x height x width) of `channels`. The side of the result may have wider rows, `stride`
// apart: that is how branches are concatenated without a copy. Sums run in float32 over a few rows and in double
// beyond, thread by thread in order, so that the same threads give the same bits.

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "bits.h"

namespace {

constexpr int64_t BLOCK = 64;

// Two sums a channel over all rows. `terms(row, a, b)` adds a row's terms to a[channels] and b[channels].
template <typename Terms>
std::vector<double> sums(int64_t rows, int64_t channels, int threads, Terms terms) {
    std::vector<double> parts(static_cast<size_t>(threads) * 2 * channels, 0.0);
#pragma omp parallel num_threads(threads)
    {
        std::vector<float> block_sums(2 * channels);
        float* a = block_sums.data();
        float* b = a + channels;
        double* mine = parts.data() + static_cast<size_t>(omp_get_thread_num()) * 2 * channels;
#pragma omp for schedule(static)
        for (int64_t block = 0; block < (rows + BLOCK - 1) / BLOCK; ++block) {
            std::fill(block_sums.begin(), block_sums.end(), 0.0f);
            const int64_t last = std::min(rows, (block + 1) * BLOCK);
            for (int64_t row = block * BLOCK; row < last; ++row) terms(row, a, b);
            for (int64_t c = 0; c < 2 * channels; ++c) mine[c] += block_sums[c];
        }
    }
    std::vector<double> total(2 * channels, 0.0);
    for (int thread = 0; thread < threads; ++thread)
        for (int64_t c = 0; c < 2 * channels; ++c) total[c] += parts[static_cast<size_t>(thread) * 2 * channels + c];
    return total;
}

template <typename T>
void statistics(const T* x, int64_t rows, int64_t channels, float* mean, float* variance, int threads) {
    // Relative to the first row, so that a large mean does not drown a small variance.
    std::vector<float> origin(channels);
    for (int64_t c = 0; c < channels; ++c) origin[c] = widened(x[c]);
    const float* __restrict o = origin.data();
    auto total = sums(rows, channels, threads, [=](int64_t row, float* __restrict a, float* __restrict b) {
        const T* __restrict in = x + row * channels;
        for (int64_t c = 0; c < channels; ++c) {
            const float d = widened(in[c]) - o[c];
            a[c] += d;
            b[c] += d * d;
        }
    });
    for (int64_t c = 0; c < channels; ++c) {
        const double shift = total[c] / rows;
        mean[c] = static_cast<float>(o[c] + shift);
        variance[c] = static_cast<float>(std::max(0.0, total[channels + c] / rows - shift * shift));
    }
}

template <typename T>
void forward(const T* x, T* y, int64_t rows, int64_t channels, int64_t stride, const float* weight, const float* bias,
             float* mean, float* variance, float eps, int threads) {
    statistics(x, rows, channels, mean, variance, threads);
    std::vector<float> factor(channels);
    for (int64_t c = 0; c < channels; ++c) factor[c] = weight[c] / std::sqrt(variance[c] + eps);
    const float* __restrict f = factor.data();
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; ++row) {
        const T* __restrict in = x + row * channels;
        T* __restrict out = y + row * stride;
        for (int64_t c = 0; c < channels; ++c) {
            const float z = (widened(in[c]) - mean[c]) * f[c] + bias[c];
            narrowed(z < 0.0f ? 0.0f : z, out[c]);
        }
    }
}

template <typename T>
void backward(const T* gradient, const T* x, T* out, int64_t rows, int64_t channels, int64_t stride,
              const float* weight, const float* bias, const float* mean, const float* variance, float eps,
              float* weight_gradient, float* bias_gradient, int threads) {
    std::vector<float> factor(channels);
    for (int64_t c = 0; c < channels; ++c) factor[c] = weight[c] / std::sqrt(variance[c] + eps);
    const float* __restrict f = factor.data();
    auto total = sums(rows, channels, threads, [=](int64_t row, float* __restrict a, float* __restrict b) {
        const T* __restrict in = x + row * channels;
        const T* __restrict g = gradient + row * stride;
        for (int64_t c = 0; c < channels; ++c) {
            const float centred = widened(in[c]) - mean[c];
            const float passed = centred * f[c] + bias[c] > 0.0f ? widened(g[c]) : 0.0f;
            a[c] += passed;
            b[c] += passed * centred;
        }
    });
    // dx = factor * (passed - mean(passed) - normalised * mean(passed * normalised))
    std::vector<float> slopes(channels), levels(channels);
    for (int64_t c = 0; c < channels; ++c) {
        const double rstd = 1.0 / std::sqrt(static_cast<double>(variance[c]) + eps);
        const double along = total[channels + c] * rstd;
        bias_gradient[c] = static_cast<float>(total[c]);
        weight_gradient[c] = static_cast<float>(along);
        slopes[c] = static_cast<float>(-weight[c] * rstd * rstd * along / rows);
        levels[c] = static_cast<float>(-weight[c] * rstd * total[c] / rows);
    }
    const float* __restrict s = slopes.data();
    const float* __restrict l = levels.data();
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; ++row) {
        const T* __restrict in = x + row * channels;
        const T* __restrict g = gradient + row * stride;
        T* __restrict target = out + row * channels;
        for (int64_t c = 0; c < channels; ++c) {
            const float centred = widened(in[c]) - mean[c];
            const float passed = centred * f[c] + bias[c] > 0.0f ? widened(g[c]) : 0.0f;
            narrowed(f[c] * passed + s[c] * centred + l[c], target[c]);
        }
    }
}

}  // namespace

#define FOR_TYPE(T, suffix)                                                                                           \
    extern "C" void norm_relu_forward_##suffix(const T* x, T* y, const float* weight, const float* bias, float* mean, \
                                               float* variance, int64_t rows, int64_t channels, int64_t stride,       \
                                               float eps, int threads) {                                              \
        forward(x, y, rows, channels, stride, weight, bias, mean, variance, eps, threads);                            \
    }                                                                                                                 \
    extern "C" void norm_relu_backward_##suffix(                                                                      \
        const T* gradient, const T* x, T* out, const float* weight, const float* bias, const float* mean,             \
        const float* variance, float* weight_gradient, float* bias_gradient, int64_t rows, int64_t channels,          \
        int64_t stride, float eps, int threads) {                                                                     \
        backward(gradient, x, out, rows, channels, stride, weight, bias, mean, variance, eps, weight_gradient,        \
                 bias_gradient, threads);                                                                             \
    }

FOR_TYPE(uint16_t, bf16)
FOR_TYPE(float, fp32)
