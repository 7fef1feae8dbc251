// Numbers as the maps hold them, bfloat16 as its 16 bits and float32 as itself, one by one and in vectors.

#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

inline float widened(uint16_t bits) {
    uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &wide, sizeof value);
    return value;
}
inline float widened(float value) { return value; }

// To bfloat16, to nearest even.
inline void narrowed(float value, uint16_t& out) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    out = static_cast<uint16_t>(nan ? 0x7fc0u : rounded);
}
inline void narrowed(float value, float& out) { out = value; }

// A vector register of L floats.
template <int L>
struct Register;

#define REGISTER(L)                                                                                       \
    template <>                                                                                           \
    struct Register<L> {                                                                                  \
        typedef float Floats __attribute__((vector_size(4 * L)));                                         \
        typedef uint32_t Words __attribute__((vector_size(4 * L)));                                       \
        typedef uint16_t Halves __attribute__((vector_size(2 * L)));                                      \
        static void load(const float* at, Floats& value) { std::memcpy(&value, at, sizeof value); }       \
        static void load(const uint16_t* at, Floats& value) {                                             \
            Halves bits;                                                                                  \
            std::memcpy(&bits, at, sizeof bits);                                                          \
            value = (Floats)(__builtin_convertvector(bits, Words) << 16);                                 \
        }                                                                                                 \
        static void store(Floats value, float* at) { std::memcpy(at, &value, sizeof value); }             \
        static void store(Floats value, uint16_t* at) {                                                   \
            const Words bits = (Words)value;                                                              \
            const Words rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;                           \
            const Words kept = (bits & 0x7fffffffu) > 0x7f800000u ? Words{} + 0x7fc0u : rounded;          \
            const Halves halves = __builtin_convertvector(kept, Halves);                                  \
            std::memcpy(at, &halves, sizeof halves);                                                      \
        }                                                                                                 \
    };
REGISTER(16)
REGISTER(8)
REGISTER(1)
#undef REGISTER

// N registers of L floats, side by side.
template <int L, int N>
struct Strip {
    static constexpr int width = L * N;
    typename Register<L>::Floats part[N];

    static Strip zero() {
        Strip s;
        for (int i = 0; i < N; ++i) s.part[i] = typename Register<L>::Floats{};
        return s;
    }
    template <typename T>
    static Strip load(const T* at) {
        Strip s;
        for (int i = 0; i < N; ++i) Register<L>::load(at + i * L, s.part[i]);
        return s;
    }
    template <typename T>
    void store(T* at) const {
        for (int i = 0; i < N; ++i) Register<L>::store(part[i], at + i * L);
    }
    void add_to(double* sums) const {
        for (int i = 0; i < N; ++i)
            for (int j = 0; j < L; ++j) sums[i * L + j] += part[i][j];
    }
    // ReLU; what is no number stays none.
    Strip clipped() const {
        Strip s;
        for (int i = 0; i < N; ++i) s.part[i] = part[i] < 0.0f ? typename Register<L>::Floats{} : part[i];
        return s;
    }
    // Itself where `sign` is positive, else zero: ReLU's gradient.
    Strip where_positive(const Strip& sign) const {
        Strip s;
        for (int i = 0; i < N; ++i) s.part[i] = sign.part[i] > 0.0f ? part[i] : typename Register<L>::Floats{};
        return s;
    }
    friend Strip operator+(Strip a, const Strip& b) {
        for (int i = 0; i < N; ++i) a.part[i] += b.part[i];
        return a;
    }
    friend Strip operator-(Strip a, const Strip& b) {
        for (int i = 0; i < N; ++i) a.part[i] -= b.part[i];
        return a;
    }
    friend Strip operator*(Strip a, const Strip& b) {
        for (int i = 0; i < N; ++i) a.part[i] *= b.part[i];
        return a;
    }
};

// The most floats in one register; wider vectors would go through memory.
#ifdef __AVX512F__
constexpr int WIDEST = 16;
#else
constexpr int WIDEST = 8;
#endif

// Calls work(Strip(), first) for strips that cover [0, count), as wide as they can be.
template <typename Work>
void by_strips(int64_t count, Work work) {
    int64_t at = 0;
    for (; at + 2 * WIDEST <= count; at += 2 * WIDEST) work(Strip<WIDEST, 2>(), at);
    for (; at + WIDEST <= count; at += WIDEST) work(Strip<WIDEST, 1>(), at);
    for (; at + 8 <= count; at += 8) work(Strip<8, 1>(), at);
    for (; at < count; ++at) work(Strip<1, 1>(), at);
}
