#include "harness/base/text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace corerig {
namespace {

using Parts = std::vector<std::string_view>;

TEST(StrCat, PutsStringsAndNumbersSideBySide) {
  const std::string name = "imu";
  const char* literal = "core ";
  char array[] = "array";
  EXPECT_EQ(StrCat(), "");
  EXPECT_EQ(StrCat("stream ", name, '.', std::string_view("rate")), "stream imu.rate");
  EXPECT_EQ(StrCat(literal, 3, " ", -4, " ", 18446744073709551615u), "core 3 -4 18446744073709551615");
  EXPECT_EQ(StrCat(array, true, false), "arraytruefalse");
  EXPECT_EQ(StrCat(static_cast<std::uint8_t>(65)), "65") << "a byte is a number, a char a letter";
}

TEST(StrCat, AFloatingPointNumberReadsBackEqual) {
  EXPECT_EQ(StrCat(0.1), "0.1");
  EXPECT_EQ(StrCat(1.0), "1");
  EXPECT_EQ(StrCat(std::numeric_limits<double>::infinity()), "inf");
  for (const double value : {1.0 / 3, 1e300, 5e-324, -123456.789}) {
    EXPECT_EQ(ParseNumber<double>(StrCat(value)), value) << StrCat(value);
  }
}

TEST(ParseNumber, TakesAllOfTheTextOrNothing) {
  EXPECT_EQ(ParseNumber<int>("42"), 42);
  EXPECT_EQ(ParseNumber<int>("-42"), -42);
  EXPECT_EQ(ParseNumber<double>("1.5"), 1.5);
  for (const char* text : {"", " ", "4 ", " 4", "4x", "x", "+4", "0x10", "1.5", "99999999999"}) {
    EXPECT_FALSE(ParseNumber<int>(text)) << '"' << text << '"';
  }
  EXPECT_FALSE(ParseNumber<unsigned>("-1"));
  EXPECT_FALSE(ParseNumber<double>("1.5.2"));
  EXPECT_FALSE(ParseNumber<int>(std::string_view()));
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(Split("a,b", ','), (Parts{"a", "b"}));
  EXPECT_EQ(Split("a,,b", ','), (Parts{"a", "", "b"}));
  EXPECT_EQ(Split(",", ','), (Parts{"", ""}));
  EXPECT_EQ(Split("", ','), (Parts{""}));
  EXPECT_EQ(Split("abc", ','), (Parts{"abc"}));
}

TEST(Trim, TakesBlanksOffBothEndsOnly) {
  EXPECT_EQ(Trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(Trim("ab"), "ab");
  EXPECT_EQ(Trim(" \n"), "");
  EXPECT_EQ(Trim(""), "");
}

TEST(Join, IsTheInverseOfSplit) {
  EXPECT_EQ(Join({}, ", "), "");
  EXPECT_EQ(Join({"a"}, ", "), "a");
  EXPECT_EQ(Join({"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(Join({"", "b", ""}, ","), ",b,") << "empty parts count";
}

TEST(Nearest, FindsTheWordMeant) {
  const std::vector<std::string> keys = {"duration", "warmup", "drain", "seed"};
  EXPECT_EQ(Nearest("duraton", keys), "duration") << "a letter missing";
  EXPECT_EQ(Nearest("durationn", keys), "duration") << "one too many";
  EXPECT_EQ(Nearest("warmip", keys), "warmup") << "a wrong one";
  EXPECT_EQ(Nearest("deed", keys), "seed");
  EXPECT_EQ(Nearest("seed", keys), "seed");
  EXPECT_EQ(Nearest("drian", keys), "drain") << "two swapped are two edits";
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(Nearest("policy", {"duration", "seed"}), "");
  EXPECT_EQ(Nearest("durxxxon", {"duration"}), "") << "three edits";
  EXPECT_EQ(Nearest("seed", {}), "");
}

TEST(Nearest, PrefersTheNearer) { EXPECT_EQ(Nearest("price", {"prize2", "prixe", "prices2"}), "prixe"); }

}  // namespace
}  // namespace corerig
