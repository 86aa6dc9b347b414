// What a sample of each sensor costs: the model with its encoding, in order as the source asks for it, and the
// receiver's check of the same frames, on every channel the sensor has.
//
//   bazel run -c opt //tests/bench:sensor_bench
//
// items_per_second counts samples: a frame may hold several. The mark to reach is 1 us a sample.
#include <benchmark/benchmark.h>

#include <vector>

#include "sensors/received.h"
#include "sensors/sensors.h"

namespace corerig {
namespace {

void EncodeFrames(benchmark::State& state, const SensorType& sensor, const SensorContext& context) {
  const auto model = sensor.make_model(context);
  std::vector<std::byte> frame(sensor.max_frame_size);
  std::uint64_t sequence = 0;
  for (auto _ : state) benchmark::DoNotOptimize(model->Encode(sequence++, frame));
  state.SetItemsProcessed(state.iterations() * context.batch);
}

struct Count final : FrameSink {
  std::uint64_t frames = 0, corrupt = 0;
  void OnFrame(const DecodedFrame&) override { ++frames; }
  void OnCorrupt(std::uint64_t, std::uint64_t) override { ++corrupt; }
};

void DecodeFrames(benchmark::State& state, const SensorType& sensor, const SensorContext& context) {
  const auto model = sensor.make_model(context);
  const auto decoder = sensor.make_decoder(context);
  std::vector<Encoded> frames;
  for (std::uint64_t sequence = 0; sequence < 256; ++sequence) frames.push_back(Encode(sensor, *model, sequence));
  Count count;
  std::uint64_t offset = 0, fed = 0;
  for (auto _ : state) {
    const Encoded& next = frames[fed++ % frames.size()];
    decoder->Feed(next.bytes, offset, count);
    offset += next.bytes.size();
  }
  if (count.frames != fed || count.corrupt != 0) state.SkipWithError("the decoder refused its own sensor's frames");
  state.SetItemsProcessed(state.iterations() * context.batch);
}

void RegisterAll() {
  for (const SensorType& sensor : AllSensors()) {
    if (sensor.make_model == nullptr) continue;
    const std::string name(sensor.info.name);
    for (const ChannelKind channel : sensor.info.channels) {
      const SensorContext context = ContextFor(sensor, sensor.info.default_rate, channel);
      const std::string wire = name + "/" + std::string(ToText(channel));
      if (channel == sensor.info.channels[0]) {
        benchmark::RegisterBenchmark(("encode/" + name).c_str(), [&sensor, context](benchmark::State& state) {
          EncodeFrames(state, sensor, context);
        });
      }
      benchmark::RegisterBenchmark(("decode/" + wire).c_str(), [&sensor, context](benchmark::State& state) {
        DecodeFrames(state, sensor, context);
      });
    }
  }
}

}  // namespace
}  // namespace corerig

int main(int argc, char** argv) {
  corerig::RegisterAll();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
