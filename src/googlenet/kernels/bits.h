// Numbers as the maps hold them: bfloat16 as its 16 bits, float32 as itself.

#pragma once

#include <cstdint>
#include <cstring>

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
