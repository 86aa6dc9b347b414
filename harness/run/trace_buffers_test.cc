#include "harness/run/trace_buffers.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

constexpr std::size_t kMiB = 1 << 20;
constexpr std::uint64_t kPlenty = std::uint64_t{64} << 30;

std::vector<std::size_t> SizesOf(const Plan& plan, int cores, std::uint64_t memory = kPlenty) {
  std::vector<CpuId> cpus;
  for (int core = 0; core < cores; ++core) cpus.push_back({core});
  std::vector<std::size_t> sizes;
  for (const auto& buffer : TraceBuffers(plan, cpus, memory)) {
    EXPECT_EQ(buffer.cpu.value, static_cast<int>(sizes.size()));
    sizes.push_back(buffer.bytes);
  }
  return sizes;
}

Plan Streaming(Rate rate, CpuId source, CpuId loop) {
  Plan plan;
  plan.source = SourcePlan{.core = source, .policy = {}};
  plan.loops = {{.name = "flight", .core = loop, .policy = {}}};
  plan.streams.resize(1);
  plan.streams[0].rate = rate;
  return plan;
}

TEST(TraceBuffers, ACoreWithoutAPartHoldsTwoSecondsOfItsOwnEvents) {
  EXPECT_EQ(SizesOf({}, 3), (std::vector<std::size_t>{2 * kMiB, 2 * kMiB, 2 * kMiB}));
}

TEST(TraceBuffers, WhereStreamsPassTwoSecondsOfTheirSamplesAreAdded) {
  const std::size_t more = 2 * 1000 * 1024;
  EXPECT_EQ(SizesOf(Streaming(Rate::Hertz(1000), {0}, {2}), 3),
            (std::vector<std::size_t>{2 * kMiB + more, 2 * kMiB, 2 * kMiB + more}));
}

TEST(TraceBuffers, AFrameOfSeveralSamplesCountsOnce) {
  Plan plan = Streaming(Rate::Hertz(8000), {0}, {0});
  plan.streams[0].batch = 8;
  EXPECT_EQ(SizesOf(plan, 1)[0], 2 * kMiB + 2 * 1000 * 1024);
}

TEST(TraceBuffers, WhereACommandRunsThereIsRoomForOneThatSwitchesAllTheTime) {
  Plan plan;
  plan.workers.resize(2);
  plan.workers[0].cores = {{0}, {1}};
  plan.workers[1].cores = {{1}, {2}};
  plan.workers[1].command = CommandPlan{};
  EXPECT_EQ(SizesOf(plan, 4), (std::vector<std::size_t>{2 * kMiB, 68 * kMiB, 68 * kMiB, 2 * kMiB}));
}

TEST(TraceBuffers, HaveAnUpperLimit) {
  const auto sizes = SizesOf(Streaming(Rate::Hertz(100'000), {0}, {1}), 2);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{128 * kMiB, 128 * kMiB}));
}

TEST(TraceBuffers, TakeA32ndOfTheMemoryTogetherAndNoLessThanTheyNeedToWork) {
  Plan plan;
  plan.workers.resize(1);
  plan.workers[0].cores = {{0}};
  plan.workers[0].command = CommandPlan{};
  // 1 GiB / 32 / 2 cores.
  EXPECT_EQ(SizesOf(plan, 2, 1024 * kMiB), (std::vector<std::size_t>{16 * kMiB, 2 * kMiB}));
  EXPECT_EQ(SizesOf(plan, 2, 64 * kMiB), (std::vector<std::size_t>{2 * kMiB, 2 * kMiB}));
  EXPECT_TRUE(SizesOf(plan, 0).empty());
}

}  // namespace
}  // namespace corerig
