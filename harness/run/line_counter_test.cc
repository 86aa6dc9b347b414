#include "harness/run/line_counter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace corerig {
namespace {

using std::string_literals::operator""s;

LineCounter Counting(const std::string& expression) {
  auto pattern = LinePattern::Compile(expression);
  EXPECT_TRUE(pattern) << expression;
  return LineCounter(std::move(*pattern));
}

std::uint64_t CountIn(const std::string& expression, const std::vector<std::string>& pieces) {
  LineCounter counter = Counting(expression);
  std::uint64_t count = 0;
  for (const auto& piece : pieces) count += counter.Take(piece);
  return count + counter.End();
}

TEST(LineCounter, CountsALineOnceHoweverOftenItMatches) {
  EXPECT_EQ(CountIn("unit", {"unit 1 unit\nother\nunit 2\n"}), 2u);
  EXPECT_EQ(CountIn("unit", {""}), 0u);
  EXPECT_EQ(CountIn("unit", {"\n\n\n"}), 0u);
}

TEST(LineCounter, ALineWithoutALineFeedCountsAtTheEnd) {
  LineCounter counter = Counting("unit");
  EXPECT_EQ(counter.Take("unit 1\nunit 2"), 1u);
  EXPECT_EQ(counter.End(), 1u);
  EXPECT_EQ(counter.End(), 0u) << "once";
  EXPECT_EQ(CountIn("^$", {"a\n"}), 0u) << "nothing follows the last line feed";
}

TEST(LineCounter, CutsMakeNoDifference) {
  const std::string text = "unit 1\r\nno\nunit 2\n\nunit x\na\0unit 3\nunit 4\r\r\nunit 5"s;
  for (const std::string expression : {"^unit [0-9]$", "unit", "^$"}) {
    const std::uint64_t whole = CountIn(expression, {text});
    for (std::size_t a = 0; a <= text.size(); ++a) {
      for (std::size_t b = a; b <= text.size(); ++b) {
        EXPECT_EQ(CountIn(expression, {text.substr(0, a), text.substr(a, b - a), text.substr(b)}), whole)
            << expression << " cut at " << a << " and " << b;
      }
    }
  }
  EXPECT_EQ(CountIn("^unit [0-9]$", {text}), 3u) << "1, 2 and 5";
}

TEST(LineCounter, ACarriageReturnBeforeTheLineFeedIsNoPartOfTheLine) {
  EXPECT_EQ(CountIn("done$", {"done\r\n", "done\n", "done\r", "\n", "done \r\n"}), 3u);
  EXPECT_EQ(CountIn("^$", {"\r\n", "\n"}), 2u);
  EXPECT_EQ(CountIn("a$", {"a\rb\n"}), 0u);
}

TEST(LineCounter, OfALongLineTheBeginningIsLookedAt) {
  const std::string filler(LineCounter::kSeen - 4, 'x');
  EXPECT_EQ(CountIn("unit", {filler + "unit" + std::string(100'000, 'y') + "\n"}), 1u);
  EXPECT_EQ(CountIn("unit", {filler + "xunit\n"}), 0u);
  // The same in small pieces, and the next line is a line of its own.
  std::vector<std::string> pieces;
  for (int i = 0; i < 100; ++i) pieces.push_back(std::string(100, 'x'));
  pieces.push_back("unit\nunit\n");
  EXPECT_EQ(CountIn("unit", pieces), 1u);
  // A line as long as is looked at, and its CR.
  EXPECT_EQ(CountIn("unit$", {filler + "unit\r\n"}), 1u);
  EXPECT_EQ(CountIn("unit$", {filler, "unit", "\r", "\n"}), 1u);
}

}  // namespace
}  // namespace corerig
