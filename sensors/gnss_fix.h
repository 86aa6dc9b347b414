// What a satellite receiver measures: a path with position and velocity, and the errors of both.
//
//   GnssPath path(seed, stream_id, rate, {.position = 1.5, .velocity = 0.05});
//   const GnssFix fix = path.At(n);  // fix.truth, fix.measured
//
// The path, level but for a slow heave, with v(t) the derivative of p(t), T = 60 s:
//
//   north = 20 m cos(2 pi t/T)   east = 20 m sin(2 pi t/T)   up = 450 m + 3 m sin(4 pi t/T)
//
// Errors of position wander: each axis is a first-order Gauss-Markov process in steady state,
// e[n+1] = a e[n] + sigma sqrt(1 - a^2) w[n+1] with a = exp(-1 / (rate * 60 s)); 60 s is our assumption, as the
// ionosphere and satellites' orbits err for minutes and multipath for seconds. Errors of velocity are white, since the
// receiver measures velocity by Doppler shift and not by differences. Height errs twice as much as either horizontal
// axis, as satellite geometry has it.
//
// Metres are those on the WGS 84 ellipsoid at the reference: one degree of latitude is pi/180 a (1 - e^2) / (1 - e^2
// sin^2)^1.5, one of longitude pi/180 a cos / (1 - e^2 sin^2)^0.5.
#pragma once

#include <array>
#include <cstdint>

#include "harness/base/units.h"

namespace corerig {

// The middle of Lake Constance, where a position harms nobody; north and east are metres from here.
inline constexpr double kGnssLatitude = 47.6, kGnssLongitude = 9.45;  // degrees

inline constexpr double kGnssRadius = 20;                                                           // m
inline constexpr double kGnssTurnSeconds = 60, kGnssWanderSeconds = 60;                             // T; of the errors
inline constexpr double kGnssHighestSpeed = 2 * 3.14159265358979 * kGnssRadius / kGnssTurnSeconds;  // m/s
inline constexpr double kGeoidSeparation = 47;  // m: the geoid above the ellipsoid there

double LatitudeOf(double north);  // degrees
double LongitudeOf(double east);  // degrees
double NorthOf(double latitude);  // m

struct GnssMotion {
  double north = 0, east = 0, up = 0;                             // m, up from the sea
  double velocity_north = 0, velocity_east = 0, velocity_up = 0;  // m/s
  double speed() const;                                           // m/s over ground
  double course() const;                                          // degrees clockwise from north, [0, 360)
};

GnssMotion GnssTruthAt(Nanos offset);

// The radius that holds half of all horizontal errors (circular error probable, CEP), as data sheets state accuracy,
// makes sigma * sqrt(2 ln 2) for two independent normal axes of deviation sigma.
constexpr double SigmaOfCep(double cep) { return cep / 1.1774100225154747; }

// Wandering errors of steps 0, 1, 2, … (north, east, up), in units of the horizontal standard deviation. One thread.
// A pure function of seed, stream and step; a step forward costs the steps between, one back costs all from 0.
class GnssWander {
 public:
  GnssWander(std::uint64_t seed, std::uint32_t stream_id, double steps_per_second);
  const std::array<double, 3>& At(std::uint64_t step);

 private:
  void Draw(std::uint64_t step, double keep, double fresh);

  std::uint64_t seed_;
  std::uint32_t stream_id_;
  double keep_, fresh_;
  std::uint64_t step_ = 0;
  std::array<double, 3> error_{};
};

struct GnssFix {
  GnssMotion truth, measured;
};

struct GnssAccuracy {
  double position = 0;  // m, horizontal CEP
  double velocity = 0;  // m/s, horizontal CEP
};

class GnssPath {
 public:
  GnssPath(std::uint64_t seed, std::uint32_t stream_id, Rate rate, GnssAccuracy accuracy);
  GnssFix At(std::uint64_t sample);

 private:
  std::uint64_t seed_;
  std::uint32_t stream_id_;
  Rate rate_;
  double position_sigma_, velocity_sigma_;
  GnssWander wander_;
};

}  // namespace corerig
