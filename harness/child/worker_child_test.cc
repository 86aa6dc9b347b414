#include "harness/child/worker_child.h"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "harness/child/child_context.h"
#include "harness/child/keeper.h"
#include "harness/child/worker_slab.h"
#include "harness/os/clock.h"
#include "harness/os/fd.h"
#include "harness/os/scheduling.h"

namespace corerig {
namespace {

using namespace std::chrono_literals;

const std::string kProgram = "harness/child/worker_verbs";
const WorkerSlabLayout kLayout(64 * sizeof(std::uint64_t));
constexpr Nanos kDeadline = 45s;  // only a failure waits so long

TEST(WorkerJobText, ReadsAsItWasWritten) {
  WorkerJob job;
  job.group = "price";
  job.index = 2;
  job.workers = 5;
  job.seed = UINT64_MAX;
  job.units = UINT64_MAX - 1;
  job.parameters = {{"strike", "100"}, {"kind", "call \"µ\"\n"}, {"a", ""}, {"nul", std::string("1\n\0=", 4)}};
  const auto named = ReadWorkerJob(WriteWorkerJob(job, "montecarlo/option"));
  ASSERT_TRUE(named) << named.error().message;
  EXPECT_EQ(named->workload, "montecarlo/option");
  EXPECT_EQ(named->job.group, "price");
  EXPECT_EQ(named->job.index, 2);
  EXPECT_EQ(named->job.workers, 5);
  EXPECT_EQ(named->job.seed, UINT64_MAX);
  EXPECT_EQ(named->job.units, UINT64_MAX - 1);
  EXPECT_EQ(named->job.parameters, job.parameters);

  job.units.reset();
  EXPECT_EQ(ReadWorkerJob(WriteWorkerJob(job, "x"))->job.units, std::nullopt);
}

TEST(WorkerJobText, SaysWhatIsWrong) {
  for (const std::string_view wrong :
       {"", "{", "[]", "{}", "workload 1 x", "workload 2 x\n", "workload 99 x\n", "workload x x\n", "index 1 0\n"}) {
    const auto named = ReadWorkerJob(wrong);
    ASSERT_FALSE(named) << wrong;
    EXPECT_TRUE(named.error().message.starts_with("worker job: ")) << named.error().message;
  }
  WorkerJob job;
  job.index = 3;
  job.workers = 3;
  EXPECT_EQ(ReadWorkerJob(WriteWorkerJob(job, "x")).error().message,
            "worker job: index 3 of 3 workers; 0 to workers - 1 was expected");
}

// A worker as the supervisor starts it, with slab and control page.
class Worker {
 public:
  explicit Worker(Keeper& keeper) : keeper_(keeper) {
    auto page = CreateSharedMemory("control", sizeof(ControlPage));
    control_mapping_ = *Mapping::Map(page->get(), sizeof(ControlPage), Mapping::Access::kReadWrite);
    EXPECT_TRUE(SealAgainstNewWriters(page->get()));
    control_fd_ = std::move(*page);
    slab_fd_ = *CreateSharedMemory("slab", kLayout.size);
    slab_ = *Mapping::Map(slab_fd_.get(), kLayout.size, Mapping::Access::kRead);
  }

  void Start(const std::string& job, const Policy& policy = {}) {
    auto job_fd = *CreateSharedMemory("job", std::max<std::size_t>(job.size(), 1));
    ASSERT_EQ(pwrite(job_fd.get(), job.data(), job.size(), 0), static_cast<ssize_t>(job.size()));
    auto process =
        keeper_.Spawn({.argv = {kProgram, std::string(kWorkerVerb), "worker list.0"},
                       .fds = {{job_fd.get(), kJobFd}, {slab_fd_.get(), kSlabFd}, {control_fd_.get(), kControlFd}},
                       .cores = {AllowedCores().back()},
                       .policy = policy});
    ASSERT_TRUE(process) << process.error().message;
    process_ = std::move(*process);
  }

  void Publish(Nanos start_at) {
    control().start_at.store(start_at.count(), std::memory_order_release);
    control().start_futex.store(1, std::memory_order_release);
    syscall(SYS_futex, &control().start_futex, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
  }
  void Stop(StopLevel level) { control().stop.store(level); }

  // Waits for something to become true of the slab.
  template <typename Condition>
  bool Comes(const Condition& condition) {
    for (const Nanos end = MonotonicNow() + kDeadline; MonotonicNow() < end;) {
      if (condition()) return true;
      SleepUntil(MonotonicNow() + 1ms);
    }
    return false;
  }
  bool BecomesArmed() {
    return Comes([&] { return header().state.load() == ChildState::kArmed; });
  }

  EndRecord Reap() {
    const auto end = keeper_.Reap(process_);
    EXPECT_TRUE(end) << end.error().message;
    return end.value_or(EndRecord{});
  }
  void ExpectSuccess() {
    const EndRecord end = Reap();
    EXPECT_EQ(end.kind, EndRecord::Kind::kExited) << end.detail;
    EXPECT_EQ(end.number, 0) << header().error.Read();
  }
  void ExpectError(const std::string& message) {
    const EndRecord end = Reap();
    EXPECT_EQ(end.kind, EndRecord::Kind::kExited) << end.detail;
    EXPECT_EQ(end.number, 1);
    EXPECT_EQ(header().error.Read(), message);
    EXPECT_FALSE(box().Read(kLayout.result_capacity)) << "a worker that failed has no result";
  }

  std::vector<std::uint64_t> Units() const {
    const auto bytes = box().Read(kLayout.result_capacity);
    EXPECT_TRUE(bytes) << "no result";
    std::vector<std::uint64_t> units(bytes ? bytes->size() / sizeof(std::uint64_t) : 0);
    if (!units.empty()) std::memcpy(units.data(), bytes->data(), bytes->size());
    return units;
  }

  ControlPage& control() const { return *control_mapping_.At<ControlPage>(0); }
  const SlabHeader& header() const { return *slab_.At<SlabHeader>(0); }
  Progress::Reading progress() const { return slab_.At<Progress>(kLayout.progress)->Read(); }
  const ResultBox& box() const { return *slab_.At<ResultBox>(kLayout.result); }
  const ChildProcess& process() const { return process_; }
  int slab_fd() const { return slab_fd_.get(); }

 private:
  Keeper& keeper_;
  Fd control_fd_, slab_fd_;
  Mapping control_mapping_, slab_;
  ChildProcess process_;
};

class WorkerMainTest : public testing::Test {
 protected:
  WorkerMainTest() : keeper_(StartKeeper()), worker_(keeper_) {}
  static Keeper StartKeeper() {
    auto keeper = Keeper::Start(kProgram, AllowedCores().front());
    if (!keeper) {
      std::fprintf(stderr, "%s\n", keeper.error().message.c_str());
      std::abort();
    }
    return std::move(*keeper);
  }
  static WorkerJob Job(std::optional<std::uint64_t> units, double pause_us) {
    WorkerJob job;
    job.group = "list";
    job.index = 1;
    job.workers = 3;
    job.units = units;
    job.parameters = {{"pause", StrCat(pause_us)}};
    return job;
  }

  Keeper keeper_;
  Worker worker_;
};

TEST_F(WorkerMainTest, DoesItsShareOfFixedUnitsAndLeavesResultStampsAndMemory) {
  worker_.Start(WriteWorkerJob(Job(11, 0), "list"));
  ASSERT_TRUE(worker_.BecomesArmed()) << worker_.header().error.Read();
  EXPECT_EQ(worker_.progress().units, 0u);
  EXPECT_EQ(worker_.header().begun_at.Get(), 0u);
  const Nanos start = MonotonicNow() + 30ms;
  worker_.Publish(start);
  worker_.ExpectSuccess();
  const Nanos end = MonotonicNow();

  EXPECT_EQ(worker_.Units(), (std::vector<std::uint64_t>{1, 4, 7, 10}));
  EXPECT_EQ(worker_.header().state.load(), ChildState::kFinished);
  EXPECT_EQ(worker_.progress().units, 4u);
  const auto begun_at = Nanos(static_cast<std::int64_t>(worker_.header().begun_at.Get()));
  const auto ended_at = Nanos(static_cast<std::int64_t>(worker_.header().ended_at.Get()));
  EXPECT_GE(begun_at, start) << "began before the common start";
  EXPECT_GE(worker_.progress().at, begun_at);
  EXPECT_GE(ended_at, worker_.progress().at);
  EXPECT_GE(end, ended_at);
  EXPECT_GT(worker_.header().last_uss.Get(), 0u);
  EXPECT_GE(worker_.header().last_pss.Get(), worker_.header().last_uss.Get());
  EXPECT_GE(worker_.header().last_rss.Get(), worker_.header().last_pss.Get());
  EXPECT_EQ(worker_.header().error.Read(), "");
}

TEST_F(WorkerMainTest, WithNoUnitOfItsOwnEndsWithAnEmptyResult) {
  worker_.Start(WriteWorkerJob(Job(1, 0), "list"));  // unit 0 is another worker's
  worker_.Publish(MonotonicNow());
  worker_.ExpectSuccess();
  EXPECT_EQ(worker_.Units(), std::vector<std::uint64_t>{});
  EXPECT_EQ(worker_.progress().units, 0u);
}

TEST_F(WorkerMainTest, WithoutFixedUnitsWorksUntilTheWindowIsOver) {
  worker_.Start(WriteWorkerJob(Job(std::nullopt, 100), "list"));
  worker_.Publish(MonotonicNow());
  ASSERT_TRUE(worker_.Comes([&] { return worker_.progress().units >= 5; })) << worker_.header().error.Read();
  EXPECT_EQ(worker_.header().state.load(), ChildState::kRunning);
  worker_.Stop(kWindowOver);
  worker_.ExpectSuccess();
  const auto units = worker_.Units();
  ASSERT_EQ(units.size(), std::min<std::uint64_t>(worker_.progress().units, 64));
  for (std::size_t i = 0; i < units.size(); ++i) EXPECT_EQ(units[i], 1 + 3 * i);
}

TEST_F(WorkerMainTest, FixedUnitsGoOnWhenTheWindowIsOver) {
  worker_.Stop(kWindowOver);
  worker_.Start(WriteWorkerJob(Job(11, 0), "list"));
  worker_.Publish(MonotonicNow());
  worker_.ExpectSuccess();
  EXPECT_EQ(worker_.Units(), (std::vector<std::uint64_t>{1, 4, 7, 10}));
}

TEST_F(WorkerMainTest, FixedUnitsStopWhenEverythingEndsAndTheirResultIsWhatWasDone) {
  worker_.Start(WriteWorkerJob(Job(1'000'000'000, 100), "list"));
  worker_.Publish(MonotonicNow());
  ASSERT_TRUE(worker_.Comes([&] { return worker_.progress().units >= 5; }));
  worker_.Stop(kEndNow);
  worker_.ExpectSuccess();
  EXPECT_EQ(worker_.Units().size(), std::min<std::uint64_t>(worker_.progress().units, 64));
}

TEST_F(WorkerMainTest, AUnitThatIsLeftBeforeItsEndIsNotDone) {
  worker_.Start(WriteWorkerJob(Job(1'000'000'000, 0), "leave"));
  worker_.Publish(MonotonicNow());
  ASSERT_TRUE(worker_.Comes([&] { return worker_.progress().units == 1; }));
  worker_.Stop(kEndNow);
  worker_.ExpectSuccess();
  EXPECT_EQ(worker_.Units(), std::vector<std::uint64_t>{1});
  EXPECT_EQ(worker_.progress().units, 1u);
}

// A real-time thread that never blocks is killed after 3 s of CPU time (RLIMIT_RTTIME); a worker that computes is no
// runaway.
TEST_F(WorkerMainTest, ARealTimeWorkerMayComputeLongerThanARunaway) {
  const Policy fifo{Policy::Class::kFifo, 10};
  if (const auto granted = TryPolicy(fifo); !granted) GTEST_SKIP() << granted.error().message;
  worker_.Start(WriteWorkerJob(Job(std::nullopt, 0), "compute"), fifo);
  worker_.Publish(MonotonicNow());
  ASSERT_TRUE(worker_.Comes([&] { return worker_.progress().units > 0; })) << worker_.header().error.Read();
  // Its own CPU time, in clock ticks: fields 14 and 15 of /proc/PID/stat, counted from the last ')'.
  const auto cpu_seconds = [&] {
    const std::string stat = ReadFile(StrCat("/proc/", worker_.process().pid, "/stat")).value_or("");
    const auto fields = Split(Trim(std::string_view(stat).substr(stat.rfind(')') + 1)), ' ');
    if (fields.size() < 13) return 0.0;
    return static_cast<double>(*ParseNumber<int>(fields[11]) + *ParseNumber<int>(fields[12])) /
           static_cast<double>(sysconf(_SC_CLK_TCK));
  };
  EXPECT_TRUE(worker_.Comes([&] {
    pollfd ended = {.fd = worker_.process().pidfd.get(), .events = POLLIN, .revents = 0};
    return cpu_seconds() > 4 || poll(&ended, 1, 0) > 0;
  }));
  worker_.Stop(kWindowOver);
  worker_.ExpectSuccess();
}

TEST_F(WorkerMainTest, AKilledWorkerLeavesItsProgressAndNoResult) {
  worker_.Start(WriteWorkerJob(Job(100, 0), "crash"));
  worker_.Publish(MonotonicNow());
  EXPECT_EQ(worker_.Reap().detail, "SIGKILL");
  EXPECT_EQ(worker_.progress().units, 1u) << "units 1, then 4";
  EXPECT_EQ(worker_.header().state.load(), ChildState::kRunning);
  EXPECT_FALSE(worker_.box().Read(kLayout.result_capacity));
}

TEST_F(WorkerMainTest, NoOneElseCanMapItsSlabWritableOnceItIsArmed) {
  worker_.Start(WriteWorkerJob(Job(1, 0), "list"));
  ASSERT_TRUE(worker_.BecomesArmed());
  EXPECT_FALSE(Mapping::Map(worker_.slab_fd(), kLayout.size, Mapping::Access::kReadWrite));
  EXPECT_TRUE(Mapping::Map(worker_.slab_fd(), kLayout.size, Mapping::Access::kRead));
}

TEST_F(WorkerMainTest, AWorkloadThatThrowsIsAnErrorWithItsText) {
  worker_.Start(WriteWorkerJob(Job(100, 0), "throw"));
  worker_.Publish(MonotonicNow());
  worker_.ExpectError("the workload threw: unit 3 cannot be done");
}

TEST_F(WorkerMainTest, ParametersThatContradictAreAnErrorBeforeItIsArmed) {
  worker_.Start(WriteWorkerJob(Job(100, -1), "list"));
  worker_.ExpectError("pause is -1; a positive number was expected");
  EXPECT_EQ(worker_.header().state.load(), ChildState::kStarting);
}

TEST_F(WorkerMainTest, AResultLargerThanDeclaredIsAnError) {
  worker_.Start(WriteWorkerJob(Job(1, 0), "overflow"));
  worker_.Publish(MonotonicNow());
  worker_.ExpectError("workload overflow wrote a result of 513 bytes; it declares at most 512");
}

TEST_F(WorkerMainTest, AnUnknownWorkloadIsAnError) {
  worker_.Start(WriteWorkerJob(Job(1, 0), "lists"));
  worker_.ExpectError("this program has no workload \"lists\"");
}

TEST_F(WorkerMainTest, AMalformedJobIsAnError) {
  worker_.Start("{}");
  EXPECT_EQ(worker_.Reap().number, 1);
  EXPECT_TRUE(worker_.header().error.Read().starts_with("worker job: ")) << worker_.header().error.Read();
}

}  // namespace
}  // namespace corerig
