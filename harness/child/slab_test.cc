#include "harness/child/slab.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace corerig {
namespace {

// Zeroed memory, as a new slab is; the raw bytes can be spoilt as a wild child would.
class ZeroedText {
 public:
  SlabText& text() { return *reinterpret_cast<SlabText*>(bytes_); }
  void SetLength(std::uint32_t length) { std::memcpy(bytes_, &length, sizeof length); }

 private:
  alignas(SlabText) std::byte bytes_[sizeof(SlabText)] = {};
};

TEST(SlabText, IsEmptyUntilPublished) {
  ZeroedText memory;
  EXPECT_EQ(memory.text().Read(), "");
  memory.text().Publish("parameter strike is 0; a positive number was expected");
  EXPECT_EQ(memory.text().Read(), "parameter strike is 0; a positive number was expected");
}

TEST(SlabText, KeepsTheFirstText) {
  ZeroedText memory;
  memory.text().Publish("the cause");
  memory.text().Publish("what came of it, which is a longer text");
  EXPECT_EQ(memory.text().Read(), "the cause");
}

TEST(SlabText, IsCutBetweenCharacters) {
  for (const std::string& character : {std::string("x"), std::string("µ"), std::string("€"), std::string("😀")}) {
    for (std::size_t before = 490; before <= 505; ++before) {
      ZeroedText memory;
      memory.text().Publish(std::string(before, 'a') + character + character);
      std::string expected(std::min<std::size_t>(before, 500), 'a');
      for (int i = 0; i < 2 && expected.size() + character.size() <= 500; ++i) expected += character;
      EXPECT_EQ(memory.text().Read(), expected) << character << " after " << before;
    }
  }
}

TEST(SlabText, OfAnyLengthIsReadWithinItsBounds) {
  ZeroedText memory;
  memory.text().Publish("abc");
  memory.SetLength(0xFFFFFFFF);
  EXPECT_EQ(memory.text().Read(), "abc" + std::string(497, '?'));
}

TEST(SlabText, ShowsNothingThatIsNoText) {
  const std::pair<std::string, std::string> cases[] = {
      {"a\x1b[2Jb\n", "a?[2Jb?"},            // control characters
      {"\xff\xc0\x80", "???"},               // bytes that never occur
      {"\xed\xa0\x80", "???"},               // a surrogate
      {"\xe0\x80\xaf", "???"},               // overlong
      {"\xf4\x90\x80\x80", "????"},          // above U+10FFFF
      {"\xc2", "?"},                         // cut off
      {"\x7f", "?"},                         // DEL
      {"12 µs ≤ 3 €, 😀", "12 µs ≤ 3 €, 😀"},  // all sizes
  };
  for (const auto& [written, expected] : cases) {
    ZeroedText memory;
    memory.text().Publish(written);
    EXPECT_EQ(memory.text().Read(), expected);
  }
}

TEST(SlabHeader, OfZeroedMemoryIsAChildThatStarts) {
  alignas(SlabHeader) std::byte bytes[sizeof(SlabHeader)] = {};
  const auto& header = *reinterpret_cast<const SlabHeader*>(bytes);
  EXPECT_EQ(header.state.load(), ChildState::kStarting);
  EXPECT_EQ(header.begun_at.Get(), 0u);
  EXPECT_EQ(header.error.Read(), "");
}

TEST(SlabLayout, PutsEveryPartOnACacheLineOfItsOwn) {
  SlabLayout layout;
  EXPECT_EQ(layout.Add<char>(), 0u);
  EXPECT_EQ(layout.Add<std::uint64_t>(9), 64u);
  EXPECT_EQ(layout.AddBytes(0), 192u);
  EXPECT_EQ(layout.AddBytes(64), 192u);
  EXPECT_EQ(layout.size(), 256u);
}

}  // namespace
}  // namespace corerig
