#include "sensors/imu_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "harness/base/philox.h"

namespace corerig {
namespace {

// Streams of random numbers: each kind of draw has a lane of its own.
constexpr std::uint32_t kTemperatureLane = 0, kAccelLane = 16, kGyroLane = 32;
// Of those of a triad.
constexpr std::uint32_t kOffsetLane = 0, kAxisLane = 1, kNoiseLane = 2;
static_assert(kNoiseLane + Ieee952Noise::kLanes <= kGyroLane - kAccelLane);

struct Motion {
  Axes accel;  // specific force in the body frame, m/s^2
  Axes rate;   // rad/s
};

constexpr double kTwoPi = 2 * std::numbers::pi, kDegree = std::numbers::pi / 180;
constexpr double kRollHertz = 0.5, kPitchHertz = 0.3, kHeaveHertz = 1.3;
constexpr double kRoll = 5 * kDegree, kPitch = 3 * kDegree, kHeave = 0.05;
constexpr double kTemperatureSpread = 3;  // K

Motion MotionAt(double seconds, double factor) {
  if (factor == 0) return {.accel = {0, 0, kStandardGravity}, .rate = {}};
  const double roll = factor * kRoll * std::sin(kTwoPi * kRollHertz * seconds);
  const double pitch = factor * kPitch * std::sin(kTwoPi * kPitchHertz * seconds);
  const double up = kStandardGravity * (1 + factor * kHeave * std::sin(kTwoPi * kHeaveHertz * seconds));
  const double roll_rate = factor * kRoll * kTwoPi * kRollHertz * std::cos(kTwoPi * kRollHertz * seconds);
  const double pitch_rate = factor * kPitch * kTwoPi * kPitchHertz * std::cos(kTwoPi * kPitchHertz * seconds);
  const double sin_roll = std::sin(roll), cos_roll = std::cos(roll);
  const double sin_pitch = std::sin(pitch), cos_pitch = std::cos(pitch);
  return {.accel = {-up * sin_pitch, up * cos_pitch * sin_roll, up * cos_pitch * cos_roll},
          .rate = {roll_rate, pitch_rate * cos_roll, -pitch_rate * sin_roll}};
}

std::array<Ieee952, 3> NoiseOf(const TriadTolerances& tolerances, const SensorContext& context,
                               const std::string& quantity) {
  const auto number = [&](const std::string& name) { return NumberOf(context.parameters, name); };
  const double factor = number("noise");
  std::array<Ieee952, 3> axes;
  for (std::size_t i = 0; i < 3; ++i) {
    axes[i] = {.random_walk = factor * tolerances.density_ratio[i] * RandomWalkOf(number(quantity + "_density")),
               .bias_instability = factor * number(quantity + "_bias_instability"),
               .correlation_time = number("bias_correlation"),
               .rate_random_walk = factor * number(quantity + "_rate_random_walk")};
  }
  return axes;
}

}  // namespace

std::vector<ParameterInfo> ImuParameters(const ImuDefaults& defaults) {
  using Kind = ParameterInfo::Kind;
  return {
      {"noise", Kind::kNotNegative, "1", "factor on all noise; 0 is none"},
      {"errors", Kind::kNotNegative, "1", "factor on offset, drift, scale and axis errors; 0 is a perfect part"},
      {"motion", Kind::kNotNegative, "1", "factor on the motion; 0 is at rest"},
      {"accel_density", Kind::kNotNegative, defaults.accel_density, "noise density of x, one-sided, (m/s^2)/sqrt(Hz)"},
      {"accel_bias_instability", Kind::kNotNegative, defaults.accel_bias_instability, "B of IEEE 952, m/s^2"},
      {"accel_rate_random_walk", Kind::kNotNegative, defaults.accel_rate_random_walk, "K of IEEE 952, (m/s^2)/sqrt(s)"},
      {"gyro_density", Kind::kNotNegative, defaults.gyro_density, "noise density, one-sided, (rad/s)/sqrt(Hz)"},
      {"gyro_bias_instability", Kind::kNotNegative, defaults.gyro_bias_instability, "B of IEEE 952, rad/s"},
      {"gyro_rate_random_walk", Kind::kNotNegative, defaults.gyro_rate_random_walk, "K of IEEE 952, (rad/s)/sqrt(s)"},
      {"bias_correlation", Kind::kPositiveNumber, "100", "correlation time of the bias instability, s"},
  };
}

ValueLimits ImuLimits(const TriadTolerances& accel, double accel_lsb, const SensorContext& context) {
  // Of normal noise eight standard deviations do not happen.
  constexpr double kSigmas = 8, kDay = 86'400;
  const double motion = NumberOf(context.parameters, "motion"), errors = NumberOf(context.parameters, "errors");
  const Ieee952 noise = NoiseOf(accel, context, "accel")[2];
  const double white = noise.random_walk * std::sqrt(context.rate.hertz());
  const double bias = GaussMarkovOf(noise.bias_instability, noise.correlation_time).steady;
  const double wander = kSigmas * (bias + noise.rate_random_walk * std::sqrt(kDay));

  // The motion: up to where it may turn over, cosines are least at the greatest angles.
  const double most = kStandardGravity * (1 + motion * kHeave), roll = motion * kRoll, pitch = motion * kPitch;
  constexpr double kUpright = 10;  // of roll 50 degrees
  const double least =
      motion <= kUpright ? kStandardGravity * (1 - motion * kHeave) * std::cos(roll) * std::cos(pitch) : -most;
  // No axis changes faster: the heave's rate and those of both angles, as if all went into that axis at once.
  const double slope =
      kTwoPi * (kStandardGravity * motion * kHeave * kHeaveHertz + most * (roll * kRollHertz + pitch * kPitchHertz));
  // Scale, axis errors, offset, drift.
  const double other_axes = most * (std::min(1.0, roll) + std::min(1.0, pitch));
  const double off = errors * (accel.scale * most + accel.cross * other_axes + accel.offset +
                               accel.drift * kSigmas * kTemperatureSpread);

  ValueLimits limits{.lowest = least - off - wander - kSigmas * white - accel_lsb,
                     .highest = most + off + wander + kSigmas * white + accel_lsb,
                     .noise = std::numbers::sqrt2 * kSigmas * (white + bias) + accel_lsb,
                     .slope = slope * (1 + errors * (accel.scale + 2 * accel.cross)) +
                              errors * accel.drift * kSigmas * kTemperatureSpread};
  // At an end of the register equal values are no wonder.
  const double end = 32'766 * accel_lsb;
  if (limits.highest < end && limits.lowest > -end) limits.repeats = EqualInARow(white / accel_lsb);
  return limits;
}

ImuModel::ImuModel(const ImuTolerances& tolerances, const SensorContext& context)
    : seed_(context.seed),
      stream_(context.stream_id),
      rate_(context.rate),
      motion_(NumberOf(context.parameters, "motion")),
      accel_(Draw(tolerances.accel, NumberOf(context.parameters, "errors"), context, kAccelLane)),
      gyro_(Draw(tolerances.gyro, NumberOf(context.parameters, "errors"), context, kGyroLane)),
      accel_noise_(NoiseOf(tolerances.accel, context, "accel"), rate_, seed_, stream_, kAccelLane + kNoiseLane),
      gyro_noise_(NoiseOf(tolerances.gyro, context, "gyro"), rate_, seed_, stream_, kGyroLane + kNoiseLane) {}

ImuModel::Triad ImuModel::Draw(const TriadTolerances& tolerances, double factor, const SensorContext& context,
                               std::uint32_t first_lane) {
  Triad triad;
  triad.errors = DrawAxisErrors(factor * tolerances.scale, factor * tolerances.cross, context.seed, context.stream_id,
                                first_lane + kAxisLane);
  const auto offset = RandomWords(context.seed, context.stream_id, 0, first_lane + kOffsetLane);
  const auto drift = RandomWords(context.seed, context.stream_id, 1, first_lane + kOffsetLane);
  for (std::size_t i = 0; i < 3; ++i) {
    triad.offset[i] = factor * tolerances.offset * (2 * UniformOpen(offset[i]) - 1);
    triad.drift[i] = factor * tolerances.drift * (2 * UniformOpen(drift[i]) - 1);
  }
  return triad;
}

Axes ImuModel::Triad::Measure(const Axes& truth, double warmer, const Axes& noise) const {
  Axes measured = errors.Of(truth);
  for (std::size_t i = 0; i < 3; ++i) measured[i] += offset[i] + drift[i] * warmer + noise[i];
  return measured;
}

ImuModel::Sample ImuModel::At(std::uint64_t sample) {
  const double seconds = static_cast<double>(rate_.OffsetOf(sample).count()) * 1e-9;
  const Motion motion = MotionAt(seconds, motion_);
  const double celsius = CelsiusAt(seconds);
  return {.accel = accel_.Measure(motion.accel, celsius - 25, accel_noise_.At(sample)),
          .rate = gyro_.Measure(motion.rate, celsius - 25, gyro_noise_.At(sample)),
          .celsius = celsius,
          .true_accel_z = motion.accel[2]};
}

ImuModel::Sample ImuModel::FalsifiedAt(std::uint64_t sample, const Falsification& falsified, std::uint64_t batch) {
  const auto stuck_at = falsified.measurement_of;
  Sample shown = At(stuck_at ? *stuck_at * batch + batch - 1 : sample);
  if (stuck_at) {
    const double seconds = static_cast<double>(rate_.OffsetOf(sample).count()) * 1e-9;
    shown.true_accel_z = MotionAt(seconds, motion_).accel[2];
  }
  shown.accel[2] += falsified.bias;
  return shown;
}

// A line between values drawn every 10 s, normal around 25 degrees with 3:
// T(t) = 25 + 3 * ((1 - w) * n[k] + w * n[k + 1]), k + w = t / 10 s.
double ImuModel::CelsiusAt(double seconds) {
  constexpr double kKnotSeconds = 10;
  const double position = seconds / kKnotSeconds;
  const auto knot = static_cast<std::uint64_t>(position);
  if (knot != knot_) {
    knot_ = knot;
    temperature_ = RandomNormals(seed_, stream_, knot, kTemperatureLane)[0];
    next_temperature_ = RandomNormals(seed_, stream_, knot + 1, kTemperatureLane)[0];
  }
  const double weight = position - static_cast<double>(knot);
  return 25 + kTemperatureSpread * ((1 - weight) * temperature_ + weight * next_temperature_);
}

}  // namespace corerig
