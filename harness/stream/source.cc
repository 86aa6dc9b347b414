#include "harness/stream/source.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "harness/child/child_context.h"
#include "harness/loop/channel.h"
#include "harness/loop/endpoint_sender.h"
#include "harness/os/clock.h"
#include "harness/os/fd.h"
#include "harness/os/scheduling.h"
#include "harness/plan/plan_json.h"
#include "harness/stream/answer_thread.h"
#include "harness/stream/emission.h"
#include "harness/stream/slabs.h"

namespace corerig {
namespace {

// The sending ends stay open this long after the drain: the handler then reads what is left, and the slave of a pty
// loses what it has not read when the master is closed.
constexpr Nanos kLinger = std::chrono::milliseconds(100);

// How the frames of a stream go out through its sending end, which is handed over where it leaves the rig.
// `answers`: null where the program does not answer there.
Result<Emission::Outlet> SendThrough(const StreamPlan& stream, int fd, EndpointAnswers* answers) {
  if (stream.endpoint) {
    auto sender = std::make_shared<EndpointSender>(*stream.endpoint, IsDatagram(stream.channel), Fd(fd), answers);
    return Emission::Outlet{.send = [sender](std::span<const std::byte> frame) { return sender->Send(frame); },
                            .room = [sender] { return sender->Room(); }};
  }
  auto opened = Sender::Open(stream.channel, Fd(fd));
  if (!opened) return ForwardWith(opened, "stream ", stream.name, ": ");
  auto sender = std::make_shared<Sender>(std::move(*opened));
  if (stream.pace == Pace::kLossless) {
    return Emission::Outlet{.send = [sender](std::span<const std::byte> frame) { return sender->Offer(frame); },
                            .room = [sender] { return sender->Room(); }};
  }
  return Emission::Outlet{.send = [sender](std::span<const std::byte> frame) { return sender->Send(frame); }};
}

// The handler's slab, of which a lossless stream's source reads what is settled.
Result<Mapping> MapHandlerSlab(const Plan& plan, int number) {
  const Fd fd(number);
  auto mapping = Mapping::Map(fd.get(), HandlerSlabLayout(plan).size, Mapping::Access::kRead);
  if (!mapping) return ForwardWith(mapping, "the handler's slab: ");
  return mapping;
}

Status Run(ChildContext& context, std::span<const SensorType> sensors, const sigset_t& signals) {
  const auto plan = PlanFromJson(context.job());
  if (!plan) return ForwardWith(plan, "the source's job: ");
  const SourceSlabLayout layout(*plan);
  if (context.slab().size() < layout.size) {
    return Fail("the source's slab has ", context.slab().size(), " bytes; its layout needs ", layout.size);
  }
  const Fd signal_fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signal_fd.valid()) return Fail("cannot create a signalfd: ", ErrnoText(errno));
  // The control page says what a signal was sent for.
  auto emission =
      Emission::Create(*plan, sensors, {.fd = signal_fd.get(), .on_readable = [&signal_fd] {
                                          signalfd_siginfo received;
                                          while (read(signal_fd.get(), &received, sizeof received) == sizeof received) {
                                          }
                                        }});
  if (!emission) return Forward(emission);
  std::vector<std::shared_ptr<EndpointAnswers>> on_endpoint(plan->streams.size());
  std::vector<Emission::Outlet> outlets;
  for (std::size_t i = 0; i < plan->streams.size(); ++i) {
    const StreamPlan& stream = plan->streams[i];
    if (stream.channel == ChannelKind::kTimer) continue;
    if (stream.answers && !stream.answers->at) {
      auto made = EndpointAnswers::Create(IsDatagram(stream.channel));
      if (!made) return ForwardWith(made, "stream ", stream.name, ": ");
      on_endpoint[i] = std::move(*made);
    }
    auto outlet = SendThrough(stream, kFirstRoleFd + static_cast<int>(outlets.size()), on_endpoint[i].get());
    if (!outlet) return Forward(outlet);
    outlets.push_back(std::move(*outlet));
  }
  std::vector<AnswerThread::Input> answers;
  int next_fd = kFirstRoleFd + static_cast<int>(outlets.size());
  for (std::size_t i = 0; i < plan->streams.size(); ++i) {
    const StreamPlan& stream = plan->streams[i];
    if (!stream.answers) continue;
    const auto& place = layout.streams[i];
    answers.push_back({.socket = stream.answers->at ? Fd(next_fd++) : Fd(),
                       .on_endpoint = on_endpoint[i],
                       .matcher = AnswerMatcher(context.control(), *context.slab().At<TruthRing>(place.ring),
                                                place.ring_capacity, *context.slab().At<SourceStream>(place.figures))});
  }
  Mapping handler_slab;
  if (WaitsForHandler(*plan)) {
    auto mapped = MapHandlerSlab(*plan, next_fd);
    if (!mapped) return Forward(mapped);
    handler_slab = std::move(*mapped);
    const HandlerSlabLayout handler(*plan);
    for (std::size_t i = 0, n = 0; i < plan->streams.size(); ++i) {
      if (plan->streams[i].channel == ChannelKind::kTimer) continue;
      if (HasReceiver(plan->streams[i]))
        outlets[n].settled = &handler_slab.At<HandlerStream>(handler.streams[i])->settled;
      ++n;
    }
  }
  std::unique_ptr<AnswerThread> answer_thread;
  if (!answers.empty()) {
    auto started = AnswerThread::Start(std::move(answers));
    if (!started) return Forward(started);
    answer_thread = std::move(*started);
  }
  if (plan->source && plan->source->policy.scheduling_class == Policy::Class::kFifo) {
    if (!LockMemory()) context.header().not_locked.Set(1);
  }
  SetTimerSlack(Nanos(1));

  context.Arm();
  const Nanos start = context.WaitForSchedule();
  emission->Begin(start, context.control(), context.slab(), std::move(outlets));
  SleepUntil(start);
  context.MarkBegun();
  emission->Run();
  context.MarkEnded();
  const auto& drain_end = context.control().drain_end;
  for (Nanos until; MonotonicNow() < (until = Nanos(drain_end.load(std::memory_order_relaxed)) + kLinger);) {
    emission->SleepTo(until);
  }
  if (answer_thread) answer_thread->End();
  return {};
}

}  // namespace

int SourceMain(std::span<const SensorType> sensors) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);  // see Send
  return RunChild("source", [&](ChildContext& context) { return Run(context, sensors, signals); });
}

}  // namespace corerig
