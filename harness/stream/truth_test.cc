#include "harness/stream/truth.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>

namespace corerig {
namespace {

// Zeroed memory, as a slab is.
class RingMemory {
 public:
  explicit RingMemory(std::size_t capacity)
      : memory_(std::aligned_alloc(64, TruthRing::SizeFor(capacity)), &std::free) {
    std::memset(memory_.get(), 0, TruthRing::SizeFor(capacity));
  }
  TruthRing& ring() { return *static_cast<TruthRing*>(memory_.get()); }

 private:
  std::unique_ptr<void, decltype(&std::free)> memory_;
};

// Every field follows from n, so a mixture of two entries shows.
Truth TruthOf(std::uint64_t n) {
  return {.sequence = n,
          .due = Nanos(static_cast<std::int64_t>(n * 3)),
          .release = Nanos(static_cast<std::int64_t>(n * 4)),
          .sent = Nanos(static_cast<std::int64_t>(n * 5)),
          .wire_key = n * 7,
          .offset = n * 11,
          .size = static_cast<std::uint32_t>(n * 13),
          .flags = static_cast<std::uint8_t>(n * 17),
          .fault = static_cast<std::uint8_t>(n * 19),
          .value = static_cast<double>(n) * 0.5,
          .gaps = static_cast<std::uint32_t>(n * 23)};
}

void ExpectTruthOf(std::uint64_t n, const Truth& seen) {
  const Truth expected = TruthOf(n);
  ASSERT_EQ(seen.sequence, expected.sequence);
  ASSERT_EQ(seen.due, expected.due) << "of emission " << n;
  ASSERT_EQ(seen.release, expected.release) << "of emission " << n;
  ASSERT_EQ(seen.sent, expected.sent) << "of emission " << n;
  ASSERT_EQ(seen.wire_key, expected.wire_key) << "of emission " << n;
  ASSERT_EQ(seen.offset, expected.offset) << "of emission " << n;
  ASSERT_EQ(seen.size, expected.size) << "of emission " << n;
  ASSERT_EQ(seen.flags, expected.flags) << "of emission " << n;
  ASSERT_EQ(seen.fault, expected.fault) << "of emission " << n;
  ASSERT_EQ(seen.value, expected.value) << "of emission " << n;
  ASSERT_EQ(seen.gaps, expected.gaps) << "of emission " << n;
}

TEST(TruthRing, ZeroedMemoryIsAnEmptyRing) {
  RingMemory memory(8);
  EXPECT_EQ(memory.ring().published(), 0u);
  EXPECT_EQ(memory.ring().oldest(8), 0u);
  EXPECT_FALSE(memory.ring().Read(0, 8));
}

TEST(TruthRing, KeepsEveryEmissionUntilItsPlaceIsTakenAnew) {
  RingMemory memory(8);
  for (std::uint64_t n = 0; n < 100; ++n) {
    memory.ring().Append(TruthOf(n), 8);
    EXPECT_EQ(memory.ring().published(), n + 1);
    const std::uint64_t oldest = n + 1 > 8 ? n + 1 - 8 : 0;
    EXPECT_EQ(memory.ring().oldest(8), oldest);
    for (std::uint64_t i = oldest; i <= n; ++i) {
      const auto seen = memory.ring().Read(i, 8);
      ASSERT_TRUE(seen) << i << " of " << n;
      ExpectTruthOf(i, *seen);
    }
    if (oldest > 0) {
      EXPECT_FALSE(memory.ring().Read(oldest - 1, 8)) << n;
    }
    EXPECT_FALSE(memory.ring().Read(n + 1, 8)) << n;
  }
}

TEST(TruthRing, AConcurrentReaderNeverSeesATornEntry) {
  constexpr std::size_t kCapacity = 4;  // small, so that the reader is overtaken all the time
  constexpr std::uint64_t kEmissions = 300'000;
  RingMemory memory(kCapacity);
  TruthRing& ring = memory.ring();
  std::atomic<bool> reading{false};
  std::thread writer([&] {
    while (!reading.load()) std::this_thread::yield();
    for (std::uint64_t n = 0; n < kEmissions; ++n) {
      ring.Append(TruthOf(n), kCapacity);
      if (n % 64 == 0) std::this_thread::yield();
    }
  });
  std::uint64_t read = 0, next = 0;
  reading = true;
  while (next < kEmissions) {
    next = std::max(next, ring.oldest(kCapacity));
    if (next >= ring.published()) {
      std::this_thread::yield();
      continue;
    }
    if (const auto seen = ring.Read(next, kCapacity)) {
      ExpectTruthOf(next, *seen);
      ++read;
    }
    ++next;
    if (HasFatalFailure()) break;
  }
  writer.join();
  EXPECT_GT(read, 0u);
}

}  // namespace
}  // namespace corerig
