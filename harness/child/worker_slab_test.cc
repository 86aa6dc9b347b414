#include "harness/child/worker_slab.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <string_view>
#include <thread>

namespace corerig {
namespace {

constexpr std::size_t kCapacity = 64;

class ResultBoxTest : public testing::Test {
 protected:
  void Publish(std::string_view text) {
    std::memcpy(box().Buffer(kCapacity).data(), text.data(), text.size());
    box().Publish(text.size());
  }
  std::optional<std::string> Read(std::size_t capacity = kCapacity) {
    const auto bytes = box().Read(capacity);
    if (!bytes) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  }
  ResultBox& box() { return *reinterpret_cast<ResultBox*>(memory_); }

  // Checksum (8 bytes), length + 1 (8 bytes), content: zeroed, as a new slab is.
  alignas(64) std::byte memory_[16 + kCapacity] = {};
};

TEST_F(ResultBoxTest, HoldsNothingUntilPublished) {
  EXPECT_EQ(ResultBox::SizeFor(kCapacity), sizeof memory_);
  EXPECT_EQ(Read(), std::nullopt);
  std::memcpy(box().Buffer(kCapacity).data(), "half", 4);
  EXPECT_EQ(Read(), std::nullopt) << "written, but not published";
}

TEST_F(ResultBoxTest, HoldsWhatWasPublished) {
  Publish("the answer");
  EXPECT_EQ(Read(), "the answer");
}

TEST_F(ResultBoxTest, HoldsResultsOfEverySize) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kCapacity}) {
    Publish(std::string(size, 'x'));
    EXPECT_EQ(Read(), std::string(size, 'x'));
  }
}

TEST_F(ResultBoxTest, WithAnyBitChangedHoldsNothing) {
  Publish("the answer");
  for (std::size_t at = 0; at < 16 + 10; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      memory_[at] ^= std::byte(1 << bit);
      EXPECT_EQ(Read(), std::nullopt) << "byte " << at << ", bit " << bit;
      memory_[at] ^= std::byte(1 << bit);
    }
  }
  EXPECT_EQ(Read(), "the answer");
}

TEST_F(ResultBoxTest, IsNotReadBeyondItsCapacity) {
  Publish("the answer");
  EXPECT_EQ(Read(9), std::nullopt);
  EXPECT_EQ(Read(10), "the answer");
  const std::uint64_t longest = UINT64_MAX;
  std::memcpy(memory_ + 8, &longest, sizeof longest);
  EXPECT_EQ(Read(), std::nullopt);
}

// The checksum is the one it is called: FNV-1a (64 bit) of eight zero bytes for an empty result, computed apart.
TEST_F(ResultBoxTest, ChecksumIsFnv1a) {
  box().Publish(0);
  std::uint64_t expected = 14695981039346656037u;
  for (int i = 0; i < 8; ++i) expected *= 1099511628211u;
  std::uint64_t stored = 0;
  std::memcpy(&stored, memory_, sizeof stored);
  EXPECT_EQ(stored, expected);
}

TEST(Progress, OfZeroedMemoryIsNone) {
  alignas(Progress) std::byte memory[sizeof(Progress)] = {};
  const auto reading = reinterpret_cast<const Progress*>(memory)->Read();
  EXPECT_EQ(reading.units, 0u);
  EXPECT_EQ(reading.at, Nanos(0));
}

TEST(Progress, IsWhatWasPublishedLast) {
  Progress progress;
  for (std::uint64_t units = 1; units <= 5; ++units) {
    progress.Publish(units, Nanos(100 * units));
    EXPECT_EQ(progress.Read().units, units);
    EXPECT_EQ(progress.Read().at, Nanos(100 * units));
  }
}

TEST(Progress, ReadWhileItIsWrittenIsAlwaysOnePair) {
  Progress progress;
  std::atomic<bool> enough{false};
  std::thread writer([&] {
    for (std::uint64_t units = 1; !enough.load(std::memory_order_relaxed); ++units) {
      progress.Publish(units, Nanos(static_cast<std::int64_t>(units * 7)));
    }
  });
  std::uint64_t last = 0;
  // Until it was seen to go on that many times, so the two did run side by side.
  for (int changes = 0; changes < 20'000 && !testing::Test::HasFailure();) {
    const Progress::Reading reading = progress.Read();
    EXPECT_EQ(reading.at.count(), static_cast<std::int64_t>(reading.units * 7));
    EXPECT_GE(reading.units, last) << "went back";
    changes += reading.units != last;
    last = reading.units;
  }
  enough.store(true, std::memory_order_relaxed);
  writer.join();
}

TEST(WorkerSlabLayout, HoldsHeaderProgressAndResultSideBySide) {
  const WorkerSlabLayout layout(1000);
  EXPECT_GE(layout.progress, sizeof(SlabHeader));
  EXPECT_GE(layout.result, layout.progress + sizeof(Progress));
  EXPECT_GE(layout.size, layout.result + ResultBox::SizeFor(1000));
  EXPECT_EQ(layout.result_capacity, 1000u);
  EXPECT_EQ(layout.progress % 64, 0u);
  EXPECT_EQ(layout.result % 64, 0u);
}

}  // namespace
}  // namespace corerig
