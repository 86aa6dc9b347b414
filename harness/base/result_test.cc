#include "harness/base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace corerig {
namespace {

Result<int> Port(std::string_view text) {
  if (text.empty()) return Fail("port is empty; write a number from ", 1, " to ", 65535);
  return 80;
}

Result<std::string> Address(std::string_view port) {
  const auto number = Port(port);
  if (!number) return Forward(number);
  return StrCat("localhost:", *number);
}

Status Connect(std::string_view port) {
  const auto number = Port(port);
  if (!number) return ForwardWith(number, "stream ", "imu", ": ");
  return {};
}

TEST(Result, HoldsAValueOrAnErrorWithItsMessage) {
  EXPECT_EQ(Port("80").value(), 80);
  ASSERT_FALSE(Port(""));
  EXPECT_EQ(Port("").error().message, "port is empty; write a number from 1 to 65535");
}

TEST(Result, ForwardHandsTheErrorOnToAResultOfAnotherType) {
  EXPECT_EQ(Address("80").value(), "localhost:80");
  ASSERT_FALSE(Address(""));
  EXPECT_EQ(Address("").error().message, Port("").error().message);
}

TEST(Result, ForwardWithSaysBeforeItWhatWasBeingDone) {
  EXPECT_TRUE(Connect("80"));
  ASSERT_FALSE(Connect(""));
  EXPECT_EQ(Connect("").error().message, "stream imu: port is empty; write a number from 1 to 65535");
}

TEST(Result, HoldsWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 7);
}

}  // namespace
}  // namespace corerig
