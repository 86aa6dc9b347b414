#include "harness/child/worker_child.h"

#include "harness/child/child_context.h"
#include "harness/child/exchange.h"
#include "harness/child/run_worker.h"

namespace corerig {
namespace {

static_assert(kExchangeFd == kFirstRoleFd);

[[gnu::hot]] Status Work(ChildContext& context, const WorkloadType& type, const WorkerJob& job,
                         const WorkloadInput* input) {
  const auto exchange = MapExchange(type, job, kExchangeFd);
  if (!exchange) return Forward(exchange);
  return RunWorker(context, type, job, input, {exchange->data(), exchange->size()});
}

}  // namespace

[[gnu::hot]] int WorkerMain(std::span<const WorkloadType> workloads) {
  return RunChild("worker", [&](ChildContext& context) -> Status {
    const auto named = ReadWorkerJob(context.job());
    if (!named) return Forward(named);
    const auto loaded = LoadWorkload(workloads, *named);
    if (!loaded) return Forward(loaded);
    return Work(context, *loaded->type, named->job, loaded->input.get());
  });
}

int ForkedWorkerMain(const WorkloadType& type, const WorkloadInput* input) {
  return RunChild("worker", [&](ChildContext& context) -> Status {
    const auto named = ReadWorkerJob(context.job());
    if (!named) return Forward(named);
    return Work(context, type, named->job, input);
  });
}

}  // namespace corerig
