// What every sensor of the rig costs: model and encoding, by sample and by byte, and decoding, by frame, in each of its
// formats, at its default rate and at its highest, in the batches a scenario gives them.
//
//   bazel run -c opt //tests/bench:sensor_bench
//
// A recording is one of the sensors' tests.
//
// One thread, memory to memory. Each figure is the best of five rounds of at least 50 ms: what the code costs, not what
// else the board does.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "harness/base/philox.h"
#include "harness/base/quantity.h"
#include "sensors/received.h"
#include "sensors/sensors.h"

namespace corerig {
namespace {

using Clock = std::chrono::steady_clock;

// As the scenario reader chooses it: as many samples as keep the frames at or below what the part likes.
std::uint32_t BatchOf(const SensorInfo& info, Rate rate) {
  const std::int64_t frames = info.batching.frames.millihertz;
  if (frames == 0) return 1;
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>((rate.millihertz + frames - 1) / frames, 1, info.batching.most));
}

SensorContext BenchContextOf(const SensorType& sensor, std::string_view format, Rate rate) {
  SensorContext context{.seed = 1,
                        .stream_id = StreamId("bench"),
                        .rate = rate,
                        .batch = BatchOf(sensor.info, rate),
                        .format = format,
                        .channel = ChannelsOf(sensor.info, format).front(),
                        .epoch = kSimulatedEpoch};
  for (const ParameterInfo& parameter : sensor.info.parameters) {
    context.parameters.push_back({std::string(parameter.name), std::string(parameter.default_value)});
  }
  if (sensor.info.read_recording) Set(context, "file", SampleRecording(format));
  return context;
}

struct Counted final : FrameSink {
  std::uint64_t frames = 0, corrupt = 0;
  double sum = 0;  // so that what is decoded is used
  void OnFrame(const DecodedFrame& frame) override {
    ++frames;
    sum += frame.value;
  }
  void OnCorrupt(std::uint64_t, std::uint64_t) override { ++corrupt; }
};

// Nanoseconds of one call; `call` is given 0, 1, 2, … within a round and is called `least` times at least.
template <typename Call>
double BestOf(std::uint64_t least, const Call& call) {
  constexpr auto kRound = std::chrono::milliseconds(50);
  double best = 1e300;
  for (int round = 0; round < 5; ++round) {
    std::uint64_t calls = 0;
    const auto begin = Clock::now();
    auto now = begin;
    do {
      for (std::uint64_t i = 0; i < least; ++i) call(calls++);
      now = Clock::now();
    } while (now - begin < kRound);
    best = std::min(best, std::chrono::duration<double, std::nano>(now - begin).count() / static_cast<double>(calls));
  }
  return best;
}

// False if the decoder did not find what the model made.
bool Measure(const SensorType& sensor, std::string_view format, Rate rate) {
  const SensorContext context = BenchContextOf(sensor, format, rate);
  std::vector<std::byte> out(sensor.max_frame_size);
  const auto model = sensor.make_model(context);
  if (auto ready = model->Ready(); !ready) {
    std::printf("%s\n", ready.error().message.c_str());
    return false;
  }
  // Frames go on from round to round, as a source asks for them.
  std::uint64_t sequence = 0, bytes = 0;
  double sum = 0;
  const double encode = BestOf(8, [&](std::uint64_t) {
    const EncodedFrame frame = model->Encode(sequence++, out);
    bytes += frame.size;
    sum += frame.value;
  });
  const double frame_bytes = static_cast<double>(bytes) / static_cast<double>(sequence);

  // Some frames made beforehand, fed again and again; at most 64 MB of them.
  const std::size_t count = std::clamp<std::size_t>((64u << 20) / sensor.max_frame_size, 2, 64);
  std::vector<std::vector<std::byte>> frames;
  for (std::uint64_t i = 0; i < count; ++i) {
    frames.emplace_back(sensor.max_frame_size);
    frames.back().resize(model->Encode(i, frames.back()).size);
  }
  const auto decoder = sensor.make_decoder(context);
  Counted counted;
  std::uint64_t offset = 0, fed = 0;
  const double decode = BestOf(count, [&](std::uint64_t call) {
    const auto& frame = frames[call % count];
    decoder->Feed(frame, offset, counted);
    offset += frame.size();
    ++fed;
  });
  std::printf("%-12.*s %-8.*s %9s %6u %9.0f %12.1f %10.3f %12.1f %10.3f\n", static_cast<int>(sensor.info.name.size()),
              sensor.info.name.data(), static_cast<int>(format.size()), format.data(), ToText(rate).c_str(),
              context.batch, frame_bytes, encode / context.batch, encode / frame_bytes, decode, decode / frame_bytes);
  if (counted.frames != fed || counted.corrupt > 0) {
    std::printf("  decoded %llu of %llu frames, %llu corrupt ranges (sum %g)\n",
                static_cast<unsigned long long>(counted.frames), static_cast<unsigned long long>(fed),
                static_cast<unsigned long long>(counted.corrupt), sum + counted.sum);
    return false;
  }
  return true;
}

}  // namespace
}  // namespace corerig

int main() {
  using namespace corerig;
  std::printf("%-12s %-8s %9s %6s %9s %12s %10s %12s %10s\n", "sensor", "format", "rate", "batch", "bytes", "encode",
              "encode", "decode", "decode");
  std::printf("%-12s %-8s %9s %6s %9s %12s %10s %12s %10s\n", "", "", "", "", "a frame", "ns/sample", "ns/byte",
              "ns/frame", "ns/byte");
  bool sound = true;
  for (const SensorType& sensor : AllSensors()) {
    if (sensor.make_model == nullptr) continue;
    auto formats = sensor.info.formats;
    if (formats.empty()) formats.push_back("");
    for (const std::string_view format : formats) {
      sound = Measure(sensor, format, sensor.info.default_rate) && sound;
      if (sensor.info.highest_rate != sensor.info.default_rate) {
        sound = Measure(sensor, format, sensor.info.highest_rate) && sound;
      }
    }
  }
  return sound ? 0 : 1;
}
