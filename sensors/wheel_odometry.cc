#include "sensors/wheel_odometry.h"

#include <array>
#include <cmath>
#include <numbers>

#include "harness/base/philox.h"
#include "sensors/byte_order.h"
#include "sensors/fixed_frames.h"

namespace corerig {
namespace {

constexpr std::size_t kFrameSize = 11, kLengthAt = 2, kLeftAt = 4, kRightAt = 6, kStampAt = 8, kXorAt = 10;
constexpr std::array<std::byte, 4> kHead = {std::byte{0xAA}, std::byte{0x55}, std::byte{7}, std::byte{1}};
constexpr double kTicksPerMetre = 10'000;
constexpr double kSlip = 0.01;  // m, after one metre

// Both wheels: metres.
struct Way {
  double left = 0, right = 0;
};

// The integral of the wheels' speeds: v(t) -+ w(t) * track / 2, v = mean + swing * sin(2 pi t / T), w = turn *
// sin(...).
Way WayAt(Nanos offset) {
  constexpr double kMean = 0.5, kSwing = 0.3, kTurn = 0.4, kTrack = 0.4;
  constexpr double kSwingSeconds = 20, kTurnSeconds = 15, kTwoPi = 2 * std::numbers::pi;
  const double t = static_cast<double>(offset.count()) * 1e-9;
  const double ahead = kMean * t + kSwing * kSwingSeconds / kTwoPi * (1 - std::cos(kTwoPi * t / kSwingSeconds));
  const double heading = kTurn * kTurnSeconds / kTwoPi * (1 - std::cos(kTwoPi * t / kTurnSeconds));
  return {.left = ahead - heading * kTrack / 2, .right = ahead + heading * kTrack / 2};
}

std::byte XorOf(std::span<const std::byte> frame) {
  std::byte sum{0};
  for (const std::byte byte : frame.subspan(kLengthAt, kXorAt - kLengthAt)) sum ^= byte;
  return sum;
}

class Model final : public SensorModel {
 public:
  explicit Model(const SensorContext& context) : context_(context) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  // A bias is one of the left wheel.
  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    const Nanos offset = context_.rate.OffsetOf(sequence);
    const std::uint64_t measured_at = falsified.measurement_of.value_or(sequence);
    const Way way = WayAt(context_.rate.OffsetOf(measured_at)), slip = SlipAt(measured_at);
    std::copy(kHead.begin(), kHead.end(), out.begin());
    PutTicks(out, kLeftAt, way.left + slip.left + falsified.bias);
    PutTicks(out, kRightAt, way.right + slip.right);
    const auto stamp = static_cast<std::uint16_t>((context_.clock_offset + offset).count() / 1'000'000);
    PutLittleEndian(out, kStampAt, stamp, 2);
    out[kXorAt] = XorOf(out);
    return {.size = kFrameSize, .wire_key = stamp, .value = WayAt(offset).left};
  }

 private:
  static void PutTicks(std::span<std::byte> out, std::size_t at, double metres) {
    const auto ticks = static_cast<std::int64_t>(std::floor(metres * kTicksPerMetre));
    PutLittleEndian(out, at, static_cast<std::uint64_t>(ticks), 2);
  }

  // The sum of what each sample's way added, always taken from sample 0 on: the same for whoever asks in whatever
  // order.
  Way SlipAt(std::uint64_t sequence) {
    if (sequence < summed_) {
      summed_ = 0;
      slip_ = {};
    }
    for (; summed_ < sequence; ++summed_) {
      const Way from = WayAt(context_.rate.OffsetOf(summed_)), to = WayAt(context_.rate.OffsetOf(summed_ + 1));
      const auto noise = RandomNormals(context_.seed, context_.stream_id, summed_);
      slip_.left += kSlip * std::sqrt(std::abs(to.left - from.left)) * noise[0];
      slip_.right += kSlip * std::sqrt(std::abs(to.right - from.right)) * noise[1];
    }
    return slip_;
  }

  const SensorContext context_;
  std::uint64_t summed_ = 0;  // slip_ is that of this sample
  Way slip_;
};

class Check {
 public:
  static constexpr std::size_t kSize = kFrameSize;

  bool MayBegin(std::span<const std::byte> bytes) const {
    const auto compared = static_cast<std::ptrdiff_t>(std::min(bytes.size(), kHead.size()));
    return std::equal(bytes.begin(), bytes.begin() + compared, kHead.begin());
  }

  std::optional<FrameContent> Read(std::span<const std::byte> frame) {
    if (XorOf(frame) != frame[kXorAt]) return std::nullopt;
    const auto left = static_cast<std::uint16_t>(LittleEndian(frame, kLeftAt, 2));
    ticks_ += static_cast<std::int16_t>(static_cast<std::uint16_t>(left - static_cast<std::uint16_t>(ticks_)));
    return FrameContent{.wire_key = LittleEndian(frame, kStampAt, 2),
                        .value = static_cast<double>(ticks_) / kTicksPerMetre};
  }

 private:
  std::int64_t ticks_ = 0;  // of the left wheel, unwrapped
};

// A way has no end, but the left wheel goes between 0.12 and 0.88 m/s. What slips in t seconds is kSlip * sqrt(0.88 t),
// of which eight standard deviations do not happen; that is less than the line used here, which touches it at 1 s. At
// 200 Hz neighbours are equal in less than 2 of 100 cases, at lower rates in fewer.
ValueLimits LimitsOf(const SensorContext&) {
  constexpr double kFastest = 0.88, kSigmas = 8, kStep = 1 / kTicksPerMetre;
  const double slip = kSigmas * kSlip * std::sqrt(kFastest);
  return {.noise = slip / 2 + kStep, .slope = kFastest + slip / 2, .repeats = 8};
}

}  // namespace

SensorType WheelOdometry() {
  return {.info = {.name = "wheel-odometry",
                   .about = "two wheel encoders behind a motor controller: framed serial with XOR, 16-bit ticks",
                   .default_rate = Rate::Hertz(50),
                   .highest_rate = Rate::Hertz(200),
                   .channels = {ChannelKind::kPty},
                   .formats = {},
                   .falsifiable = true},
          .max_frame_size = kFrameSize,
          .value_unit = "m",  // the left wheel's way
          .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
            return std::make_unique<Model>(context);
          },
          .make_decoder = [](const SensorContext& context) -> std::unique_ptr<Decoder> {
            return std::make_unique<FixedFrames<Check>>(context.channel);
          },
          .value_limits = &LimitsOf};
}

}  // namespace corerig
