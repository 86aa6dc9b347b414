#include "harness/os/procfs.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <set>
#include <thread>

#include "harness/os/clock.h"
#include "harness/os/fd.h"

namespace corerig {
namespace {

const ProcFs kRecorded("harness/os/testdata/proc");
constexpr pid_t kProcess = 17360, kZombie = 17361;

std::string Recorded(pid_t pid, std::string_view file) {
  const auto text = kRecorded.Read(pid, file);
  EXPECT_TRUE(text) << text.error().message;
  return text.value_or("");
}

// Of the thread that calls it.
std::string Own(std::string_view file) {
  const auto text = ProcFs().Read(getpid(), StrCat("task/", gettid(), "/", file));
  EXPECT_TRUE(text) << text.error().message;
  return text.value_or("");
}

template <typename T>
std::string MessageOf(const Result<T>& result) {
  return result ? "(no error)" : result.error().message;
}

// ---- schedstat

TEST(SchedStat, IsRunWaitAndTimeslices) {
  const auto stat = ParseSchedStat("3143679 79532 3\n");
  ASSERT_TRUE(stat) << stat.error().message;
  EXPECT_EQ(stat->run, Nanos(3143679));
  EXPECT_EQ(stat->wait, Nanos(79532));
  EXPECT_EQ(stat->timeslices, 3u);
}

TEST(SchedStat, OfAZombieIsStillThere) {
  const auto stat = ParseSchedStat(Recorded(kZombie, "task/17361/schedstat"));
  ASSERT_TRUE(stat) << stat.error().message;
  EXPECT_EQ(stat->run, Nanos(60012170));
  EXPECT_EQ(stat->timeslices, 5u);
}

TEST(SchedStat, MalformedNamesWhatWasExpected) {
  const std::string expected = "; expected three whole numbers: run ns, wait ns, timeslices";
  for (const std::string text : {"", "1 2", "1 2 3 4", "a 2 3", "1 -2 3", "1 2 -3", "1.5 2 3",
                                 "9223372036854775808 2 3", "1 18446744073709551616 3", "1\t2\t3"}) {
    std::string shown = text;
    std::replace(shown.begin(), shown.end(), '\t', '?');
    EXPECT_EQ(MessageOf(ParseSchedStat(text)), "schedstat: \"" + shown + "\"" + expected);
  }
}

TEST(SchedStat, RunIsTheCpuTimeOfTheThread) {
  const Nanos before = ThreadCpuTime();
  const auto stat = ParseSchedStat(Own("schedstat"));
  const Nanos after = ThreadCpuTime();
  ASSERT_TRUE(stat) << stat.error().message;
  EXPECT_LE(before, stat->run);
  EXPECT_LE(stat->run, after);
}

TEST(SchedStat, TimeslicesGrowWithEverySleep) {
  const auto before = ParseSchedStat(Own("schedstat"));
  for (int i = 0; i < 20; ++i) SleepUntil(MonotonicNow() + Nanos(10'000));
  const auto after = ParseSchedStat(Own("schedstat"));
  ASSERT_TRUE(before && after);
  EXPECT_GE(after->timeslices, before->timeslices + 20);
}

// ---- stat

constexpr std::string_view kStatTail =
    " S 1 17303 3048 0 -1 4194304 140 7 2 4 0 3 11 6 20 0 3 0 141814 19320832 343 18446744073709551615 94666881875968 "
    "94666881876661 140727680390288 0 0 0 0 6 0 0 0 0 17 5 0 0 0 0 0 94666881887696 94666881888336 94667761311744 "
    "140727680391812 140727680391825 140727680391825 140727680393195 0\n";

TEST(Stat, HasItsFieldsByNumber) {
  const auto stat = ParseStat(StrCat("17360 (cat)", kStatTail));
  ASSERT_TRUE(stat) << stat.error().message;
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 1);
  EXPECT_EQ(stat->minor_faults, 140u);
  EXPECT_EQ(stat->major_faults, 2u);
  EXPECT_EQ(stat->session, 3048);
  EXPECT_EQ(stat->children_minor_faults, 7u);
  EXPECT_EQ(stat->children_major_faults, 4u);
  EXPECT_EQ(stat->children_ticks, 11u + 6u);
  EXPECT_EQ(stat->start_time, 141814u);
  EXPECT_EQ(stat->processor, 5);
}

TEST(Stat, NoCommandNameShiftsTheFields) {
  for (const std::string_view name :
       {"", " ", ")", "(", ") R 1 2 3", "a) R (b c", "line\nbreak:", "))))))", "\xff\x01"}) {
    const auto stat = ParseStat(StrCat("17360 (", name, ")", kStatTail));
    ASSERT_TRUE(stat) << name << ": " << stat.error().message;
    EXPECT_EQ(stat->state, 'S') << name;
    EXPECT_EQ(stat->start_time, 141814u) << name;
  }
}

TEST(Stat, RecordedThreadsWithParenthesesBlanksAndLineBreaks) {
  const auto leader = ParseStat(Recorded(kProcess, "stat"));
  ASSERT_TRUE(leader) << leader.error().message;
  EXPECT_EQ(leader->minor_faults, 140u);
  EXPECT_EQ(leader->start_time, 141814u);
  for (const pid_t thread : {17363, 17364}) {
    const auto stat = ParseStat(Recorded(kProcess, StrCat("task/", thread, "/stat")));
    ASSERT_TRUE(stat) << stat.error().message;
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->minor_faults, 1u);
    EXPECT_EQ(stat->processor, 1);
  }
}

TEST(Stat, RecordedZombie) {
  const auto stat = ParseStat(Recorded(kZombie, "stat"));
  ASSERT_TRUE(stat) << stat.error().message;
  EXPECT_EQ(stat->state, 'Z');
  EXPECT_EQ(stat->parent, kProcess);
  EXPECT_EQ(stat->minor_faults, 20u);
}

TEST(Stat, MalformedSaysWhichField) {
  EXPECT_EQ(MessageOf(ParseStat("")), "stat: \"\" has no command in parentheses");
  EXPECT_EQ(MessageOf(ParseStat("1 cat S 1")), "stat: \"1 cat S 1\" has no command in parentheses");
  EXPECT_EQ(MessageOf(ParseStat("1 (cat) S 1")), "stat: 2 fields behind the command; expected at least 37");
  EXPECT_EQ(MessageOf(ParseStat("1 (cat)")), "stat: 0 fields behind the command; expected at least 37");
  const auto with = [](std::size_t number, std::string field) {
    auto fields = Split(Trim(kStatTail), ' ');
    fields[number - 3] = field;
    std::string text = "1 (cat)";
    for (const auto part : fields) text += StrCat(" ", part);
    return MessageOf(ParseStat(text));
  };
  EXPECT_EQ(with(3, "SS"), "stat: field 3 (state) is \"SS\"; expected one letter");
  EXPECT_EQ(with(4, "x"), "stat: field 4 (ppid) is \"x\"; expected a whole number");
  EXPECT_EQ(with(10, "-1"), "stat: field 10 (minflt) is \"-1\"; expected a whole number");
  EXPECT_EQ(with(12, "1e3"), "stat: field 12 (majflt) is \"1e3\"; expected a whole number");
  EXPECT_EQ(with(22, "18446744073709551616"),
            "stat: field 22 (starttime) is \"18446744073709551616\"; expected a whole number");
  EXPECT_EQ(with(39, "-1"), "stat: field 39 (processor) is \"-1\"; expected a whole number");
  EXPECT_EQ(with(22, "1"), "(no error)");
}

// Touches `pages` pages that were not there, one fault each.
void TouchPages(std::size_t pages) {
  const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* memory = mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  madvise(memory, pages * page, MADV_NOHUGEPAGE);
  for (std::size_t i = 0; i < pages; ++i) static_cast<volatile char*>(memory)[i * page] = 1;
  munmap(memory, pages * page);
}

rusage Usage(int who) {
  rusage usage = {};
  getrusage(who, &usage);
  return usage;
}

TEST(Stat, FaultsOfAThreadAreThoseOfGetrusage) {
  TouchPages(100);
  const auto first = ParseStat(Own("stat"));
  TouchPages(100);
  const auto before = Usage(RUSAGE_THREAD);
  const auto stat = ParseStat(Own("stat"));
  const auto after = Usage(RUSAGE_THREAD);
  ASSERT_TRUE(first && stat);
  EXPECT_LE(static_cast<std::uint64_t>(before.ru_minflt), stat->minor_faults);
  EXPECT_LE(stat->minor_faults, static_cast<std::uint64_t>(after.ru_minflt));
  EXPECT_GE(stat->minor_faults, first->minor_faults + 100);
}

TEST(Stat, FaultsOfAProcessKeepThoseOfThreadsThatEnded) {
  std::thread([] { TouchPages(1000); }).join();
  const auto before = Usage(RUSAGE_SELF);
  const auto text = ProcFs().Read(getpid(), "stat");
  const auto after = Usage(RUSAGE_SELF);
  ASSERT_TRUE(text) << text.error().message;
  const auto stat = ParseStat(*text);
  ASSERT_TRUE(stat) << stat.error().message;
  EXPECT_LE(static_cast<std::uint64_t>(before.ru_minflt), stat->minor_faults);
  EXPECT_LE(stat->minor_faults, static_cast<std::uint64_t>(after.ru_minflt));
  EXPECT_GE(stat->minor_faults, 1000u);
}

TEST(Stat, StateParentAndProcessorAreThoseOfThisThread) {
  cpu_set_t allowed, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  int last = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) last = cpu;
  }
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  const auto stat = ParseStat(Own("stat"));
  sched_setaffinity(0, sizeof allowed, &allowed);
  ASSERT_TRUE(stat) << stat.error().message;
  EXPECT_EQ(stat->state, 'R');
  EXPECT_EQ(stat->parent, getppid());
  EXPECT_EQ(stat->processor, last);
}

TEST(Stat, StartTimeIsTheInstantOfTheForkSinceBoot) {
  const Nanos tick(1'000'000'000 / sysconf(_SC_CLK_TCK));
  const Nanos before = ReadAnchor().boottime;
  const pid_t child = fork();
  if (child == 0) _exit(0);
  const Nanos after = ReadAnchor().boottime;
  siginfo_t ended;
  waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);
  const auto text = ProcFs().Read(child, "stat");
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(text) << text.error().message;
  const auto stat = ParseStat(*text);
  ASSERT_TRUE(stat) << stat.error().message;
  EXPECT_EQ(stat->state, 'Z');
  EXPECT_EQ(stat->parent, getpid());
  const Nanos start = tick * static_cast<std::int64_t>(stat->start_time);
  EXPECT_GE(start + tick, before);
  EXPECT_LE(start, after);
}

// ---- status

TEST(Status, HasSwitchesAndSizesInBytes) {
  const auto status = ParseStatus(
      "Name:\tcat\nVmHWM:\t    1684 kB\nVmRSS:\t    1200 kB\nvoluntary_ctxt_switches:\t12\n"
      "nonvoluntary_ctxt_switches:\t34\n");
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(status->voluntary, 12u);
  EXPECT_EQ(status->involuntary, 34u);
  EXPECT_EQ(status->rss_peak, 1684u * 1024);
  EXPECT_EQ(status->rss, 1200u * 1024);
}

TEST(Status, AZombieHasSwitchesAndNoMemory) {
  const auto status = ParseStatus(Recorded(kZombie, "status"));
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(status->voluntary, 1u);
  EXPECT_EQ(status->involuntary, 4u);
  EXPECT_FALSE(status->rss_peak);
  EXPECT_FALSE(status->rss);
}

TEST(Status, ANameCannotPassForAnEntry) {
  const auto status =
      ParseStatus("Name:\tVmHWM: 1 kB\\nVmRSS: 1 kB\nvoluntary_ctxt_switches:\t1\nnonvoluntary_ctxt_switches:\t2\n");
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_FALSE(status->rss_peak);
  EXPECT_FALSE(status->rss);
}

TEST(Status, MalformedSaysWhichEntry) {
  EXPECT_EQ(MessageOf(ParseStatus("")), "status: no line \"voluntary_ctxt_switches:\"");
  const std::string voluntary = "voluntary_ctxt_switches:\t1\n", involuntary = "nonvoluntary_ctxt_switches:\t2\n";
  EXPECT_EQ(MessageOf(ParseStatus(voluntary)), "status: no line \"nonvoluntary_ctxt_switches:\"");
  EXPECT_EQ(MessageOf(ParseStatus(involuntary)), "status: no line \"voluntary_ctxt_switches:\"");
  EXPECT_EQ(MessageOf(ParseStatus("voluntary_ctxt_switches:\tmany\n" + involuntary)),
            "status: voluntary_ctxt_switches is \"many\"; expected a whole number");
  EXPECT_EQ(MessageOf(ParseStatus(voluntary + "nonvoluntary_ctxt_switches:\t-2\n")),
            "status: nonvoluntary_ctxt_switches is \"-2\"; expected a whole number");
  for (const std::string size : {"", "12", "12 MB", "x kB", "-1 kB", "1 kB kB", "18014398509481984 kB"}) {
    EXPECT_EQ(MessageOf(ParseStatus("VmHWM: " + size + "\n" + voluntary + involuntary)),
              "status: VmHWM is \"" + size + "\"; expected a size such as \"1684 kB\"");
    EXPECT_EQ(MessageOf(ParseStatus("VmRSS: " + size + "\n" + voluntary + involuntary)),
              "status: VmRSS is \"" + size + "\"; expected a size such as \"1684 kB\"");
  }
}

TEST(Status, SwitchesAreThoseOfGetrusage) {
  const auto first = ParseStatus(Own("status"));
  const auto at_first = Usage(RUSAGE_THREAD);
  // Not 20 sleeps: on a loaded machine an instant passes before the thread gets to wait for it, and nothing is
  // switched.
  while (Usage(RUSAGE_THREAD).ru_nvcsw < at_first.ru_nvcsw + 20) SleepUntil(MonotonicNow() + Nanos(10'000));
  const auto before = Usage(RUSAGE_THREAD);
  const auto status = ParseStatus(Own("status"));
  const auto after = Usage(RUSAGE_THREAD);
  ASSERT_TRUE(first && status);
  EXPECT_LE(static_cast<std::uint64_t>(before.ru_nvcsw), status->voluntary);
  EXPECT_LE(status->voluntary, static_cast<std::uint64_t>(after.ru_nvcsw));
  EXPECT_LE(static_cast<std::uint64_t>(before.ru_nivcsw), status->involuntary);
  EXPECT_LE(status->involuntary, static_cast<std::uint64_t>(after.ru_nivcsw));
  EXPECT_GE(status->voluntary, first->voluntary + 20);
}

// ---- sched

TEST(Migrations, AreALineOfSched) {
  EXPECT_EQ(ParseMigrations("cat (1, #threads: 1)\n---\nse.nr_migrations             :                    17\nx : 1\n"),
            17u);
  EXPECT_EQ(ParseMigrations(Recorded(kProcess, "task/17364/sched")), 5u);  // of the thread "line\nbreak:"
  EXPECT_EQ(ParseMigrations(Recorded(kZombie, "task/17361/sched")), 0u);
}

TEST(Migrations, AreAbsentWithoutTheLine) {
  EXPECT_EQ(ParseMigrations(""), std::nullopt);
  EXPECT_EQ(ParseMigrations("nr_switches : 12\n"), std::nullopt);
  EXPECT_EQ(ParseMigrations("se.nr_migrations : \n"), std::nullopt);
  EXPECT_EQ(ParseMigrations("se.nr_migrations 12\n"), std::nullopt);
  EXPECT_EQ(ParseMigrations("se.nr_migrations : -1\n"), std::nullopt);
  EXPECT_EQ(ParseMigrations("se.nr_migrations_cold : 3\n"), std::nullopt);
}

TEST(Migrations, GrowWhenTheThreadIsMoved) {
  cpu_set_t allowed;
  ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  if (CPU_COUNT(&allowed) < 2) GTEST_SKIP() << "one CPU only: nowhere to move to";
  const auto text = ProcFs().Read(getpid(), "sched");
  if (!text) GTEST_SKIP() << text.error().message;
  const auto before = ParseMigrations(Own("sched"));
  int moves = 0;
  for (int round = 0; round < 5; ++round) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &allowed)) continue;
      const int from = sched_getcpu();
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
      if (from != cpu) ++moves;
    }
  }
  const auto after = ParseMigrations(Own("sched"));
  sched_setaffinity(0, sizeof allowed, &allowed);
  ASSERT_TRUE(before && after);
  // Only the first move may be one that the kernel made on its own between sched_getcpu and the call.
  EXPECT_GE(*after, *before + static_cast<std::uint64_t>(moves) - 1);
}

// ---- steal

TEST(Steal, IsTheEighthFigureOfEachCpu) {
  const auto text = ReadFile("harness/os/testdata/proc/stat");
  ASSERT_TRUE(text) << text.error().message;
  const auto steal = ParseSteal(*text, 100);
  ASSERT_TRUE(steal) << steal.error().message;
  ASSERT_EQ(steal->size(), 2u);
  EXPECT_EQ((*steal)[0].first, CpuId{0});
  EXPECT_DOUBLE_EQ((*steal)[0].second, 48.93);
  EXPECT_EQ((*steal)[1].first, CpuId{1});
  EXPECT_DOUBLE_EQ((*steal)[1].second, 53.51);  // 102.44 together, as the line "cpu" says
}

TEST(Steal, NumbersOfCpusMayHaveGaps) {
  const auto steal = ParseSteal("cpu  1 2 3 4 5 6 7 9\ncpu0 1 2 3 4 5 6 7 0\ncpu12 1 2 3 4 5 6 7 9\nintr 1\n", 1000);
  ASSERT_TRUE(steal) << steal.error().message;
  ASSERT_EQ(steal->size(), 2u);
  EXPECT_EQ((*steal)[1].first, CpuId{12});
  EXPECT_DOUBLE_EQ((*steal)[1].second, 0.009);
}

TEST(Steal, MalformedShowsTheLine) {
  EXPECT_EQ(MessageOf(ParseSteal("", 100)), "/proc/stat: no line \"cpuN …\"");
  EXPECT_EQ(MessageOf(ParseSteal("cpu  1 2 3 4 5 6 7 8\n", 100)), "/proc/stat: no line \"cpuN …\"");
  for (const std::string line : {"cpu0 1 2 3 4 5 6 7", "cpu0", "cpux 1 2 3 4 5 6 7 8", "cpu-1 1 2 3 4 5 6 7 8",
                                 "cpu0 1 2 3 4 5 6 7 x", "cpu0 1 2 3 4 5 6 7 -8"}) {
    EXPECT_EQ(MessageOf(ParseSteal(line + "\n", 100)),
              "/proc/stat: \"" + line + "\"; expected cpuN and at least 8 numbers");
  }
  EXPECT_EQ(MessageOf(ParseSteal("cpu0 1 2 3 4 5 6 7 8\n", 0)),
            "0 clock ticks per second; expected sysconf(_SC_CLK_TCK)");
}

TEST(Steal, OfThisMachineHasEveryCpuOnline) {
  const auto text = ReadFile("/proc/stat");
  ASSERT_TRUE(text) << text.error().message;
  const auto steal = ParseSteal(*text, sysconf(_SC_CLK_TCK));
  ASSERT_TRUE(steal) << steal.error().message;
  EXPECT_EQ(static_cast<long>(steal->size()), sysconf(_SC_NPROCESSORS_ONLN));
}

// ---- the tree

TEST(ProcFs, ListsThreadsAscending) {
  const auto threads = kRecorded.Threads(kProcess);
  ASSERT_TRUE(threads) << threads.error().message;
  EXPECT_EQ(*threads, (std::vector<pid_t>{17360, 17363, 17364}));
  EXPECT_EQ(kRecorded.Threads(kZombie).value(), std::vector<pid_t>{kZombie});
}

TEST(ProcFs, ListsTheThreadsOfThisProcess) {
  pid_t other = 0;
  std::vector<pid_t> listed;
  std::thread([&] {
    other = gettid();
    listed = ProcFs().Threads(getpid()).value_or(std::vector<pid_t>{});
  }).join();
  EXPECT_TRUE(std::binary_search(listed.begin(), listed.end(), other));
  EXPECT_TRUE(std::binary_search(listed.begin(), listed.end(), getpid()));
}

TEST(ProcFs, WhatIsGoneNamesItsPath) {
  EXPECT_EQ(MessageOf(kRecorded.Read(1, "stat")),
            "cannot read harness/os/testdata/proc/1/stat: No such file or directory (ENOENT)");
  EXPECT_EQ(MessageOf(kRecorded.Threads(1)),
            "cannot list harness/os/testdata/proc/1/task: No such file or directory (ENOENT)");
}

// ---- any text

// Calls `parse` with text changed at random: bytes replaced, cut out, doubled. The same changes in every run.
template <typename Parse>
void Mutate(const std::string& text, Parse parse) {
  std::mt19937 random(20240229);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  constexpr std::string_view kLikely = "0123456789 \t\n():-.kBx\0\xff";
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = text;
    for (std::size_t changes = 1 + below(8); changes > 0 && !changed.empty(); --changes) {
      const std::size_t at = below(changed.size()), length = below(std::min<std::size_t>(changed.size() - at, 20)) + 1;
      switch (below(5)) {
        case 0:
          changed[at] = static_cast<char>(below(256));
          break;
        case 1:
          changed[at] = kLikely[below(kLikely.size())];
          break;
        case 2:
          changed.erase(at, length);
          break;
        case 3:
          changed.insert(at, changed.substr(at, length));
          break;
        case 4:
          changed.resize(at);
          break;
      }
    }
    parse(changed);
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << "on mutation " << i << ":\n" << changed;
      return;
    }
  }
}

// A message is one printable line.
template <typename T>
void ExpectSound(const Result<T>& result) {
  if (result) return;
  EXPECT_FALSE(result.error().message.empty());
  EXPECT_LT(result.error().message.size(), 200u);
  for (const char c : result.error().message) EXPECT_TRUE(c < 0 || c >= ' ') << static_cast<int>(c);
}

TEST(AnyText, SchedStatIsParsedOrRefused) {
  Mutate("3143679 79532 3\n", [](const std::string& text) {
    const auto stat = ParseSchedStat(text);
    ExpectSound(stat);
    if (stat) {
      EXPECT_GE(stat->run, Nanos(0));
      EXPECT_GE(stat->wait, Nanos(0));
    }
  });
}

TEST(AnyText, StatIsParsedOrRefused) {
  Mutate(Recorded(kProcess, "stat"), [](const std::string& text) {
    const auto stat = ParseStat(text);
    ExpectSound(stat);
    if (stat) {
      EXPECT_GE(stat->parent, 0);
      EXPECT_GE(stat->processor, 0);
    }
  });
}

TEST(AnyText, StatusIsParsedOrRefused) {
  Mutate("Name:\tx\nVmHWM:\t 1684 kB\nVmRSS:\t 1684 kB\nvoluntary_ctxt_switches:\t1\nnonvoluntary_ctxt_switches:\t2\n",
         [](const std::string& text) {
           const auto status = ParseStatus(text);
           ExpectSound(status);
           EXPECT_TRUE(!status || status->rss.value_or(0) % 1024 == 0);
         });
}

TEST(AnyText, MigrationsAreParsedOrAbsent) {
  Mutate("x (1, #threads: 1)\n---\nse.nr_migrations    :       17\nnr_switches : 2\n", [](const std::string& text) {
    const auto migrations = ParseMigrations(text);
    EXPECT_TRUE(!migrations || text.find("se.nr_migrations") != std::string::npos);
  });
}

TEST(AnyText, StealIsParsedOrRefused) {
  Mutate("cpu  1 2 3 4 5 6 7 8 9 0\ncpu0 1 2 3 4 5 6 7 8 9 0\ncpu1 1 2 3 4 5 6 7 8 9 0\n", [](const std::string& text) {
    const auto steal = ParseSteal(text, 100);
    ExpectSound(steal);
    if (!steal) return;
    EXPECT_FALSE(steal->empty());
    for (const auto& [cpu, seconds] : *steal) {
      EXPECT_GE(cpu.value, 0);
      EXPECT_GE(seconds, 0);
    }
  });
}

// ---- children

// By the kernel's list, and by the parents of all there are.
TEST(ProcFsChildren, AreWhomWeForked) {
  const ProcFs procfs;
  std::set<pid_t> ours;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (;;) pause();
    }
    ours.insert(child);
  }
  kill(*ours.begin(), SIGKILL);
  siginfo_t ended;
  waitid(P_PID, static_cast<id_t>(*ours.begin()), &ended, WEXITED | WNOWAIT);  // a zombie is a child, too
  const auto listed = procfs.Children(getpid());
  std::set<pid_t> scanned;
  for (const pid_t pid : procfs.Processes()) {
    const auto text = procfs.Read(pid, "stat");
    const auto stat = text ? ParseStat(*text) : Result<ProcessStat>(Forward(text));
    if (stat && stat->parent == getpid()) scanned.insert(pid);
  }
  for (const pid_t pid : ours) kill(pid, SIGKILL);
  for (const pid_t pid : ours) waitpid(pid, nullptr, 0);
  EXPECT_EQ(scanned, ours);
  ASSERT_TRUE(listed) << listed.error().message;
  EXPECT_EQ(std::set<pid_t>(listed->begin(), listed->end()), ours);
  EXPECT_FALSE(procfs.Children(*ours.begin())) << "it is gone";
}

}  // namespace
}  // namespace corerig
