// Source and handler as processes, over every kind of channel: the counts are exact whatever the machine is doing.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <functional>
#include <initializer_list>
#include <thread>
#include <vector>

#include "harness/child/child_context.h"
#include "harness/child/part_marker.h"
#include "harness/loop/channel.h"
#include "harness/os/clock.h"
#include "harness/os/scheduling.h"
#include "harness/plan/plan_json.h"
#include "harness/stream/handler.h"
#include "harness/stream/schedule.h"
#include "harness/stream/simulated_stream.h"
#include "harness/stream/source.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::vector<SensorType>& Sensors() {
  static const std::vector<SensorType> sensors = {TestSensor(), TestTick()};
  return sensors;
}

StreamPlan StreamOf(std::string name, ChannelKind channel, std::string loop, std::vector<FaultPlan> faults = {}) {
  StreamPlan stream;
  stream.name = std::move(name);
  stream.sensor = channel == ChannelKind::kTimer ? "tick" : "test";
  stream.format = channel == ChannelKind::kTimer ? "" : IsDatagram(channel) ? "message" : "bytes";
  stream.rate = Rate::Hertz(500);
  stream.channel = channel;
  stream.loop = std::move(loop);
  stream.faults = std::move(faults);
  return stream;
}

// Every channel with all faults, one without any, and a tick, on two loops.
Plan AllChannels() {
  const std::vector<FaultPlan> faults = {{.kind = FaultKind::kDrop, .share = 0.02, .at = {0}},
                                         {.kind = FaultKind::kDuplicate, .share = 0.02, .at = {2}},
                                         {.kind = FaultKind::kReorder, .share = 0, .at = {10, 20, 33}},
                                         {.kind = FaultKind::kBitFlip, .share = 0.02, .at = {5, 6}}};
  using Span = FaultPlan::Span;
  const std::vector<FaultPlan> all_kinds = {
      {.kind = FaultKind::kOff, .span = Span{milliseconds(100), milliseconds(20)}},
      {.kind = FaultKind::kIntermittent,
       .span = Span{milliseconds(150), milliseconds(100)},
       .period = milliseconds(20)},
      {.kind = FaultKind::kSlow, .span = Span{milliseconds(260), milliseconds(40)}, .count = 2},
      {.kind = FaultKind::kDrop, .at = {0}},
      {.kind = FaultKind::kDuplicate, .at = {2}},
      {.kind = FaultKind::kReorder, .at = {10, 20, 33}},
      {.kind = FaultKind::kBitFlip, .at = {5, 6}},
      {.kind = FaultKind::kTruncate, .at = {12, 13, 299}},
      {.kind = FaultKind::kGarbage, .at = {15, 16}},
      {.kind = FaultKind::kStuck, .span = Span{milliseconds(320), milliseconds(40)}},
      {.kind = FaultKind::kWrong, .at = {185}, .amount = 0x1000000},
      {.kind = FaultKind::kDelayed, .at = {190, 298}, .by = milliseconds(30)},
      {.kind = FaultKind::kBurst, .span = Span{milliseconds(450), milliseconds(40)}, .count = 5},
      {.kind = FaultKind::kDrift, .span = Span{milliseconds(500), milliseconds(40)}, .amount = 1000},
      {.kind = FaultKind::kJitter, .share = 0.5, .by = milliseconds(3)}};
  const CpuId core = AllowedCores().front(), other = AllowedCores().back();
  Plan plan;
  plan.name = "all-channels";
  plan.seed = 11;
  plan.warmup = milliseconds(100);
  plan.duration = milliseconds(600);
  plan.drain = seconds(20);
  plan.source = SourcePlan{.core = core, .policy = {}};
  plan.loops = {{.name = "flight", .core = other, .policy = {}}, {.name = "slow", .core = core, .policy = {}}};
  plan.streams = {StreamOf("imu", ChannelKind::kSeqpacket, "flight", faults),
                  StreamOf("tick", ChannelKind::kTimer, "slow"),
                  StreamOf("lidar", ChannelKind::kUdp, "slow", faults),
                  StreamOf("gnss", ChannelKind::kPty, "flight", faults),
                  StreamOf("sound", ChannelKind::kPipe, "slow", faults),
                  StreamOf("camera", ChannelKind::kStream, "flight", faults),
                  StreamOf("remote", ChannelKind::kTcp, "slow", faults),
                  StreamOf("messages", ChannelKind::kSeqpacket, "slow", all_kinds),
                  StreamOf("bytes", ChannelKind::kPty, "flight", all_kinds),
                  StreamOf("clean", ChannelKind::kSeqpacket, "slow")};
  return plan;
}

// Every channel that tells when it is full, and beside them one in real time.
Plan LosslessChannels() {
  Plan plan = AllChannels();
  plan.duration = seconds(3);
  plan.streams = {
      StreamOf("imu", ChannelKind::kSeqpacket, "flight"), StreamOf("gnss", ChannelKind::kPty, "flight"),
      StreamOf("sound", ChannelKind::kPipe, "slow"),      StreamOf("camera", ChannelKind::kStream, "flight"),
      StreamOf("remote", ChannelKind::kTcp, "slow"),      StreamOf("image", ChannelKind::kShm, "slow"),
      StreamOf("punctual", ChannelKind::kUdp, "slow")};
  for (std::size_t i = 0; i + 1 < plan.streams.size(); ++i) {
    plan.streams[i].pace = Pace::kLossless;
    plan.streams[i].rate = Rate::Hertz(5000);
  }
  return plan;
}

// Little room. TCP with less creeps, by its timers.
void Narrow(const ChannelEnds& ends) {
  const int little = 1, enough_for_tcp = 32 << 10;
  setsockopt(ends.sender.get(), SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
  setsockopt(ends.receiver.get(), SOL_SOCKET, SO_RCVBUF, &enough_for_tcp, sizeof enough_for_tcp);
  fcntl(ends.sender.get(), F_SETPIPE_SZ, 4096);
}

// The supervisor's part, as small as can be.
class Rehearsal {
 public:
  // `watch_queues`: QueuedIn is asked; then the channels stay open when the handler is gone.
  explicit Rehearsal(const Plan& plan, bool watch_queues = false)
      : plan_(plan), source_layout_(plan), handler_layout_(plan) {
    control_fd_ = *CreateSharedMemory("control", sizeof(ControlPage));
    control_ = *Mapping::Map(control_fd_.get(), sizeof(ControlPage), Mapping::Access::kReadWrite);
    Fd source_slab = *CreateSharedMemory("source", source_layout_.size);
    Fd handler_slab = *CreateSharedMemory("handler", handler_layout_.size);
    source_slab_ = *Mapping::Map(source_slab.get(), source_layout_.size, Mapping::Access::kRead);
    handler_slab_ = *Mapping::Map(handler_slab.get(), handler_layout_.size, Mapping::Access::kRead);
    std::vector<Fd> senders, receivers;
    queues_.resize(plan.streams.size());
    for (std::size_t i = 0; i < plan.streams.size(); ++i) {
      if (plan.streams[i].channel == ChannelKind::kTimer) continue;
      ChannelEnds ends = *OpenChannel(plan.streams[i].channel, RingFor(kTestFrameSize, FrameRate(plan.streams[i])));
      if (plan.streams[i].pace == Pace::kLossless && plan.streams[i].rate < Rate::Hertz(100'000)) Narrow(ends);
      if (watch_queues) queues_[i] = Fd(fcntl(ends.receiver.get(), F_DUPFD_CLOEXEC, 0));
      senders.push_back(std::move(ends.sender));
      receivers.push_back(std::move(ends.receiver));
    }
    std::vector<int> to_source = {control_fd_.get()}, to_handler = {control_fd_.get()};
    for (const auto& fd : senders) to_source.push_back(fd.get());
    if (WaitsForHandler(plan)) to_source.push_back(handler_slab.get());
    for (const auto& fd : receivers) to_handler.push_back(fd.get());
    to_handler.push_back(source_slab.get());
    source_ = Fork(source_slab.get(), to_source, &SourceMain);
    handler_ = Fork(handler_slab.get(), to_handler, &HandlerMain);
  }
  ~Rehearsal() {
    for (const pid_t pid : {source_, handler_}) {
      if (pid > 0) kill(pid, SIGKILL), waitpid(pid, nullptr, 0);
    }
  }
  Rehearsal(const Rehearsal&) = delete;

  ControlPage& control() { return *control_.At<ControlPage>(0); }
  const SlabHeader& source_header() { return *source_slab_.At<SlabHeader>(0); }
  const SlabHeader& handler_header() { return *handler_slab_.At<SlabHeader>(0); }
  const SourceStream& source(std::size_t stream) {
    return *source_slab_.At<SourceStream>(source_layout_.streams[stream].figures);
  }
  const HandlerStream& handler(std::size_t stream) {
    return *handler_slab_.At<HandlerStream>(handler_layout_.streams[stream]);
  }
  const HandlerLoop& loop(std::size_t loop) { return *handler_slab_.At<HandlerLoop>(handler_layout_.loops[loop]); }
  // What the kernel says is in a stream's channel, in bytes; of a datagram socket only the next one.
  std::uint64_t QueuedIn(std::size_t stream) const {
    int bytes = 0;
    EXPECT_EQ(ioctl(queues_[stream].get(), FIONREAD, &bytes), 0);
    return static_cast<std::uint64_t>(bytes);
  }
  pid_t source_pid() const { return source_; }
  pid_t handler_pid() const { return handler_; }

  // False if it did not come true within a minute.
  static bool Await(const std::function<bool()>& condition) {
    const Nanos limit = MonotonicNow() + seconds(60);
    while (!condition()) {
      if (MonotonicNow() > limit) return false;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return true;
  }

  bool AwaitArmed() {
    return Await([&] {
      return source_header().state.load() >= ChildState::kArmed && handler_header().state.load() >= ChildState::kArmed;
    });
  }

  Nanos StartAll() {
    const Nanos start = MonotonicNow() + milliseconds(30);
    control().window_begin = (start + plan_.warmup).count();
    control().window_end = (start + plan_.warmup + plan_.duration).count();
    control().drain_end = (start + plan_.warmup + plan_.duration + plan_.drain).count();
    control().start_at = start.count();
    control().start_futex = 1;
    syscall(SYS_futex, &control().start_futex, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
    return start;
  }

  // Ends the drain once the source has sent all and the handler has seen what can be seen.
  bool EndWhenAllCame() {
    if (!Await([&] { return source_header().ended_at.Get() != 0; })) return false;
    const bool all_came = Await([&] {
      for (std::size_t i = 0; i < plan_.streams.size(); ++i) {
        const bool timer = plan_.streams[i].channel == ChannelKind::kTimer;
        if (timer ? handler(i).done.Get() < Expect(i) : handler(i).done.Get() < source(i).sent.Get() - Injected(i)) {
          return false;
        }
      }
      return true;
    });
    MoveEnds(Nanos(control().window_end), MonotonicNow() + milliseconds(50));
    return all_came;
  }

  void MoveEnds(Nanos window_end, Nanos drain_end) {
    control().window_end = window_end.count();
    control().drain_end = drain_end.count();
    kill(source_, SIGTERM);
    kill(handler_, SIGTERM);
  }

  // The exit status; -signal if it was killed.
  static int StatusOf(pid_t& pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int SourceStatus() { return StatusOf(source_); }
  int HandlerStatus() { return StatusOf(handler_); }

  std::uint64_t Expect(std::size_t stream) {
    const Nanos start(control().start_at);
    return Expected(plan_, plan_.streams[stream], Nanos(control().window_begin) - start,
                    Nanos(control().window_end) - start)
        .count;
  }
  std::uint64_t InjectedOf(std::size_t stream, std::initializer_list<FaultKind> kinds) {
    std::uint64_t sum = 0;
    for (const FaultKind kind : kinds) {
      sum += FaultsOf(plan_.streams[stream], source(stream), handler(stream), kind).injected;
    }
    return sum;
  }
  std::uint64_t Spoiled(std::size_t stream) {
    return InjectedOf(stream, {FaultKind::kBitFlip, FaultKind::kTruncate, FaultKind::kGarbage});
  }
  // Samples that faults keep from coming.
  std::uint64_t Injected(std::size_t stream) {
    return InjectedOf(stream, {FaultKind::kOff, FaultKind::kIntermittent, FaultKind::kSlow, FaultKind::kDrop}) +
           Spoiled(stream);
  }

 private:
  // A child that finds `slab` and `others` (the control page first) at the numbers of the contract.
  pid_t Fork(int slab, const std::vector<int>& others, int (*child_main)(std::span<const SensorType>)) {
    const std::string job = PlanToJson(plan_);
    const Fd job_fd = *CreateSharedMemory("job", job.size());
    const Mapping text = *Mapping::Map(job_fd.get(), job.size(), Mapping::Access::kReadWrite);
    std::copy(job.begin(), job.end(), reinterpret_cast<char*>(text.data()));
    const Fd marker(open("/dev/null", O_WRONLY));
    std::vector<int> ours = {job_fd.get(), slab};
    ours.insert(ours.end(), others.begin(), others.end());
    ours.insert(ours.begin() + (kMarkerFd - kJobFd), marker.get());
    const pid_t pid = fork();
    if (pid != 0) return pid;
    constexpr int kAside = 200;  // out of the way of the numbers of the contract
    for (int& fd : ours) fd = fcntl(fd, F_DUPFD, kAside);
    for (int fd = kJobFd; fd < kAside; ++fd) close(fd);
    for (std::size_t i = 0; i < ours.size(); ++i) dup2(ours[i], kJobFd + static_cast<int>(i));
    for (const int fd : ours) close(fd);
    _exit(child_main(Sensors()));
  }

  const Plan plan_;
  const SourceSlabLayout source_layout_;
  const HandlerSlabLayout handler_layout_;
  Fd control_fd_;
  Mapping control_, source_slab_, handler_slab_;
  std::vector<Fd> queues_;  // the receivers, by stream
  pid_t source_ = 0, handler_ = 0;
};

void ExpectEverySampleAccountedFor(const Plan& plan) {
  Rehearsal run(plan);
  ASSERT_TRUE(run.AwaitArmed()) << run.source_header().error.Read() << run.handler_header().error.Read();
  run.StartAll();
  EXPECT_TRUE(run.EndWhenAllCame());
  EXPECT_EQ(run.SourceStatus(), 0) << run.source_header().error.Read();
  EXPECT_EQ(run.HandlerStatus(), 0) << run.handler_header().error.Read();
  EXPECT_EQ(run.source_header().state.load(), ChildState::kFinished);
  EXPECT_EQ(run.handler_header().state.load(), ChildState::kFinished);
  EXPECT_LT(run.source_header().begun_at.Get(), run.source_header().ended_at.Get());
  EXPECT_LT(run.handler_header().begun_at.Get(), run.handler_header().ended_at.Get());

  for (std::size_t i = 0; i < plan.streams.size(); ++i) {
    SCOPED_TRACE(plan.streams[i].name);
    const HandlerStream& handler = run.handler(i);
    EXPECT_EQ(run.Expect(i), 300u);
    if (plan.streams[i].channel == ChannelKind::kTimer) {
      EXPECT_EQ(handler.received.Get(), 300u);
      EXPECT_EQ(handler.done.Get(), 300u);
      EXPECT_EQ(handler.lost.Get(), 0u);
      EXPECT_EQ(handler.latency.Read().count(), 300u);
      EXPECT_EQ(handler.lateness.Read().count(), 0u);
      continue;
    }
    const Counts counts = CountsOf(run.source(i), handler);
    EXPECT_TRUE(AddsUp(counts)) << counts;
    EXPECT_EQ(counts.sent, 300u) << counts;
    EXPECT_EQ(counts.overruns + counts.unread + counts.ambiguous + counts.truth_lost, 0u) << counts;
    EXPECT_EQ(run.source(i).bytes_in_all.Get(), handler.bytes_in_all.Get());
    EXPECT_GT(run.source(i).bytes_in_all.Get(), run.source(i).bytes.Get()) << "the warm-up's are in it";
    EXPECT_EQ(counts.lost, counts.lost_injected) << counts;
    EXPECT_EQ(counts.lost, run.Injected(i)) << counts;
    const auto& planned = plan.streams[i].faults;
    bool falsified = false;
    for (const FaultKindInfo& kind : AllFaultKinds()) {
      const FaultCounts faults = FaultsOf(plan.streams[i], run.source(i), handler, kind.kind);
      const bool has = std::any_of(planned.begin(), planned.end(), [&](const auto& f) { return f.kind == kind.kind; });
      falsified = falsified || (has && kind.falsifies);
      EXPECT_EQ(faults.injected > 0, has) << kind.name;
      EXPECT_TRUE(AddsUp(faults)) << kind.name << ": " << faults;
      if (kind.kind == FaultKind::kDrift) {
        EXPECT_EQ(faults.undetectable, faults.injected) << faults;
      } else if (kind.kind == FaultKind::kJitter) {
        EXPECT_EQ(faults.undetected, faults.undetectable) << faults;
      } else {
        EXPECT_EQ(faults.injected, faults.detected) << kind.name << ": " << faults;
      }
    }
    EXPECT_EQ(handler.false_repeating.Get() + handler.false_implausible.Get(), 0u);
    EXPECT_EQ(counts.corrupt, run.Spoiled(i));
    EXPECT_EQ(counts.duplicated, FaultsOf(plan.streams[i], run.source(i), handler, FaultKind::kDuplicate).injected);
    EXPECT_EQ(counts.reordered, FaultsOf(plan.streams[i], run.source(i), handler, FaultKind::kReorder).injected);
    EXPECT_EQ(handler.value_error_squares.load() > 0, falsified);
    EXPECT_EQ(handler.latency.Read().count(), counts.done);
    EXPECT_EQ(handler.since_sent.Read().count(), counts.done);
    const bool stamps = HasKernelStamps(plan.streams[i].channel);
    EXPECT_EQ(handler.transport.Read().count(), stamps ? counts.done - handler.stamps_discarded.Get() : 0);
    EXPECT_GT(run.source(i).bytes.Get(), 300u * 10);
  }
  for (std::size_t i = 0; i < plan.loops.size(); ++i) {
    EXPECT_NE(run.loop(i).tid.Get(), 0u);
    EXPECT_GT(run.loop(i).wakeups.Get(), 0u);
    EXPECT_GT(run.loop(i).busy_ns.Get(), 0u);
    EXPECT_LE(run.loop(i).wakeups.Get(), run.loop(i).activity.wakeups.Get());
  }
}

TEST(EndToEnd, EverySampleIsAccountedForOnEveryChannel) { ExpectEverySampleAccountedFor(AllChannels()); }

TEST(EndToEnd, EverySampleIsAccountedForInRealTimeToo) {
  Plan plan = AllChannels();
  const Policy high{Policy::Class::kFifo, 50}, low{Policy::Class::kFifo, 40};
  if (const auto granted = TryPolicy(high); !granted) GTEST_SKIP() << granted.error().message;
  plan.source->policy = high;
  for (auto& loop : plan.loops) loop.policy = low;
  ExpectEverySampleAccountedFor(plan);
}

// Each part says itself what it lost, and together it is all that was lost.
TEST(EndToEnd, WhatAFullSocketLostIsToldApartFromTheRest) {
  Plan plan = AllChannels();
  plan.streams = {StreamOf("lidar", ChannelKind::kUdp, "slow", {{.kind = FaultKind::kBitFlip, .share = 0, .at = {7}}}),
                  StreamOf("imu", ChannelKind::kSeqpacket, "slow")};
  plan.streams[0].rate = plan.streams[1].rate = Rate::Hertz(10'000);
  plan.streams[0].format = "message";
  plan.duration = seconds(4);
  Rehearsal run(plan);
  ASSERT_TRUE(run.AwaitArmed()) << run.source_header().error.Read() << run.handler_header().error.Read();
  run.StartAll();
  ASSERT_TRUE(Rehearsal::Await([&] { return run.handler(0).done.Get() > 20; }));
  // Who does not read: 8 MiB of buffer hold a little more than a second of such frames.
  kill(run.handler_pid(), SIGSTOP);
  ASSERT_TRUE(Rehearsal::Await([&] { return run.source_header().ended_at.Get() != 0; }));
  kill(run.handler_pid(), SIGCONT);
  run.MoveEnds(Nanos(run.control().window_end), MonotonicNow() + seconds(1));
  EXPECT_EQ(run.SourceStatus(), 0) << run.source_header().error.Read();
  EXPECT_EQ(run.HandlerStatus(), 0) << run.handler_header().error.Read();
  const HandlerStream &udp = run.handler(0), &unix_socket = run.handler(1);
  EXPECT_TRUE(AddsUp(CountsOf(run.source(0), udp))) << CountsOf(run.source(0), udp);
  EXPECT_EQ(udp.overflows.Get() + udp.lost_injected.Get(), udp.lost.Get()) << CountsOf(run.source(0), udp);
  EXPECT_GT(udp.overflows.Get(), 5'000u);
  EXPECT_EQ(run.source(0).overruns.Get(), 0u);
  EXPECT_EQ(unix_socket.overflows.Get(), 0u);
  EXPECT_EQ(run.source(1).overruns.Get(), unix_socket.lost.Get()) << CountsOf(run.source(1), unix_socket);
  EXPECT_GT(run.source(1).overruns.Get(), 0u);
}

// A ring is small: on a machine under load it fills now and then, and what was dropped is told.
TEST(EndToEnd, AFullRingDropsFramesAndCountsThem) {
  Plan plan = AllChannels();
  plan.streams = {StreamOf("camera", ChannelKind::kShm, "flight")};
  plan.duration = seconds(2);
  Rehearsal run(plan);
  ASSERT_TRUE(run.AwaitArmed()) << run.source_header().error.Read() << run.handler_header().error.Read();
  run.StartAll();
  ASSERT_TRUE(Rehearsal::Await([&] { return run.handler(0).done.Get() > 20; }));
  kill(run.handler_pid(), SIGSTOP);
  ASSERT_TRUE(Rehearsal::Await([&] { return run.source(0).overruns.Get() > 50; }));
  kill(run.handler_pid(), SIGCONT);
  EXPECT_TRUE(Rehearsal::Await([&] { return run.source_header().ended_at.Get() != 0; }));
  run.MoveEnds(Nanos(run.control().window_end), MonotonicNow() + seconds(1));
  EXPECT_EQ(run.SourceStatus(), 0) << run.source_header().error.Read();
  EXPECT_EQ(run.HandlerStatus(), 0) << run.handler_header().error.Read();
  const Counts counts = CountsOf(run.source(0), run.handler(0));
  EXPECT_EQ(counts.sent, 1000u) << counts;
  EXPECT_TRUE(AddsUp(counts)) << counts;
  EXPECT_EQ(counts.lost, counts.overruns) << counts;
  EXPECT_EQ(counts.corrupt + counts.ambiguous + counts.truth_lost + counts.duplicated, 0u) << counts;
  EXPECT_EQ(run.handler(0).overflows.Get(), 0u);
  EXPECT_EQ(run.handler(0).transport.Read().count(), 0u);
  EXPECT_EQ(run.handler(0).value_error_squares.load(), 0.0);
}

// With every fault, as far as load lets frames through.
TEST(EndToEnd, FramesInSharedMemoryAreAccountedForWithAllFaults) {
  Plan plan = AllChannels();
  plan.streams = {StreamOf("camera", ChannelKind::kShm, "flight", plan.streams[0].faults)};
  Rehearsal run(plan);
  ASSERT_TRUE(run.AwaitArmed()) << run.source_header().error.Read() << run.handler_header().error.Read();
  run.StartAll();
  EXPECT_TRUE(Rehearsal::Await([&] { return run.source_header().ended_at.Get() != 0; }));
  run.MoveEnds(Nanos(run.control().window_end), MonotonicNow() + seconds(1));
  EXPECT_EQ(run.SourceStatus(), 0) << run.source_header().error.Read();
  EXPECT_EQ(run.HandlerStatus(), 0) << run.handler_header().error.Read();
  const Counts counts = CountsOf(run.source(0), run.handler(0));
  EXPECT_EQ(counts.sent, 300u) << counts;
  EXPECT_TRUE(AddsUp(counts)) << counts;
  EXPECT_EQ(counts.unread + counts.ambiguous + counts.truth_lost, 0u) << counts;
  EXPECT_GE(counts.lost, counts.lost_injected) << counts;
  if (counts.overruns > 0) return;
  EXPECT_EQ(counts.lost, counts.lost_injected) << counts;
  for (const FaultKind kind : {FaultKind::kDrop, FaultKind::kDuplicate, FaultKind::kReorder, FaultKind::kBitFlip}) {
    const FaultCounts faults = FaultsOf(plan.streams[0], run.source(0), run.handler(0), kind);
    EXPECT_GT(faults.injected, 0u) << static_cast<int>(kind);
    EXPECT_EQ(faults.injected, faults.detected) << static_cast<int>(kind) << ": " << faults;
  }
}

TEST(EndToEnd, AStoppedReceiverCostsALosslessStreamNothingAndKeepsNoOther) {
  Plan plan = LosslessChannels();
  plan.duration = seconds(60);  // cut short
  const std::size_t lossless = plan.streams.size() - 1, punctual = lossless;
  Rehearsal run(plan);
  ASSERT_TRUE(run.AwaitArmed()) << run.source_header().error.Read() << run.handler_header().error.Read();
  run.StartAll();
  ASSERT_TRUE(Rehearsal::Await([&] { return run.handler(0).done.Get() > 20; }));
  kill(run.handler_pid(), SIGSTOP);
  // Once all have stood still for a while they go on standing still, and the other's frames go on.
  const std::uint64_t while_ns = 50'000'000;
  for (std::size_t i = 0; i < lossless; ++i) {
    EXPECT_TRUE(Rehearsal::Await([&] { return run.source(i).blocked_ns.Get() > while_ns; })) << plan.streams[i].name;
  }
  std::vector<std::uint64_t> blocked;
  for (std::size_t i = 0; i < lossless; ++i) blocked.push_back(run.source(i).blocked_ns.Get());
  const std::uint64_t sent = run.source(punctual).frames_in_all.Get();
  EXPECT_TRUE(Rehearsal::Await([&] { return run.source(punctual).frames_in_all.Get() >= sent + 25; }));
  for (std::size_t i = 0; i < lossless; ++i) {
    // Waited for: a source that was kept from running sends what it owes at once, and looks at the others after that.
    EXPECT_TRUE(Rehearsal::Await([&] { return run.source(i).blocked_ns.Get() > blocked[i] + 10'000'000; }))
        << plan.streams[i].name;
  }
  kill(run.handler_pid(), SIGCONT);
  run.MoveEnds(MonotonicNow() + milliseconds(20), MonotonicNow() + seconds(60));
  EXPECT_TRUE(run.EndWhenAllCame());
  EXPECT_EQ(run.SourceStatus(), 0) << run.source_header().error.Read();
  EXPECT_EQ(run.HandlerStatus(), 0) << run.handler_header().error.Read();
  for (std::size_t i = 0; i < plan.streams.size(); ++i) {
    SCOPED_TRACE(plan.streams[i].name);
    const Counts counts = CountsOf(run.source(i), run.handler(i));
    EXPECT_EQ(counts, (Counts{.sent = run.Expect(i), .received = run.Expect(i), .done = run.Expect(i)})) << counts;
    EXPECT_EQ(run.source(i).bytes_in_all.Get(), run.handler(i).bytes_in_all.Get());
    EXPECT_EQ(run.source(i).backlog.Get(), 0u);
    if (i == punctual) {
      EXPECT_EQ(run.source(i).blocked_ns.Get(), 0u);
    } else {
      EXPECT_GT(run.handler(i).latency.Read().max(), static_cast<std::int64_t>(while_ns));
    }
  }
}

// Far more than the loops can take: source and handler are both at work when the drain ends.
TEST(EndToEnd, ALosslessRunThatEndsInTheMiddleOfItAllAddsUp) {
  Plan plan = LosslessChannels();
  plan.duration = milliseconds(300);
  plan.drain = milliseconds(50);
  plan.streams.pop_back();
  for (auto& stream : plan.streams) stream.rate = Rate::Hertz(200'000);
  for (int round = 0; round < 3; ++round) {
    Rehearsal run(plan);
    ASSERT_TRUE(run.AwaitArmed()) << run.source_header().error.Read() << run.handler_header().error.Read();
    run.StartAll();
    EXPECT_EQ(run.SourceStatus(), 0) << run.source_header().error.Read();
    EXPECT_EQ(run.HandlerStatus(), 0) << run.handler_header().error.Read();
    for (std::size_t i = 0; i < plan.streams.size(); ++i) {
      SCOPED_TRACE(plan.streams[i].name);
      const Counts counts = CountsOf(run.source(i), run.handler(i));
      EXPECT_TRUE(AddsUp(counts)) << counts;
      EXPECT_LT(counts.sent, run.Expect(i)) << counts;
      EXPECT_LE(counts.sent + run.source(i).backlog.Get(), run.Expect(i)) << counts;
      EXPECT_EQ(counts.lost + counts.corrupt + counts.ambiguous + counts.truth_lost + counts.reordered, 0u) << counts;
      EXPECT_EQ(run.source(i).bytes_in_all.Get(), run.handler(i).bytes_in_all.Get());
    }
  }
}

TEST(EndToEnd, ALosslessStreamWhoseReceiverIsKilledWaitsUntilTheEnd) {
  Plan plan = LosslessChannels();
  plan.duration = seconds(1);
  plan.drain = milliseconds(100);
  Rehearsal run(plan);
  ASSERT_TRUE(run.AwaitArmed()) << run.source_header().error.Read() << run.handler_header().error.Read();
  run.StartAll();
  ASSERT_TRUE(Rehearsal::Await([&] { return run.handler(0).done.Get() > 20; }));
  kill(run.handler_pid(), SIGKILL);
  EXPECT_EQ(run.HandlerStatus(), -SIGKILL);
  EXPECT_EQ(run.SourceStatus(), 0) << run.source_header().error.Read();
  for (std::size_t i = 0; i + 1 < plan.streams.size(); ++i) {
    EXPECT_EQ(run.source(i).overruns.Get() + run.source(i).unheard.Get(), 0u) << plan.streams[i].name;
    EXPECT_LE(run.source(i).sent.Get() + run.source(i).backlog.Get(), run.Expect(i)) << plan.streams[i].name;
  }
}

TEST(EndToEnd, AnInterruptedRunIsExactUpToItsEarlierEnd) {
  Plan plan = AllChannels();
  plan.duration = seconds(30);
  Rehearsal run(plan);
  ASSERT_TRUE(run.AwaitArmed()) << run.source_header().error.Read() << run.handler_header().error.Read();
  run.StartAll();
  ASSERT_TRUE(Rehearsal::Await([&] { return run.handler(0).done.Get() > 20; }));
  const Nanos end = MonotonicNow() + milliseconds(100);
  run.MoveEnds(end, end + seconds(20));
  EXPECT_TRUE(run.EndWhenAllCame());
  EXPECT_EQ(run.SourceStatus(), 0) << run.source_header().error.Read();
  EXPECT_EQ(run.HandlerStatus(), 0) << run.handler_header().error.Read();
  for (std::size_t i = 0; i < plan.streams.size(); ++i) {
    SCOPED_TRACE(plan.streams[i].name);
    EXPECT_LT(run.Expect(i), 15'000u);
    if (plan.streams[i].channel == ChannelKind::kTimer) {
      EXPECT_EQ(run.handler(i).done.Get(), run.Expect(i));
      continue;
    }
    const Counts counts = CountsOf(run.source(i), run.handler(i));
    EXPECT_EQ(counts.sent, run.Expect(i)) << counts;
    EXPECT_TRUE(AddsUp(counts)) << counts;
    EXPECT_EQ(counts.lost, counts.lost_injected) << counts;
  }
}

TEST(EndToEnd, ALoopThatStoodStillUntilTheDrainWasOverStillAddsUp) {
  Plan plan = AllChannels();
  plan.drain = seconds(2);
  Rehearsal run(plan);
  ASSERT_TRUE(run.AwaitArmed()) << run.source_header().error.Read() << run.handler_header().error.Read();
  run.StartAll();
  ASSERT_TRUE(Rehearsal::Await([&] { return run.handler(0).done.Get() > 20; }));
  kill(run.handler_pid(), SIGSTOP);
  // Until the drain has ended: the handler finds all that is left in the channels at once, and its timers run out.
  ASSERT_TRUE(Rehearsal::Await([&] { return MonotonicNow().count() > run.control().drain_end; }));
  kill(run.handler_pid(), SIGCONT);
  EXPECT_EQ(run.SourceStatus(), 0) << run.source_header().error.Read();
  EXPECT_EQ(run.HandlerStatus(), 0) << run.handler_header().error.Read();
  for (std::size_t i = 0; i < plan.streams.size(); ++i) {
    if (plan.streams[i].channel == ChannelKind::kTimer) continue;
    SCOPED_TRACE(plan.streams[i].name);
    const Counts counts = CountsOf(run.source(i), run.handler(i));
    EXPECT_EQ(counts.sent, run.Expect(i)) << counts;
    EXPECT_TRUE(AddsUp(counts)) << counts;
  }
}

TEST(EndToEnd, BytesSentAndNotReadAreThoseTheKernelHasInTheChannel) {
  Plan plan = AllChannels();
  plan.warmup = milliseconds(10);
  plan.duration = milliseconds(200);
  Rehearsal run(plan, /*watch_queues=*/true);
  ASSERT_TRUE(run.AwaitArmed()) << run.source_header().error.Read() << run.handler_header().error.Read();
  // All that is sent stays in the channels, and there is room for it.
  kill(run.handler_pid(), SIGSTOP);
  run.StartAll();
  ASSERT_TRUE(Rehearsal::Await([&] { return run.source_header().ended_at.Get() != 0; }));
  for (std::size_t i = 0; i < plan.streams.size(); ++i) {
    SCOPED_TRACE(plan.streams[i].name);
    if (plan.streams[i].channel == ChannelKind::kTimer) continue;
    const std::uint64_t sent = run.source(i).bytes_in_all.Get();
    EXPECT_GT(sent, 90u * 10);
    EXPECT_EQ(run.handler(i).bytes_in_all.Get(), 0u);
    if (plan.streams[i].channel == ChannelKind::kUdp) continue;
    // A pty hands over what was written by a kernel thread.
    EXPECT_TRUE(Rehearsal::Await([&] { return run.QueuedIn(i) == sent; })) << run.QueuedIn(i) << " of " << sent;
  }
  kill(run.handler_pid(), SIGCONT);
  EXPECT_TRUE(run.EndWhenAllCame());
  EXPECT_EQ(run.SourceStatus(), 0) << run.source_header().error.Read();
  EXPECT_EQ(run.HandlerStatus(), 0) << run.handler_header().error.Read();
  for (std::size_t i = 0; i < plan.streams.size(); ++i) {
    if (plan.streams[i].channel == ChannelKind::kTimer) continue;
    EXPECT_EQ(run.handler(i).bytes_in_all.Get(), run.source(i).bytes_in_all.Get()) << plan.streams[i].name;
  }
}

TEST(EndToEnd, TheSourceGoesOnWhenTheHandlerIsKilled) {
  const Plan plan = AllChannels();
  Rehearsal run(plan);
  ASSERT_TRUE(run.AwaitArmed()) << run.source_header().error.Read() << run.handler_header().error.Read();
  run.StartAll();
  ASSERT_TRUE(Rehearsal::Await([&] { return run.handler(0).done.Get() > 20; }));
  kill(run.handler_pid(), SIGKILL);
  EXPECT_EQ(run.HandlerStatus(), -SIGKILL);
  // On a machine under load we may have looked only when all was sent.
  const bool early = run.source(0).sent.Get() + 20 < run.Expect(0);
  ASSERT_TRUE(Rehearsal::Await([&] { return run.source_header().ended_at.Get() != 0; }));
  run.control().drain_end = MonotonicNow().count();
  kill(run.source_pid(), SIGTERM);
  EXPECT_EQ(run.SourceStatus(), 0) << run.source_header().error.Read();
  EXPECT_EQ(run.source(0).sent.Get(), run.Expect(0));
  if (early) {
    EXPECT_GT(run.source(0).overruns.Get(), 0u);
  }
}

TEST(EndToEnd, ASensorThisProgramLacksIsNamedByBoth) {
  Plan plan = AllChannels();
  plan.streams[2].sensor = "sonar";
  Rehearsal run(plan);
  EXPECT_EQ(run.SourceStatus(), 1);
  EXPECT_EQ(run.HandlerStatus(), 1);
  EXPECT_NE(run.source_header().error.Read().find("stream lidar: this program has no sensor \"sonar\""),
            std::string::npos)
      << run.source_header().error.Read();
  EXPECT_EQ(run.handler_header().error.Read(), run.source_header().error.Read());
}

TEST(EndToEnd, ALoopOnACoreTheBoardLacksSaysSo) {
  Plan plan = AllChannels();
  plan.loops[1].core = CpuId{1000};
  Rehearsal run(plan);
  EXPECT_EQ(run.HandlerStatus(), 1);
  EXPECT_EQ(run.handler_header().error.Read().find("loop slow: "), 0u) << run.handler_header().error.Read();
}

}  // namespace
}  // namespace corerig
