#include "sensors/tmp117.h"

#include <cmath>
#include <numbers>

#include "harness/base/philox.h"
#include "sensors/byte_order.h"
#include "sensors/fixed_frames.h"

namespace corerig {
namespace {

constexpr std::size_t kRegisterSize = 2;
constexpr double kDegreesPerLsb = 7.8125e-3, kNoiseLsb = 0.5, kAccuracy = 0.1;
constexpr int kLowest = -55 * 128, kHighest = 150 * 128;  // LSB; 0x8000 is below

enum Lane : std::uint32_t { kNoiseLane, kOffsetLane };

double TemperatureAt(Nanos offset) {
  constexpr std::int64_t kPeriodNanos = 600'000'000'000;
  const double phase = 2 * std::numbers::pi * static_cast<double>(offset.count() % kPeriodNanos) / kPeriodNanos;
  return 25 + 4 * std::sin(phase);
}

class Model final : public SensorModel {
 public:
  explicit Model(const SensorContext& context)
      : context_(context),
        error_(kAccuracy * (2 * UniformOpen(RandomWords(context.seed, context.stream_id, 0, kOffsetLane)[0]) - 1)) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    const double temperature = TemperatureAt(context_.rate.OffsetOf(sequence));
    const double noise = kNoiseLsb * RandomNormals(context_.seed, context_.stream_id, sequence, kNoiseLane)[0];
    const auto lsb = std::lround((temperature + error_) / kDegreesPerLsb + noise);
    const auto word = static_cast<std::uint16_t>(lsb);
    PutBigEndian(out, 0, word, kRegisterSize);
    return {.size = kRegisterSize, .wire_key = word, .value = temperature};
  }

 private:
  const SensorContext context_;
  const double error_;  // of this part, degrees
};

class Check {
 public:
  static constexpr std::size_t kSize = kRegisterSize;

  bool MayBegin(std::span<const std::byte>) const { return true; }

  std::optional<FrameContent> Read(std::span<const std::byte> bytes) const {
    const auto word = static_cast<std::uint16_t>(BigEndian(bytes, 0, kRegisterSize));
    const int lsb = static_cast<std::int16_t>(word);
    if (lsb < kLowest || lsb > kHighest) return std::nullopt;
    return FrameContent{.wire_key = word, .value = lsb * kDegreesPerLsb};
  }
};

}  // namespace

SensorType Tmp117() {
  return {.info = {.name = "tmp117",
                   .about = "TI TMP117, temperature sensor: its result register, 8 conversions averaged",
                   .default_rate = Rate::Hertz(1),
                   .highest_rate = Rate::Hertz(8),
                   .channels = {ChannelKind::kSeqpacket},
                   .formats = {}},
          .max_frame_size = kRegisterSize,
          .value_unit = "degC",
          .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
            return std::make_unique<Model>(context);
          },
          .make_decoder = [](const SensorContext& context) -> std::unique_ptr<Decoder> {
            return std::make_unique<FixedFrames<Check>>(context.channel);
          }};
}

}  // namespace corerig
