#include "harness/stream/handler.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <vector>

#include "harness/child/child_context.h"
#include "harness/child/part_marker.h"
#include "harness/os/fd.h"
#include "harness/os/scheduling.h"
#include "harness/os/shared_memory.h"
#include "harness/plan/plan_json.h"
#include "harness/stream/loop_thread.h"
#include "harness/stream/sample_break.h"
#include "harness/stream/sensor_of.h"
#include "harness/stream/slabs.h"

namespace corerig {
namespace {

// Makes the pages present now rather than at the first sample. Kernels before 5.14 refuse: then the warm-up does it.
void Populate(const Mapping& mapping, int advice) { madvise(mapping.data(), mapping.size(), advice); }

// The loops of the plan with their streams; not started yet.
Result<std::vector<std::unique_ptr<LoopThread>>> MakeThreads(const Plan& plan, ChildContext& context,
                                                             std::span<const SensorType> sensors,
                                                             const Mapping& source_slab, int done_event,
                                                             SampleBreak* at_break) {
  const SourceSlabLayout truths(plan);
  const HandlerSlabLayout layout(plan);
  std::vector<std::unique_ptr<LoopThread>> threads;
  for (std::size_t i = 0; i < plan.loops.size(); ++i) {
    threads.push_back(std::make_unique<LoopThread>(plan, plan.loops[i], context,
                                                   *context.slab().At<HandlerLoop>(layout.loops[i]), done_event));
  }
  int fd = kFirstRoleFd;
  for (std::size_t i = 0; i < plan.streams.size(); ++i) {
    const StreamPlan& stream = plan.streams[i];
    if (stream.endpoint) continue;  // received elsewhere
    const auto loop = std::find_if(plan.loops.begin(), plan.loops.end(),
                                   [&](const LoopPlan& candidate) { return candidate.name == stream.loop; });
    if (loop == plan.loops.end()) return Fail("stream ", stream.name, ": the plan has no loop \"", stream.loop, "\"");
    LoopThread& thread = *threads[static_cast<std::size_t>(loop - plan.loops.begin())];
    HandlerStream& figures = *context.slab().At<HandlerStream>(layout.streams[i]);
    const StreamBreak stream_break = {.above = stream.break_above.value_or(Nanos::max()), .stream = i, .at = at_break};
    if (stream.channel == ChannelKind::kTimer) {
      thread.AddTicks(stream, figures, stream_break);
      continue;
    }
    const auto sensor = SensorOf(sensors, stream);
    if (!sensor) return Forward(sensor);
    thread.AddChannel(
        stream, **sensor, Fd(fd++),
        {.ring = source_slab.At<const TruthRing>(truths.streams[i].ring), .capacity = truths.streams[i].ring_capacity},
        figures, stream_break);
  }
  return threads;
}

// Until all threads have ended; SIGTERM makes them look at the control page again.
void Attend(std::vector<std::unique_ptr<LoopThread>>& threads, int signal_fd, int done_event) {
  std::size_t ended = 0;
  while (ended < threads.size()) {
    pollfd fds[] = {{.fd = signal_fd, .events = POLLIN, .revents = 0},
                    {.fd = done_event, .events = POLLIN, .revents = 0}};
    if (poll(fds, 2, -1) <= 0) continue;
    if (fds[0].revents != 0) {
      signalfd_siginfo received;
      while (read(signal_fd, &received, sizeof received) == sizeof received) {
      }
      for (auto& thread : threads) thread->Reconsider();
    }
    if (eventfd_t count = 0; fds[1].revents != 0 && eventfd_read(done_event, &count) == 0) ended += count;
  }
}

Status Run(ChildContext& context, std::span<const SensorType> sensors, const sigset_t& signals) {
  const auto plan = PlanFromJson(context.job());
  if (!plan) return ForwardWith(plan, "the handler's job: ");
  if (const std::size_t size = HandlerSlabLayout(*plan).size; context.slab().size() < size) {
    return Fail("the handler's slab has ", context.slab().size(), " bytes; its layout needs ", size);
  }
  const auto channels = std::count_if(plan->streams.begin(), plan->streams.end(), HasReceiver);
  int next_fd = kFirstRoleFd + static_cast<int>(channels);
  Mapping source_slab;
  if (plan->source) {
    const Fd fd(next_fd++);
    auto mapping = Mapping::Map(fd.get(), SourceSlabLayout(*plan).size, Mapping::Access::kRead);
    if (!mapping) return ForwardWith(mapping, "the source's slab: ");
    source_slab = std::move(*mapping);
    Populate(source_slab, MADV_POPULATE_READ);
  }
  Populate(context.slab(), MADV_POPULATE_WRITE);
  const Fd signal_fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  const Fd done_event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!signal_fd.valid() || !done_event.valid()) return Fail("cannot create a signalfd or eventfd: ", ErrnoText(errno));

  std::optional<SampleBreak> at_break;
  Fd break_event, trace_switch;
  if (HasBreak(*plan)) {
    break_event = Fd(next_fd++);
    trace_switch = Fd(next_fd++);
    at_break.emplace(*context.slab().At<BreakLatch>(HandlerSlabLayout(*plan).at_break),
                     SampleBreak::Descriptors{
                         .event = break_event.get(), .trace_switch = trace_switch.get(), .trace_mark = kMarkerFd});
  }
  auto threads = MakeThreads(*plan, context, sensors, source_slab, done_event.get(), at_break ? &*at_break : nullptr);
  if (!threads) return Forward(threads);
  if (std::any_of(plan->loops.begin(), plan->loops.end(),
                  [](const LoopPlan& loop) { return loop.policy.scheduling_class == Policy::Class::kFifo; })) {
    if (!LockMemory()) context.header().not_locked.Set(1);
  }
  // A thread that fails leaves others waiting for a start that never comes: they end with the process.
  const auto give_up = [&](const Status& failed) {
    context.ReportError(failed.error().message);
    _exit(1);
  };
  for (auto& thread : *threads) {
    if (auto started = thread->Start(); !started) give_up(started);
  }
  for (auto& thread : *threads) {
    if (auto ready = thread->WaitReady(); !ready) give_up(ready);
  }
  context.Arm();
  context.WaitForStart();
  context.MarkBegun();
  Attend(*threads, signal_fd.get(), done_event.get());
  Status status;
  for (auto& thread : *threads) {
    if (auto ended = thread->Join(); !ended && status) status = ended;
  }
  context.MarkEnded();
  return status;
}

}  // namespace

int HandlerMain(std::span<const SensorType> sensors) {
  // Blocked in all threads: the main thread alone takes it, from a signalfd.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return RunChild("handler", [&](ChildContext& context) { return Run(context, sensors, signals); });
}

}  // namespace corerig
