#include "sensors/tmp117.h"

#include <algorithm>
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

constexpr double kMiddle = 25, kSwing = 4;  // degrees
constexpr std::int64_t kPeriodNanos = 600'000'000'000;

enum Lane : std::uint32_t { kNoiseLane, kOffsetLane };

double TemperatureAt(Nanos offset) {
  const double phase = 2 * std::numbers::pi * static_cast<double>(offset.count() % kPeriodNanos) / kPeriodNanos;
  return kMiddle + kSwing * std::sin(phase);
}

class Model final : public SensorModel {
 public:
  explicit Model(const SensorContext& context)
      : context_(context),
        error_(kAccuracy * (2 * UniformOpen(RandomWords(context.seed, context.stream_id, 0, kOffsetLane)[0]) - 1)) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    const std::uint64_t measured_at = falsified.measurement_of.value_or(sequence);
    const double temperature = TemperatureAt(context_.rate.OffsetOf(measured_at)) + falsified.bias;
    const double noise = kNoiseLsb * RandomNormals(context_.seed, context_.stream_id, measured_at, kNoiseLane)[0];
    const double counts = std::clamp((temperature + error_) / kDegreesPerLsb + noise, -32768.0, 32767.0);
    const auto lsb = std::lround(counts);
    const auto word = static_cast<std::uint16_t>(lsb);
    PutBigEndian(out, 0, word, kRegisterSize);
    return {.size = kRegisterSize, .wire_key = word, .value = TemperatureAt(context_.rate.OffsetOf(sequence))};
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

// Noise is less than the step, so equal values in a row are no wonder.
ValueLimits LimitsOf(const SensorContext&) {
  constexpr double kSigmas = 8, kNoise = (kSigmas * kNoiseLsb + 0.5) * kDegreesPerLsb;
  return {.lowest = kMiddle - kSwing - kAccuracy - kNoise,
          .highest = kMiddle + kSwing + kAccuracy + kNoise,
          .noise = 2 * kNoise,
          .slope = 2 * std::numbers::pi * kSwing / (kPeriodNanos * 1e-9),
          .repeats = EqualInARow(kNoiseLsb)};
}

}  // namespace

SensorType Tmp117() {
  return {.info = {.name = "tmp117",
                   .about = "TI TMP117, temperature sensor: its result register, 8 conversions averaged",
                   .default_rate = Rate::Hertz(1),
                   .highest_rate = Rate::Hertz(8),
                   .channels = {ChannelKind::kSeqpacket},
                   .formats = {},
                   .falsifiable = true},
          .max_frame_size = kRegisterSize,
          .value_unit = "degC",
          .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
            return std::make_unique<Model>(context);
          },
          .make_decoder = [](const SensorContext& context) -> std::unique_ptr<Decoder> {
            return std::make_unique<FixedFrames<Check>>(context.channel);
          },
          .value_limits = &LimitsOf};
}

}  // namespace corerig
