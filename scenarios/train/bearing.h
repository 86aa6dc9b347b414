// A rolling bearing with a local fault, as an accelerometer on its housing feels it, and what tells its state.
//
//   const BearingRig rig = BearingRigOf(Icm42688p().info);
//   rig.Window(seed, n, Bearing::kInnerRace, samples);     // window n of such a machine
//   BearingFeatures(samples, shaft_hertz, rig.rate, features);
//
// The signal (McFadden and Smith, "Model for the vibration produced by a single point defect in a rolling element
// bearing", 1984; Randall and Antoni, "Rolling element bearing diagnostics - A tutorial", 2011): each time a rolling
// element passes the defect, the housing rings for a moment at a resonance. Defects of the outer race ring evenly; of
// the inner race stronger while they pass the load zone, once a turn of the shaft; of a ball twice a turn of the ball,
// stronger once a turn of the cage; of the cage once a turn of the cage. Elements slip: intervals vary by one per cent.
// A healthy machine has the shaft's harmonics and the noise, and so have the others.
//
// Passing frequencies per turn of the shaft, of n elements of diameter d on a pitch circle of D, no contact angle
// (Harris, "Rolling Bearing Analysis"):
//   cage  (1 - d/D) / 2    outer race  n (1 - d/D) / 2    inner race  n (1 + d/D) / 2    ball  D/d (1 - (d/D)^2)
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "scenarios/train/examples.h"

namespace corerig {

enum class Bearing { kHealthy, kOuterRace, kInnerRace, kBall, kCage };
inline constexpr std::array<std::string_view, 5> kBearingStates = {"healthy", "outer", "inner", "ball", "cage"};

struct BearingGeometry {
  int elements = 9;  // a 6205, the bearing of many motors: of Case Western Reserve University's recordings too
  double element_diameter = 7.94, pitch_diameter = 39.04;  // mm
};
// How often per turn of the shaft a defect there is struck; 0 for a healthy one.
double PassingFrequency(Bearing fault, const BearingGeometry& geometry = {});

// A machine that is listened to.
struct BearingRig {
  static constexpr double kRate = 8000;         // of the accelerometer, Hz
  static constexpr std::size_t kWindow = 2048;  // samples: a quarter of a second, some eight turns
  static constexpr std::size_t kFeatures = 64;
  double noise = 0.0403;   // standard deviation of a sample, m/s^2
  double machine = 0.06;   // the same of the machine's own noise, on average
  double lsb = 0.0047884;  // m/s^2
};

// With the noise of the ICM-42688-P, as its data sheet and our model of it have it (sensors/icm42688p.h).
BearingRig BearingRigOfIcm42688p();

// What is drawn of a window: how fast the machine turned, and how strong the fault was against the noise.
struct BearingWindow {
  double shaft_hertz = 0;
  std::array<float, BearingRig::kWindow> samples = {};  // m/s^2
};

// Window `index` of machines of seed `seed`, in such a state: a function of its arguments.
void SimulateWindow(const BearingRig& rig, std::uint64_t seed, std::uint64_t index, Bearing state, BearingWindow& out);

// The envelope's spectrum by orders: feature k is the logarithm of its amplitude at (k + 1) / 8 times the shaft's
// frequency, which a tachometer tells, relative to the mean of the envelope. The envelope is the magnitude of the
// signal after a high pass that takes out the shaft's harmonics.
void BearingFeatures(const BearingWindow& window, std::span<float> features);

// `rows` windows of random states, as features. With `faulty` as labels 0 (healthy, every other row) and 1; otherwise
// the five states, in turn.
Examples BearingTable(std::size_t rows, std::uint64_t seed, Goal goal);

}  // namespace corerig
