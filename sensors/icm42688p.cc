#include "sensors/icm42688p.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "harness/base/philox.h"

namespace corerig {
namespace {

constexpr std::size_t kPacketSize = 16;
constexpr std::uint8_t kHeader = 0x68;
constexpr int kLowestSample = -32766, kHighestSample = 32767;  // of the FIFO, INTF_CONFIG0
constexpr std::int64_t kStampNanos = 16'000;

constexpr double kGravity = 9.80665;  // m/s^2, the standard g of data sheets
constexpr double kAccelLsbPerG = 2048, kGyroLsbPerDps = 16.4, kTemperatureLsbPerDegree = 2.07;

using Axes = std::array<double, 3>;

// Section 3.2, typical: noise density in g/sqrt(Hz), zero-g offset in g, its change in g per degree.
constexpr Axes kAccelNoise = {65e-6, 65e-6, 70e-6};
constexpr double kAccelOffset = 20e-3, kAccelDrift = 0.15e-3;
// Section 3.1, typical: noise density in dps/sqrt(Hz), zero-rate offset in dps, its change in dps per degree.
constexpr double kGyroNoise = 2.8e-3, kGyroOffset = 0.5, kGyroDrift = 0.005;

// Streams of random numbers: each kind of draw has a lane of its own.
enum Lane : std::uint32_t { kAccelLane, kGyroLane, kOffsetLane, kTemperatureLane };

// The motion: a hovering drone that rolls and pitches a few degrees and heaves.
struct Motion {
  Axes accel;  // specific force in the body frame, g
  Axes rate;   // dps
};

Motion MotionAt(double seconds) {
  constexpr double kTwoPi = 2 * std::numbers::pi, kDegree = std::numbers::pi / 180;
  constexpr double kRollHertz = 0.5, kPitchHertz = 0.3, kHeaveHertz = 1.3;
  constexpr double kRollDegrees = 5, kPitchDegrees = 3, kHeaveG = 0.05;
  const double roll = kRollDegrees * std::sin(kTwoPi * kRollHertz * seconds);
  const double pitch = kPitchDegrees * std::sin(kTwoPi * kPitchHertz * seconds);
  const double up = 1 + kHeaveG * std::sin(kTwoPi * kHeaveHertz * seconds);
  const double roll_rate = kRollDegrees * kTwoPi * kRollHertz * std::cos(kTwoPi * kRollHertz * seconds);
  const double pitch_rate = kPitchDegrees * kTwoPi * kPitchHertz * std::cos(kTwoPi * kPitchHertz * seconds);
  const double sin_roll = std::sin(roll * kDegree), cos_roll = std::cos(roll * kDegree);
  const double sin_pitch = std::sin(pitch * kDegree), cos_pitch = std::cos(pitch * kDegree);
  return {.accel = {-up * sin_pitch, up * cos_pitch * sin_roll, up * cos_pitch * cos_roll},
          .rate = {roll_rate, pitch_rate * cos_roll, -pitch_rate * sin_roll}};
}

void PutBigEndian(std::span<std::byte> out, std::size_t at, std::uint16_t word) {
  out[at] = static_cast<std::byte>(word >> 8);
  out[at + 1] = static_cast<std::byte>(word & 0xFF);
}

std::uint16_t BigEndian(std::span<const std::byte> in, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(in[at]) << 8 | std::to_integer<unsigned>(in[at + 1]));
}

std::uint16_t ToSample(double lsb) {
  const auto sample = std::lround(std::clamp<double>(lsb, kLowestSample, kHighestSample));
  return static_cast<std::uint16_t>(static_cast<std::int16_t>(sample));
}

class Model final : public SensorModel {
 public:
  explicit Model(const SensorContext& context) : context_(context) {
    // Offsets are soldered in: uniform within the typical tolerance, one per axis.
    const auto accel = RandomWords(context.seed, context.stream_id, 0, kOffsetLane);
    const auto gyro = RandomWords(context.seed, context.stream_id, 1, kOffsetLane);
    for (int axis = 0; axis < 3; ++axis) {
      accel_offset_[axis] = kAccelOffset * (2 * UniformOpen(accel[axis]) - 1);
      gyro_offset_[axis] = kGyroOffset * (2 * UniformOpen(gyro[axis]) - 1);
    }
  }

  // measured = true + offset + drift * (T(t) - 25 degC) + noise, with noise white of standard deviation
  // density * sqrt(rate / 2): the signal path is taken to pass half the output data rate.
  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  EncodedFrame EncodeFalsified(std::uint64_t frame, const Falsification& falsified, std::span<std::byte> out) override {
    const std::uint64_t sequence = falsified.measurement_of.value_or(frame);
    const Nanos offset = context_.rate.OffsetOf(frame);
    const double seconds = static_cast<double>(context_.rate.OffsetOf(sequence).count()) * 1e-9;
    const Motion motion = MotionAt(seconds);
    const double warmer = TemperatureAt(seconds) - 25;
    const double root_bandwidth = std::sqrt(context_.rate.hertz() / 2);
    const auto accel_noise = RandomNormals(context_.seed, context_.stream_id, sequence, kAccelLane);
    const auto gyro_noise = RandomNormals(context_.seed, context_.stream_id, sequence, kGyroLane);
    out[0] = std::byte{kHeader};
    for (int axis = 0; axis < 3; ++axis) {
      const double accel = motion.accel[axis] + accel_offset_[axis] + kAccelDrift * warmer +
                           kAccelNoise[axis] * root_bandwidth * accel_noise[axis] +
                           (axis == 2 ? falsified.bias / kGravity : 0);
      const double rate =
          motion.rate[axis] + gyro_offset_[axis] + kGyroDrift * warmer + kGyroNoise * root_bandwidth * gyro_noise[axis];
      PutBigEndian(out, 1 + 2 * axis, ToSample(accel * kAccelLsbPerG));
      PutBigEndian(out, 7 + 2 * axis, ToSample(rate * kGyroLsbPerDps));
    }
    const auto temperature = std::lround(std::clamp(warmer * kTemperatureLsbPerDegree, -128.0, 127.0));
    out[13] = static_cast<std::byte>(static_cast<std::int8_t>(temperature));
    const auto stamp = static_cast<std::uint16_t>(offset.count() / kStampNanos);
    PutBigEndian(out, 14, stamp);
    const double truth = (sequence == frame ? motion : MotionAt(static_cast<double>(offset.count()) * 1e-9)).accel[2];
    return {.size = kPacketSize, .wire_key = stamp, .value = truth * kGravity};
  }

 private:
  // Degrees Celsius: a line between values drawn every 10 s (Philox, by index), normal around 25 with 3 degrees:
  // T(t) = 25 + 3 * ((1 - w) * n[k] + w * n[k + 1]), k + w = t / 10 s.
  double TemperatureAt(double seconds) const {
    constexpr double kKnotSeconds = 10, kSpread = 3;
    const double position = seconds / kKnotSeconds;
    const auto knot = static_cast<std::uint64_t>(position);
    const double weight = position - static_cast<double>(knot);
    return 25 + kSpread * ((1 - weight) * Knot(knot) + weight * Knot(knot + 1));
  }

  double Knot(std::uint64_t index) const {
    return RandomNormals(context_.seed, context_.stream_id, index, kTemperatureLane)[0];
  }

  SensorContext context_;
  Axes accel_offset_, gyro_offset_;
};

class PacketDecoder final : public Decoder {
 public:
  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    const std::uint64_t end = offset + bytes.size();
    if (!Valid(bytes)) return sink.OnCorrupt(offset, end);
    sink.OnFrame({.wire_key = BigEndian(bytes, 14),
                  .value = Sample(bytes, 5) / kAccelLsbPerG * kGravity,
                  .begin = offset,
                  .end = end});
  }

 private:
  static int Sample(std::span<const std::byte> bytes, std::size_t at) {
    return static_cast<std::int16_t>(BigEndian(bytes, at));
  }

  static bool Valid(std::span<const std::byte> bytes) {
    if (bytes.size() != kPacketSize || bytes[0] != std::byte{kHeader}) return false;
    for (std::size_t at = 1; at < 13; at += 2) {
      if (Sample(bytes, at) < kLowestSample) return false;
    }
    return true;
  }
};

// A hovering drone pulls between 0.9 and 1.1 g along z and changes that by less than 0.5 g in a second; the rest is
// noise, of which eight standard deviations do not happen.
ValueLimits LimitsOf(const SensorContext& context) {
  constexpr double kLowest = 0.9, kHighest = 1.1, kSlope = 0.5, kSigmas = 8;
  const double sigma = kAccelNoise[2] * std::sqrt(context.rate.hertz() / 2);
  return {.lowest = (kLowest - kSigmas * sigma) * kGravity,
          .highest = (kHighest + kSigmas * sigma) * kGravity,
          .noise = (std::numbers::sqrt2 * kSigmas * sigma + 1 / kAccelLsbPerG) * kGravity,
          .slope = kSlope * kGravity,
          .repeats = EqualInARow(sigma * kAccelLsbPerG)};
}

}  // namespace

SensorType Icm42688p() {
  return {.info = {.name = "icm42688p",
                   .about = "TDK ICM-42688-P, six-axis inertial sensor: FIFO packet 3, +-16 g, +-2000 dps",
                   .default_rate = Rate::Hertz(1000),
                   // The part goes to 32 kHz; its stamp tells neighbours apart up to 62.5 kHz, our timers are coarser.
                   .highest_rate = Rate::Hertz(8000),
                   .channels = {ChannelKind::kSeqpacket},
                   .formats = {},
                   .falsifiable = true},
          .max_frame_size = kPacketSize,
          .value_unit = "m/s^2",  // acceleration along z
          .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
            return std::make_unique<Model>(context);
          },
          .make_decoder = [](const SensorContext&) -> std::unique_ptr<Decoder> {
            return std::make_unique<PacketDecoder>();
          },
          .value_limits = &LimitsOf};
}

}  // namespace corerig
