#include "harness/run/launch.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <utility>

#include "harness/child/child_context.h"
#include "harness/child/part_marker.h"
#include "harness/child/worker_child.h"
#include "harness/child/worker_slab.h"
#include "harness/loop/channel.h"
#include "harness/plan/plan_json.h"
#include "harness/stream/handler.h"
#include "harness/stream/slabs.h"
#include "harness/stream/source.h"

namespace corerig {
namespace {

// A memfd holding the child's orders.
Result<Fd> JobMemory(const std::string& text) {
  auto fd = CreateSharedMemory("corerig-job", text.size());
  if (!fd) return fd;
  auto mapping = Mapping::Map(fd->get(), text.size(), Mapping::Access::kReadWrite);
  if (!mapping) return Forward(mapping);
  std::copy(text.begin(), text.end(), reinterpret_cast<char*>(mapping->data()));
  return fd;
}

class Launcher {
 public:
  Launcher(const Plan& plan, const std::string& program, const ControlMemory& control, int marker, Keeper& keeper)
      : plan_(plan), program_(program), control_(control), marker_(marker), keeper_(keeper) {}

  // `fds` go to kFirstRoleFd and up. Returns the slab's descriptor, for children that read it.
  Result<Fd> Start(LaunchedChild& child, std::string_view verb, const std::string& job, std::size_t slab_size,
                   const std::vector<int>& fds) {
    auto job_memory = JobMemory(job);
    if (!job_memory) return Forward(job_memory);
    auto slab = CreateSharedMemory("corerig-slab", slab_size);
    if (!slab) return Forward(slab);
    auto mapping = Mapping::Map(slab->get(), slab_size, Mapping::Access::kRead);
    if (!mapping) return Forward(mapping);
    child.slab = std::move(*mapping);

    SpawnRequest request;
    request.argv = {program_, std::string(verb), child.name};
    request.fds = {{job_memory->get(), kJobFd}, {slab->get(), kSlabFd}, {control_.fd(), kControlFd}, {marker_, kMarkerFd}};
    for (std::size_t i = 0; i < fds.size(); ++i) request.fds.emplace_back(fds[i], kFirstRoleFd + static_cast<int>(i));
    request.core = child.core;
    request.policy = child.policy;
    auto process = keeper_.Spawn(request);
    if (process) {
      child.process = std::move(*process);
    } else {
      child.failure = process.error().message;
    }
    return std::move(*slab);
  }

 private:
  const Plan& plan_;
  const std::string& program_;
  const ControlMemory& control_;
  const int marker_;
  Keeper& keeper_;
};

}  // namespace

std::string WorkerName(const WorkerPlan& group, int index) { return StrCat("worker ", group.name, ".", index); }

Result<ControlMemory> ControlMemory::Create() {
  ControlMemory control;
  auto fd = CreateSharedMemory("corerig-control", sizeof(ControlPage));
  if (!fd) return Forward(fd);
  auto mapping = Mapping::Map(fd->get(), sizeof(ControlPage), Mapping::Access::kReadWrite);
  if (!mapping) return Forward(mapping);
  if (auto sealed = SealAgainstNewWriters(fd->get()); !sealed) return Forward(sealed);
  control.fd_ = std::move(*fd);
  control.mapping_ = std::move(*mapping);
  return control;
}

void ControlMemory::Publish(Nanos start_at) const {
  page().start_at.store(start_at.count(), std::memory_order_release);
  page().start_futex.store(1, std::memory_order_release);
  syscall(SYS_futex, &page().start_futex, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

Result<std::vector<LaunchedChild>> Launch(const Plan& plan, const Rig& rig, const std::string& program,
                                          const ControlMemory& control, int marker, Keeper& keeper) {
  std::vector<LaunchedChild> children;
  Launcher launcher(plan, program, control, marker, keeper);
  const std::string plan_json = PlanToJson(plan);

  if (!plan.loops.empty()) {
    std::vector<Fd> senders, receivers;
    for (const auto& stream : plan.streams) {
      if (stream.channel == ChannelKind::kTimer) continue;
      auto ends = OpenChannel(stream.channel);
      if (!ends) return ForwardWith(ends, "stream ", stream.name, ": ");
      senders.push_back(std::move(ends->sender));
      receivers.push_back(std::move(ends->receiver));
    }
    const auto numbers = [](const std::vector<Fd>& fds) {
      std::vector<int> result;
      for (const auto& fd : fds) result.push_back(fd.get());
      return result;
    };
    Fd source_slab;
    if (plan.source) {
      LaunchedChild source{
          .role = Role::kSource, .name = std::string(kSourceName), .core = plan.source->core, .policy = plan.source->policy};
      auto slab = launcher.Start(source, kSourceVerb, plan_json, SourceSlabLayout(plan).size, numbers(senders));
      if (!slab) return ForwardWith(slab, "source: ");
      source_slab = std::move(*slab);
      children.push_back(std::move(source));
    }
    std::vector<int> handler_fds = numbers(receivers);
    if (plan.source) handler_fds.push_back(source_slab.get());
    // The handler's main thread only waits; its loops take their own cores and policies.
    LaunchedChild handler{.role = Role::kHandler, .name = std::string(kHandlerName), .core = plan.loops.front().core};
    auto slab = launcher.Start(handler, kHandlerVerb, plan_json, HandlerSlabLayout(plan).size, handler_fds);
    if (!slab) return ForwardWith(slab, "handler: ");
    children.push_back(std::move(handler));
  }

  for (std::size_t g = 0; g < plan.workers.size(); ++g) {
    const WorkerPlan& group = plan.workers[g];
    const WorkloadType& workload = *FindWorkload(rig, group.workload);
    for (int i = 0; i < static_cast<int>(group.cores.size()); ++i) {
      const WorkerJob job = JobOf(group, i, plan.seed);
      LaunchedChild worker{.role = Role::kWorker,
                           .group = g,
                           .index = i,
                           .name = WorkerName(group, i),
                           .core = group.cores[static_cast<std::size_t>(i)],
                           .policy = group.policy,
                           .result_capacity = workload.result_size(job)};
      auto slab = launcher.Start(worker, kWorkerVerb, WriteWorkerJob(job, group.workload),
                                 WorkerSlabLayout(worker.result_capacity).size, {});
      if (!slab) return ForwardWith(slab, worker.name, ": ");
      children.push_back(std::move(worker));
    }
  }
  return children;
}

}  // namespace corerig
