#include "harness/child/run_worker.h"

#include <sched.h>

#include <algorithm>
#include <exception>

#include "harness/child/worker_slab.h"
#include "harness/os/clock.h"

namespace corerig {
namespace {

using namespace std::chrono_literals;

// Sleeps for a moment once a second of a real-time thread's time. Such a thread is killed when it computes for seconds
// without a blocking call (RLIMIT_RTTIME, set at its start against runaways); between two units it proves that it is
// none.
class SignOfLife {
 public:
  explicit SignOfLife(Nanos now) : real_time_(sched_getscheduler(0) == SCHED_FIFO), last_(now) {}

  void Give(Nanos now) {
    if (!real_time_ || now - last_ < 1s) return;
    // Long enough that the thread really leaves its core: only a wake-up sets the kernel's count back.
    SleepUntil(now + 50us);
    last_ = now;
  }

 private:
  bool real_time_;
  Nanos last_;
};

StopLevel EndOf(const WorkerJob& job) { return job.units ? kEndNow : kWindowOver; }

// Runs the units until done or told to stop.
void RunUnits(const ChildContext& context, const WorkerJob& job, Workload& workload, Progress& progress) {
  const std::uint64_t planned = job.UnitsOfWorker();
  const std::uint64_t first = job.FirstUnit(), step = job.UnitStep();
  SignOfLife sign_of_life(MonotonicNow());
  for (std::uint64_t done = 0; (!job.units || done < planned) && context.stop_level() < EndOf(job); ++done) {
    workload.RunUnit(first + done * step);
    if (workload.CutShort()) return;
    const Nanos now = MonotonicNow();
    progress.Publish(done + 1, now);
    sign_of_life.Give(now);
  }
}

[[gnu::hot]] Status Work(ChildContext& context, const WorkloadType& type, const WorkerJob& job,
                         const Surroundings& surroundings) {
  const WorkerSlabLayout layout(type.result_size(job));
  if (context.slab().size() < layout.size) {
    return Fail("the slab holds ", context.slab().size(), " bytes; workload ", type.info.name, " needs ", layout.size);
  }
  auto& progress = *context.slab().At<Progress>(layout.progress);
  auto& box = *context.slab().At<ResultBox>(layout.result);

  const auto workload = type.make(job, surroundings);
  if (!workload) return Forward(workload);

  context.Arm();
  context.WaitForStart();
  context.MarkBegun();
  RunUnits(context, job, **workload, progress);
  context.MarkEnded();

  const std::size_t size = (*workload)->WriteResult(box.Buffer(layout.result_capacity));
  if (size > layout.result_capacity) {
    return Fail("workload ", type.info.name, " wrote a result of ", size, " bytes; it declares at most ",
                layout.result_capacity);
  }
  box.Publish(size);
  return {};
}

// Workloads are users' code and the library's: what they throw ends here.
template <typename Function>
auto Catching(const Function& function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::exception& error) {
    return Fail("the workload threw: ", error.what());
  } catch (...) {
    return Fail("the workload threw something that is no std::exception");
  }
}

}  // namespace

[[gnu::hot]] Result<LoadedWorkload> LoadWorkload(std::span<const WorkloadType> workloads, const NamedWorkerJob& job) {
  const auto at = std::find_if(workloads.begin(), workloads.end(),
                               [&](const auto& type) { return type.info.name == job.workload; });
  if (at == workloads.end()) return Fail("this program has no workload \"", job.workload, "\"");
  LoadedWorkload loaded = {.type = &*at};
  if (at->load == nullptr) return loaded;
  auto input = Catching([&] { return at->load(job.job); });
  if (!input) return Forward(input);
  loaded.input = std::move(*input);
  return loaded;
}

[[gnu::hot]] Status RunWorker(ChildContext& context, const WorkloadType& type, const WorkerJob& job,
                              const WorkloadInput* input, std::span<std::byte> exchange) {
  const Surroundings surroundings = {
      .input = input, .exchange = exchange, .told_to_stop = [&] { return context.stop_level() >= EndOf(job); }};
  return Catching([&] { return Work(context, type, job, surroundings); });
}

}  // namespace corerig
