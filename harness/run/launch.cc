#include "harness/run/launch.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <utility>

#include "harness/child/child_context.h"
#include "harness/child/command_child.h"
#include "harness/child/part_marker.h"
#include "harness/child/worker_child.h"
#include "harness/child/worker_slab.h"
#include "harness/loop/channel.h"
#include "harness/os/clock.h"
#include "harness/os/line_pattern.h"
#include "harness/plan/parts.h"
#include "harness/plan/plan_json.h"
#include "harness/stream/handler.h"
#include "harness/stream/sensor_of.h"
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

// A file for a command's output. Appended to, so that several descriptions of it (/dev/stdout opened anew) do not
// overwrite one another.
Result<Fd> OutputFile(const std::string& folder, const std::string& name) {
  const std::string path = folder.empty() ? "/dev/null" : StrCat(folder, "/", name);
  Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  if (!file.valid()) return Fail("cannot create ", path, ": ", ErrnoText(errno));
  return file;
}

// What we set in our own environment and the caller did not: it is not to reach the user's command.
std::vector<std::string> OurVariables() {
  constexpr std::string_view kSetByUs = "UV_USE_IO_URING=";  // EventLoop::Create
  // The environment as this process was handed it: changes made since do not show there.
  const auto handed = ReadFile("/proc/self/environ");
  if (!handed) return {};
  for (const auto variable : Split(*handed, '\0')) {
    if (variable.starts_with(kSetByUs)) return {};
  }
  return {std::string(kSetByUs.substr(0, kSetByUs.size() - 1))};
}

// The limit of RLIMIT_AS that its memory is to be kept to; 0: none.
std::uint64_t AddressSpaceOf(const WorkerPlan& group) {
  return group.memory && group.memory_counts_address_space ? group.memory->count : 0;
}

class Launcher {
 public:
  Launcher(const LaunchContext& context, Keeper& keeper) : context_(context), keeper_(keeper) {}

  // The child's slab; its descriptor is for Start, and for children that read it.
  Result<Fd> MakeSlab(LaunchedChild& child, std::size_t size) {
    auto slab = CreateSharedMemory("corerig-slab", size);
    if (!slab) return Forward(slab);
    auto mapping = Mapping::Map(slab->get(), size, Mapping::Access::kRead);
    if (!mapping) return Forward(mapping);
    child.slab = std::move(*mapping);
    return slab;
  }

  // `fds` go to kFirstRoleFd and up.
  Status Start(LaunchedChild& child, std::string_view verb, const std::string& job, const Fd& slab,
               const std::vector<int>& fds, std::uint64_t address_space = 0) {
    auto job_memory = JobMemory(job);
    if (!job_memory) return Forward(job_memory);

    SpawnRequest request;
    request.argv = {context_.program, std::string(verb), child.name};
    request.fds = {{job_memory->get(), kJobFd},
                   {slab.get(), kSlabFd},
                   {context_.control.fd(), kControlFd},
                   {context_.marker, kMarkerFd}};
    for (std::size_t i = 0; i < fds.size(); ++i) request.fds.emplace_back(fds[i], kFirstRoleFd + static_cast<int>(i));
    request.cores = child.cores;
    request.policy = child.policy;
    request.address_space = address_space;
    if (child.memory_group) {
      request.group = child.memory_group->procs();
      request.group_directory = child.memory_group->directory();
    }
    if (!child.failure.empty()) return {};
    auto process = keeper_.Spawn(request);
    if (process) {
      child.process = std::move(*process);
    } else {
      child.failure = process.error().message;
    }
    return {};
  }

  // One of a group of commands, its output going to files in the run's folder.
  Status StartCommand(LaunchedChild& child, const WorkerPlan& group) {
    const std::string& folder = context_.folder;
    const std::string base = StrCat("worker.", group.name, ".", child.index);
    child.mark = StrCat("CORERIG_ID=", getpid(), ".", MonotonicNow().count(), ".", group.name, ".", child.index);
    const auto number = [](auto value) { return StrCat(value); };
    const CommandJob job = {.command = *group.command,
                            .added = {{"CORERIG_ID", child.mark.substr(child.mark.find('=') + 1)},
                                      {"CORERIG_WORKER", group.name},
                                      {"CORERIG_INDEX", number(child.index)},
                                      {"CORERIG_WORKERS", number(group.cores.size())},
                                      {"CORERIG_CORE", number(child.core())}},
                            .removed = OurVariables()};
    auto out = OutputFile(folder, base + ".stdout"), err = OutputFile(folder, base + ".stderr");
    if (!out) return Forward(out);
    if (!err) return Forward(err);
    if (!folder.empty()) child.stdout_file = base + ".stdout", child.stderr_file = base + ".stderr";
    if (!group.command->units_pattern.empty()) {
      auto pattern = LinePattern::Compile(group.command->units_pattern);
      if (!pattern) return Forward(pattern);
      int ends[2];
      if (pipe2(ends, O_CLOEXEC) != 0) return Fail("cannot make a pipe: ", ErrnoText(errno));
      Fd reading(ends[0]), writing(ends[1]);
      auto output = CommandOutput::Start(std::move(reading), std::move(*out), LineCounter(std::move(*pattern)));
      if (!output) return Forward(output);
      child.output = std::move(*output);
      out = std::move(writing);
    }
    const auto slab = MakeSlab(child, WorkerSlabLayout(child.result_capacity).size);
    if (!slab) return Forward(slab);
    return Start(child, kCommandVerb, WriteCommandJob(job), *slab, {out->get(), err->get()}, AddressSpaceOf(group));
  }

 private:
  const LaunchContext& context_;
  Keeper& keeper_;
};

}  // namespace

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

Result<std::vector<OpenedEndpoint>> OpenEndpoints(const Plan& plan) {
  std::vector<OpenedEndpoint> endpoints;
  for (const auto& stream : plan.streams) {
    if (!stream.endpoint) continue;
    auto opened = OpenEndpoint(*stream.endpoint, IsDatagram(stream.channel));
    if (!opened) return ForwardWith(opened, "stream ", stream.name, ": ");
    if (stream.answers && stream.answers->at) {
      auto answers = OpenAnswers(*stream.answers->at);
      if (!answers) return ForwardWith(answers, "stream ", stream.name, ": ");
      opened->answers = std::move(*answers);
    }
    endpoints.push_back(std::move(*opened));
  }
  return endpoints;
}

Result<std::vector<LaunchedChild>> Launch(const Plan& plan, const Rig& rig, const LaunchContext& context,
                                          Keeper& keeper) {
  std::vector<LaunchedChild> children;
  Launcher launcher(context, keeper);
  const std::string plan_json = PlanToJson(plan);

  std::vector<ChannelEnds> channels;
  std::vector<int> source_fds, handler_fds;
  std::size_t endpoints = 0;
  for (const auto& stream : plan.streams) {
    if (stream.endpoint) source_fds.push_back(context.endpoints[endpoints++].sender.get());
    if (!HasReceiver(stream)) continue;
    const SensorType* sensor = FindSensor(rig, stream.sensor);
    const auto ring = sensor != nullptr ? RingFor(LargestFrame(*sensor, stream), FrameRate(stream)) : RingShape{};
    auto ends = OpenChannel(stream.channel, ring);
    if (!ends) return ForwardWith(ends, "stream ", stream.name, ": ");
    source_fds.push_back(ends->sender.get());
    handler_fds.push_back(ends->receiver.get());
    channels.push_back(std::move(*ends));
  }
  for (const auto& endpoint : context.endpoints) {
    if (endpoint.answers.fd.valid()) source_fds.push_back(endpoint.answers.fd.get());
  }
  LaunchedChild source{.role = Role::kSource,
                       .name = std::string(kSourcePart),
                       .cores = {plan.source ? plan.source->core : CpuId()},
                       .policy = plan.source ? plan.source->policy : Policy()};
  // The handler's main thread only waits; its loops take their own cores and policies.
  LaunchedChild handler{.role = Role::kHandler,
                        .name = std::string(kHandlerPart),
                        .cores = {plan.loops.empty() ? CpuId() : plan.loops.front().core}};
  Fd source_slab, handler_slab;
  if (plan.source) {
    auto slab = launcher.MakeSlab(source, SourceSlabLayout(plan).size);
    if (!slab) return ForwardWith(slab, "source: ");
    source_slab = std::move(*slab);
  }
  if (!plan.loops.empty()) {
    auto slab = launcher.MakeSlab(handler, HandlerSlabLayout(plan).size);
    if (!slab) return ForwardWith(slab, "handler: ");
    handler_slab = std::move(*slab);
  }
  if (plan.source) {
    if (WaitsForHandler(plan)) source_fds.push_back(handler_slab.get());
    auto started = launcher.Start(source, kSourceVerb, plan_json, source_slab, source_fds);
    if (!started) return ForwardWith(started, "source: ");
    children.push_back(std::move(source));
  }
  if (!plan.loops.empty()) {
    if (plan.source) handler_fds.push_back(source_slab.get());
    if (HasBreak(plan)) handler_fds.insert(handler_fds.end(), {context.break_event, context.trace_switch});
    auto started = launcher.Start(handler, kHandlerVerb, plan_json, handler_slab, handler_fds);
    if (!started) return ForwardWith(started, "handler: ");
    children.push_back(std::move(handler));
  }

  for (std::size_t g = 0; g < plan.workers.size(); ++g) {
    const WorkerPlan& group = plan.workers[g];
    const WorkloadType* workload = group.command ? nullptr : FindWorkload(rig, group.workload);
    for (int i = 0; i < static_cast<int>(group.cores.size()); ++i) {
      const WorkerJob job = JobOf(group, i, plan.seed);
      LaunchedChild worker{.role = Role::kWorker,
                           .group = g,
                           .index = i,
                           .name = WorkerPart(group.name, i),
                           .cores = group.CoresOf(i),
                           .policy = group.policy,
                           .result_capacity = group.command ? 0 : workload->result_size(job)};
      if (group.memory && !group.memory_counts_address_space && context.memory_groups != nullptr) {
        auto memory_group = context.memory_groups->Make(static_cast<int>(children.size()), *group.memory);
        if (memory_group) {
          worker.memory_group = std::move(*memory_group);
        } else {
          worker.failure = memory_group.error().message;
        }
      }
      if (group.command) {
        if (auto started = launcher.StartCommand(worker, group); !started) {
          return ForwardWith(started, worker.name, ": ");
        }
        children.push_back(std::move(worker));
        continue;
      }
      auto slab = launcher.MakeSlab(worker, WorkerSlabLayout(worker.result_capacity).size);
      if (!slab) return ForwardWith(slab, worker.name, ": ");
      auto started =
          launcher.Start(worker, kWorkerVerb, WriteWorkerJob(job, group.workload), *slab, {}, AddressSpaceOf(group));
      if (!started) return ForwardWith(started, worker.name, ": ");
      children.push_back(std::move(worker));
    }
  }
  return children;
}

}  // namespace corerig
