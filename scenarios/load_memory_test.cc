#include "scenarios/load_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "harness/os/clock.h"
#include "scenarios/workload_group.h"

namespace {

// What the latest worker was given, seen by the operator that it is given by.
struct {
  std::uint64_t* end = nullptr;
} latest_memory;

}  // namespace

void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  const auto align = static_cast<std::size_t>(alignment);
  void* const memory = std::aligned_alloc(align, (size + align - 1) / align * align);
  latest_memory.end = static_cast<std::uint64_t*>(memory) + size / sizeof(std::uint64_t);
  return memory;
}
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }

namespace corerig {
namespace {

const WorkloadType kMemory = LoadMemory();

WorkloadGroup Group(std::string pattern, std::string footprint, int workers = 1) {
  return WorkloadGroup(kMemory, {{"pattern", pattern}, {"footprint", footprint}}, workers);
}

// The answer after so many units.
Answer After(const WorkloadGroup& group, std::uint64_t units) {
  const auto worker = group.Make();
  if (!worker) {
    ADD_FAILURE() << worker.error().message;
    return {};
  }
  for (std::uint64_t unit = 0; unit < units; ++unit) (*worker)->RunUnit(unit);
  const auto answer = group.Merge({group.ResultOf(**worker)});
  if (!answer) {
    ADD_FAILURE() << answer.error().message;
    return {};
  }
  return *answer;
}

class Patterns : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, Patterns, testing::Values("read", "write", "copy", "triad", "chase"),
                         [](const auto& pattern) { return std::string(pattern.param); });

// Footprints that a unit goes through many times, once and in parts; that are no whole number of units, nor of lines.
TEST_P(Patterns, ReadWhatTheyWroteWhateverTheFootprint) {
  for (const char* footprint : {"12KiB", "20000B", "4194305B", "13MB"}) {
    const Answer answer = After(Group(GetParam(), footprint), 24);
    EXPECT_EQ(answer.units, 24u) << footprint;
    EXPECT_TRUE(answer.check->passed) << footprint << ": " << answer.check->text;
    EXPECT_GE(FigureOf(answer, "checked"), 2) << footprint;
  }
}

// The same, by a worker whose memory is not what it wrote: the test knows where it is, and flips a bit.
TEST_P(Patterns, ABitThatFlipsIsFound) {
  const std::string pattern = GetParam();
  // Each unit comes to every word of it.
  const WorkloadGroup group = Group(pattern, pattern == "chase" ? "64KiB" : "4MiB");
  const auto worker = group.Make();
  std::uint64_t unit = 0;
  for (; unit < 3; ++unit) (*worker)->RunUnit(unit);
  // The last word, or the last pointer of the chain, which then leads to a neighbour of the line it should.
  *(latest_memory.end - (pattern == "chase" ? 8 : 1)) ^= std::uint64_t{1} << 6;
  for (; unit < 3 + 2 * 16; ++unit) (*worker)->RunUnit(unit);
  const auto answer = group.Merge({group.ResultOf(**worker)});
  ASSERT_TRUE(answer) << answer.error().message;
  // "write" alone writes anew what it looks at.
  EXPECT_EQ(answer->check->passed, pattern == "write") << answer->check->text;
  if (pattern == "read") {
    EXPECT_EQ(answer->check->text,
              "32 of 34 checked units read something else than was written, the first by worker load.0: this memory "
              "does not hold what it is given");
  }
}

TEST(LoadMemory, BandwidthIsOfTheOrderOfMemcpys) {
  constexpr std::size_t kBytes = 16 << 20;
  std::vector<char> from(kBytes, 'a'), to(kBytes);
  double best = 0;
  for (int i = 0; i < 20; ++i) {
    const Nanos begin = MonotonicNow();
    std::memcpy(to.data(), from.data(), kBytes);
    best = std::max(best, 2 * kBytes / (static_cast<double>((MonotonicNow() - begin).count()) * 1e-9));
  }
  EXPECT_EQ(to, from);
  // "copy" is timed in parts of 4 MiB, of which the caches may hold more; memcpy may write past them.
  const Answer answer = After(Group("copy", "32MiB"), 150);
  EXPECT_GT(FigureOf(answer, "bytes_per_s_best"), best / 6);
  EXPECT_LT(FigureOf(answer, "bytes_per_s_best"), best * 6);
  EXPECT_LE(FigureOf(answer, "bytes_per_s"), FigureOf(answer, "bytes_per_s_best"));
  // Eight units fill, nine of the others are checked.
  EXPECT_EQ(FigureOf(answer, "checked"), 9);
  EXPECT_EQ(FigureOf(answer, "bytes"), (150 - 8 - 9) * double{4 << 20});
}

TEST(LoadMemory, AnAccessTakesLongerTheFartherAwayItsMemoryIs) {
  const auto latency = [](const char* footprint, std::uint64_t units) {
    return FigureOf(After(Group("chase", footprint), units), "ns_per_access_best");
  };
  const double near = latency("12KiB", 100), middle = latency("1MiB", 100), far = latency("64MiB", 100);
  EXPECT_GT(middle, 1.2 * near);
  EXPECT_GT(far, 2 * middle);
  EXPECT_GT(far, 5 * near);
  // A load takes some cycles, and no board needs a microsecond.
  EXPECT_GT(near, 0.3);
  EXPECT_LT(far, 2000);
}

TEST(LoadMemory, MemoryIsTouchedByTheFirstUnitsAndNotBefore) {
  const WorkloadGroup group = Group("read", "64MiB");
  const auto worker = group.Make();
  unsigned char touched = 2;
  auto* const last_page = reinterpret_cast<unsigned char*>(latest_memory.end) - 4096;
  ASSERT_EQ(mincore(last_page, 4096, &touched), 0);
  EXPECT_EQ(touched & 1, 0) << "making it, which is also how a scenario is checked, takes no memory";
  for (std::uint64_t unit = 0; unit < 16; ++unit) (*worker)->RunUnit(unit);
  ASSERT_EQ(mincore(last_page, 4096, &touched), 0);
  EXPECT_EQ(touched & 1, 1);
}

TEST(LoadMemory, TheWorkersBandwidthsAddUp) {
  const WorkloadGroup group = Group("read", "1MiB", 2);
  std::vector<std::vector<std::byte>> results;
  double sum = 0, best = 0;
  for (int index = 0; index < 2; ++index) {
    const auto worker = group.Make(index);
    for (std::uint64_t unit = 0; unit < 40; ++unit) (*worker)->RunUnit(unit);
    results.push_back(group.ResultOf(**worker));
    const auto alone = group.Merge({results.back()});
    sum += FigureOf(*alone, "bytes_per_s");
    best = std::max(best, FigureOf(*alone, "bytes_per_s_best"));
  }
  const auto answer = group.Merge(results);
  EXPECT_DOUBLE_EQ(FigureOf(*answer, "bytes_per_s"), sum);
  EXPECT_DOUBLE_EQ(FigureOf(*answer, "bytes_per_s_best"), best);
}

TEST(LoadMemory, RefusesWhatCannotBeDone) {
  EXPECT_EQ(Group("read", "8MiB").Refusal(), "none");
  EXPECT_EQ(Group("reed", "8MiB").Refusal(),
            "pattern is \"reed\"; write \"read\", \"write\", \"copy\", \"triad\" or \"chase\"");
  EXPECT_EQ(Group("read", "4KiB").Refusal(),
            "footprint is 4KiB; write one from \"12KiB\" to what the board's memory holds");
  WorkloadGroup few = Group("read", "64MiB", 2);
  few.job().units = 20;
  EXPECT_EQ(few.Refusal(),
            "units gives each worker 10, of which 16 only fill the footprint of 64MiB; write at least 36");
  few.job().units = 36;
  EXPECT_EQ(few.Refusal(), "none");
}

TEST(LoadMemory, AWorkerThatNeverCameToItsWorkHasNoAnswer) {
  const WorkloadGroup group = Group("read", "64MiB");
  const auto worker = group.Make();
  for (std::uint64_t unit = 0; unit < 16; ++unit) (*worker)->RunUnit(unit);
  const auto answer = group.Merge({group.ResultOf(**worker)});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message,
            "worker load: it was stopped before the footprint of 64MiB was filled; run longer, or write a smaller one");
}

TEST(LoadMemory, DamagedResultsAreRefusedOrMerged) {
  const WorkloadGroup group = Group("read", "1MiB");
  const auto worker = group.Make();
  for (std::uint64_t unit = 0; unit < 40; ++unit) (*worker)->RunUnit(unit);
  ExpectThatMergeEndures(group, group.ResultOf(**worker));
}

}  // namespace
}  // namespace corerig
