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
struct Rate {
  std::int64_t millihertz = 0;
  auto operator<=>(const Rate&) const = default;

  static constexpr Rate Hertz(std::int64_t hertz) { return {hertz * 1000}; }
  constexpr double hertz() const { return static_cast<double>(millihertz) / 1000.0; }

  // The offset of event `k` from event 0, rounded down to a nanosecond: exact for every k, so periods do not drift.
  // The rate must be positive.
  constexpr Nanos OffsetOf(std::uint64_t k) const {
    return Nanos(static_cast<std::int64_t>(static_cast<unsigned __int128>(k) * 1'000'000'000'000u /
                                           static_cast<std::uint64_t>(millihertz)));
  }

  // How many events 0, 1, 2, … fall before `offset`; 0 if `offset` is not positive.
  constexpr std::uint64_t EventsBefore(Nanos offset) const {
    if (offset.count() <= 0) return 0;
    const auto scaled = static_cast<unsigned __int128>(offset.count()) * static_cast<std::uint64_t>(millihertz);
    // Event k lies before the offset if floor(k * 1e12 / mHz) < offset, that is k < offset * mHz / 1e12.
    return static_cast<std::uint64_t>((scaled + 999'999'999'999u) / 1'000'000'000'000u);
  }
};

}  // namespace corerig
