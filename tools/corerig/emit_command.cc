#include "tools/corerig/emit_command.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <utility>

#include "harness/base/quantity.h"
#include "harness/loop/endpoint_sender.h"
#include "harness/os/clock.h"
#include "harness/os/scheduling.h"
#include "harness/os/shared_memory.h"
#include "harness/run/interrupts.h"
#include "harness/stream/emission.h"
#include "harness/stream/slabs.h"
#include "tools/corerig/rig_main.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A program that is to be connected to may be starting at the same time.
constexpr Nanos kPatience = seconds(2);
// From all endpoints being open to the start.
constexpr Nanos kStartAhead = milliseconds(30);
// What is late at the end is still sent so long; less after an interruption.
constexpr Nanos kBacklog = seconds(1), kInterruptedBacklog = milliseconds(100);
// Of lossless streams all is sent, however long that takes.
constexpr Nanos kNoEnd = Nanos::max() / 2;
// The endpoints stay open so long after the last frame: what a program has not read from a pty is lost when it closes.
constexpr Nanos kLinger = milliseconds(100);

void Say(const std::string& line) { std::cerr << "corerig: " << line << std::endl; }

int Complain(const std::string& message) {
  Say(message);
  return kWrongUse;
}

// A stream on its way out of the rig.
struct Outlet {
  const StreamPlan* stream = nullptr;
  OpenedEndpoint opened;  // the link; its descriptor is the sender's
  std::shared_ptr<EndpointSender> sender;
};

std::string Describe(const StreamPlan& stream) {
  return StrCat(stream.name, ": ", stream.sensor, stream.format.empty() ? "" : " ", stream.format, ", ",
                ToText(FrameRate(stream)), " to ", ToText(*stream.endpoint));
}

// Waits for the programs that are to be connected to, and for those that are to connect. False: a signal came first.
Result<bool> AwaitReaders(const std::vector<Outlet>& outlets, const Interrupts& interrupts) {
  const Nanos began = MonotonicNow();
  for (const auto& outlet : outlets) {
    const Endpoint& endpoint = *outlet.stream->endpoint;
    // A pty and a port of UDP are there without a reader.
    if (endpoint.kind == EndpointKind::kPty) continue;
    const bool listens = endpoint.kind == EndpointKind::kTcpListen;
    if (listens) Say(StrCat(outlet.stream->name, ": waiting for a reader at ", ToText(endpoint)));
    while (!outlet.sender->Connect()) {
      if (!listens && MonotonicNow() - began > kPatience) {
        return Fail(outlet.stream->name, ": cannot connect to ", ToText(endpoint), ": ", outlet.sender->why_not(),
                    "; start the program that listens there first");
      }
      pollfd signal = {.fd = interrupts.fd(), .events = POLLIN, .revents = 0};
      poll(&signal, 1, static_cast<int>(EndpointSender::kRetry / milliseconds(1)));
      if (!interrupts.Read().empty()) return false;
    }
  }
  return true;
}

// As the source of a run: see spawn.h.
Status TakePlace(const SourcePlan& source) {
  if (auto pinned = SetAffinity(0, source.core); !pinned) return pinned;
  SetTimerSlack(Nanos(1));
  if (source.policy.scheduling_class != Policy::Class::kFifo) return {};
  const rlimit runaway = {.rlim_cur = 3'000'000, .rlim_max = 3'500'000};  // µs without a blocking call
  setrlimit(RLIMIT_RTTIME, &runaway);
  if (!LockMemory()) Say("cannot lock its memory");
  return SetPolicy(0, source.policy);
}

// One line per stream; whether it was what the plan says.
bool Conclude(const StreamPlan& stream, const SourceStream& figures) {
  const std::uint64_t due = figures.sent.Get(), late = figures.late.Get();
  const Distribution lateness = figures.lateness.Read();
  std::string line = StrCat(stream.name, ": ", figures.frames_in_all.Get(), " frames sent, ", figures.bytes.Get(),
                            " bytes, ", figures.overruns.Get(), " refused");
  if (figures.unheard.Get() > 0) line += StrCat(" (", figures.unheard.Get(), " without a reader)");
  if (figures.backlog.Get() > 0) line += StrCat(", ", figures.backlog.Get(), " not sent for want of room");
  if (figures.blocked_ns.Get() > 0) {
    line += StrCat(", waited ", FormatDuration(static_cast<double>(figures.blocked_ns.Get())), " for room");
  }
  line += StrCat(", ", late, " over a period late");
  if (lateness.count() > 0) {
    line += StrCat("; sent after due: p50 ", FormatDuration(lateness.Percentile(0.5)), ", p99 ",
                   FormatDuration(lateness.Percentile(0.99)), ", max ",
                   FormatDuration(static_cast<double>(lateness.max())));
  }
  Say(line);
  constexpr double kLateShare = 0.01;
  return static_cast<double>(late) <= kLateShare * static_cast<double>(due);
}

}  // namespace

int EmitCommand(const Rig& rig, const EmitArguments& arguments) {
  const auto scenario = ReadScenarioFile(rig, arguments.scenario);
  if (!scenario) {
    std::cerr << scenario.error().message << "\n";
    return kWrongUse;
  }
  auto made = PlanToEmit(*scenario, arguments);
  if (!made) return Complain(StrCat(arguments.scenario.file, ": ", made.error().message));
  Plan& plan = *made;
  for (const auto& stream : scenario->streams) {
    const bool emitted = std::any_of(plan.streams.begin(), plan.streams.end(),
                                     [&](const StreamPlan& other) { return other.name == stream.name; });
    if (!emitted && arguments.streams.empty()) Say(StrCat(stream.name, ": not emitted, it has no endpoint"));
  }
  if (auto granted = TryPolicy(plan.source->policy); !granted) {
    const bool required = std::count(plan.require.begin(), plan.require.end(), "fifo") > 0;
    Say(StrCat("source: ", granted.error().message,
               required ? "; the scenario requires fifo: SKIPPED" : "; emitted as SCHED_OTHER"));
    if (required) return ExitCode(Verdict::kSkipped);
    plan.source->policy = Policy{};
  }
  const auto interrupts = Interrupts::Block();
  if (!interrupts) return Complain(interrupts.error().message);
  signal(SIGPIPE, SIG_IGN);

  std::vector<Outlet> outlets;
  std::vector<Emission::Outlet> ways;
  for (const auto& stream : plan.streams) {
    const bool messages = IsDatagram(stream.channel);
    auto opened = OpenEndpoint(*stream.endpoint, messages);
    if (!opened) return Complain(StrCat("stream ", stream.name, ": ", opened.error().message));
    auto sender = std::make_shared<EndpointSender>(*stream.endpoint, messages, std::move(opened->sender));
    ways.push_back({.send = [sender](std::span<const std::byte> frame) { return sender->Send(frame); },
                    .room = [sender] { return sender->Room(); }});
    outlets.push_back({.stream = &stream, .opened = std::move(*opened), .sender = std::move(sender)});
  }
  const auto ready = AwaitReaders(outlets, *interrupts);
  if (!ready) return Complain(ready.error().message);
  if (!*ready) return 0;

  ControlPage control;
  auto emission = Emission::Create(plan, rig.sensors, {.fd = interrupts->fd(), .on_readable = [&] {
                                                         while (!interrupts->Read().empty()) {
                                                         }
                                                         const Nanos now = MonotonicNow();
                                                         control.window_end =
                                                             std::min(control.window_end.load(), now.count());
                                                         control.drain_end = (now + kInterruptedBacklog).count();
                                                       }});
  if (!emission) return Complain(emission.error().message);
  const std::size_t size = SourceSlabLayout(plan).size;
  const auto memory = CreateSharedMemory("corerig-slab", size);
  if (!memory) return Complain(memory.error().message);
  const auto slab = Mapping::Map(memory->get(), size, Mapping::Access::kReadWrite);
  if (!slab) return Complain(slab.error().message);
  if (auto taken = TakePlace(*plan.source); !taken) return Complain(StrCat("source: ", taken.error().message));
  for (const auto& stream : plan.streams) Say(Describe(stream));

  const Nanos start = MonotonicNow() + kStartAhead;
  control.window_begin = start.count();
  control.window_end = (start + plan.duration).count();
  const bool waits = std::any_of(plan.streams.begin(), plan.streams.end(),
                                 [](const StreamPlan& stream) { return stream.pace == Pace::kLossless; });
  control.drain_end = (waits ? kNoEnd : start + plan.duration + kBacklog).count();
  emission->Begin(start, control, *slab, std::move(ways));
  emission->Run();
  SleepUntil(MonotonicNow() + kLinger);

  bool sound = true;
  const SourceSlabLayout layout(plan);
  for (std::size_t i = 0; i < plan.streams.size(); ++i) {
    sound = Conclude(plan.streams[i], *slab->At<SourceStream>(layout.streams[i].figures)) && sound;
  }
  if (sound) return ExitCode(Verdict::kPass);
  Say("UNDECIDED: more than 1 % of a stream's frames were sent more than one period late; see [source] in the "
      "scenario");
  return ExitCode(Verdict::kUndecided);
}

}  // namespace corerig
