#include "harness/measure/memory_probe.h"

#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <string>

namespace corerig {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kAmount = 32 * kMiB;
// What the test itself may map, allocate or free between two readings.
constexpr double kSlack = 1.0 * kMiB;

// Memory of this process that goes away with the object; small pages, so that amounts are exact.
class Pages {
 public:
  // Anonymous, or those of a file.
  explicit Pages(std::uint64_t size, int file = -1)
      : size_(size),
        base_(static_cast<volatile char*>(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                               file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, file, 0))) {
    EXPECT_NE(const_cast<char*>(base_), MAP_FAILED);
    madvise(const_cast<char*>(base_), size, MADV_NOHUGEPAGE);
  }
  Pages(const Pages&) = delete;
  ~Pages() { munmap(const_cast<char*>(base_), size_); }

  // Not instrumented: ThreadSanitizer would keep as much memory again about what is written here.
  __attribute__((no_sanitize("thread"))) void Touch() const {
    for (std::uint64_t at = 0; at < size_; at += 4096) base_[at] = 1;
  }

 private:
  std::uint64_t size_;
  volatile char* base_;
};

MemoryReading Own() {
  const auto reading = ReadMemory(ProcFs(), getpid());
  EXPECT_TRUE(reading) << reading.error().message;
  return reading.value_or(MemoryReading{});
}

double Grown(std::uint64_t before, std::uint64_t after) {
  return static_cast<double>(after) - static_cast<double>(before);
}

// A process that runs `act` and then lives until the object goes.
class Child {
 public:
  template <typename Act>
  explicit Child(Act act) {
    int ready[2] = {-1, -1}, stay[2] = {-1, -1};
    EXPECT_EQ(pipe(ready), 0);
    EXPECT_EQ(pipe(stay), 0);
    pid_ = fork();
    if (pid_ == 0) {
      close(stay[1]);
      act();
      char byte = 0;
      if (write(ready[1], &byte, 1) == 1) (void)!read(stay[0], &byte, 1);
      _exit(0);
    }
    close(ready[1]);
    close(stay[0]);
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1) << "the child did not get ready";
    close(ready[0]);
    stay_ = stay[1];
  }
  Child(const Child&) = delete;
  ~Child() {
    End();
    waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }
  // Makes it a zombie.
  void End() {
    if (stay_ < 0) return;
    close(stay_);
    stay_ = -1;
    siginfo_t ended;
    waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT);
  }

 private:
  pid_t pid_ = -1;
  int stay_ = -1;
};

TEST(ReadMemory, UntouchedMemoryIsNotThere) {
  const MemoryReading before = Own();
  const Pages pages(kAmount);
  EXPECT_NEAR(Grown(before.rss, Own().rss), 0, kSlack);
}

TEST(ReadMemory, PrivateMemoryCountsInFull) {
  const MemoryReading before = Own();
  {
    const Pages pages(kAmount);
    pages.Touch();
    const MemoryReading after = Own();
    EXPECT_NEAR(Grown(before.rss, after.rss), kAmount, kSlack);
    EXPECT_NEAR(Grown(before.pss, after.pss), kAmount, kSlack);
    EXPECT_NEAR(Grown(before.uss, after.uss), kAmount, kSlack);
  }
  EXPECT_NEAR(Grown(before.uss, Own().uss), 0, kSlack) << "and not at all once it is given back";
}

TEST(ReadMemory, TwoProcessesShareThePssOfOneFile) {
  const int file = memfd_create("memory_probe_test", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(file, kAmount), 0);
  const MemoryReading without = Own();
  const Pages pages(kAmount, file);
  pages.Touch();
  const MemoryReading alone = Own();
  EXPECT_NEAR(Grown(without.pss, alone.pss), kAmount, kSlack);
  EXPECT_NEAR(Grown(without.uss, alone.uss), kAmount, kSlack) << "mapped by one process, it is its own";

  // A child has much in common with its parent, so two are compared: one that does not touch the file (fork copies no
  // page tables of shared files), and one that does.
  MemoryReading other, both;
  {
    const Child idle([] {});
    other = Own();
  }
  {
    const Child mapped([&] { pages.Touch(); });
    both = Own();
    const auto child = ReadMemory(ProcFs(), mapped.pid());
    ASSERT_TRUE(child) << child.error().message;
    EXPECT_GE(child->pss, kAmount / 2);
    EXPECT_LT(child->uss, kAmount / 2);
  }
  EXPECT_NEAR(Grown(other.rss, both.rss), 0, kSlack);
  EXPECT_NEAR(Grown(other.pss, both.pss), -static_cast<double>(kAmount) / 2, kSlack) << "half of it is the other's";
  EXPECT_NEAR(Grown(other.uss, both.uss), -static_cast<double>(kAmount), kSlack) << "none of it is its own";
  EXPECT_NEAR(Grown(alone.uss, Own().uss), 0, kSlack) << "all of it is again once the other ended";
  close(file);
}

TEST(ReadMemory, PopulatedSharedMemoryIsPresentAtOnceAndSharedOnceAnotherMapsIt) {
  const MemoryReading without = Own();
  void* base = mmap(nullptr, kAmount, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  ASSERT_NE(base, MAP_FAILED);
  const MemoryReading populated = Own();
  EXPECT_NEAR(Grown(without.rss, populated.rss), kAmount, 0.02 * kAmount) << "though nobody touched it";
  EXPECT_NEAR(Grown(without.uss, populated.uss), kAmount, 0.02 * kAmount);
  EXPECT_NEAR(Grown(without.shared, populated.shared), 0, 0.02 * kAmount);
  MemoryReading other, both;
  {
    const Child idle([] {});
    other = Own();
  }
  {
    const Child reads([&] {
      for (std::uint64_t at = 0; at < kAmount; at += 4096) (void)static_cast<volatile char*>(base)[at];
    });
    both = Own();
  }
  EXPECT_NEAR(Grown(other.shared, both.shared), kAmount, 0.02 * kAmount);
  EXPECT_NEAR(Grown(other.pss, both.pss), -static_cast<double>(kAmount) / 2, 0.02 * kAmount);
  munmap(base, kAmount);
}

TEST(ReadMemory, PageTablesGrowByAnEntryPerPage) {
  if (sysconf(_SC_PAGESIZE) != 4096) GTEST_SKIP() << "reckoned for pages of 4 KiB";
  const auto before = Own().page_tables;
  const Pages pages(kAmount);
  pages.Touch();
  const auto after = Own().page_tables;
  ASSERT_TRUE(before && after);
  const double entries = static_cast<double>(kAmount) / 4096 * sizeof(void*);
  EXPECT_NEAR(Grown(*before, *after), entries, 3 * 4096);
}

TEST(ReadMemory, SharedIsWhatIsLeftOfRss) {
  const MemoryReading reading = Own();
  EXPECT_EQ(reading.shared, reading.rss - reading.uss);
}

TEST(ReadMemory, SwapIsThatOfStatusWhereNoSharedMemoryIsSwapped) {
  const auto text = ProcFs().Read(getpid(), "status");
  ASSERT_TRUE(text);
  const auto status = ParseStatus(*text);
  ASSERT_TRUE(status);
  if (HasSwap(ProcFs())) GTEST_SKIP() << "this machine has swap: the two may differ by what moves meanwhile";
  EXPECT_EQ(Own().swap, 0u);
  EXPECT_EQ(status->swap.value_or(0), 0u);
}

TEST(HasSwap, IsWhatMeminfoSays) {
  std::ifstream swaps("/proc/swaps");
  std::string line;
  int lines = 0;
  while (std::getline(swaps, line)) ++lines;
  EXPECT_EQ(HasSwap(ProcFs()), lines > 1) << "/proc/swaps has a heading and a line per area";
  EXPECT_FALSE(HasSwap(ProcFs("/nowhere")));
}

TEST(ReadMemory, RssIsThatOfStatm) {
  const Pages pages(kAmount);
  pages.Touch();
  const auto statm_rss = [] {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t size = 0, resident = 0;
    statm >> size >> resident;
    return static_cast<double>(resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
  };
  // statm reads a per-CPU counter without summing it up: off by up to 2 · CPUs · 32 pages per kind of page.
  const double error = 3.0 * 2 * 32 * static_cast<double>(sysconf(_SC_NPROCESSORS_CONF) * sysconf(_SC_PAGESIZE));
  EXPECT_NEAR(static_cast<double>(Own().rss), statm_rss(), error + kSlack);
}

TEST(ReadMemory, UssIsWithinPssWithinRss) {
  const MemoryReading reading = Own();
  EXPECT_GT(reading.uss, 0u);
  EXPECT_LE(reading.uss, reading.pss);
  EXPECT_LE(reading.pss, reading.rss);
}

TEST(ReadMemory, AZombieHasNone) {
  Child child([] {});
  EXPECT_TRUE(ReadMemory(ProcFs(), child.pid()));
  EXPECT_TRUE(ReadPeak(ProcFs(), child.pid()));
  child.End();
  const auto reading = ReadMemory(ProcFs(), child.pid());
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().message,
            StrCat("cannot read /proc/", child.pid(), "/smaps_rollup: No such process (ESRCH)"));
  EXPECT_EQ(ReadPeak(ProcFs(), child.pid()), std::nullopt);
}

TEST(ReadMemory, OfARecordedProcess) {
  const ProcFs recorded("harness/os/testdata/proc");
  const auto reading = ReadMemory(recorded, 17360);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rss, 1552u * std::uint64_t{1024});
  EXPECT_EQ(reading->pss, 226 * std::uint64_t{1024});
  EXPECT_EQ(reading->uss, 128 * std::uint64_t{1024});
  EXPECT_EQ(ReadPeak(recorded, 17360), 1552u * std::uint64_t{1024});
  EXPECT_EQ(ReadPeak(recorded, 17361), std::nullopt) << "a zombie";
}

TEST(Peak, StaysWhenMemoryIsGivenBackUntilItIsReset) {
  // In a child: the sanitizers and the tests before this one leave memory behind that comes and goes.
  int figures[2];
  ASSERT_EQ(pipe(figures), 0);
  struct {
    std::uint64_t full, given_back, ru_maxrss, reset, rss_after_reset;
  } seen = {};
  const pid_t child = fork();
  if (child == 0) {
    const ProcFs procfs;
    {
      const Pages pages(kAmount);
      pages.Touch();
      seen.full = Own().rss;
    }
    seen.given_back = ReadPeak(procfs, getpid()).value_or(0);
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    seen.ru_maxrss = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
    if (!ResetPeak(procfs, getpid())) _exit(1);
    seen.reset = ReadPeak(procfs, getpid()).value_or(0);
    seen.rss_after_reset = Own().rss;
    _exit(write(figures[1], &seen, sizeof seen) == sizeof seen ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0) << "clear_refs could not be written";
  ASSERT_EQ(read(figures[0], &seen, sizeof seen), static_cast<ssize_t>(sizeof seen));
  close(figures[0]);
  close(figures[1]);
  EXPECT_NEAR(static_cast<double>(seen.given_back), static_cast<double>(seen.full), kSlack);
  // Before the reset the two are one counter; a spawned child's ru_maxrss also holds its parent's peak, hence VmHWM.
  EXPECT_GE(seen.ru_maxrss + static_cast<std::uint64_t>(kSlack), seen.given_back);
  EXPECT_NEAR(static_cast<double>(seen.reset), static_cast<double>(seen.rss_after_reset), kSlack);
  EXPECT_LT(seen.reset + kAmount / 2, seen.given_back);
}

TEST(Peak, OfAProcessThatIsGoneCannotBeReset) {
  const auto status = ResetPeak(ProcFs("/nowhere"), 1);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "cannot write /nowhere/1/clear_refs: No such file or directory (ENOENT)");
}

}  // namespace
}  // namespace corerig
