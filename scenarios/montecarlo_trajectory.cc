#include "scenarios/montecarlo_trajectory.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "harness/base/philox.h"
#include "harness/base/text.h"
#include "scenarios/monte_carlo.h"
#include "scenarios/simd/random_fill.h"

namespace corerig {
namespace {

constexpr std::uint32_t kStream = StreamId("montecarlo/trajectory");
enum Lane : std::uint32_t { kSpeedLane, kSteeringLane };
enum Sum { kAlong, kAlongSquares, kLateral, kLateralSquares, kLateralFourths, kLeft, kSumCount };

constexpr int kMostSteps = 500;
constexpr double kRadians = std::numbers::pi / 180;
// A Box-Muller variate made of 32 bits is at most sqrt(-2 ln 2^-33).
constexpr double kLargestNormal = 6.77;

struct Case {
  VehicleModel vehicle;
  int steps = 0;
  double margin = 0;
};

// Means over one step.
struct StepMeans {
  double way = 0, way_squared = 0;
  std::complex<double> turn, way_turn, turn_twice;  // f, g, h
};

StepMeans MeansOf(const VehicleModel& m) {
  const double way = m.speed * m.step, spread = m.speed_noise * m.step;
  StepMeans means = {.way = way, .way_squared = way * way + spread * spread, .turn = 0, .way_turn = 0, .turn_twice = 0};
  // Of the Gaussian way u: E exp(i m u a) = exp(i m a E u - (m a)^2 Var u / 2), E u exp(i a u) its derivative.
  const auto add = [&](double steering, double weight) {
    const double a = std::tan(steering) / m.wheelbase;
    const auto turn = std::exp(std::complex<double>(-a * a * spread * spread / 2, a * way));
    means.turn += weight * turn;
    means.way_turn += weight * turn * std::complex<double>(way, a * spread * spread);
    means.turn_twice += weight * std::exp(std::complex<double>(-2 * a * a * spread * spread, 2 * a * way));
  };
  // The trapezoidal rule's error for a Gaussian integrand falls as exp(-2 pi^2 / width^2).
  constexpr double kWidth = 0.125;
  constexpr int kEach = 64;  // up to 8 standard deviations: what is beyond weighs 1e-15
  double total = 0;
  for (int i = -kEach; i <= kEach; ++i) total += std::exp(-kWidth * i * kWidth * i / 2);
  for (int i = -kEach; i <= kEach; ++i) {
    add(m.steering + m.steering_noise * kWidth * i, std::exp(-kWidth * i * kWidth * i / 2) / total);
  }
  return means;
}

Case CaseOf(const WorkerJob& job) {
  const double step = job.Number("step");
  return {.vehicle = {.wheelbase = job.Number("wheelbase"),
                      .step = step,
                      .speed = job.Number("speed"),
                      .speed_noise = job.Number("speed_noise"),
                      .steering = job.Number("steering") * kRadians,
                      .steering_noise = job.Number("steering_noise") * kRadians},
          .steps = static_cast<int>(std::lround(std::min(job.Number("horizon") / step, 1e6))),
          .margin = job.Number("margin")};
}

class Rollouts {
 public:
  static constexpr std::size_t kSums = kSumCount;

  static Result<Rollouts> Make(const WorkerJob& job) {
    const Case c = CaseOf(job);
    if (c.steps < 1 || c.steps > kMostSteps) {
      return Fail("horizon / step is ", job.Number("horizon") / job.Number("step"),
                  " steps; write a step that makes 1 to ", kMostSteps);
    }
    const double turned = std::abs(c.vehicle.steering) + 8 * c.vehicle.steering_noise;
    if (turned > 1.2) {
      return Fail("steering and eight times its noise are ", turned / kRadians,
                  " degrees; the model's wheels turn to at most 68");
    }
    const ExpectedEnd end = ExpectEnd(c.vehicle, c.steps);
    if (!(std::isfinite(end.lateral_variance) && std::abs(end.along_mean) < 1e9 &&
          std::isfinite(end.lateral_variance * end.lateral_variance) && c.vehicle.speed_noise * c.vehicle.step < 1e9)) {
      return Fail("this car leaves the earth; speed is in m/s, horizon in s, wheelbase in m");
    }
    // The heading is reduced to a quarter turn: what is taken off must be known exactly.
    const double way = (c.vehicle.speed + kLargestNormal * c.vehicle.speed_noise) * c.vehicle.step;
    if (c.steps * way * std::tan(turned) / c.vehicle.wheelbase > 1e5) {
      return Fail("this car spins more than 16000 times; write a longer wheelbase or less speed");
    }
    return Rollouts(job.seed, c, end);
  }

  static std::uint32_t VectorBits() { return corerig::VectorBits(); }

  void Block(std::uint64_t block, std::span<double> sums) {
    std::fill(state_.begin(), state_.end(), 0.0);
    const Vehicles vehicles = {.count = kRolloutsPerBlock,
                               .along = state_.data(),
                               .lateral = state_.data() + kRolloutsPerBlock,
                               .heading = state_.data() + 2 * kRolloutsPerBlock,
                               .farthest = state_.data() + 3 * kRolloutsPerBlock};
    for (int step = 0; step < case_.steps; ++step) {
      const std::uint64_t first =
          (block * static_cast<std::uint64_t>(case_.steps) + static_cast<std::uint64_t>(step)) * kRolloutsPerBlock / 4;
      FillNormals(seed_, kStream, first, speed_normals_, kSpeedLane);
      FillNormals(seed_, kStream, first, steering_normals_, kSteeringLane);
      StepVehicles(case_.vehicle, speed_normals_.data(), steering_normals_.data(), vehicles);
    }
    for (std::size_t i = 0; i < kRolloutsPerBlock; ++i) {
      // About the means that are known, so that squares lose nothing.
      const double along = vehicles.along[i] - end_.along_mean, lateral = vehicles.lateral[i] - end_.lateral_mean;
      sums[kAlong] += along;
      sums[kAlongSquares] += along * along;
      sums[kLateral] += lateral;
      sums[kLateralSquares] += lateral * lateral;
      sums[kLateralFourths] += lateral * lateral * lateral * lateral;
      sums[kLeft] += vehicles.farthest[i] > case_.margin ? 1 : 0;
    }
  }

  static Result<Answer> Conclude(const WorkerJob& job, const Tally& tally) {
    const Case c = CaseOf(job);
    const ExpectedEnd end = ExpectEnd(c.vehicle, c.steps);
    const double count = static_cast<double>(tally.units) * static_cast<double>(kRolloutsPerBlock);
    const auto sum = [&](Sum which) { return tally.sums[which].Value(); };
    const MeanOf along(count, sum(kAlong), sum(kAlongSquares));
    const MeanOf lateral(count, sum(kLateral), sum(kLateralSquares));
    const MeanOf square(count, sum(kLateralSquares), sum(kLateralFourths));
    const double left = sum(kLeft) / count;

    // Rounding is more than the spread where there is next to no noise.
    const double way = 1 + std::abs(end.along_mean);
    const double mean_error = std::max({lateral.standard_error, std::sqrt(end.lateral_variance / count), 1e-12 * way});
    // The fourth moment of few rollouts is uncertain itself; a normal deviation's is three times the variance's square.
    const double square_error =
        std::max({square.standard_error, end.lateral_variance * std::sqrt(2 / count), 1e-12 * way * way});
    const double along_error = std::max(along.standard_error, 1e-12 * way);

    const double spread = std::sqrt(lateral.variance);
    Answer answer = {
        .units = tally.units,
        .figures = {{"lateral_mean", end.lateral_mean + lateral.mean, "m"},
                    {"lateral_mean_standard_error", lateral.standard_error, "m"},
                    {"lateral_deviation", spread, "m"},
                    {"lateral_deviation_standard_error", spread > 0 ? square.standard_error / (2 * spread) : 0, "m"},
                    {"along_mean", end.along_mean + along.mean, "m"},
                    {"along_mean_standard_error", along.standard_error, "m"},
                    {"left_lane", left, ""},
                    {"left_lane_standard_error", std::sqrt(left * (1 - left) / count), ""},
                    {"rollouts", count, "rollouts"},
                    {"exact_lateral_mean", end.lateral_mean, "m"},
                    {"exact_lateral_deviation", std::sqrt(end.lateral_variance), "m"},
                    {"exact_along_mean", end.along_mean, "m"}},
        .check = {}};
    struct Known {
      std::string_view name;
      double off, value, expected, standard_error;
    };
    const Known known[] = {{"the exact mean of the lateral deviation", lateral.mean, end.lateral_mean + lateral.mean,
                            end.lateral_mean, mean_error},
                           {"the exact variance of the lateral deviation", square.mean - end.lateral_variance,
                            square.mean, end.lateral_variance, square_error},
                           {"the exact mean of the way along the road", along.mean, end.along_mean + along.mean,
                            end.along_mean, along_error}};
    // What is not a number is worse than any.
    const auto badness = [](const Known& one) {
      const double deviation = std::abs(one.off) / one.standard_error;
      return std::isnan(deviation) ? INFINITY : deviation;
    };
    const Known& worst = *std::max_element(std::begin(known), std::end(known),
                                           [&](const Known& a, const Known& b) { return badness(a) < badness(b); });
    answer.figures.push_back({"deviation", std::abs(worst.off) / worst.standard_error, "standard errors"});
    answer.figures.push_back(VectorWidth(tally));
    answer.check = CheckAgainst(worst.name, worst.value, worst.expected, worst.standard_error);
    return answer;
  }

 private:
  Rollouts(std::uint64_t seed, const Case& c, const ExpectedEnd& end)
      : seed_(seed),
        case_(c),
        end_(end),
        state_(4 * kRolloutsPerBlock),
        speed_normals_(kRolloutsPerBlock),
        steering_normals_(kRolloutsPerBlock) {}

  std::uint64_t seed_;
  Case case_;
  ExpectedEnd end_;
  std::vector<double> state_, speed_normals_, steering_normals_;
};

}  // namespace

ExpectedEnd ExpectEnd(const VehicleModel& model, int steps) {
  const StepMeans means = MeansOf(model);
  // After k steps: sum of f^j, sum of h^j, h^k, and the inner sums of S and S', with their own sums.
  std::complex<double> turned = 1, turned_twice = 1, sum = 0, sum_twice = 0, both = 0, sum_of_sums = 0, sum_of_both = 0;
  for (int k = 0; k < steps; ++k) {
    sum_of_sums += sum;   // sum over j < k of f^(k-j-1) is the sum of f^j
    sum_of_both += both;  // sum over j < k of h^j f^(k-j-1)
    both = means.turn * both + turned_twice;
    sum += turned;
    sum_twice += turned_twice;
    turned *= means.turn;
    turned_twice *= means.turn_twice;
  }
  const std::complex<double> mean = means.way * sum;
  const double magnitude = steps * means.way_squared + 2 * (means.way_turn * means.way * sum_of_sums).real();
  const std::complex<double> square = means.way_squared * sum_twice + 2.0 * means.way_turn * means.way * sum_of_both;
  const double lateral_square = (magnitude - square.real()) / 2;
  return {.along_mean = mean.real(),
          .lateral_mean = mean.imag(),
          .lateral_variance = std::max(lateral_square - mean.imag() * mean.imag(), 0.0)};
}

WorkloadType MonteCarloTrajectory() {
  using Kind = ParameterInfo::Kind;
  return MonteCarlo<Rollouts>(
      {.name = "montecarlo/trajectory",
       .about = "rolls a car with noise on wheel and speed out over a horizon: will it leave its lane?",
       .unit = "block of 512 rollouts",
       .parameters = {{"speed", Kind::kPositiveNumber, "25", "m/s"},
                      {"speed_noise", Kind::kNotNegative, "0.5", "m/s, of each step by itself"},
                      {"steering", Kind::kNumber, "0.02", "bias of the wheels' angle, degrees"},
                      {"steering_noise", Kind::kNotNegative, "0.5", "degrees, of each step by itself"},
                      {"wheelbase", Kind::kPositiveNumber, "2.7", "m"},
                      {"horizon", Kind::kPositiveNumber, "3", "s"},
                      {"step", Kind::kPositiveNumber, "0.01", "s; the horizon is rounded to whole ones, at most 500"},
                      {"margin", Kind::kPositiveNumber, "0.9", "m to either side before the lane is left"}}});
}

}  // namespace corerig
