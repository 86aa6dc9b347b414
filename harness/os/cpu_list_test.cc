#include "harness/os/cpu_list.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

std::string List(std::string_view text, CpuId last = {-1}) {
  const auto cpus = ParseCpuList(text, last);
  return cpus ? CpuListText(*cpus) : cpus.error().message;
}

TEST(CpuList, RangesAndSingleCpus) {
  EXPECT_EQ(List("0-3,6\n"), "0-3,6");
  EXPECT_EQ(List("6,0-2,1"), "0-2,6") << "ascending, each once";
  EXPECT_EQ(List("7"), "7");
  EXPECT_EQ(List(""), "none");
  EXPECT_EQ(List("\n"), "none");
  EXPECT_EQ(List("(null)\n"), "none") << "nohz_full where none is";
}

TEST(CpuList, TheWordsOfTheCommandLine) {
  EXPECT_EQ(List("all", {3}), "0-3");
  EXPECT_EQ(List("2-N", {3}), "2-3");
  EXPECT_EQ(List("0-15:2/4", {15}), "0-1,4-5,8-9,12-13");
  EXPECT_EQ(List("N"), "CPU list \"N\": \"N\" is no CPU and no range like 0-3") << "the last is not known";
}

TEST(CpuList, MalformedOnesAreNamed) {
  for (const std::string_view text :
       {"x", "1-", "-1", "3-1", "1-2-3", "0,,1", "0-3:2", "0-3:0/4", "0-3:4/2", "0-99999999"}) {
    EXPECT_FALSE(ParseCpuList(text)) << text;
    EXPECT_EQ(List(text).find("CPU list \""), 0u) << List(text);
  }
}

TEST(CpuMask, GroupsOfEightDigitsTheHighestFirst) {
  const auto text = [](std::string_view mask) {
    const auto cpus = ParseCpuMask(mask);
    return cpus ? CpuListText(*cpus) : cpus.error().message;
  };
  EXPECT_EQ(text("f\n"), "0-3");
  EXPECT_EQ(text("00000001,0000004F"), "0-3,6,32");
  EXPECT_EQ(text("0"), "none");
  EXPECT_FALSE(ParseCpuMask(""));
  EXPECT_FALSE(ParseCpuMask("f,"));
  EXPECT_FALSE(ParseCpuMask("123456789"));
  EXPECT_FALSE(ParseCpuMask("0xf"));
}

TEST(CpuMask, WrittenAndReadAgainIsTheSame) {
  for (const std::string_view list : {"0", "0-3", "1,5", "31-32", "0-63,64,127"}) {
    const auto cpus = ParseCpuList(list);
    ASSERT_TRUE(cpus);
    const auto again = ParseCpuMask(CpuMaskText(*cpus));
    ASSERT_TRUE(again) << CpuMaskText(*cpus);
    EXPECT_EQ(*again, *cpus) << list;
  }
  EXPECT_EQ(CpuMaskText({{0}, {32}}), "1,00000001");
  EXPECT_EQ(CpuMaskText({}), "0");
}

}  // namespace
}  // namespace corerig
