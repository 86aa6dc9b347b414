#include "harness/measure/scheduling_probe.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "harness/os/clock.h"

namespace corerig {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

const ProcFs kRecorded("harness/os/testdata/proc");
constexpr pid_t kProcess = 17360, kZombie = 17361;

// Computes until the CPU clock of this thread stands at `cpu_time`.
void SpinUntil(Nanos cpu_time) {
  while (ThreadCpuTime() < cpu_time) {
  }
}

void SpinFor(Nanos cpu_time) { SpinUntil(ThreadCpuTime() + cpu_time); }

// ---- recorded

TEST(ReadThread, OfARecordedThread) {
  const auto reading = ReadThread(kRecorded, kProcess, 17363);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->run, Nanos(13819976));
  EXPECT_EQ(reading->wait, Nanos(11551540));
  EXPECT_EQ(reading->timeslices, 621u);
  EXPECT_EQ(reading->voluntary, 621u);
  EXPECT_EQ(reading->involuntary, 0u);
  EXPECT_EQ(reading->migrations, 4u);
  EXPECT_EQ(reading->minor_faults, 1u);
  EXPECT_EQ(reading->major_faults, 0u);
}

TEST(ReadProcess, SumsThreadsButTakesFaultsFromTheKernelsSum) {
  const auto reading = ReadProcess(kRecorded, kProcess);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->run, Nanos(22404059 + 13819976 + 12375786));
  EXPECT_EQ(reading->wait, Nanos(6878239 + 11551540 + 15269260));
  EXPECT_EQ(reading->timeslices, 897u + 621 + 619);
  EXPECT_EQ(reading->voluntary, 895u + 621 + 618);
  EXPECT_EQ(reading->involuntary, 1u + 0 + 1);
  EXPECT_EQ(reading->migrations, 8u + 4 + 5);
  EXPECT_EQ(reading->minor_faults, 140u);
}

TEST(ReadProcess, OfAZombieIsWhatItsLeaderDid) {
  const auto reading = ReadProcess(kRecorded, kZombie);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->run, Nanos(60012170));
  EXPECT_EQ(reading->voluntary, 1u);
  EXPECT_EQ(reading->involuntary, 4u);
  EXPECT_EQ(reading->migrations, 0u);
  EXPECT_EQ(reading->minor_faults, 20u);
}

TEST(ReadProcess, OfAProcessThatIsGoneNamesItsPath) {
  const auto reading = ReadProcess(kRecorded, 1);
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().message, "cannot list harness/os/testdata/proc/1/task: No such file or directory (ENOENT)");
}

// A tree of one process 7 with the threads given; each has the files as text.
class Tree {
 public:
  Tree() {
    const char* directory = getenv("TEST_TMPDIR");
    root_ = std::string(directory ? directory : "/tmp") + "/" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(root_);
    Write("stat", kStat);
  }
  ~Tree() { std::filesystem::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) const {
    const std::filesystem::path path = root_ + "/7/" + file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  void Thread(int tid, const std::string& schedstat, const std::string& switches) const {
    const std::string task = StrCat("task/", tid, "/");
    Write(task + "stat", kStat);
    Write(task + "schedstat", schedstat);
    Write(task + "status", "voluntary_ctxt_switches:\t" + switches + "\nnonvoluntary_ctxt_switches:\t0\n");
    Write(task + "sched", "se.nr_migrations : 3\n");
  }
  ProcFs procfs() const { return ProcFs(root_); }
  const std::string& root() const { return root_; }

 private:
  static constexpr const char* kStat =
      "7 (x) S 1 7 7 0 -1 0 140 7 2 0 0 3 0 0 20 0 3 0 141814 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 5 0\n";
  std::string root_;
};

TEST(ReadProcess, WithoutSchedHasNoMigrations) {
  const Tree tree;
  tree.Thread(7, "10 20 1", "1");
  tree.Thread(8, "10 20 1", "1");
  EXPECT_EQ(ReadProcess(tree.procfs(), 7)->migrations, 6u);
  std::filesystem::remove(tree.root() + "/7/task/8/sched");
  const auto reading = ReadProcess(tree.procfs(), 7);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->run, Nanos(20));
  EXPECT_EQ(reading->migrations, std::nullopt) << "a sum over some of the threads is no figure";
}

TEST(ReadProcess, SkipsAThreadThatEndedWhileItWasRead) {
  const Tree tree;
  tree.Thread(7, "10 20 1", "1");
  std::filesystem::create_directories(tree.root() + "/7/task/8");  // listed, and empty: gone
  const auto reading = ReadProcess(tree.procfs(), 7);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->run, Nanos(10));
  EXPECT_EQ(reading->migrations, 3u);
}

TEST(ReadProcess, DoesNotSkipAThreadThatCannotBeUnderstood) {
  const Tree tree;
  tree.Thread(7, "10 20 1", "1");
  tree.Thread(8, "10 20", "1");
  const auto reading = ReadProcess(tree.procfs(), 7);
  ASSERT_FALSE(reading);
  EXPECT_EQ(
      reading.error().message,
      tree.root() + "/7/task/8/: schedstat: \"10 20\"; expected three whole numbers: run ns, wait ns, timeslices");
}

TEST(ReadThread, ZerosOfAKernelThatDoesNotCountAreNoFigures) {
  const Tree tree;
  tree.Thread(7, "0 0 0", "0");
  EXPECT_TRUE(ReadThread(tree.procfs(), 7, 7)) << "it may not have run yet";
  tree.Thread(7, "0 0 0", "1");
  const auto reading = ReadThread(tree.procfs(), 7, 7);
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().message, tree.root() +
                                         "/7/task/7/schedstat counts nothing; boot with \"delayacct\", or use a kernel "
                                         "with CONFIG_SCHEDSTATS");
}

TEST(ReadThread, SaysWhatTheKernelLacks) {
  const Tree tree;
  tree.Thread(7, "1 1 1", "1");
  std::filesystem::remove(tree.root() + "/7/task/7/schedstat");
  const auto reading = ReadThread(tree.procfs(), 7, 7);
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().message, "(does the kernel have CONFIG_SCHED_INFO?) cannot read " + tree.root() +
                                         "/7/task/7/schedstat: No such file or directory (ENOENT)");
}

// ---- differences

TEST(Difference, IsWhatHappenedInBetween) {
  const SchedulingReading before = {.at = Nanos(1000),
                                    .run = Nanos(100),
                                    .wait = Nanos(10),
                                    .timeslices = 5,
                                    .voluntary = 3,
                                    .involuntary = 2,
                                    .migrations = 1,
                                    .minor_faults = 40,
                                    .major_faults = 4};
  const SchedulingReading after = {.at = Nanos(3000),
                                   .run = Nanos(900),
                                   .wait = Nanos(11),
                                   .timeslices = 9,
                                   .voluntary = 6,
                                   .involuntary = 3,
                                   .migrations = 1,
                                   .minor_faults = 43,
                                   .major_faults = 9};
  const SchedulingRecord record = Difference(before, after);
  EXPECT_EQ(record.observed, Nanos(2000));
  EXPECT_EQ(record.run, Nanos(800));
  EXPECT_EQ(record.wait, Nanos(1));
  EXPECT_EQ(record.timeslices, 4u);
  EXPECT_EQ(record.voluntary, 3u);
  EXPECT_EQ(record.involuntary, 1u);
  EXPECT_EQ(record.migrations, 0u);
  EXPECT_EQ(record.minor_faults, 3u);
  EXPECT_EQ(record.major_faults, 5u);
}

TEST(Difference, IsNeverNegativeThoughAThreadEnded) {
  const SchedulingReading before = {.at = Nanos(1),
                                    .run = Nanos(100),
                                    .wait = Nanos(100),
                                    .timeslices = 50,
                                    .voluntary = 30,
                                    .involuntary = 20,
                                    .migrations = 10};
  const SchedulingReading after = {.at = Nanos(2), .migrations = 1};
  const SchedulingRecord record = Difference(before, after);
  EXPECT_EQ(record.run, Nanos(0));
  EXPECT_EQ(record.wait, Nanos(0));
  EXPECT_EQ(record.timeslices, 0u);
  EXPECT_EQ(record.voluntary, 0u);
  EXPECT_EQ(record.involuntary, 0u);
  EXPECT_EQ(record.migrations, 0u);
}

TEST(Difference, OfAnAbsentFigureIsAbsent) {
  const SchedulingReading with = {.migrations = 1}, without;
  EXPECT_FALSE(Difference(with, without).migrations);
  EXPECT_FALSE(Difference(without, with).migrations);
}

// ---- live

TEST(ReadThread, ATaskOf200usEveryMillisecondTakesAFifthOfACore) {
  Nanos begin_cpu, end_cpu;
  Result<SchedulingReading> before, after;
  std::uint64_t bursts = 0;
  std::thread([&] {
    const pid_t self = gettid();
    // Burst k lasts until the CPU clock of the thread has advanced by 200 µs times k + 1: being preempted does not
    // shorten it, and what sleeping and waking cost is part of the 200 µs. A period that was missed is made up for, so
    // 200 µs of work belong to every millisecond that passed.
    begin_cpu = ThreadCpuTime();
    before = ReadThread(ProcFs(), getpid(), self);
    if (!before) return;
    const Nanos give_up = before->at + seconds(10);
    for (Nanos due = before->at;; due += milliseconds(1)) {
      SleepUntil(due);
      ++bursts;
      SpinUntil(before->run + microseconds(200) * bursts);
      if (due < before->at + seconds(2)) continue;
      after = ReadThread(ProcFs(), getpid(), self);
      // Behind its schedule, it has worked for less time than passed: go on until it has caught up.
      if (!after || after->at < due + milliseconds(1) || after->at > give_up) break;
    }
    end_cpu = ThreadCpuTime();
  }).join();
  ASSERT_TRUE(before) << before.error().message;
  ASSERT_TRUE(after) << after.error().message;
  const SchedulingRecord record = Difference(*before, *after);
  const double share = static_cast<double>(record.run.count()) / static_cast<double>(record.observed.count());
  SCOPED_TRACE(StrCat("ran ", record.run.count(), " ns of ", record.observed.count(), " ns in ", bursts,
                      " bursts; CPU clock ", (end_cpu - begin_cpu).count(), " ns"));
  EXPECT_GE(record.run, microseconds(200) * bursts);
  EXPECT_LE(record.run, end_cpu - begin_cpu);
  EXPECT_GE(record.observed, seconds(2));
  if (record.observed >= seconds(10)) GTEST_SKIP() << "ran as the clock says, but got less than a fifth of a busy core";
  EXPECT_GE(share, 0.20);
  EXPECT_LE(share, 0.25);
  EXPECT_GE(record.timeslices, record.voluntary);
}

TEST(ReadThread, WaitIsTheTimeOnTheRunQueue) {
  // Two threads that compute on one CPU: while one runs the other waits.
  cpu_set_t allowed, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) CPU_SET(cpu, &one);
  }
  std::atomic<int> started = 0;
  std::atomic<bool> stop = false;
  Result<SchedulingReading> before, after;
  Nanos other_before, other_after, at_least, at_most;
  const auto start = [&] {
    sched_setaffinity(0, sizeof one, &one);
    ++started;
    while (started < 2) std::this_thread::yield();
  };
  std::thread other([&] {
    start();
    while (!stop) {
    }
  });
  clockid_t other_clock;
  ASSERT_EQ(pthread_getcpuclockid(other.native_handle(), &other_clock), 0);
  const auto other_cpu = [&] {
    timespec time = {};
    clock_gettime(other_clock, &time);
    return seconds(time.tv_sec) + Nanos(time.tv_nsec);
  };
  std::thread([&] {
    start();
    const Nanos first = MonotonicNow();
    ThreadCpuTime();  // brings the kernel's run time up to date
    before = ReadThread(ProcFs(), getpid(), gettid());
    const Nanos second = MonotonicNow();
    other_before = other_cpu();
    SpinFor(milliseconds(200));
    other_after = other_cpu();
    const Nanos third = MonotonicNow();
    ThreadCpuTime();
    after = ReadThread(ProcFs(), getpid(), gettid());
    at_least = third - second;
    at_most = MonotonicNow() - first;
  }).join();
  stop = true;
  other.join();
  ASSERT_TRUE(before && after);
  const SchedulingRecord record = Difference(*before, *after);
  const Nanos other_ran = other_after - other_before;
  SCOPED_TRACE(StrCat("ran ", record.run.count(), " ns, waited ", record.wait.count(), " ns within ", at_least.count(),
                      " to ", at_most.count(), " ns; the other ran ", other_ran.count(), " ns"));
  // It never slept, so every instant was one of the two, but for what interrupts and the hypervisor took.
  EXPECT_LE(record.run + record.wait, at_most + milliseconds(1));
  EXPECT_GE(record.run + record.wait, at_least - at_least / 20);
  EXPECT_GE(record.wait + milliseconds(1), other_ran) << "it waited while the other ran";
  EXPECT_GT(other_ran, Nanos(0));
  EXPECT_GT(record.involuntary, 0u);
}

TEST(ReadThread, CountsTheFaultsOfItsOwnAsGetrusageDoes) {
  const auto own = [] {
    rusage usage = {};
    getrusage(RUSAGE_THREAD, &usage);
    return static_cast<std::uint64_t>(usage.ru_minflt);
  };
  constexpr std::size_t kPages = 64, kPage = 4096;
  std::thread([&] {
    // All of this is touched once before the first look.
    const ProcFs procfs;
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(ReadThread(procfs, getpid(), gettid()));
    void* const memory = mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    madvise(memory, kPages * kPage, MADV_NOHUGEPAGE);
    const std::uint64_t least = own();
    const auto before = ReadThread(procfs, getpid(), gettid());
    for (std::size_t page = 0; page < kPages; ++page) static_cast<volatile char*>(memory)[page * kPage] = 1;
    const auto after = ReadThread(procfs, getpid(), gettid());
    const std::uint64_t most = own() - least;
    munmap(memory, kPages * kPage);
    ASSERT_TRUE(before && after);
    EXPECT_GE(Difference(*before, *after).minor_faults, kPages);
    EXPECT_LE(Difference(*before, *after).minor_faults, most);
  }).join();
}

TEST(ReadProcess, SumsTheThreadsOfThisProcess) {
  std::atomic<bool> stop = false;
  std::atomic<bool> worked = false;
  std::thread worker([&] {
    SpinFor(milliseconds(50));
    worked = true;
    while (!stop) std::this_thread::sleep_for(milliseconds(1));
  });
  while (!worked) std::this_thread::sleep_for(milliseconds(1));
  const auto leader = ReadThread(ProcFs(), getpid(), getpid());
  const auto process = ReadProcess(ProcFs(), getpid());
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  timespec cpu = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  stop = true;
  worker.join();
  ASSERT_TRUE(leader) << leader.error().message;
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_GE(process->run, leader->run + milliseconds(50)) << "the leader's figures are not the process's";
  EXPECT_LE(process->run, seconds(cpu.tv_sec) + Nanos(cpu.tv_nsec));
  EXPECT_LE(process->voluntary, static_cast<std::uint64_t>(usage.ru_nvcsw));
  EXPECT_LE(process->minor_faults, static_cast<std::uint64_t>(usage.ru_minflt));
  EXPECT_GT(process->minor_faults, leader->minor_faults) << "faults of the process are of all its threads";
}

TEST(ReadProcess, ReadsAZombieWhoseFiguresAreWithinThoseOfWait4) {
  const pid_t child = fork();
  if (child == 0) {
    SpinFor(milliseconds(30));
    for (int i = 0; i < 10; ++i) SleepUntil(MonotonicNow() + Nanos(1000));
    _exit(0);
  }
  siginfo_t ended;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  const auto reading = ReadProcess(ProcFs(), child);
  rusage usage = {};
  ASSERT_EQ(wait4(child, nullptr, 0, &usage), child);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_GE(reading->run, milliseconds(30));
  EXPECT_GE(reading->voluntary, 10u);
  const auto microseconds_of = [](const timeval& time) { return time.tv_sec * 1'000'000 + time.tv_usec; };
  // The kernel scales user and system time so that they add up to the run time, each rounded down to a microsecond. A
  // zombie is seen before it has left its CPU for good: the last bit of its end is not in the reading.
  EXPECT_LE(reading->run, microseconds(microseconds_of(usage.ru_utime) + microseconds_of(usage.ru_stime) + 2));
  EXPECT_EQ(reading->minor_faults, static_cast<std::uint64_t>(usage.ru_minflt));
  EXPECT_LE(reading->voluntary + reading->involuntary, static_cast<std::uint64_t>(usage.ru_nvcsw + usage.ru_nivcsw));
  EXPECT_FALSE(ReadProcess(ProcFs(), child)) << "reaped, it is gone";
}

}  // namespace
}  // namespace corerig
