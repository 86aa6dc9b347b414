#include "harness/os/smaps.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "harness/os/fd.h"

namespace corerig {
namespace {

// Linux 6.1, a shell.
constexpr std::string_view kKernel61 =
    "55d0a1c5e000-7ffd2b5f2000 ---p 00000000 00:00 0                          [rollup]\n"
    "Rss:                3456 kB\n"
    "Pss:                 407 kB\n"
    "Pss_Dirty:           280 kB\n"
    "Pss_Anon:            276 kB\n"
    "Pss_File:            131 kB\n"
    "Pss_Shmem:             0 kB\n"
    "Shared_Clean:       3172 kB\n"
    "Shared_Dirty:          4 kB\n"
    "Private_Clean:         8 kB\n"
    "Private_Dirty:       272 kB\n"
    "Referenced:         3456 kB\n"
    "Anonymous:           276 kB\n"
    "LazyFree:              0 kB\n"
    "AnonHugePages:         0 kB\n"
    "Swap:                 12 kB\n"
    "SwapPss:               0 kB\n"
    "Locked:                0 kB\n";

TEST(ParseSmapsRollup, ReadsBytes) {
  const auto memory = ParseSmapsRollup(kKernel61);
  ASSERT_TRUE(memory) << memory.error().message;
  EXPECT_EQ(memory->rss, 3456u * 1024);
  EXPECT_EQ(memory->pss, 407u * 1024);
  EXPECT_EQ(memory->uss, (8u + 272u) * 1024);
  EXPECT_EQ(memory->shared, (3172u + 4u) * 1024);
  EXPECT_EQ(memory->swap, 12u * 1024);
}

TEST(ParseSmapsRollup, SaysWhichLineIsMissing) {
  EXPECT_EQ(ParseSmapsRollup("").error().message, "smaps_rollup has no line \"Rss:\"");
  std::string text(kKernel61);
  text.erase(text.find("Private_Dirty"), 29);
  EXPECT_EQ(ParseSmapsRollup(text).error().message, "smaps_rollup has no line \"Private_Dirty:\"");
}

TEST(ParseSmapsRollup, RefusesWhatIsNoNumberOfKilobytes) {
  for (const std::string_view line : {"Rss: 12", "Rss: x kB", "Rss: -1 kB", "Rss: kB", "Rss: 1 2 kB",
                                      "Rss: 18446744073709551615 kB", "Rss: 99999999999999999999 kB"}) {
    const auto memory = ParseSmapsRollup(line);
    ASSERT_FALSE(memory) << line;
    EXPECT_EQ(memory.error().message, StrCat("smaps_rollup line \"", line, "\": a whole number of kB was expected"));
  }
}

TEST(ParseSmapsRollup, OfEveryPrefixIsAValueOrAnError) {
  for (std::size_t size = 0; size < kKernel61.size(); ++size) {
    const auto memory = ParseSmapsRollup(kKernel61.substr(0, size));
    EXPECT_TRUE(memory || !memory.error().message.empty());
  }
}

// The oracle: memory this test takes itself.
TEST(ParseSmapsRollup, SeesPrivateMemoryInTheLiveKernelsFile) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer takes shadow memory for every page";
#endif
  const auto read = [] {
    const auto text = ReadFile("/proc/self/smaps_rollup");
    EXPECT_TRUE(text) << text.error().message;
    const auto memory = ParseSmapsRollup(text.value_or(""));
    EXPECT_TRUE(memory) << memory.error().message;
    return memory.value_or(SmapsRollup{});
  };
  constexpr std::size_t kSize = 32 << 20;
  const SmapsRollup before = read();
  void* taken = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(taken, MAP_FAILED);
  std::memset(taken, 1, kSize);
  const SmapsRollup after = read();
  munmap(taken, kSize);
  constexpr double kSlack = 4 << 20;
  EXPECT_NEAR(static_cast<double>(after.rss) - static_cast<double>(before.rss), kSize, kSlack);
  EXPECT_NEAR(static_cast<double>(after.pss) - static_cast<double>(before.pss), kSize, kSlack);
  EXPECT_NEAR(static_cast<double>(after.uss) - static_cast<double>(before.uss), kSize, kSlack);
  EXPECT_EQ(after.rss, after.uss + after.shared) << "every resident page is private or shared";
}

}  // namespace
}  // namespace corerig
