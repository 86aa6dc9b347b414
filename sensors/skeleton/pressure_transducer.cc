#include "sensors/skeleton/pressure_transducer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "harness/base/philox.h"
#include "harness/plan/parameter.h"
#include "sensors/byte_order.h"
#include "sensors/fixed_frames.h"

namespace corerig {
namespace {

// Names for the layout: model and check use the same.
constexpr std::size_t kFrameSize = 8, kNumberAt = 2, kPressureAt = 4, kCrcAt = 6;
constexpr std::array<std::byte, 2> kStart = {std::byte{0xA5}, std::byte{0x5A}};
constexpr double kPascalsPerLsb = 25;

constexpr double kMean = 800'000, kSwing = 300'000;  // Pa
constexpr std::int64_t kPeriodNanos = 5'000'000'000;
constexpr std::string_view kNoise = "noise";

// The ground truth, a function of time alone. Whole periods are taken off in integers: it is exact in long runs.
double PressureAt(Nanos offset) {
  const double phase = 2 * std::numbers::pi * static_cast<double>(offset.count() % kPeriodNanos) / kPeriodNanos;
  return kMean + kSwing * std::sin(phase);
}

std::uint16_t CrcOf(std::span<const std::byte> frame) {
  unsigned crc = 0xFFFF;
  for (const std::byte byte : frame.subspan(kNumberAt, kCrcAt - kNumberAt)) {
    crc ^= std::to_integer<unsigned>(byte) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = ((crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1) & 0xFFFF;
  }
  return static_cast<std::uint16_t>(crc);
}

// The sensor's side.
class Model final : public SensorModel {
 public:
  explicit Model(const SensorContext& context) : context_(context), noise_(NumberOf(context.parameters, kNoise)) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  // A pure function of context and number: noise is drawn by the number, never from a state. A falsified frame keeps
  // its own number and truth. (Leave this and `falsifiable` out and the faults stuck, wrong and drift are refused.)
  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    const std::uint64_t measured_at = falsified.measurement_of.value_or(sequence);
    const double noise = noise_ * RandomNormals(context_.seed, context_.stream_id, measured_at)[0];
    const double measured = PressureAt(context_.rate.OffsetOf(measured_at)) + noise + falsified.bias;
    const double lsb = std::clamp(measured / kPascalsPerLsb, 0.0, 65535.0);
    const std::uint64_t number = sequence & 0xFFFF;
    std::copy(kStart.begin(), kStart.end(), out.begin());
    PutBigEndian(out, kNumberAt, number, 2);
    PutBigEndian(out, kPressureAt, static_cast<std::uint64_t>(std::lround(lsb)), 2);
    PutBigEndian(out, kCrcAt, CrcOf(out), 2);
    // Key: what the receiver will read that tells the sample from its neighbours. Value: the truth, without noise.
    return {.size = kFrameSize, .wire_key = number, .value = PressureAt(context_.rate.OffsetOf(sequence))};
  }

 private:
  const SensorContext context_;
  const double noise_;  // Pa rms
};

// The receiver's side: FixedFrames cuts bytes into frames and finds the next one after damage. Where frames differ in
// length implement Decoder (harness/stream/sensor.h); zed_f9p.cc does.
class Check {
 public:
  static constexpr std::size_t kSize = kFrameSize;

  // Whether these bytes, at most kSize, may be the beginning of a frame.
  bool MayBegin(std::span<const std::byte> bytes) const {
    const auto compared = static_cast<std::ptrdiff_t>(std::min(bytes.size(), kStart.size()));
    return std::equal(bytes.begin(), bytes.begin() + compared, kStart.begin());
  }

  // What a frame says; nothing if it fails the part's check.
  std::optional<FrameContent> Read(std::span<const std::byte> frame) const {
    if (BigEndian(frame, kCrcAt, 2) != CrcOf(frame)) return std::nullopt;
    return FrameContent{.wire_key = BigEndian(frame, kNumberAt, 2),
                        .value = static_cast<double>(BigEndian(frame, kPressureAt, 2)) * kPascalsPerLsb};
  }
};

// What a receiver may take for granted about the values: how faults are found that pass the check.
ValueLimits LimitsOf(const SensorContext& context) {
  constexpr double kSigmas = 8;  // of as many samples as a run has, none is further off
  const double rms = NumberOf(context.parameters, kNoise), noise = kSigmas * rms + kPascalsPerLsb;
  return {.lowest = kMean - kSwing - noise,
          .highest = kMean + kSwing + noise,
          .noise = 2 * noise,
          .slope = 2 * std::numbers::pi * kSwing / (kPeriodNanos * 1e-9),
          .repeats = EqualInARow(rms / kPascalsPerLsb)};
}

}  // namespace

// The row: what a scenario may say of it, and the three functions above. `corerig list` prints it.
SensorType PressureTransducer() {
  return {.info = {.name = "pressure-transducer",
                   .about = "hydraulic pressure, 0 to 1.6 MPa: framed serial with CRC-16 and a 16-bit number",
                   .default_rate = Rate::Hertz(1000),
                   .highest_rate = Rate::Hertz(1400),  // what 115200 baud carry
                   .channels = {ChannelKind::kPty, ChannelKind::kTcp},
                   .formats = {},
                   .batching = {},
                   .parameters = {{kNoise, ParameterInfo::Kind::kNotNegative, "200", "Pa rms, white"}},
                   .falsifiable = true},
          .max_frame_size = kFrameSize,
          .value_unit = "Pa",
          .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
            return std::make_unique<Model>(context);
          },
          .make_decoder = [](const SensorContext& context) -> std::unique_ptr<Decoder> {
            return std::make_unique<FixedFrames<Check>>(context.channel);
          },
          .value_limits = &LimitsOf};
}

}  // namespace corerig
