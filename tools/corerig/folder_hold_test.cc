#include "tools/corerig/folder_hold.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

namespace corerig {
namespace {

TEST(HoldFolder, IsOneRunsAtATime) {
  std::string folder = testing::TempDir() + "heldXXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  auto first = HoldFolder(folder);
  ASSERT_TRUE(first);
  const auto second = HoldFolder(folder);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, folder + ": another run writes there; wait for its end, or write --out DIR");
  first->Close();
  EXPECT_TRUE(HoldFolder(folder));
  EXPECT_EQ(rmdir(folder.c_str()), 0) << "nothing is left in it";
}

TEST(HoldFolder, WhatCannotBeOpenedIsNotInTheWay) { EXPECT_TRUE(HoldFolder("/nowhere")); }

}  // namespace
}  // namespace corerig
