#include "harness/measure/memory_reader.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr pid_t kPid = 7;
constexpr std::uint64_t kKiB = 1024;

// A /proc with one process in it.
class TreeOfOne : public testing::Test {
 protected:
  TreeOfOne() : root_(testing::TempDir() + "memory_reader_test") { std::filesystem::create_directories(Folder()); }
  ~TreeOfOne() override { std::filesystem::remove_all(root_); }

  struct Stat {
    int faults = 100, major_faults = 1, start_time = 5000, rss = 300;
    char state = 'S';
  };
  void Write(const Stat& stat) const {
    std::ofstream(Folder() + "stat") << StrCat(
        "7 (a) b) ", std::string(1, stat.state), " 1 7 7 0 -1 4194304 ", stat.faults, " 0 ", stat.major_faults,
        " 0 1 2 0 0 20 0 1 0 ", stat.start_time, " 4096000 ", stat.rss,
        " 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
  }
  void WriteMemory(int pss_kib) const {
    std::ofstream(Folder() + "smaps_rollup")
        << StrCat("Rss: 1200 kB\nPss: ", pss_kib, " kB\nShared_Clean: 1 kB\n",
                  "Shared_Dirty: 2 kB\nPrivate_Clean: 3 kB\nPrivate_Dirty: 4 kB\n", "Swap: 0 kB\n");
  }
  // PSS of the next reading, in KiB.
  std::uint64_t Pss() {
    const auto reading = reader_.Read(kPid);
    EXPECT_TRUE(reading && *reading);
    return reading && *reading ? (*reading)->pss / kKiB : 0;
  }
  std::string Folder() const { return StrCat(root_, "/", kPid, "/"); }

  const std::string root_;
  MemoryReader reader_{ProcFs(root_)};
};

TEST_F(TreeOfOne, WithoutAFaultAReadingIsGivenAgainThreeTimesAtMost) {
  Write({});
  WriteMemory(800);
  EXPECT_EQ(Pss(), 800u);
  WriteMemory(900);  // what another process maps has changed its share
  for (int i = 0; i < MemoryReader::kMostReuses; ++i) EXPECT_EQ(Pss(), 800u) << i;
  EXPECT_EQ(Pss(), 900u);
  WriteMemory(1000);
  for (int i = 0; i < MemoryReader::kMostReuses; ++i) EXPECT_EQ(Pss(), 900u) << "anew after a new reading";
  EXPECT_EQ(Pss(), 1000u);
}

TEST_F(TreeOfOne, AFaultOrOtherResidentPagesOrAnotherProcessOfThatNumberAreReadAtOnce) {
  const Stat changes[] = {{.faults = 101},
                          {.faults = 101, .major_faults = 2},
                          {.faults = 101, .major_faults = 2, .rss = 299},
                          {.faults = 101, .major_faults = 2, .start_time = 5001, .rss = 299}};
  Write({});
  WriteMemory(800);
  EXPECT_EQ(Pss(), 800u);
  std::uint64_t pss = 800;
  for (const Stat& change : changes) {
    Write(change);
    WriteMemory(static_cast<int>(++pss));
    EXPECT_EQ(Pss(), pss);
  }
}

TEST_F(TreeOfOne, AZombieHasNoMemoryHoweverLittleItsFiguresHaveChanged) {
  Write({});
  WriteMemory(800);
  EXPECT_EQ(Pss(), 800u);
  Write({.state = 'Z'});
  const auto reading = reader_.Read(kPid);
  ASSERT_TRUE(reading);
  EXPECT_FALSE(*reading);
}

// The live kernel counts what the reader relies on.
TEST(MemoryReader, WhatThisProcessTouchesAndGivesBackIsReadAtOnce) {
  constexpr std::size_t kAmount = 8 << 20;
  MemoryReader reader{ProcFs()};
  const auto uss = [&] {
    const auto reading = reader.Read(getpid());
    EXPECT_TRUE(reading && *reading);
    return static_cast<double>((*reading)->uss);
  };
  double before = uss();
  before = uss();  // what the first reading itself allocated is there now
  void* const pages = mmap(nullptr, kAmount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  EXPECT_NEAR(uss() - before, kAmount, kAmount / 8);
  ASSERT_EQ(munmap(pages, kAmount), 0);
  EXPECT_NEAR(uss() - before, 0, kAmount / 8);
}

}  // namespace
}  // namespace corerig
