#include "harness/run/launch.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <utility>

#include "harness/loop/channel.h"
#include "harness/plan/parts.h"
#include "harness/plan/plan_json.h"
#include "harness/run/launch_workers.h"
#include "harness/run/launcher.h"
#include "harness/stream/handler.h"
#include "harness/stream/sensor_of.h"
#include "harness/stream/slabs.h"
#include "harness/stream/source.h"

namespace corerig {
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
    auto started = launcher.Start(source, kSourceVerb, plan_json, source_slab, {.fds = source_fds});
    if (!started) return ForwardWith(started, "source: ");
    children.push_back(std::move(source));
  }
  if (!plan.loops.empty()) {
    if (plan.source) handler_fds.push_back(source_slab.get());
    if (HasBreak(plan)) handler_fds.insert(handler_fds.end(), {context.break_event, context.trace_switch});
    auto started = launcher.Start(handler, kHandlerVerb, plan_json, handler_slab, {.fds = handler_fds});
    if (!started) return ForwardWith(started, "handler: ");
    children.push_back(std::move(handler));
  }

  if (auto launched = LaunchWorkers(plan, rig, launcher, children); !launched) return Forward(launched);
  return children;
}

}  // namespace corerig
