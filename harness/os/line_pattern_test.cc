#include "harness/os/line_pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace corerig {
namespace {

using std::string_literals::operator""s;

bool Matches(const std::string& expression, std::string_view line) {
  const auto pattern = LinePattern::Compile(expression);
  EXPECT_TRUE(pattern) << (pattern ? "" : pattern.error().message);
  return pattern && pattern->Matches(line);
}

std::string Refusal(const std::string& expression) {
  const auto pattern = LinePattern::Compile(expression);
  EXPECT_FALSE(pattern) << expression << " was taken";
  return pattern ? "" : pattern.error().message;
}

TEST(LinePattern, PlainTextIsFoundAnywhere) {
  EXPECT_TRUE(Matches("done", "frame 7 done."));
  EXPECT_TRUE(Matches("done", "done"));
  EXPECT_FALSE(Matches("done", "don"));
  EXPECT_FALSE(Matches("done", ""));
  EXPECT_TRUE(Matches("a b", "xa by"));
}

TEST(LinePattern, ExpressionsAreThoseOfGrepE) {
  EXPECT_TRUE(Matches("^frame [0-9]+ done$", "frame 17 done"));
  EXPECT_FALSE(Matches("^frame [0-9]+ done$", "a frame 17 done"));
  EXPECT_FALSE(Matches("^frame [0-9]+ done$", "frame x done"));
  EXPECT_TRUE(Matches("ok|good", "all good"));
  EXPECT_TRUE(Matches("a{3}", "baaab"));
  EXPECT_FALSE(Matches("a{3}", "baab"));
  EXPECT_TRUE(Matches("1\\.5", "1.5"));
  EXPECT_FALSE(Matches("1\\.5", "1x5"));
  EXPECT_TRUE(Matches(".", "x"));
  EXPECT_FALSE(Matches(".", ""));
  EXPECT_TRUE(Matches("^$", ""));
  EXPECT_TRUE(Matches("[[:digit:]]", "a1"));
}

TEST(LinePattern, AnyByteMayStandInALine) {
  EXPECT_TRUE(Matches("b$", "a\0b"s));
  EXPECT_TRUE(Matches("b", "a\0b"s));
  EXPECT_FALSE(Matches("^b", "a\0b"s)) << "a NUL begins no line";
  EXPECT_TRUE(Matches("^a.b$",
                      "a\xff"
                      "b"));
  EXPECT_TRUE(Matches("µs$", "17 µs"));
}

TEST(LinePattern, WhatIsNoExpressionIsNamed) {
  EXPECT_EQ(Refusal("("), "pattern \"(\": Unmatched ( or \\(; write an expression as grep -E takes it");
  EXPECT_NE(Refusal("[a"), "");
  EXPECT_NE(Refusal("a{2,1}"), "");
}

TEST(LinePattern, BackReferencesAreRefused) {
  EXPECT_NE(Refusal("(a+)\\1").find("back-reference \\1"), std::string::npos);
  EXPECT_TRUE(Matches("a\\\\1", "a\\1")) << "a backslash and a one";
}

// An expression that makes backtracking matchers take 2^60 steps.
TEST(LinePattern, TimeIsBoundedByTheLine) { EXPECT_FALSE(Matches("^(a+)+b$", std::string(4096, 'a'))); }

}  // namespace
}  // namespace corerig
