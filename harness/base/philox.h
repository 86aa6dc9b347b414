// Philox4x32-10: random numbers by counter, not by state (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy
// as 1, 2, 3", SC11). The n-th number of a stream is a function of (key, counter), so any worker can compute any part
// of a stream, in any order, and a fault is drawn alike in every run of one seed.
//
//   const auto words = Philox4x32({index, 0, stream, 0}, {seed_low, seed_high});
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace corerig {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

constexpr PhiloxCounter Philox4x32(PhiloxCounter c, PhiloxKey key) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = kMultiplier0 * c[0], p1 = kMultiplier1 * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ key[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return c;
}

constexpr PhiloxKey KeyOf(std::uint64_t seed) {
  return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
}

// Names a stream of numbers: the FNV-1a hash (32 bit) of its name, so that adding one stream changes no other.
constexpr std::uint32_t StreamId(std::string_view name) {
  std::uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

// Four words of stream `stream` at `index`.
constexpr PhiloxCounter RandomWords(std::uint64_t seed, std::uint32_t stream, std::uint64_t index,
                                    std::uint32_t lane = 0) {
  return Philox4x32({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), stream, lane},
                    KeyOf(seed));
}

// Uniform in the open interval (0, 1), from 32 bits: never 0, so that its logarithm is finite.
constexpr double UniformOpen(std::uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }

// Four independent standard normal variates of `stream` at `index` (Box-Muller).
std::array<double, 4> RandomNormals(std::uint64_t seed, std::uint32_t stream, std::uint64_t index,
                                    std::uint32_t lane = 0);

}  // namespace corerig
