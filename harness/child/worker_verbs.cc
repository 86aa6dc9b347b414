// The worker that worker_child_test starts: WorkerMain with workloads made for it.
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <string_view>

#include "harness/child/keeper_process.h"
#include "harness/child/worker_child.h"

namespace corerig {
namespace {

// Its result: the units it did, in their order, up to 64 of them. A unit takes `pause` microseconds.
class ListUnits : public Workload {
 public:
  explicit ListUnits(const WorkerJob& job) : pause_(static_cast<useconds_t>(job.Number("pause"))) {}
  void RunUnit(std::uint64_t unit) override {
    usleep(pause_);
    if (count_ < kMost) units_[count_++] = unit;
  }
  std::size_t WriteResult(std::span<std::byte> out) const override {
    std::memcpy(out.data(), units_, count_ * sizeof units_[0]);
    return count_ * sizeof units_[0];
  }

  static constexpr std::size_t kMost = 64;

 private:
  useconds_t pause_;
  std::uint64_t units_[kMost] = {};
  std::size_t count_ = 0;
};

// Leaves the unit that it is in when it is told to stop.
class Leave : public ListUnits {
 public:
  Leave(const WorkerJob& job, std::function<bool()> told_to_stop)
      : ListUnits(job), told_to_stop_(std::move(told_to_stop)) {}
  void RunUnit(std::uint64_t unit) override {
    while (unit >= 3 && !CutShort()) usleep(100);
    if (!CutShort()) ListUnits::RunUnit(unit);
  }
  bool CutShort() const override { return told_to_stop_(); }

 private:
  std::function<bool()> told_to_stop_;
};

// Computes for some milliseconds a unit, without a system call that blocks.
class Compute : public ListUnits {
 public:
  using ListUnits::ListUnits;
  void RunUnit(std::uint64_t) override {
    for (int i = 0; i < 1'000'000; ++i) hash_ = hash_ * 6364136223846793005u + 1;
  }

 private:
  volatile std::uint64_t hash_ = 0;
};

class Throw : public ListUnits {
 public:
  using ListUnits::ListUnits;
  void RunUnit(std::uint64_t unit) override {
    if (unit >= 3) throw std::runtime_error("unit 3 cannot be done");
    ListUnits::RunUnit(unit);
  }
};

class Crash : public ListUnits {
 public:
  using ListUnits::ListUnits;
  void RunUnit(std::uint64_t unit) override {
    if (unit >= 3) raise(SIGKILL);
    ListUnits::RunUnit(unit);
  }
};

class Overflow : public ListUnits {
 public:
  using ListUnits::ListUnits;
  std::size_t WriteResult(std::span<std::byte> out) const override { return out.size() + 1; }
};

template <typename Kind>
WorkloadType Row(std::string_view name) {
  WorkloadType type;
  type.info.name = name;
  type.make = [](const WorkerJob& job, const Surroundings& around) -> Result<std::unique_ptr<Workload>> {
    if (job.Number("pause") < 0) return Fail("pause is ", job.Number("pause"), "; a positive number was expected");
    if constexpr (std::is_same_v<Kind, Leave>)
      return std::make_unique<Kind>(job, around.told_to_stop);
    else
      return std::make_unique<Kind>(job);
  };
  type.result_size = [](const WorkerJob&) { return ListUnits::kMost * sizeof(std::uint64_t); };
  return type;
}

}  // namespace
}  // namespace corerig

int main(int argc, char** argv) {
  using namespace corerig;
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == kKeeperVerb) return KeeperMain(argc, argv);
  const WorkloadType workloads[] = {Row<ListUnits>("list"), Row<Compute>("compute"), Row<Throw>("throw"),
                                    Row<Leave>("leave"),    Row<Crash>("crash"),     Row<Overflow>("overflow")};
  if (verb == kWorkerVerb) return WorkerMain(workloads);
  return 100;
}
