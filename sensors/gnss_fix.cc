#include "sensors/gnss_fix.h"

#include <cmath>
#include <numbers>

#include "harness/base/philox.h"

namespace corerig {
namespace {

constexpr double kDegree = std::numbers::pi / 180;
constexpr double kRadius = kGnssRadius, kSeaHeight = 450, kHeave = 3;  // m
constexpr Nanos kTurn = std::chrono::seconds(60);                      // a whole number of heaves
constexpr double kTurnSeconds = kGnssTurnSeconds, kWanderSeconds = kGnssWanderSeconds;
constexpr double kVertical = 2;

enum Lane : std::uint32_t { kPositionLane, kVelocityLane };

struct MetresPerDegree {
  double latitude = 0, longitude = 0;
};

const MetresPerDegree& AtReference() {
  static const MetresPerDegree metres = [] {
    constexpr double kSemiMajor = 6'378'137, kFlattening = 1 / 298.257223563;  // WGS 84
    constexpr double kSquare = kFlattening * (2 - kFlattening);                // of the eccentricity
    const double sine = std::sin(kGnssLatitude * kDegree);
    const double root = std::sqrt(1 - kSquare * sine * sine);
    return MetresPerDegree{.latitude = kDegree * kSemiMajor * (1 - kSquare) / (root * root * root),
                           .longitude = kDegree * kSemiMajor * std::cos(kGnssLatitude * kDegree) / root};
  }();
  return metres;
}

}  // namespace

double LatitudeOf(double north) { return kGnssLatitude + north / AtReference().latitude; }
double LongitudeOf(double east) { return kGnssLongitude + east / AtReference().longitude; }
double NorthOf(double latitude) { return (latitude - kGnssLatitude) * AtReference().latitude; }

double GnssMotion::speed() const { return std::hypot(velocity_north, velocity_east); }

double GnssMotion::course() const {
  const double degrees = std::atan2(velocity_east, velocity_north) / kDegree;
  return degrees < 0 ? degrees + 360 : degrees;
}

GnssMotion GnssTruthAt(Nanos offset) {
  // Whole turns are taken off in integers, so that the angle stays exact in long runs.
  constexpr double kPerSecond = 2 * std::numbers::pi / kTurnSeconds;
  const double angle = kPerSecond * static_cast<double>((offset % kTurn).count()) * 1e-9;
  const double sine = std::sin(angle), cosine = std::cos(angle);
  // sin 2x = 2 sin x cos x, cos 2x = cos^2 x - sin^2 x.
  return {.north = kRadius * cosine,
          .east = kRadius * sine,
          .up = kSeaHeight + kHeave * 2 * sine * cosine,
          .velocity_north = -kRadius * kPerSecond * sine,
          .velocity_east = kRadius * kPerSecond * cosine,
          .velocity_up = 2 * kHeave * kPerSecond * (cosine * cosine - sine * sine)};
}

GnssWander::GnssWander(std::uint64_t seed, std::uint32_t stream_id, double steps_per_second)
    : seed_(seed),
      stream_id_(stream_id),
      keep_(std::exp(-1 / (steps_per_second * kWanderSeconds))),
      fresh_(std::sqrt(1 - keep_ * keep_)) {
  Draw(0, 0, 1);
}

const std::array<double, 3>& GnssWander::At(std::uint64_t step) {
  if (step < step_) Draw(step_ = 0, 0, 1);
  while (step_ < step) Draw(++step_, keep_, fresh_);
  return error_;
}

void GnssWander::Draw(std::uint64_t step, double keep, double fresh) {
  const auto normals = RandomNormals(seed_, stream_id_, step, kPositionLane);
  for (int axis = 0; axis < 3; ++axis) {
    const double innovation = (axis == 2 ? kVertical : 1) * normals[axis];
    error_[axis] = keep * error_[axis] + fresh * innovation;
  }
}

GnssPath::GnssPath(std::uint64_t seed, std::uint32_t stream_id, Rate rate, GnssAccuracy accuracy)
    : seed_(seed),
      stream_id_(stream_id),
      rate_(rate),
      position_sigma_(SigmaOfCep(accuracy.position)),
      velocity_sigma_(SigmaOfCep(accuracy.velocity)),
      wander_(seed, stream_id, rate.hertz()) {}

GnssFix GnssPath::At(std::uint64_t sample) {
  GnssFix fix{.truth = GnssTruthAt(rate_.OffsetOf(sample)), .measured = {}};
  const auto& error = wander_.At(sample);
  const auto doppler = RandomNormals(seed_, stream_id_, sample, kVelocityLane);
  fix.measured = {.north = fix.truth.north + position_sigma_ * error[0],
                  .east = fix.truth.east + position_sigma_ * error[1],
                  .up = fix.truth.up + position_sigma_ * error[2],
                  .velocity_north = fix.truth.velocity_north + velocity_sigma_ * doppler[0],
                  .velocity_east = fix.truth.velocity_east + velocity_sigma_ * doppler[1],
                  .velocity_up = fix.truth.velocity_up + kVertical * velocity_sigma_ * doppler[2]};
  return fix;
}

}  // namespace corerig
