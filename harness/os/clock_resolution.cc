#include "harness/os/clock_resolution.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <vector>

#include "harness/os/clock.h"

namespace corerig {

Nanos ClockResolution::finest() const { return std::max({timer, step, read}); }

ClockResolution ResolutionOf(Nanos timer, std::span<const Nanos> readings) {
  ClockResolution resolution{.timer = timer};
  std::vector<Nanos> steps;
  for (std::size_t i = 1; i < readings.size(); ++i) {
    if (const Nanos step = readings[i] - readings[i - 1]; step > Nanos(0)) steps.push_back(step);
  }
  if (steps.empty()) return resolution;
  resolution.step = *std::min_element(steps.begin(), steps.end());
  // The mean of a coarse clock's readings is its cost where its steps are not: most of its readings do not differ.
  if (2 * steps.size() < readings.size()) {
    resolution.read = (readings.back() - readings.front()) / static_cast<std::int64_t>(readings.size() - 1);
    return resolution;
  }
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  resolution.read = *middle;
  return resolution;
}

ClockResolution MeasureClock() {
  timespec timer = {};
  clock_getres(CLOCK_MONOTONIC, &timer);
  std::array<Nanos, 2001> readings;
  for (Nanos& reading : readings) reading = MonotonicNow();
  return ResolutionOf(std::chrono::seconds(timer.tv_sec) + Nanos(timer.tv_nsec), readings);
}

}  // namespace corerig
