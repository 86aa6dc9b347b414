#include "harness/measure/memory_trend.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "harness/base/text.h"
#include "harness/measure/theil_sen.h"

namespace corerig {
namespace {

double Minutes(Nanos duration) { return std::chrono::duration<double, std::ratio<60>>(duration).count(); }

// A part of the window: its mean time, its lowest USS.
TrendPoint FloorOf(std::span<const MemorySample> part) {
  double minutes = 0;
  std::uint64_t floor = UINT64_MAX;
  for (const auto& sample : part) {
    minutes += Minutes(sample.at);
    floor = std::min(floor, sample.uss);
  }
  return {.x = minutes / static_cast<double>(part.size()), .y = static_cast<double>(floor)};
}

MemoryTrend Undecided(std::string reason) {
  return {.verdict = MemoryTrend::Verdict::kUndecided, .slope = {}, .low = {}, .high = {}, .reason = std::move(reason)};
}

}  // namespace

MemoryTrend TrendOf(std::span<const MemorySample> samples) {
  if (samples.size() < kTrendParts) {
    return Undecided(StrCat(samples.size(), " memory samples in the window; a trend needs ", kTrendParts));
  }
  const Nanos span = samples.back().at - samples.front().at;
  if (span < kTrendSpan) {
    return Undecided(StrCat("memory samples over ", span.count() / 1'000'000, " ms; a trend needs ",
                            kTrendSpan.count() / 1'000'000, " ms"));
  }
  std::vector<TrendPoint> floors;
  for (std::size_t part = 0; part < kTrendParts; ++part) {
    const std::size_t begin = samples.size() * part / kTrendParts, end = samples.size() * (part + 1) / kTrendParts;
    floors.push_back(FloorOf(samples.subspan(begin, end - begin)));
  }

  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  MemoryTrend trend;
  std::size_t rises = 0;
  for (std::size_t i = 1; i < kTrendParts; ++i) {
    const double rise = floors[i].y - floors[i - 1].y;
    const double slope = rise / (floors[i].x - floors[i - 1].x);
    trend.low = std::min(trend.low.value_or(slope), slope);
    trend.high = std::max(trend.high.value_or(slope), slope);
    if (rise >= page) ++rises;
  }
  trend.slope = TheilSenSlope(floors);
  if (rises == kTrendParts - 1) {
    trend.verdict = MemoryTrend::Verdict::kGrows;
    return trend;
  }
  const auto lowest = [&](std::size_t begin, std::size_t end) {
    double floor = floors[begin].y;
    for (std::size_t i = begin; i < end; ++i) floor = std::min(floor, floors[i].y);
    return floor;
  };
  const double third_quarter = lowest(6, 9), last_quarter = lowest(9, 12);
  if (last_quarter - third_quarter <= std::max(16 * page, 0.005 * third_quarter)) {
    trend.verdict = MemoryTrend::Verdict::kSteady;
    return trend;
  }
  trend.reason = StrCat("it rose, but in ", rises, " of ", kTrendParts - 1, " steps only");
  return trend;
}

}  // namespace corerig
