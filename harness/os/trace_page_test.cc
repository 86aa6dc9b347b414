#include "harness/os/trace_page.h"

#include <gtest/gtest.h>

#include <vector>

#include "harness/base/philox.h"

namespace corerig {
namespace {

constexpr std::size_t kPageSize = 4096;
constexpr std::uint32_t kPadding = 29, kTimeExtend = 30, kTimeStamp = 31;
constexpr TracePageLayout k64 = {.commit_offset = 8, .commit_size = 8, .data_offset = 16};
constexpr TracePageLayout k32 = {.commit_offset = 8, .commit_size = 4, .data_offset = 12};

// Writes a page as the kernel does (include/linux/ring_buffer.h, struct ring_buffer_event).
class Page {
 public:
  Page(const TracePageLayout& layout, std::uint64_t time) : layout_(layout), bytes_(layout.data_offset) {
    std::memcpy(bytes_.data(), &time, sizeof time);
  }
  Page& Word(std::uint32_t word) {
    const auto* const from = reinterpret_cast<const std::byte*>(&word);
    bytes_.insert(bytes_.end(), from, from + sizeof word);
    return *this;
  }
  Page& Header(std::uint32_t kind, std::uint32_t delta) {
    return Word(std::endian::native == std::endian::little ? delta << 5 | kind : kind << 27 | delta);
  }
  // An event of `words` words, each of which is `mark`.
  Page& Event(std::uint32_t delta, std::uint32_t words, std::uint32_t mark) {
    Header(words, delta);
    return Words(words, mark);
  }
  Page& LongEvent(std::uint32_t delta, std::uint32_t bytes, std::uint32_t mark) {
    Header(0, delta).Word(bytes + 4);
    return Words((bytes + 3) / 4, mark);
  }
  Page& Words(std::uint32_t words, std::uint32_t mark) {
    for (std::uint32_t i = 0; i < words; ++i) Word(mark);
    return *this;
  }
  // The commit word, and the page filled up to its size. `stored`: behind the data, the number of lost events.
  std::vector<std::byte> Finish(std::uint64_t flags = 0, std::uint64_t stored = 0) {
    const std::uint64_t commit = (bytes_.size() - layout_.data_offset) | flags;
    if (stored != 0) {
      const auto* const from = reinterpret_cast<const std::byte*>(&stored);
      bytes_.insert(bytes_.end(), from, from + layout_.commit_size);
    }
    const auto low = static_cast<std::uint32_t>(commit);
    if (layout_.commit_size == 8) {
      std::memcpy(bytes_.data() + layout_.commit_offset, &commit, 8);
    } else {
      std::memcpy(bytes_.data() + layout_.commit_offset, &low, 4);
    }
    if (bytes_.size() < kPageSize) bytes_.resize(kPageSize, std::byte{0xee});
    return bytes_;
  }

 private:
  TracePageLayout layout_;
  std::vector<std::byte> bytes_;
};

struct Seen {
  std::int64_t at;
  std::size_t size;
  std::uint32_t mark;
  bool operator==(const Seen&) const = default;
};
void PrintTo(const Seen& seen, std::ostream* out) { *out << seen.at << " (" << seen.size << ", " << seen.mark << ")"; }

std::vector<Seen> Read(std::span<const std::byte> page, const TracePageLayout& layout) {
  std::vector<Seen> all;
  ForEachRecord(page, layout, [&](Nanos at, std::span<const std::byte> event) {
    Seen seen = {at.count(), event.size(), 0};
    if (event.size() >= 4) std::memcpy(&seen.mark, event.data() + event.size() - 4, 4);
    all.push_back(seen);
  });
  return all;
}

class EitherLayout : public testing::TestWithParam<TracePageLayout> {};
INSTANTIATE_TEST_SUITE_P(TracePage, EitherLayout, testing::Values(k64, k32),
                         [](const auto& tested) { return tested.param.commit_size == 8 ? "Of64Bit" : "Of32Bit"; });

TEST_P(EitherLayout, EventsHaveTheTimeOfThePageAndTheirDeltas) {
  const auto page = Page(GetParam(), 1'000'000).Event(0, 2, 1).Event(5, 28, 2).Event(7, 1, 3).Finish();
  EXPECT_EQ(Read(page, GetParam()), (std::vector<Seen>{{1'000'000, 8, 1}, {1'000'005, 112, 2}, {1'000'012, 4, 3}}));
  EXPECT_EQ(LostBefore(page, GetParam()), 0u);
}

TEST_P(EitherLayout, ALongEventSaysItsLengthItself) {
  const auto page = Page(GetParam(), 100).LongEvent(1, 200, 1).LongEvent(1, 114, 2).Event(1, 1, 3).Finish();
  const auto seen = Read(page, GetParam());
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0], (Seen{101, 200, 1}));
  EXPECT_EQ(seen[1].size, 114u) << "the next event is aligned to a word";
  EXPECT_EQ(seen[2], (Seen{103, 4, 3}));
}

TEST_P(EitherLayout, ALongPauseIsATimeExtend) {
  // 2^27 ns do not fit into the delta of an event.
  const std::uint64_t pause = (std::uint64_t{7} << 27) + 123;
  const auto page = Page(GetParam(), 1000)
                        .Event(0, 1, 1)
                        .Header(kTimeExtend, pause & ((1u << 27) - 1))
                        .Word(static_cast<std::uint32_t>(pause >> 27))
                        .Event(9, 1, 2)
                        .Finish();
  EXPECT_EQ(Read(page, GetParam()),
            (std::vector<Seen>{{1000, 4, 1}, {1000 + static_cast<std::int64_t>(pause) + 9, 4, 2}}));
}

TEST_P(EitherLayout, AnAbsoluteStampReplacesTheLowerBits) {
  const std::uint64_t upper = std::uint64_t{3} << 59, stamp = (std::uint64_t{77} << 27) + 5;
  const auto page = Page(GetParam(), upper + 1000)
                        .Event(0, 1, 1)
                        .Header(kTimeStamp, stamp & ((1u << 27) - 1))
                        .Word(static_cast<std::uint32_t>(stamp >> 27))
                        .Event(1, 1, 2)
                        .Finish();
  const auto seen = Read(page, GetParam());
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(static_cast<std::uint64_t>(seen[1].at), upper + stamp + 1);
}

TEST_P(EitherLayout, ADiscardedEventIsSkippedAndItsTimeCounts) {
  // Padding with a delta: the second word counts itself and what follows.
  const auto page =
      Page(GetParam(), 100).Event(0, 1, 1).Header(kPadding, 4).Word(12).Words(2, 9).Event(5, 1, 2).Finish();
  EXPECT_EQ(Read(page, GetParam()), (std::vector<Seen>{{100, 4, 1}, {109, 4, 2}}));
}

TEST_P(EitherLayout, PaddingWithoutADeltaFillsThePage) {
  const auto page =
      Page(GetParam(), 100).Event(0, 1, 1).Header(kPadding, 0).Word(8).Words(1, 9).Event(5, 1, 2).Finish();
  EXPECT_EQ(Read(page, GetParam()), (std::vector<Seen>{{100, 4, 1}}));
}

TEST_P(EitherLayout, LostEventsAreCountedWhereTheKernelStoredTheirNumber) {
  const std::uint64_t missed = 1u << 31, stored = 1u << 30;
  EXPECT_EQ(LostBefore(Page(GetParam(), 1).Event(0, 1, 1).Finish(missed | stored, 4711), GetParam()), 4711u);
  EXPECT_EQ(LostBefore(Page(GetParam(), 1).Event(0, 1, 1).Finish(missed), GetParam()), 1u) << "some, not how many";
  EXPECT_EQ(LostBefore(Page(GetParam(), 1).Event(0, 1, 1).Finish(stored, 4711), GetParam()), 0u);
  // A number that says none is none.
  auto none = Page(GetParam(), 1).Event(0, 1, 1).Finish(missed | stored, 4711);
  std::fill(none.begin() + static_cast<std::ptrdiff_t>(GetParam().data_offset + 8), none.end(), std::byte{0});
  EXPECT_EQ(LostBefore(none, GetParam()), 1u);
  // The flags are no length.
  EXPECT_EQ(Read(Page(GetParam(), 1).Event(0, 1, 1).Finish(missed | stored, 4711), GetParam()).size(), 1u);
  // Full to the end: no room for the number that the flag promises.
  Page full(GetParam(), 1);
  full.Words(static_cast<std::uint32_t>((kPageSize - GetParam().data_offset) / 4), 0);
  EXPECT_EQ(LostBefore(full.Finish(missed | stored), GetParam()), 1u);
}

TEST_P(EitherLayout, APageThatIsCutAnywhereIsReadAsFarAsItGoes) {
  const auto page =
      Page(GetParam(), 100).Event(1, 2, 1).LongEvent(1, 40, 2).Header(kTimeExtend, 1).Word(0).Event(1, 1, 3).Finish();
  const auto whole = Read(page, GetParam());
  ASSERT_EQ(whole.size(), 3u);
  for (std::size_t size = 0; size <= 100; ++size) {
    // A copy of its own size: a sanitizer sees a byte that is read too far.
    const std::vector<std::byte> cut(page.begin(), page.begin() + static_cast<std::ptrdiff_t>(size));
    const auto seen = Read(cut, GetParam());
    ASSERT_LE(seen.size(), whole.size());
    EXPECT_TRUE(std::equal(seen.begin(), seen.end(), whole.begin())) << size;
    (void)LostBefore(cut, GetParam());
  }
}

TEST_P(EitherLayout, LengthsThatCannotBeEndThePage) {
  for (const std::uint32_t length : {0u, 3u, 5000u, 0xffffffffu}) {
    EXPECT_TRUE(Read(Page(GetParam(), 1).Header(0, 1).Word(length).Event(1, 1, 1).Finish(), GetParam()).empty())
        << length;
    EXPECT_TRUE(Read(Page(GetParam(), 1).Header(kPadding, 1).Word(length).Event(1, 1, 1).Finish(), GetParam()).empty());
  }
  // A commit beyond the page.
  EXPECT_LE(Read(Page(GetParam(), 1).Event(1, 1, 1).Finish((1u << 27) - 1), GetParam()).size(), kPageSize / 4);
}

TEST_P(EitherLayout, GarbageIsReadWithinItsBoundsAndToAnEnd) {
  for (std::uint32_t round = 0; round < 3000; ++round) {
    const auto first = RandomWords(11, StreamId("garbage"), round);
    // Sizes around the header's more often than others; a third of the pages begin well.
    std::vector<std::byte> page(first[0] % 3 == 0 ? first[1] % 40 : first[1] % (kPageSize + 1));
    for (std::size_t i = 0; i < page.size(); i += 4) {
      const auto words = RandomWords(11, StreamId("byte"), round, static_cast<std::uint32_t>(i));
      // Small numbers of words make records that fit.
      const std::uint32_t word = words[0] % 4 == 0 ? words[1] : words[1] & 0x3ff;
      std::memcpy(page.data() + i, &word, std::min<std::size_t>(4, page.size() - i));
    }
    if (first[2] % 3 == 0 && page.size() >= 16) {
      const std::uint64_t commit = page.size();
      std::memcpy(page.data() + 8, &commit, GetParam().commit_size);
    }
    std::size_t events = 0, bytes = 0;
    ForEachRecord(page, GetParam(), [&](Nanos, std::span<const std::byte> event) {
      ++events;
      bytes += event.size();
      ASSERT_GE(event.data(), page.data());
      ASSERT_LE(event.data() + event.size(), page.data() + page.size());
    });
    ASSERT_LE(events * 4 + bytes, page.size());
    (void)LostBefore(page, GetParam());
  }
}

TEST(TracePageLayout, IsTakenFromTheHeaderPageOrRefused) {
  const auto layout = [](std::initializer_list<TraceField> fields) {
    return LayoutFrom({.name = "", .id = 0, .fields = fields});
  };
  const TraceField time = {.name = "timestamp", .offset = 0, .size = 8};
  const auto wide =
      layout({time, {.name = "commit", .offset = 8, .size = 8}, {.name = "data", .offset = 16, .size = 4080}});
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->data_offset, 16u);
  const auto narrow =
      layout({time, {.name = "commit", .offset = 8, .size = 4}, {.name = "data", .offset = 12, .size = 4084}});
  ASSERT_TRUE(narrow);
  EXPECT_EQ(narrow->commit_size, 4u);
  EXPECT_EQ(narrow->data_offset, 12u);
  EXPECT_FALSE(layout({time, {.name = "data", .offset = 16, .size = 4080}})) << "no commit";
  EXPECT_FALSE(layout({time, {.name = "commit", .offset = 8, .size = 8}})) << "no data";
  EXPECT_FALSE(layout({{.name = "commit", .offset = 8, .size = 2}, {.name = "data", .offset = 16, .size = 4080}}));
  EXPECT_FALSE(layout({{.name = "commit", .offset = 8, .size = 8}, {.name = "data", .offset = 12, .size = 4080}}))
      << "the data would lie in the commit word";
}

}  // namespace
}  // namespace corerig
