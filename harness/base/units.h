// The quantities that cross package borders, as types: a duration cannot be passed for a size, nor an index for a CPU.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace corerig {

// A duration, or a point of CLOCK_MONOTONIC counted from its epoch (the kernel's boot).
using Nanos = std::chrono::nanoseconds;

struct Bytes {
  std::uint64_t count = 0;
  auto operator<=>(const Bytes&) const = default;
};

// A logical CPU as the kernel numbers it (/sys/devices/system/cpu/cpuN).
struct CpuId {
  int value = 0;
  auto operator<=>(const CpuId&) const = default;
};

// A frequency in thousandths of a hertz, so that 819.2 Hz is exact.
//
// The arithmetic is exact and needs 64 bits only (armv7 has no 128-bit integer): 1e12 is taken as a million twice, as
// in long division by hand.
struct Rate {
  std::int64_t millihertz = 0;
  auto operator<=>(const Rate&) const = default;

  static constexpr Rate Hertz(std::int64_t hertz) { return {hertz * 1000}; }
  constexpr double hertz() const { return static_cast<double>(millihertz) / 1000.0; }

  // The offset of event `k` from event 0, rounded down to a nanosecond: exact for every k, so periods do not drift.
  // The rate must be positive and at most 1 GHz, the offset within Nanos (292 years).
  constexpr Nanos OffsetOf(std::uint64_t k) const {
    // k * 1e12 / rate, with k = kiloseconds * rate + rest, and the rest times 1e12 taken in two steps of 1e6.
    const auto rate = static_cast<std::uint64_t>(millihertz);
    const std::uint64_t kiloseconds = k / rate;  // rate events take 1000 s
    const std::uint64_t rest = k % rate * kMillion;
    const std::uint64_t finer = rest % rate * kMillion;
    return Nanos(static_cast<std::int64_t>(kiloseconds * kMillion * kMillion + rest / rate * kMillion + finer / rate));
  }

  // How many events 0, 1, 2, … fall before `offset`; 0 if `offset` is not positive. The rate is at most 1 GHz.
  constexpr std::uint64_t EventsBefore(Nanos offset) const {
    if (offset.count() <= 0) return 0;
    // Event k lies before the offset if floor(k * 1e12 / rate) < offset, that is k < offset * rate / 1e12: as many as
    // this quotient, rounded up.
    const auto rate = static_cast<std::uint64_t>(millihertz), nanos = static_cast<std::uint64_t>(offset.count());
    const std::uint64_t kiloseconds = nanos / (kMillion * kMillion), rest = nanos % (kMillion * kMillion);
    // rest * rate = millions * 1e6 + ones, each below 2^64.
    const std::uint64_t millions = rest * (rate / kMillion), ones = rest * (rate % kMillion);
    const std::uint64_t remainder = millions % kMillion * kMillion + ones;
    return kiloseconds * rate + millions / kMillion + (remainder + kMillion * kMillion - 1) / (kMillion * kMillion);
  }

 private:
  static constexpr std::uint64_t kMillion = 1'000'000;
};

}  // namespace corerig
