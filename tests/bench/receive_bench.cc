// What a loop core can receive: frames per second of its CPU time, over UDP on loopback.
//
//   bazel run -c opt //tests/bench:receive_bench [-- PAIRS]
//
// Each round fills a socket's buffer with frames that a real emitter made, their truth beside them, and times what one
// thread takes to get them out again:
//
//   corerig      the handler's own path: event loop, recvmmsg, stamps, decode, check, match, count, histograms
//   bare         a hand-written recvmmsg loop of 64 messages that looks at nothing
//   bare+check   the same, with the sensor's decoder and its check
//   uv_udp_recv  libuv's plain uv_udp_recv_start with the sensor's decoder and its check, without stamps or matching
#include <sys/socket.h>
#include <time.h>
#include <uv.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <vector>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/loop/channel.h"
#include "harness/loop/event_loop.h"
#include "harness/os/clock.h"
#include "harness/os/scheduling.h"
#include "harness/stream/emitter.h"
#include "harness/stream/matcher.h"
#include "harness/stream/sensor_of.h"
#include "sensors/sensors.h"
#include "tests/bench/pairs.h"

namespace corerig {
namespace {

constexpr int kBatch = 64;
constexpr std::size_t kRing = 1 << 14;

Nanos CpuTime() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + Nanos(now.tv_nsec);
}

// Frames without a receiver's state: counts them.
struct Counting final : FrameSink {
  std::size_t good = 0, corrupt = 0;
  void OnFrame(const DecodedFrame&) override { ++good; }
  void OnCorrupt(std::uint64_t, std::uint64_t) override { ++corrupt; }
};

// One stream of a sensor over UDP, filled before each round.
class Round {
 public:
  Round(const SensorType& sensor, std::size_t frames)
      : sensor_(sensor), ring_(std::aligned_alloc(64, TruthRing::SizeFor(kRing)), &std::free) {
    std::memset(ring_.get(), 0, TruthRing::SizeFor(kRing));
    StreamPlan stream;
    stream.name = "s";
    stream.sensor = sensor.info.name;
    stream.rate = sensor.info.highest_rate;
    stream.format = sensor.info.formats.empty() ? "" : std::string(sensor.info.formats[0]);
    stream.channel = ChannelKind::kUdp;
    for (const auto& parameter : sensor.info.parameters) {
      stream.parameters.push_back({std::string(parameter.name), std::string(parameter.default_value)});
    }
    plan_.duration = std::chrono::hours(1);
    plan_.streams = {stream};
    control_.window_begin = 0;
    control_.window_end = control_.drain_end = INT64_MAX;
    ends_ = std::move(*OpenChannel(ChannelKind::kUdp));
    model_ = sensor.make_model(ContextOf(plan_, plan_.streams[0]));
    decoder_ = sensor.make_decoder(ContextOf(plan_, plan_.streams[0]));
    Emitter emitter(plan_, plan_.streams[0], MonotonicNow(), control_, *model_, sensor.max_frame_size,
                    {.ring = static_cast<TruthRing*>(ring_.get()),
                     .ring_capacity = kRing,
                     .figures = &source_,
                     .send = [this](std::span<const std::byte> frame) { return Send(ends_.sender.get(), frame); },
                     .now = &MonotonicNow});
    for (std::size_t i = 0; i < frames; ++i) emitter.Advance();
    frames_ = frames;
  }

  // Each returns the CPU time a frame took, or nothing if some were missing.
  std::optional<double> Corerig() {
    auto loop = EventLoop::Create(&handler_activity_);
    Matcher matcher = MakeMatcher();
    auto receiver = Receiver::Start(**loop, ChannelKind::kUdp, std::move(ends_.receiver), sensor_.max_frame_size,
                                    [&](const Arrival& arrival) {
                                      matcher.OnArrival(arrival);
                                      if (handler_.received.Get() == frames_) (*loop)->Stop();
                                    });
    if (!receiver) return std::nullopt;
    const Nanos begin = CpuTime();
    (*loop)->Run();
    return PerFrame(CpuTime() - begin);
  }

  std::optional<double> Bare(bool check) {
    const std::size_t room = sensor_.max_frame_size + 1;
    std::vector<std::byte> memory(kBatch * room);
    std::vector<iovec> pieces(kBatch);
    std::vector<mmsghdr> headers(kBatch);
    for (std::size_t i = 0; i < kBatch; ++i) {
      pieces[i] = {.iov_base = memory.data() + i * room, .iov_len = room};
      headers[i].msg_hdr.msg_iov = &pieces[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    Counting sink;
    std::size_t taken = 0;
    std::uint64_t offset = 0;
    const Nanos begin = CpuTime();
    while (taken < frames_) {
      const int count = recvmmsg(ends_.receiver.get(), headers.data(), kBatch, MSG_DONTWAIT, nullptr);
      if (count <= 0) return std::nullopt;
      taken += static_cast<std::size_t>(count);
      for (int i = 0; check && i < count; ++i) {
        const std::size_t size = headers[static_cast<std::size_t>(i)].msg_len;
        decoder_->Feed({memory.data() + static_cast<std::size_t>(i) * room, size}, offset, sink);
        offset += size;
      }
    }
    const Nanos took = CpuTime() - begin;
    if (check && sink.good != frames_) return std::nullopt;
    return static_cast<double>(took.count()) / static_cast<double>(frames_);
  }

  std::optional<double> PlainLibuv() {
    struct Context {
      Round* round;
      std::vector<char> buffer = std::vector<char>(64 << 10);
      std::uint64_t offset = 0;
      Counting sink = {};
    };
    Context context{.round = this};
    uv_loop_t loop;
    uv_udp_t handle;
    uv_loop_init(&loop);
    uv_udp_init(&loop, &handle);
    handle.data = &context;
    if (uv_udp_open(&handle, ends_.receiver.get()) != 0) return std::nullopt;
    (void)ends_.receiver.Release();  // libuv's
    uv_udp_recv_start(
        &handle,
        [](uv_handle_t* self, std::size_t, uv_buf_t* buffer) {
          auto& memory = static_cast<Context*>(self->data)->buffer;
          *buffer = uv_buf_init(memory.data(), static_cast<unsigned>(memory.size()));
        },
        [](uv_udp_t* self, ssize_t size, const uv_buf_t* buffer, const sockaddr*, unsigned) {
          auto& seen = *static_cast<Context*>(self->data);
          if (size <= 0) return;
          const auto bytes = std::as_bytes(std::span(buffer->base, static_cast<std::size_t>(size)));
          seen.round->decoder_->Feed(bytes, seen.offset, seen.sink);
          seen.offset += bytes.size();
          if (seen.sink.good == seen.round->frames_) uv_stop(self->loop);
        });
    const Nanos begin = CpuTime();
    uv_run(&loop, UV_RUN_DEFAULT);
    const Nanos took = CpuTime() - begin;
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), nullptr);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return static_cast<double>(took.count()) / static_cast<double>(frames_);
  }

 private:
  Matcher MakeMatcher() {
    const StreamPlan& stream = plan_.streams[0];
    const ValueLimits limits =
        sensor_.value_limits != nullptr ? sensor_.value_limits(ContextOf(plan_, stream)) : ValueLimits();
    return Matcher(control_, {static_cast<TruthRing*>(ring_.get()), kRing}, stream, limits, *decoder_,
                   handler_activity_.turn, handler_, &MonotonicNow);
  }
  std::optional<double> PerFrame(Nanos took) const {
    if (handler_.received.Get() != frames_ || handler_.ambiguous.Get() + handler_.corrupt.Get() != 0) {
      return std::nullopt;
    }
    return static_cast<double>(took.count()) / static_cast<double>(frames_);
  }

  const SensorType& sensor_;
  std::unique_ptr<void, decltype(&std::free)> ring_;
  Plan plan_;
  ControlPage control_;
  ChannelEnds ends_;
  std::unique_ptr<SensorModel> model_;
  std::unique_ptr<Decoder> decoder_;
  SourceStream source_;
  HandlerStream handler_;
  LoopActivity handler_activity_;
  std::size_t frames_ = 0;
};

std::string PerSecond(double nanos) { return FormatRate(1e9 / nanos); }

void Compare(const SensorType& sensor, std::size_t frames, int pairs) {
  const auto round = [&] { return Round(sensor, frames); };
  const auto ours = [&] { return round().Corerig(); };
  const std::string what = StrCat(sensor.info.name, ", ", sensor.max_frame_size, " bytes over udp");
  // Costs, so that a ratio above 1 means that the other is so much faster.
  std::cout << Line(what,
                    Pairs::Measure(
                        pairs, [&] { return round().Bare(false); }, ours),
                    "bare", "corerig", PerSecond)
            << "\n"
            << Line(what,
                    Pairs::Measure(
                        pairs, [&] { return round().Bare(true); }, ours),
                    "bare+check", "corerig", PerSecond)
            << "\n"
            << Line(what,
                    Pairs::Measure(
                        pairs, [&] { return round().PlainLibuv(); }, ours),
                    "uv_udp_recv", "corerig", PerSecond)
            << "\n";
}

}  // namespace
}  // namespace corerig

int main(int argc, char** argv) {
  using namespace corerig;
  if (auto pinned = SetAffinity(0, AllowedCores().back()); !pinned) std::cerr << pinned.error().message << "\n";
  const int pairs = CountFrom(argc, argv, 40);
  std::cout << Conditions() << "\nFrames per second of CPU time; the ratio is of their costs\n";
  for (const SensorType& sensor : AllSensors()) {
    if (sensor.info.name == "vlp16") Compare(sensor, 3000, pairs);
    if (sensor.info.name == "icm42688p") Compare(sensor, 8000, pairs);
  }
  return 0;
}
