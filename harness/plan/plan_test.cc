#include "harness/plan/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace corerig {
namespace {

TEST(FaultKind, EveryKindIsReadBackFromItsText) {
  for (const char* text : {"off", "stuck", "garbage", "wrong", "slow", "delayed", "intermittent", "drift", "drop",
                           "duplicate", "reorder", "truncate", "bit-flip", "burst", "jitter"}) {
    const auto kind = ParseFaultKind(text);
    ASSERT_TRUE(kind) << text;
    EXPECT_EQ(ToText(*kind), text);
  }
  for (const char* text : {"", "Drop", "bitflip", "drop "}) EXPECT_FALSE(ParseFaultKind(text)) << text;
}

TEST(Comparison, EveryComparisonIsReadBackFromItsText) {
  for (const char* text : {"<", "<=", ">", ">=", "=="}) {
    const auto comparison = ParseComparison(text);
    ASSERT_TRUE(comparison) << text;
    EXPECT_EQ(ToText(*comparison), text);
  }
  for (const char* text : {"", "=", "=<", "!=", "< "}) EXPECT_FALSE(ParseComparison(text)) << text;
}

Plan SmallPlan() {
  Plan plan;
  plan.streams.resize(2);
  plan.streams[0].name = "b";
  plan.streams[1].name = "a";
  plan.loops.push_back({"flight", {0}, {}});
  plan.workers.resize(1);
  plan.workers[0].name = "price";
  plan.workers[0].cores = {{2}, {5}};
  plan.cores = {{0}, {2}, {5}};
  return plan;
}

TEST(MetricsOf, PartsStandInTheOrderOfTheReport) {
  std::vector<std::string> parts;
  for (const auto& metric : MetricsOf(SmallPlan())) {
    std::size_t dots = metric.starts_with("worker.")                               ? 3
                       : metric.starts_with("memory") || metric.starts_with("rig") ? 1
                                                                                   : 2;
    std::size_t end = 0;
    while (dots-- > 0) end = metric.find('.', end) + 1;
    const std::string part = metric.substr(0, end);
    if (parts.empty() || parts.back() != part) parts.push_back(part);
  }
  // A worker is numbered by its index in the group, a core as the board numbers it.
  EXPECT_EQ(parts, (std::vector<std::string>{"stream.b.", "stream.a.", "loop.flight.", "worker.price.0.",
                                             "worker.price.1.", "core.0.", "core.2.", "core.5.", "memory.", "rig."}));
}

TEST(MetricsOf, NamesAreWholeAndEachIsThereOnce) {
  auto metrics = MetricsOf(SmallPlan());
  for (const char* name : {"stream.b.latency.p99", "stream.a.sent", "loop.flight.cpu", "worker.price.1.uss.max",
                           "core.5.worker", "memory.total.pss.max", "rig.cpu"}) {
    EXPECT_EQ(std::count(metrics.begin(), metrics.end(), name), 1) << name;
  }
  std::sort(metrics.begin(), metrics.end());
  EXPECT_EQ(std::adjacent_find(metrics.begin(), metrics.end()), metrics.end());
}

TEST(MostFramesWithin, IsWhatCountingFromEveryFrameFinds) {
  StreamPlan stream;
  stream.rate = Rate::Hertz(1000);
  EXPECT_EQ(MostFramesWithin(stream, Nanos(4'000'000'000)), 4000u);
  EXPECT_EQ(MostFramesWithin(stream, Nanos(1'000'001)), 2u);
  for (std::uint64_t seed = 1; seed < 50; ++seed) {
    std::uint64_t state = seed;
    const auto next = [&state] { return state = state * 6364136223846793005u + 1442695040888963407u, state >> 33; };
    stream.pattern = {Nanos(next() % 3)};
    const std::size_t frames = 1 + next() % 20;
    while (stream.pattern.size() < frames) stream.pattern.push_back(stream.pattern.back() + Nanos(next() % 5));
    const auto n = static_cast<std::int64_t>(frames);
    stream.recording = RecordingPlan{.cycle = stream.pattern.back() + Nanos(1 + next() % 5)};
    const auto due = [&](std::int64_t k) { return stream.recording->cycle * (k / n) + stream.pattern[k % n]; };
    for (std::int64_t span = 1; span < 60; ++span) {
      std::uint64_t most = 0;
      for (std::int64_t first = 0; first < n; ++first) {
        std::int64_t end = first;
        while (due(end) < due(first) + Nanos(span)) ++end;
        most = std::max<std::uint64_t>(most, end - first);
      }
      ASSERT_EQ(MostFramesWithin(stream, Nanos(span)), most) << "seed " << seed << ", span " << span;
    }
  }
}

TEST(MetricsOf, APlanWithoutStreamsHasOnlyWhatIsAlwaysThere) {
  Plan plan;
  plan.cores = {{3}};
  for (const auto& metric : MetricsOf(plan)) {
    EXPECT_TRUE(metric.starts_with("core.3.") || metric.starts_with("memory.") || metric.starts_with("rig.")) << metric;
  }
}

}  // namespace
}  // namespace corerig
