// Workload "montecarlo/localisation": where a robot is, by a particle filter over the scans of a 2D lidar in a known
// map.
//
// The bootstrap filter (Gordon, Salmond, Smith 1993; Thrun, Burgard, Fox, "Probabilistic Robotics", chapter 8):
// particles move as the odometry says with its noise, are weighted by how well the beams' ranges in the map fit the
// scan (beam model: normal noise, some beams lost), and are drawn anew from their weights, systematically. A unit of
// work is one filter over a short drive of its own, whose pose, noise and scans are drawn from the very model that the
// filter has.
//
// What is known of it:
//   - Map, beams and drive are mirror-symmetric about the robot's mean course, and so is the law of everything drawn.
//     Mirrored, the errors of lateral place and heading change their sign: their means are 0, with any number of
//     particles.
//   - The truth is drawn from the prior, so given the scans it is a draw from the posterior: its squared distance from
//   the
//     posterior's mean has the posterior's variance as its mean, exactly, whatever the posterior's shape. N particles
//     make errors larger and the variance they show smaller, by a share in proportion to 1 / N.
//   - Where heading is known and beams meet walls at right angles, all is linear and normal: the filter's estimate of
//   the
//     scans' likelihood has the Kalman filter's as its mean, exactly (Del Moral, "Feynman-Kac Formulae", 7.4.2). The
//     test holds this code to it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/child/workload.h"
#include "scenarios/simd/lidar.h"

namespace corerig {

// Metres, radians; noise as standard deviations.
struct LocalisationCase {
  std::size_t particles = 0;
  int scans = 8;
  int beams = 24;                                                          // evenly around, the first one ahead
  double start_noise = 0.03, start_turn = 0.02;                            // of the pose that the filter starts from
  double way = 0.1;                                                        // between scans, straight ahead
  double forward_noise = 0.015, lateral_noise = 0.015, turn_noise = 0.01;  // of the odometry, each way
  double range_noise = 0.05;  // 10 mm is the LD06's own; its data sheet allows 45 mm of error
  double lost = 0.01;         // share of beams of which nothing comes back
  bool pillars = true;        // two in the room, or none
};

// Indices of `counts` copies of particles in proportion to their weights, by one uniform number: position (i + uniform)
// / size in the running sum of the weights (Kitagawa 1996). Weights are not negative and have a positive sum.
void ResampleSystematically(std::span<const double> weights, double uniform, std::span<std::uint32_t> ancestors);

class Localisation {
 public:
  // Of along, lateral and heading.
  using Vector = std::array<double, 3>;

  struct Outcome {
    Vector truth{}, mean{};
    std::array<Vector, 3> covariance{};
    double log_likelihood = 0;  // of the scans, estimated
    double effective = 0;       // 1 / sum of squared weights, in particles, mean over the scans
  };

  Localisation(const LocalisationCase& settings, std::uint64_t seed);

  // Drives and localises once; a function of seed and unit.
  Outcome Run(std::uint64_t unit);

  // Ranges of the last run, scan by scan; 0: lost.
  std::span<const double> ranges() const { return ranges_; }

 private:
  struct Cloud {
    std::vector<double> x, y, heading;
  };
  void Start(std::uint64_t unit);
  void Move(std::uint64_t unit, int scan);
  void Scan(std::uint64_t unit, int scan);
  // Weights by the scan; adds to the likelihood and to `effective`.
  void Weigh(int scan, Outcome& outcome);
  void Estimate(Outcome& outcome) const;

  LocalisationCase case_;
  std::uint64_t seed_;
  std::size_t size_;  // of arrays: whole groups
  std::vector<Wall> walls_;
  std::vector<Beam> beams_;
  Cloud cloud_, drawn_;
  Vector truth_{};
  std::vector<double> cosine_, sine_, squares_, weights_, normals_, ranges_;
  std::vector<std::uint32_t> ancestors_;
};

WorkloadType MonteCarloLocalisation();

}  // namespace corerig
