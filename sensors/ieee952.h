// The noise of an inertial sensor as IEEE Std 952-1997 (annex C) names it, for three axes at once.
//
//   Ieee952Noise noise({n, n, n}, rate, seed, stream, kGyroLane);
//   measured[axis] += noise.At(sample)[axis];
//
// In SI units; u is the unit of the quantity, m/s^2 or rad/s. Each process, its Allan variance at averaging time t, and
// how it is made (w: independent standard normal numbers, d: time between samples):
//
//   random walk N, u/sqrt(Hz)       N^2 / t             N * w / sqrt(d)
//   bias instability B, u           see below           a first-order Gauss-Markov process of correlation time T
//   rate random walk K, u/sqrt(s)   K^2 * t / 3         sums of K * w * sqrt(step): variance K^2 * elapsed
//   quantisation Q, u*s             3 * Q^2 / t^2       Q * (w[n] - w[n - 1]) / d
//
// N is two-sided, a data sheet's noise density D is one-sided: N = D / sqrt(2), which makes the standard deviation of a
// sample D * sqrt(rate / 2). It is white up to half the rate: the part's filter is taken to pass that much.
//
// B, and what a Gauss-Markov process has to do with it. The standard's B is the strength of flicker noise, whose Allan
// deviation is flat at sqrt(2 ln 2 / pi) * B = 0.664 B: data sheets and Allan plots quote either that floor or B. A
// Gauss-Markov process db = -b/T dt + q dW, with steady standard deviation sigma = q * sqrt(T / 2), has an Allan
// deviation with a maximum of 0.4365 * q * sqrt(T) = 0.6174 * sigma at t = 1.89 T, flat nearby. We make the two meet:
// q = 1.5217 * B / sqrt(T) and sigma = 1.0760 * B, so that alone it peaks at 0.664 B. Away from 1.89 T it is below
// flicker, as one Gauss-Markov process is. It begins in its steady state, drawn with sigma.
//
// What is slow, B and K, moves in steps of 50 ms whatever the rate, so that neither its path nor its spectrum depends
// on the rate; of steps at random phases the Allan variance is that of the smooth path. Steps are drawn with their own
// number: At is a pure function of its argument. Asked for in order it costs one draw a sample, one more for each kind
// of slow noise each step; going back replays the steps from 0.
//
// The numbers of one object are those of lanes [first_lane, first_lane + kLanes) of the stream. One thread.
#pragma once

#include <array>
#include <cstdint>

#include "harness/base/units.h"

namespace corerig {

using Axes = std::array<double, 3>;  // x y z

// Of one axis.
struct Ieee952 {
  double random_walk = 0;         // N
  double bias_instability = 0;    // B
  double correlation_time = 100;  // T, s
  double rate_random_walk = 0;    // K
  double quantization = 0;        // Q
};

// N of a data sheet's one-sided density D.
double RandomWalkOf(double density);

struct GaussMarkov {
  double driving = 0;  // q, u/sqrt(s)
  double steady = 0;   // sigma, u
};
GaussMarkov GaussMarkovOf(double bias_instability, double correlation_time);

class Ieee952Noise {
 public:
  static constexpr std::uint32_t kLanes = 4;
  static constexpr Nanos kStep{50'000'000};

  Ieee952Noise(const std::array<Ieee952, 3>& axes, Rate rate, std::uint64_t seed, std::uint32_t stream,
               std::uint32_t first_lane);

  // What noise adds to sample `sample`.
  Axes At(std::uint64_t sample);

 private:
  struct Axis {
    double white = 0, quantum = 0;              // standard deviations
    double steady = 0, decay = 0, renewal = 0;  // Gauss-Markov: b' = decay * b + renewal * w
    double walk = 0;                            // standard deviation of a step
  };

  Axes Normals(std::uint64_t index, std::uint32_t lane) const;
  void StartSlow();
  void AdvanceSlow();

  const Rate rate_;
  const std::uint64_t seed_;
  const std::uint32_t stream_, first_lane_;
  std::array<Axis, 3> axes_;
  bool white_ = false, quantized_ = false, biased_ = false, walks_ = false;  // on any axis
  std::uint64_t step_ = 0;                                                   // what the slow state is of
  Axes bias_{}, walk_{};
};

// Errors of scale and axes: a triad shows (1 + E) * true, with the errors of scale on E's diagonal and beside it what
// each axis sees of the others (misalignment, cross-axis sensitivity).
struct AxisErrors {
  std::array<Axes, 3> e{};
  Axes Of(const Axes& truth) const;  // (1 + E) * truth
};

// Drawn uniformly within the tolerances of a data sheet, both shares (0.005: +-0.5 %).
AxisErrors DrawAxisErrors(double scale, double cross_axis, std::uint64_t seed, std::uint32_t stream,
                          std::uint32_t lane);

}  // namespace corerig
