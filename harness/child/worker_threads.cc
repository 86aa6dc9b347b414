#include "harness/child/worker_threads.h"

#include <system_error>
#include <thread>
#include <vector>

#include "harness/child/child_context.h"
#include "harness/child/exchange.h"
#include "harness/child/part_marker.h"
#include "harness/child/run_worker.h"
#include "harness/child/worker_child.h"
#include "harness/os/scheduling.h"
#include "harness/plan/parts.h"

namespace corerig {
namespace {

// One worker, on its own thread.
void RunThread(ChildContext& context, const WorkloadType& type, const ThreadGroupJob& group, int index,
               const WorkloadInput* input, std::span<std::byte> exchange) {
  WorkerJob job = group.first.job;
  job.index = index;
  MarkPart(WorkerPart(job.group, index));
  context.MarkThread();
  Status done = SetAffinity(0, group.cores[static_cast<std::size_t>(index)]);
  if (done) done = SetPolicy(0, group.policy);
  if (done) done = RunWorker(context, type, job, input, exchange);
  if (!done) context.ReportError(done.error().message);
  context.FinishThread();
}

Status RunThreads(ChildContext& process, std::span<const WorkloadType> workloads) {
  const auto group = ReadThreadGroupJob(process.job());
  if (!group) return Forward(group);
  const auto loaded = LoadWorkload(workloads, group->first);
  if (!loaded) return Forward(loaded);
  const WorkerJob& first = group->first.job;
  const auto exchange = MapExchange(*loaded->type, first, kExchangeFd);
  if (!exchange) return Forward(exchange);

  std::vector<ChildContext> contexts;
  for (int i = 0; i < first.workers; ++i) {
    auto context = ChildContext::OpenThread(kFirstThreadSlabFd + i);
    if (!context) return Forward(context);
    contexts.push_back(std::move(*context));
  }
  std::vector<std::jthread> threads;
  try {
    for (int i = 0; i < first.workers; ++i) {
      threads.emplace_back(RunThread, std::ref(contexts[static_cast<std::size_t>(i)]), std::cref(*loaded->type),
                           std::cref(*group), i, loaded->input.get(), std::span(exchange->data(), exchange->size()));
    }
  } catch (const std::system_error& error) {
    // Those that run would wait for the others for good: the process ends with all of them.
    process.ReportError(StrCat("cannot start ", first.workers, " threads: ", error.what()));
    std::_Exit(1);
  }
  process.Arm();
  for (std::jthread& thread : threads) thread.join();
  return {};
}

}  // namespace

int ThreadsMain(std::span<const WorkloadType> workloads) {
  return RunChild("workers", [&](ChildContext& context) { return RunThreads(context, workloads); });
}

}  // namespace corerig
