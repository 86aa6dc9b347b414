#include "harness/child/worker_child.h"

#include <sched.h>

#include <exception>
#include <nlohmann/json.hpp>

#include "harness/child/child_context.h"
#include "harness/child/worker_slab.h"
#include "harness/os/clock.h"

namespace corerig {
namespace {

using json = nlohmann::ordered_json;  // parameters keep their order
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

const WorkloadType* Find(std::span<const WorkloadType> workloads, std::string_view name) {
  for (const WorkloadType& type : workloads) {
    if (type.info.name == name) return &type;
  }
  return nullptr;
}

// Runs the units until done or told to stop.
void RunUnits(const ChildContext& context, const WorkerJob& job, Workload& workload, Progress& progress) {
  const std::uint64_t planned = job.UnitsOfWorker();
  const StopLevel end = job.units ? kEndNow : kWindowOver;
  const std::uint64_t first = job.FirstUnit(), step = job.UnitStep();
  SignOfLife sign_of_life(MonotonicNow());
  for (std::uint64_t done = 0; (!job.units || done < planned) && context.stop_level() < end; ++done) {
    workload.RunUnit(first + done * step);
    const Nanos now = MonotonicNow();
    progress.Publish(done + 1, now);
    sign_of_life.Give(now);
  }
}

Status Work(ChildContext& context, std::span<const WorkloadType> workloads) {
  const auto named = ReadWorkerJob(context.job());
  if (!named) return Forward(named);
  const WorkerJob& job = named->job;
  const WorkloadType* type = Find(workloads, named->workload);
  if (type == nullptr) return Fail("this program has no workload \"", named->workload, "\"");

  const WorkerSlabLayout layout(type->result_size(job));
  if (context.slab().size() < layout.size) {
    return Fail("the slab holds ", context.slab().size(), " bytes; workload ", named->workload, " needs ", layout.size);
  }
  auto& progress = *context.slab().At<Progress>(layout.progress);
  auto& box = *context.slab().At<ResultBox>(layout.result);

  std::unique_ptr<WorkloadInput> input;
  if (type->load != nullptr) {
    auto loaded = type->load(job);
    if (!loaded) return Forward(loaded);
    input = std::move(*loaded);
  }
  const auto workload = type->make(job, {.input = input.get()});
  if (!workload) return Forward(workload);

  context.Arm();
  context.WaitForStart();
  context.MarkBegun();
  RunUnits(context, job, **workload, progress);
  context.MarkEnded();

  const std::size_t size = (*workload)->WriteResult(box.Buffer(layout.result_capacity));
  if (size > layout.result_capacity) {
    return Fail("workload ", named->workload, " wrote a result of ", size, " bytes; it declares at most ",
                layout.result_capacity);
  }
  box.Publish(size);
  return {};
}

// Workloads are users' code and the library's: what they throw ends here.
Status WorkAndCatch(ChildContext& context, std::span<const WorkloadType> workloads) {
  try {
    return Work(context, workloads);
  } catch (const std::exception& error) {
    return Fail("the workload threw: ", error.what());
  } catch (...) {
    return Fail("the workload threw something that is no std::exception");
  }
}

}  // namespace

std::string WriteWorkerJob(const WorkerJob& job, std::string_view workload) {
  json out = {{"workload", workload}, {"group", job.group},           {"index", job.index}, {"workers", job.workers},
              {"seed", job.seed},     {"parameters", json::object()}, {"shard", job.shard}, {"shards", job.shards}};
  if (job.units) out["units"] = *job.units;
  for (const Parameter& parameter : job.parameters) out["parameters"][parameter.name] = parameter.value;
  return out.dump();
}

Result<NamedWorkerJob> ReadWorkerJob(std::string_view text) {
  try {
    const json in = json::parse(text);
    NamedWorkerJob named;
    named.workload = in.at("workload").get<std::string>();
    WorkerJob& job = named.job;
    job.group = in.at("group").get<std::string>();
    job.index = in.at("index").get<int>();
    job.workers = in.at("workers").get<int>();
    job.seed = in.at("seed").get<std::uint64_t>();
    if (in.contains("units")) job.units = in.at("units").get<std::uint64_t>();
    for (const auto& [name, value] : in.at("parameters").items()) {
      job.parameters.push_back({name, value.get<std::string>()});
    }
    if (job.workers < 1 || job.index < 0 || job.index >= job.workers) {
      return Fail("worker job: index ", job.index, " of ", job.workers, " workers; 0 to workers - 1 was expected");
    }
    job.shard = in.at("shard").get<int>();
    job.shards = in.at("shards").get<int>();
    if (job.shards < 1 || job.shard < 0 || job.shard >= job.shards) {
      return Fail("worker job: shard ", job.shard, " of ", job.shards, "; 0 to shards - 1 was expected");
    }
    return named;
  } catch (const json::exception& error) {
    return Fail("worker job: ", error.what());
  }
}

int WorkerMain(std::span<const WorkloadType> workloads) {
  return RunChild("worker", [&](ChildContext& context) { return WorkAndCatch(context, workloads); });
}

}  // namespace corerig
