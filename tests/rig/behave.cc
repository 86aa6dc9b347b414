#include "tests/rig/behave.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "harness/child/worker_child.h"
#include "harness/os/clock.h"
#include "harness/os/fd.h"

namespace corerig {
namespace {

// A grandchild out of reach of signals to groups and sessions, as a daemon is; deaf to SIGTERM as well.
void LeaveOrphan() {
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    signal(SIGTERM, SIG_IGN);
    for (;;) pause();
  }
  if (child > 0) waitpid(child, nullptr, 0);
}

// A child that wants 256 MiB, and is waited for.
void StartGreedyChild() {
  const pid_t child = fork();
  if (child == 0) {
    const std::string much(std::size_t{256} << 20, 'x');
    _exit(much.back() == 'x' ? 0 : 1);
  }
  if (child > 0) waitpid(child, nullptr, 0);
}

class Behaving final : public Workload {
 public:
  explicit Behaving(const WorkerJob& job)
      : how_(job.index == static_cast<int>(job.Number("worker")) ? job.Word("how") : "well"),
        at_(static_cast<std::uint64_t>(job.Number("at"))),
        pages_(static_cast<std::size_t>(job.Number("mib")) * kPagesPerMiB) {}

  void RunUnit(std::uint64_t) override {
    if (done_++ == at_) Act();
    if (how_ == "leak" && done_ > at_) {
      leaked_.emplace_back(1 << 20, 'x');
    }
    if (how_ == "drip" && done_ > at_) {
      const auto due = static_cast<std::size_t>((MonotonicNow() - acted_) * kPagesPerMiB / std::chrono::seconds(1));
      while (touched_ < std::min(due, kMostPages)) Touch();
    }
    // Whose memory is looked at takes no CPU time from those beside it.
    if (TakesMemory() || how_ == "rest") return SleepUntil(MonotonicNow() + std::chrono::milliseconds(1));
    const Nanos until = ThreadCpuTime() + std::chrono::milliseconds(1);
    while (ThreadCpuTime() < until) {
    }
  }

  std::size_t WriteResult(std::span<std::byte> out) const override {
    std::memcpy(out.data(), &done_, sizeof done_);
    return sizeof done_;
  }

 private:
  static constexpr std::size_t kPagesPerMiB = 256, kMostPages = 256 * kPagesPerMiB;

  bool TakesMemory() const { return how_ == "hold" || how_ == "drip" || how_ == "family"; }

  // One page more, of 4 KiB.
  void Touch() { base_[touched_++ * 4096] = 1; }

  void Act() {
    acted_ = MonotonicNow();
    if (TakesMemory()) {
      void* base = mmap(nullptr, kMostPages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      madvise(base, kMostPages * 4096, MADV_NOHUGEPAGE);
      base_ = static_cast<volatile char*>(base);
      while (how_ != "drip" && touched_ < pages_) Touch();
    }
    for (int child = 0; how_ == "family" && child < 2; ++child) {
      if (fork() != 0) continue;
      for (;;) pause();
    }
    if (how_ == "segv") {
      volatile int* nowhere = nullptr;
      *nowhere = 1;
    }
    if (how_ == "abort") abort();
    if (how_ == "throw") throw std::runtime_error("it was told to");
    if (how_ == "exit3") _exit(3);
    if (how_ == "no-result") _exit(0);
    if (how_ == "stop") raise(SIGSTOP);
    if (how_ == "orphan") LeaveOrphan();
    if (how_ == "greedy-child") StartGreedyChild();
    while (how_ == "hang") pause();
    for (volatile bool spin = how_ == "spin"; spin;) {
    }
  }

  std::string how_;
  std::uint64_t at_;
  std::uint64_t done_ = 0;
  std::size_t pages_, touched_ = 0;
  volatile char* base_ = nullptr;
  Nanos acted_{0};
  std::vector<std::string> leaked_;
};

bool IsWorker() {
  const auto command = ReadFile("/proc/self/cmdline");
  return command && command->find(kWorkerVerb) != std::string::npos;
}

Result<std::unique_ptr<Workload>> Make(const WorkerJob& job, const Surroundings&) {
  if (job.Word("how") == "refuse" || (job.Word("how") == "refuse-late" && IsWorker())) {
    return Fail("test/behave refuses, as it was told to");
  }
  return std::unique_ptr<Workload>(std::make_unique<Behaving>(job));
}

std::size_t ResultSize(const WorkerJob&) { return sizeof(std::uint64_t); }

Result<Answer> Merge(const WorkerJob& job, std::span<const WorkerResult> results) {
  Answer answer;
  for (const auto& result : results) {
    std::uint64_t units = 0;
    if (result.bytes.size() != sizeof units) return Fail("a result of ", result.bytes.size(), " bytes");
    std::memcpy(&units, result.bytes.data(), sizeof units);
    answer.units += units;
  }
  answer.figures = {{.name = "units", .value = static_cast<double>(answer.units), .unit = ""}};
  answer.check = {.passed = job.Word("how") != "wrong", .text = "the units were counted"};
  return answer;
}

}  // namespace

WorkloadType Behave() {
  return {
      .info =
          {.name = "test/behave",
           .about = "Behaves as it is told",
           .unit = "millisecond",
           .parameters =
               {{.name = "how", .kind = ParameterInfo::Kind::kWord, .default_value = "well", .about = "what it does"},
                {.name = "at", .kind = ParameterInfo::Kind::kWholeNumber, .default_value = "20", .about = "when"},
                {.name = "mib", .kind = ParameterInfo::Kind::kWholeNumber, .default_value = "64", .about = "how much"},
                {.name = "worker",
                 .kind = ParameterInfo::Kind::kWholeNumber,
                 .default_value = "0",
                 .about = "which one"}}},
      .make = Make,
      .result_size = ResultSize,
      .merge = Merge,
  };
}

}  // namespace corerig
