// The kernel's records of switches, read as an unprivileged user and held to what /proc counts.
#include "harness/measure/switch_records.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <semaphore>
#include <thread>

#include "harness/base/text.h"
#include "harness/measure/scheduling_probe.h"
#include "harness/os/board.h"
#include "harness/os/clock.h"
#include "harness/os/scheduling.h"

namespace corerig {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t kBytes = 1 << 19;

void Burn(Nanos time) {
  const Nanos end = ThreadCpuTime() + time;
  while (ThreadCpuTime() < end) {
  }
}

// A record as the kernel writes it: header, body, and the trailer {pid, tid, time, id}.
struct Record {
  perf_event_header header;
  std::vector<std::byte> body;

  Record(std::uint32_t type, std::uint16_t misc, std::vector<std::uint64_t> words, std::uint32_t tid,
         std::uint64_t time, std::uint64_t id) {
    words.push_back((std::uint64_t{tid} << 32) | 1);
    words.push_back(time);
    words.push_back(id);
    body.resize(words.size() * 8);
    std::memcpy(body.data(), words.data(), body.size());
    header = {.type = type, .misc = misc, .size = static_cast<std::uint16_t>(sizeof header + body.size())};
  }
  std::optional<SwitchEvent> Decode() const { return DecodeSwitchRecord(header, body, 3, {{77, 1}}); }
};

TEST(DecodeSwitchRecord, TellsComingLeavingAndBeingPreempted) {
  using Kind = SwitchEvent::Kind;
  const auto in = Record(PERF_RECORD_SWITCH, 0, {}, 42, 5000, 77).Decode();
  ASSERT_TRUE(in);
  EXPECT_EQ(in->kind, Kind::kIn);
  EXPECT_EQ(in->at, Nanos(5000));
  EXPECT_EQ(in->tid, 42);
  EXPECT_EQ(in->cpu, 3);
  EXPECT_EQ(in->part, 1u);
  EXPECT_EQ(Record(PERF_RECORD_SWITCH, PERF_RECORD_MISC_SWITCH_OUT, {}, 42, 5000, 77).Decode()->kind, Kind::kOut);
  EXPECT_EQ(
      Record(PERF_RECORD_SWITCH, PERF_RECORD_MISC_SWITCH_OUT | PERF_RECORD_MISC_SWITCH_OUT_PREEMPT, {}, 42, 5000, 77)
          .Decode()
          ->kind,
      Kind::kPreempted);
}

TEST(DecodeSwitchRecord, AnEndIsOfTheTaskThatItNames) {
  const std::uint64_t tids = (std::uint64_t{40} << 32) | 43;  // tid 43, started by 40
  const auto end = Record(PERF_RECORD_EXIT, 0, {0, tids, 4900}, 40, 5000, 77).Decode();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->kind, SwitchEvent::Kind::kExit);
  EXPECT_EQ(end->tid, 43);
}

TEST(DecodeSwitchRecord, OfAnotherEventOrTooShortIsNone) {
  EXPECT_FALSE(Record(PERF_RECORD_SWITCH, 0, {}, 42, 5000, 78).Decode());
  EXPECT_FALSE(Record(PERF_RECORD_FORK, 0, {0, 0, 0}, 42, 5000, 77).Decode());
  EXPECT_FALSE(Record(PERF_RECORD_EXIT, 0, {}, 42, 5000, 77).Decode());
  Record cut(PERF_RECORD_SWITCH, 0, {}, 42, 5000, 77);
  cut.body.resize(16);
  EXPECT_FALSE(cut.Decode());
}

// A thread that works and sleeps, one that keeps it from its core now and then, and what /proc says of it, read while
// it rests: then its counts stand still.
struct Seen {
  SwitchesRecord switches;
  SchedulingReading before, after;
};

// What /proc says of a thread that is about to wait for good.
template <typename Meanwhile>
SchedulingReading ReadAtRest(pid_t tid, const Meanwhile& meanwhile) {
  const ProcFs procfs;
  for (;;) {
    meanwhile();
    const auto stat = procfs.Read(getpid(), StrCat("task/", tid, "/stat"));
    const auto parsed = stat ? ParseStat(*stat) : Result<ProcessStat>(Forward(stat));
    SleepUntil(MonotonicNow() + milliseconds(5));  // from saying that it sleeps to leaving the CPU
    if (parsed && parsed->state == 'S') return *ReadThread(procfs, getpid(), tid);
  }
}

Result<Seen> WatchAThread() {
  auto records = SwitchRecords::Start({"worker other.0", "worker test.0"}, OnlineCpus(""), kBytes);
  if (!records) return Forward(records);
  const CpuId core = AllowedCores().back();
  std::atomic<pid_t> tid{0};
  std::atomic<int> rounds{0};  // that it has done
  std::atomic<bool> stop{false};
  std::binary_semaphore go(0);
  std::thread hog([&] {
    (void)SetAffinity(0, core);
    while (!stop.load()) Burn(milliseconds(1));
  });
  std::thread worker([&] {
    (void)SetAffinity(0, core);
    tid = gettid();
    for (int round = 0; round < 2; ++round) {
      go.acquire();
      for (int i = 0; i < 200; ++i) {
        Burn(microseconds(i % 10 == 0 ? 12'000 : 300));
        SleepUntil(MonotonicNow() + microseconds(500));
      }
      ++rounds;
    }
    go.acquire();
  });
  while (tid == 0) std::this_thread::yield();
  Seen seen;
  const auto read_after = [&](int round) {
    while (rounds.load() < round) {
      SleepUntil(MonotonicNow() + milliseconds(5));
      (*records)->Read();
    }
    return ReadAtRest(tid, [&] { (*records)->Read(); });
  };
  (void)read_after(0);
  const Status followed = (*records)->FollowThread(tid, 1);
  // Nothing of the first round is to be in the window.
  (*records)->SetWindow(Nanos::max(), Nanos::max());
  go.release();
  seen.before = read_after(1);
  const Nanos begin = MonotonicNow();
  (*records)->Read();
  (*records)->SetWindow(begin, Nanos::max());
  go.release();
  seen.after = read_after(2);
  seen.switches = (*records)->Stop();
  stop = true;
  go.release();
  hog.join();
  worker.join();
  if (!followed) return Forward(followed);
  return seen;
}

// What differs from /proc in the counts; empty if nothing does.
std::string Differences(const Seen& seen) {
  const auto& part = seen.switches.parts[1];
  const auto procfs = Difference(seen.before, seen.after);
  std::vector<std::string> found;
  if (part.voluntary != procfs.voluntary) found.push_back(StrCat("voluntary ", part.voluntary, " ", procfs.voluntary));
  if (part.involuntary != procfs.involuntary) {
    found.push_back(StrCat("involuntary ", part.involuntary, " ", procfs.involuntary));
  }
  if (procfs.involuntary == 0) found.push_back("nobody preempted it");
  if (part.slice.count() != part.voluntary + part.involuntary) {
    found.push_back(StrCat("slices ", part.slice.count(), " of ", part.voluntary + part.involuntary, " switches"));
  }
  if (part.preempted <= Nanos(0) || part.preempted > procfs.wait) {
    found.push_back(StrCat("preempted ", part.preempted.count(), " of ", procfs.wait.count(), " waited"));
  }
  if (procfs.migrations && part.migrations != *procfs.migrations) {
    found.push_back(StrCat("migrations ", part.migrations, " ", *procfs.migrations));
  }
  if (seen.switches.lost != 0 || seen.switches.gap) found.push_back("records were lost");
  if (seen.switches.parts[0].voluntary != 0) found.push_back("another part has its switches");
  return Join(found, "; ");
}

// Of the run time, as a share of schedstat's, which leaves out interrupts and what the host took.
double RunError(const Seen& seen) {
  const auto run = static_cast<double>(Difference(seen.before, seen.after).run.count());
  return std::abs(static_cast<double>(seen.switches.parts[1].run.count()) - run) / run;
}

// Runs `body` in a child that has no privileges; what it returns, "skip: ..." to skip.
template <typename Body>
std::string AsNobody(const Body& body) {
  int ends[2];
  if (pipe(ends) != 0) return "pipe";
  const pid_t child = fork();
  if (child == 0) {
    std::string text;
    if (getuid() == 0 && (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0)) {
      text = "skip: cannot become nobody";
    } else {
      prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);  // as a program that nobody started is: its own tasks may be looked at
      text = body();
    }
    [[maybe_unused]] const auto written = write(ends[1], text.data(), text.size());
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char buffer[512];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, std::size_t(got));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? text : StrCat(text, " (the child crashed)");
}

TEST(SwitchRecords, OfAThreadAgreeWithProcForAnUnprivilegedUser) {
  const std::string text = AsNobody([]() -> std::string {
    // A busy host takes time from the thread that schedstat does not book; one quiet second is enough.
    double error = 1;
    for (int tries = 0; tries < 20 && error > 0.01; ++tries) {
      const auto seen = WatchAThread();
      if (!seen) return "skip: " + seen.error().message;
      if (std::string differences = Differences(*seen); !differences.empty()) return differences;
      error = std::min(error, RunError(*seen));
    }
    return error <= 0.01 ? std::string() : StrCat("run time is off by ", error);
  });
  if (text.starts_with("skip: ")) GTEST_SKIP() << text;
  EXPECT_EQ(text, "");
}

TEST(SwitchRecords, FollowWhatATaskStarts) {
  const std::string text = AsNobody([]() -> std::string {
    auto records = SwitchRecords::Start({"worker test.0"}, OnlineCpus(""), kBytes);
    if (!records) return "skip: " + records.error().message;
    (*records)->SetWindow(Nanos(0), Nanos::max());
    int go[2];
    if (pipe(go) != 0) return "pipe";
    const pid_t child = fork();
    if (child == 0) {
      char byte;
      [[maybe_unused]] const auto got = read(go[0], &byte, 1);
      std::thread([] {
        for (int i = 0; i < 10; ++i) SleepUntil(MonotonicNow() + milliseconds(1));
      }).join();
      if (const pid_t grandchild = fork(); grandchild == 0) {
        Burn(milliseconds(20));
        _exit(0);
      } else {
        waitpid(grandchild, nullptr, 0);
      }
      _exit(0);
    }
    const auto followed = (*records)->FollowProcess(ProcFs(), child, 0);
    if (!followed) return followed.error().message;
    if (write(go[1], "g", 1) != 1) return "write";
    waitpid(child, nullptr, 0);
    const auto part = (*records)->Stop().parts[0];
    if (part.voluntary < 10) return StrCat("of the thread's 10 sleeps only ", part.voluntary, " were seen");
    // But for the switches themselves, which the kernel books to the thread.
    if (part.run < milliseconds(18)) return StrCat("the grandchild ran 20 ms, seen: ", part.run.count(), " ns");
    return "";
  });
  if (text.starts_with("skip: ")) GTEST_SKIP() << text;
  EXPECT_EQ(text, "");
}

TEST(SwitchRecords, RingsThatOverflowAreAGap) {
  const std::string text = AsNobody([]() -> std::string {
    auto records = SwitchRecords::Start({"worker test.0"}, OnlineCpus(""), 4096);
    if (!records) return "skip: " + records.error().message;
    (*records)->SetWindow(Nanos(0), Nanos::max());
    if (const auto followed = (*records)->FollowThread(gettid(), 0); !followed) return followed.error().message;
    for (int i = 0; i < 500; ++i) SleepUntil(MonotonicNow() + microseconds(20));
    return (*records)->Stop().gap ? "" : "4 KiB hold 1000 records of 32 bytes?";
  });
  if (text.starts_with("skip: ")) GTEST_SKIP() << text;
  EXPECT_EQ(text, "");
}

}  // namespace
}  // namespace corerig
