// A worker may be killed at any instruction. What it leaves is read here after a thousand deaths: each result is whole
// or is not there, and progress is a pair that was published.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <vector>

#include "harness/child/worker_slab.h"
#include "harness/os/clock.h"
#include "harness/os/scheduling.h"
#include "harness/os/shared_memory.h"

namespace corerig {
namespace {

using namespace std::chrono_literals;

constexpr int kDeaths = 1'000;
constexpr std::size_t kBoxes = 65'536;  // more than are filled before a child is killed
constexpr std::size_t kContents = 1'024;
constexpr std::size_t kWords = 6;
constexpr std::size_t kCapacity = kWords * sizeof(std::uint64_t);

struct Layout {
  std::size_t progress, boxes, box_size, size;
  Layout() {
    SlabLayout layout;
    progress = layout.Add<Progress>();
    box_size = (ResultBox::SizeFor(kCapacity) + 63) / 64 * 64;
    boxes = layout.AddBytes(box_size * kBoxes);
    size = layout.size();
  }
};

class Shared {
 public:
  Shared() {
    const auto fd = CreateSharedMemory("torn-result", layout_.size);
    EXPECT_TRUE(fd) << fd.error().message;
    auto mapping = Mapping::Map(fd->get(), layout_.size, Mapping::Access::kReadWrite);
    EXPECT_TRUE(mapping) << mapping.error().message;
    mapping_ = std::move(*mapping);
  }
  Progress& progress() const { return *mapping_.At<Progress>(layout_.progress); }
  ResultBox& box(std::size_t index) const { return *mapping_.At<ResultBox>(layout_.boxes + index * layout_.box_size); }

 private:
  Layout layout_;
  Mapping mapping_;
};

using Content = std::array<std::uint64_t, kWords>;
using Contents = std::vector<Content>;

const Content& ContentOf(const Contents& contents, std::uint64_t index) { return contents[index % kContents]; }
Nanos InstantOf(const Contents& contents, std::uint64_t index) {
  return Nanos(static_cast<std::int64_t>(ContentOf(contents, index)[0] >> 1));
}

// The child: publishes one result after another, each into a fresh box, each followed by the progress, until killed.
// The contents were computed before, so that it is nearly always in the midst of a publication.
[[noreturn]] void PublishUntilKilled(const Shared& shared, const Contents& contents) {
  for (std::size_t index = 0; index < kBoxes; ++index) {
    std::memcpy(shared.box(index).Buffer(kCapacity).data(), ContentOf(contents, index).data(), kCapacity);
    shared.box(index).Publish(kCapacity);
    shared.progress().Publish(index + 1, InstantOf(contents, index));
  }
  for (;;) pause();
}

TEST(TornResult, AfterAThousandDeathsEveryResultIsWholeOrNotThere) {
  // No word is zero, and no two are alike.
  Contents contents(kContents);
  std::mt19937_64 random_words(1);
  for (Content& content : contents) {
    for (std::uint64_t& word : content) word = random_words() | 1;
  }

  SetTimerSlack(1ns);
  std::mt19937 random(20240607);
  std::uniform_int_distribution<int> delay(0, 150'000);
  int midst = 0;       // deaths between the first byte written into a box and its publication
  int unfinished = 0;  // deaths before all boxes were filled
  for (int death = 0; death < kDeaths; ++death) {
    const Shared shared;
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) PublishUntilKilled(shared, contents);
    // Asleep, not spinning: on a loaded machine whoever spins is made to wait the longer.
    while (shared.progress().Read().units == 0) SleepUntil(MonotonicNow() + 20us);
    SleepUntil(MonotonicNow() + Nanos(delay(random)));
    ASSERT_EQ(kill(child, SIGKILL), 0);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);

    const Progress::Reading progress = shared.progress().Read();
    ASSERT_GE(progress.units, 1u);
    ASSERT_LE(progress.units, kBoxes);
    ASSERT_EQ(progress.at, InstantOf(contents, progress.units - 1))
        << "units and instant of progress belong to different publications";
    // Up to what progress says the results are there; of the next one, all or nothing; then nothing. The latest ones:
    // death came long after the others.
    const std::uint64_t first = progress.units < 16 ? 0 : progress.units - 16;
    for (std::uint64_t index = first; index < std::min(progress.units + 2, std::uint64_t{kBoxes}); ++index) {
      const auto result = shared.box(index).Read(kCapacity);
      if (index != progress.units) {
        ASSERT_EQ(result.has_value(), index < progress.units) << "box " << index << " of " << progress.units;
      }
      if (!result) continue;
      ASSERT_EQ(result->size(), kCapacity);
      ASSERT_EQ(std::memcmp(result->data(), ContentOf(contents, index).data(), kCapacity), 0) << "box " << index;
    }
    if (progress.units == kBoxes) continue;
    ++unfinished;
    ResultBox& next = shared.box(progress.units);
    const auto content = next.Buffer(kCapacity);
    const bool touched =
        std::any_of(content.begin(), content.end(), [](std::byte byte) { return byte != std::byte{0}; });
    if (touched && !next.Read(kCapacity)) ++midst;
  }
  // The test has seen what it is about: a good share of the deaths came between a result's first byte and its length.
  EXPECT_GE(unfinished, kDeaths / 4);
  EXPECT_GE(midst, kDeaths / 50) << "of " << unfinished << " deaths while publishing";
  RecordProperty("unfinished", unfinished);
  RecordProperty("in_the_midst", midst);
}

}  // namespace
}  // namespace corerig
