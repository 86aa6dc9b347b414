#include "harness/plan/plan.h"

#include <algorithm>
#include <utility>

#include "harness/base/metric.h"
#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr std::pair<Comparison, std::string_view> kComparisons[] = {{Comparison::kLess, "<"},
                                                                    {Comparison::kLessOrEqual, "<="},
                                                                    {Comparison::kGreater, ">"},
                                                                    {Comparison::kGreaterOrEqual, ">="},
                                                                    {Comparison::kEqual, "=="}};

constexpr std::pair<Pace, std::string_view> kPaces[] = {{Pace::kRealTime, "real-time"}, {Pace::kLossless, "lossless"}};

template <typename Value, std::size_t kSize>
std::string_view TextOf(const std::pair<Value, std::string_view> (&table)[kSize], Value wanted) {
  for (const auto& [value, text] : table) {
    if (value == wanted) return text;
  }
  return "";
}

template <typename Value, std::size_t kSize>
std::optional<Value> ValueOf(const std::pair<Value, std::string_view> (&table)[kSize], std::string_view wanted) {
  for (const auto& [value, text] : table) {
    if (text == wanted) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view ToText(Comparison comparison) { return TextOf(kComparisons, comparison); }
std::optional<Comparison> ParseComparison(std::string_view text) { return ValueOf(kComparisons, text); }

std::string_view ToText(RunAs as) {
  switch (as) {
    case RunAs::kSpawn:
      return "spawn";
    case RunAs::kFork:
      return "fork";
    case RunAs::kThread:
      return "thread";
  }
  return "";
}

std::optional<RunAs> ParseRunAs(std::string_view text) {
  for (const RunAs as : {RunAs::kSpawn, RunAs::kFork, RunAs::kThread}) {
    if (text == ToText(as)) return as;
  }
  return std::nullopt;
}

std::vector<CpuId> WorkerPlan::CoresOf(int index) const {
  if (!floats_over.empty()) return floats_over;
  return {cores[static_cast<std::size_t>(index)]};
}

std::string_view ToText(Pace pace) { return TextOf(kPaces, pace); }
std::optional<Pace> ParsePace(std::string_view text) { return ValueOf(kPaces, text); }

bool HasBreak(const Plan& plan) {
  return std::any_of(plan.streams.begin(), plan.streams.end(),
                     [](const StreamPlan& stream) { return stream.break_above.has_value(); });
}

bool HasReceiver(const StreamPlan& stream) { return stream.channel != ChannelKind::kTimer && !stream.endpoint; }

bool WaitsForHandler(const Plan& plan) {
  return std::any_of(plan.streams.begin(), plan.streams.end(),
                     [](const StreamPlan& stream) { return HasReceiver(stream) && stream.pace == Pace::kLossless; });
}

Rate FrameRate(const StreamPlan& stream) { return {stream.rate.millihertz / stream.batch}; }

std::uint64_t MostFramesWithin(const StreamPlan& stream, Nanos span) {
  const auto& pattern = stream.pattern;
  if (pattern.empty()) return FrameRate(stream).EventsBefore(span);
  if (span <= Nanos(0)) return 0;
  const std::size_t n = pattern.size();
  const Nanos cycle = stream.recording ? stream.recording->cycle : FrameRate(stream).OffsetOf(n);
  const std::uint64_t cycles = static_cast<std::uint64_t>(span / cycle);
  const Nanos rest = span % cycle;
  // The frames from `first` on that are due before `rest` has passed: `end` is one past the last of them.
  std::uint64_t most = 0;
  const auto due = [&](std::size_t i) { return i < n ? pattern[i] : pattern[i - n] + cycle; };
  for (std::size_t first = 0, end = 0; first < n; ++first) {
    while (end < first + n && due(end) < due(first) + rest) ++end;
    most = std::max<std::uint64_t>(most, end - std::min(first, end));
  }
  return cycles * n + most;
}

double FramesPerSecond(const Plan& plan) {
  double frames = 0;
  for (const auto& stream : plan.streams) frames += FrameRate(stream).hertz();
  return frames;
}

std::vector<std::string> MetricsOf(const Plan& plan) {
  std::vector<std::string> metrics;
  const auto add = [&](std::string_view part_kind, const std::string& part) {
    for (auto& name : MetricNames(part_kind, part)) metrics.push_back(std::move(name));
  };
  for (const auto& stream : plan.streams) add("stream.NAME", "stream." + stream.name);
  for (const auto& loop : plan.loops) add("loop.NAME", "loop." + loop.name);
  for (const auto& worker : plan.workers) {
    for (std::size_t i = 0; i < worker.cores.size(); ++i) add("worker.NAME.I", StrCat("worker.", worker.name, ".", i));
    if (worker.as == RunAs::kThread) add("worker.NAME.all", StrCat("worker.", worker.name, ".all"));
  }
  for (const CpuId core : plan.cores) add("core.N", StrCat("core.", core.value));
  add("memory", "memory");
  add("rig", "rig");
  return metrics;
}

}  // namespace corerig
