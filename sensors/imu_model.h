// What a six-axis inertial sensor measures: the motion it is given, seen through its errors.
//
//   ImuModel model(preset, context);
//   const ImuModel::Sample sample = model.At(n);
//
// measured = (1 + E) * true + offset + drift * (temperature - 25 degC) + noise (ieee952.h). E, the offset and the drift
// are soldered in: drawn per axis within the part's tolerances. Each sensor rounds to its own LSB, which adds white
// noise of LSB / sqrt(12) wherever noise is not below it.
//
// The motion is a hovering drone that rolls and pitches a few degrees and heaves. Body axes x forward, y left, z up, so
// that gravity shows as +1 g on z.
#pragma once

#include <string_view>
#include <vector>

#include "harness/stream/sensor.h"
#include "sensors/ieee952.h"

namespace corerig {

inline constexpr double kStandardGravity = 9.80665;  // m/s^2

// Tolerances of a part that are not the user's to set, of its accelerometer or gyroscope.
struct TriadTolerances {
  double offset = 0;               // m/s^2 or rad/s
  double drift = 0;                // offset per kelvin
  double scale = 0, cross = 0;     // shares
  Axes density_ratio = {1, 1, 1};  // what each axis has of the noise density
};
struct ImuTolerances {
  TriadTolerances accel, gyro;
};

// Defaults of the parameters below, as texts.
struct ImuDefaults {
  std::string_view accel_density, accel_bias_instability, accel_rate_random_walk;
  std::string_view gyro_density, gyro_bias_instability, gyro_rate_random_walk;
};

// The keys that a stream of an inertial sensor has:
//   accel_density, gyro_density                          the data sheet's one-sided D, (m/s^2)/sqrt(Hz),
//   (rad/s)/sqrt(Hz) accel_bias_instability, gyro_bias_instability        B, m/s^2, rad/s bias_correlation T, s
//   accel_rate_random_walk, gyro_rate_random_walk        K, (m/s^2)/sqrt(s), (rad/s)/sqrt(s)
//   noise, errors, motion                                factors on all noise; on offset, drift, scale and axis errors;
//                                                        on the motion (0: at rest, level)
std::vector<ParameterInfo> ImuParameters(const ImuDefaults& defaults);

// What holds for the acceleration along z of such a part, within a day, read in steps of `accel_lsb` from registers of
// 16 bits. The context's parameters are those of ImuParameters.
ValueLimits ImuLimits(const TriadTolerances& accel, double accel_lsb, const SensorContext& context);

class ImuModel {
 public:
  struct Sample {
    Axes accel, rate;    // as measured, m/s^2 and rad/s, not yet rounded
    double celsius = 0;  // true, of the die
    double true_accel_z = 0;
  };

  // The context's parameters are those of ImuParameters.
  ImuModel(const ImuTolerances& tolerances, const SensorContext& context);

  // A pure function of the context and `sample`; cheap in ascending order.
  Sample At(std::uint64_t sample);
  // The same falsified, for frames of `batch` samples: one that is stuck repeats the last sample of the frame it is
  // stuck at; a bias is one of the acceleration along z. The true acceleration stays that of `sample`.
  Sample FalsifiedAt(std::uint64_t sample, const Falsification& falsified, std::uint64_t batch);

 private:
  struct Triad {
    AxisErrors errors;
    Axes offset, drift;
    Axes Measure(const Axes& truth, double warmer, const Axes& noise) const;
  };
  static Triad Draw(const TriadTolerances& tolerances, double factor, const SensorContext& context,
                    std::uint32_t first_lane);

  double CelsiusAt(double seconds);

  const std::uint64_t seed_;
  const std::uint32_t stream_;
  const Rate rate_;
  const double motion_;
  const Triad accel_, gyro_;
  Ieee952Noise accel_noise_, gyro_noise_;
  std::uint64_t knot_ = ~std::uint64_t{0};  // whose temperatures are kept
  double temperature_ = 0, next_temperature_ = 0;
};

}  // namespace corerig
