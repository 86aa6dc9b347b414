#include "scenarios/montecarlo_localisation.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "harness/base/philox.h"
#include "harness/base/text.h"
#include "scenarios/monte_carlo.h"
#include "scenarios/simd/random_fill.h"

namespace corerig {
namespace {

constexpr std::uint32_t kStream = StreamId("montecarlo/localisation");
enum Lane : std::uint32_t { kTruthLane, kRangeLane, kLostLane, kStartLane, kMoveLane, kResampleLane };
// Of lateral place and heading the errors; of place and heading the squared errors, by how much these exceed the
// variance that the filter believes, and the squares of that.
enum Sum {
  kLateral,
  kLateralSquares,
  kHeading,
  kHeadingSquares,
  kHeadingExcess,
  kHeadingExcessSquares,
  kPlaceSquares,
  kPlaceExcess,
  kPlaceExcessSquares,
  kEffective,
  kAstray,
  kSumCount
};

// The LD06's reach, and the room that it is simulated in (sensors/ld06); two pillars instead of one.
constexpr double kReach = 12, kHalfLength = 3, kHalfWidth = 2, kStartX = -2;
constexpr double kPillarX = 1.2, kPillarY = 1.2, kPillarHalf = 0.2;

constexpr int kPoseNormals = 4;  // per pose, of which three are used: a whole draw
constexpr double kDegrees = 180 / std::numbers::pi;
constexpr int kFewestParticles = 100, kMostParticles = 2000;
// A filter that is off by so much has lost its way.
constexpr double kLostWay = 0.3;
// By what share of the believed variance N particles, other than infinitely many, make the squared error exceed it, in
// 1 / N: 130 was measured with the least range noise, 50 with the default (3000 filters; it falls as 1 / N from 100 to
// 2000 particles). So much is allowed.
constexpr double kParticleShare = 200;
constexpr double kLeastRangeNoise = 0.03, kMostRangeNoise = 1;

std::size_t WholeGroups(std::size_t count) { return (count + kPoseGroup - 1) / kPoseGroup * kPoseGroup; }

void AddBox(double x, double y, double half_x, double half_y, std::vector<Wall>& walls) {
  walls.push_back({x - half_x, y - half_y, 2 * half_x, 0});
  walls.push_back({x + half_x, y - half_y, 0, 2 * half_y});
  walls.push_back({x + half_x, y + half_y, -2 * half_x, 0});
  walls.push_back({x - half_x, y + half_y, 0, -2 * half_y});
}

}  // namespace

void ResampleSystematically(std::span<const double> weights, double uniform, std::span<std::uint32_t> ancestors) {
  double total = 0;
  for (const double weight : weights) total += weight;
  const double step = total / static_cast<double>(ancestors.size());
  double reached = weights[0];
  std::uint32_t at = 0;
  for (std::size_t i = 0; i < ancestors.size(); ++i) {
    const double position = (static_cast<double>(i) + uniform) * step;
    // The sum in another order may end short of the last position.
    while (reached <= position && at + 1 < weights.size()) reached += weights[++at];
    ancestors[i] = at;
  }
}

Localisation::Localisation(const LocalisationCase& settings, std::uint64_t seed)
    : case_(settings), seed_(seed), size_(WholeGroups(settings.particles)) {
  AddBox(0, 0, kHalfLength, kHalfWidth, walls_);
  if (case_.pillars) {
    for (const double side : {-1.0, 1.0}) AddBox(kPillarX, side * kPillarY, kPillarHalf, kPillarHalf, walls_);
  }
  for (int beam = 0; beam < case_.beams; ++beam) {
    const double direction = 2 * std::numbers::pi * beam / case_.beams;
    beams_.push_back({.cosine = std::cos(direction), .sine = std::sin(direction)});
  }
  for (auto* const array : {&cloud_.x, &cloud_.y, &cloud_.heading, &drawn_.x, &drawn_.y, &drawn_.heading, &cosine_,
                            &sine_, &squares_, &weights_}) {
    array->assign(size_, 0.0);
  }
  weights_.resize(case_.particles);
  ancestors_.resize(case_.particles);
  normals_.resize(kPoseNormals * size_);
  ranges_.resize(static_cast<std::size_t>(case_.scans * case_.beams));
}

Localisation::Outcome Localisation::Run(std::uint64_t unit) {
  Outcome outcome;
  Start(unit);
  for (int scan = 0; scan < case_.scans; ++scan) {
    if (scan > 0) {
      const auto scans = static_cast<std::uint64_t>(case_.scans);
      const auto words = RandomWords(seed_, kStream, unit * scans + static_cast<std::uint64_t>(scan), kResampleLane);
      ResampleSystematically(weights_, UniformOpen(words[0]), ancestors_);
      for (std::size_t i = 0; i < case_.particles; ++i) {
        drawn_.x[i] = cloud_.x[ancestors_[i]];
        drawn_.y[i] = cloud_.y[ancestors_[i]];
        drawn_.heading[i] = cloud_.heading[ancestors_[i]];
      }
      std::swap(cloud_, drawn_);
      Move(unit, scan);
    }
    Scan(unit, scan);
    Weigh(scan, outcome);
  }
  Estimate(outcome);
  return outcome;
}

// Everybody starts from the same pose with noise of his own: the robot first, then the particles.
void Localisation::Start(std::uint64_t unit) {
  const auto scans = static_cast<std::uint64_t>(case_.scans);
  const auto normals = RandomNormals(seed_, kStream, unit * scans, kTruthLane);
  truth_ = {kStartX + case_.start_noise * normals[0], case_.start_noise * normals[1], case_.start_turn * normals[2]};
  FillNormals(seed_, kStream, unit * size_, normals_, kStartLane);
  for (std::size_t i = 0; i < size_; ++i) {
    cloud_.x[i] = kStartX + case_.start_noise * normals_[kPoseNormals * i];
    cloud_.y[i] = case_.start_noise * normals_[kPoseNormals * i + 1];
    cloud_.heading[i] = case_.start_turn * normals_[kPoseNormals * i + 2];
  }
}

// `way` ahead, with noise ahead and to the side; then the turn.
void Localisation::Move(std::uint64_t unit, int scan) {
  const std::uint64_t index = unit * static_cast<std::uint64_t>(case_.scans) + static_cast<std::uint64_t>(scan);
  const auto move = [this](double& x, double& y, double& heading, const double* normals) {
    const double ahead = case_.way + case_.forward_noise * normals[0], aside = case_.lateral_noise * normals[1];
    const double c = std::cos(heading), s = std::sin(heading);
    x += ahead * c - aside * s;
    y += ahead * s + aside * c;
    heading += case_.turn_noise * normals[2];
  };
  const auto normals = RandomNormals(seed_, kStream, index, kTruthLane);
  move(truth_[0], truth_[1], truth_[2], normals.data());
  FillNormals(seed_, kStream, index * size_, normals_, kMoveLane);
  for (std::size_t i = 0; i < size_; ++i) {
    move(cloud_.x[i], cloud_.y[i], cloud_.heading[i], normals_.data() + kPoseNormals * i);
  }
}

// What the laser says where the robot really is.
void Localisation::Scan(std::uint64_t unit, int scan) {
  const auto draws_per_scan = static_cast<std::uint64_t>(case_.beams + 3) / 4;
  const std::uint64_t first =
      (unit * static_cast<std::uint64_t>(case_.scans) + static_cast<std::uint64_t>(scan)) * draws_per_scan;
  std::array<double, kPoseGroup> x, y, cosine, sine;
  x.fill(truth_[0]);
  y.fill(truth_[1]);
  cosine.fill(std::cos(truth_[2]));
  sine.fill(std::sin(truth_[2]));
  const Poses here = {.count = kPoseGroup, .x = x.data(), .y = y.data(), .cosine = cosine.data(), .sine = sine.data()};
  const Map map = {.walls = walls_.data(), .count = walls_.size(), .reach = kReach};
  for (int beam = 0; beam < case_.beams; ++beam) {
    const auto place = static_cast<std::uint64_t>(beam);
    std::array<double, kPoseGroup> squares{};
    Beam ray = beams_[place];
    ray.range = 0;
    AddSquaredErrors(map, ray, here, squares.data());
    const auto noise = RandomNormals(seed_, kStream, first + place / 4, kRangeLane);
    const auto luck = RandomWords(seed_, kStream, first + place / 4, kLostLane);
    const bool lost = UniformOpen(luck[place % 4]) < case_.lost;
    ranges_[static_cast<std::size_t>(scan * case_.beams + beam)] =
        lost ? 0 : std::sqrt(squares[0]) + case_.range_noise * noise[place % 4];
  }
}

void Localisation::Weigh(int scan, Outcome& outcome) {
  for (std::size_t i = 0; i < size_; ++i) {
    cosine_[i] = std::cos(cloud_.heading[i]);
    sine_[i] = std::sin(cloud_.heading[i]);
  }
  std::fill(squares_.begin(), squares_.end(), 0.0);
  const Poses poses = {
      .count = size_, .x = cloud_.x.data(), .y = cloud_.y.data(), .cosine = cosine_.data(), .sine = sine_.data()};
  const Map map = {.walls = walls_.data(), .count = walls_.size(), .reach = kReach};
  int heard = 0;
  for (int beam = 0; beam < case_.beams; ++beam) {
    Beam ray = beams_[static_cast<std::size_t>(beam)];
    ray.range = ranges_[static_cast<std::size_t>(scan * case_.beams + beam)];
    if (ray.range == 0) continue;  // lost beams are so anywhere, and tell nothing
    AddSquaredErrors(map, ray, poses, squares_.data());
    ++heard;
  }
  // Against the best, so that not all weights underflow.
  const double least = *std::min_element(squares_.begin(), squares_.begin() + static_cast<long>(case_.particles));
  const double scale = -0.5 / (case_.range_noise * case_.range_noise);
  double sum = 0, sum_squares = 0;
  for (std::size_t i = 0; i < case_.particles; ++i) {
    const double weight = std::exp(scale * (squares_[i] - least));
    weights_[i] = weight;
    sum += weight;
    sum_squares += weight * weight;
  }
  outcome.effective += sum * sum / sum_squares / case_.scans;
  outcome.log_likelihood += std::log(sum / static_cast<double>(case_.particles)) + scale * least -
                            heard * std::log(case_.range_noise * std::sqrt(2 * std::numbers::pi));
}

void Localisation::Estimate(Outcome& outcome) const {
  outcome.truth = truth_;
  const std::array<const double*, 3> parts = {cloud_.x.data(), cloud_.y.data(), cloud_.heading.data()};
  double total = 0;
  for (const double weight : weights_) total += weight;
  for (std::size_t a = 0; a < 3; ++a) {
    double sum = 0;
    for (std::size_t i = 0; i < case_.particles; ++i) sum += weights_[i] * parts[a][i];
    outcome.mean[a] = sum / total;
  }
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = 0; b <= a; ++b) {
      double sum = 0;
      for (std::size_t i = 0; i < case_.particles; ++i) {
        sum += weights_[i] * (parts[a][i] - outcome.mean[a]) * (parts[b][i] - outcome.mean[b]);
      }
      outcome.covariance[a][b] = outcome.covariance[b][a] = sum / total;
    }
  }
}

namespace {

class Filter {
 public:
  static constexpr std::size_t kSums = kSumCount;

  static Result<Filter> Make(const WorkerJob& job) {
    const double particles = job.Number("particles"), noise = job.Number("range_noise");
    if (particles < kFewestParticles || particles > kMostParticles) {
      return Fail("particles = ", particles, "; write ", kFewestParticles, " to ", kMostParticles);
    }
    // With less, next to no particle fits a scan, with more a scan tells nothing.
    if (noise < kLeastRangeNoise || noise > kMostRangeNoise) {
      return Fail("range_noise = ", noise, " m; write ", kLeastRangeNoise, " to ", kMostRangeNoise);
    }
    LocalisationCase settings;
    settings.particles = static_cast<std::size_t>(particles);
    settings.range_noise = noise;
    return Filter(settings, job.seed);
  }

  static std::uint32_t VectorBits() { return corerig::VectorBits(); }

  void Block(std::uint64_t block, std::span<double> sums) {
    const Localisation::Outcome outcome = localisation_.Run(block);
    Localisation::Vector error;
    for (std::size_t i = 0; i < 3; ++i) error[i] = outcome.truth[i] - outcome.mean[i];
    const auto& believed = outcome.covariance;
    const double place = error[0] * error[0] + error[1] * error[1];
    const double place_excess = place - believed[0][0] - believed[1][1];
    const double heading_excess = error[2] * error[2] - believed[2][2];
    sums[kLateral] = error[1];
    sums[kLateralSquares] = error[1] * error[1];
    sums[kHeading] = error[2];
    sums[kHeadingSquares] = error[2] * error[2];
    sums[kHeadingExcess] = heading_excess;
    sums[kHeadingExcessSquares] = heading_excess * heading_excess;
    sums[kPlaceSquares] = place;
    sums[kPlaceExcess] = place_excess;
    sums[kPlaceExcessSquares] = place_excess * place_excess;
    sums[kEffective] = outcome.effective;
    sums[kAstray] = place > kLostWay * kLostWay ? 1 : 0;
  }

  static Result<Answer> Conclude(const WorkerJob& job, const Tally& tally) {
    const auto count = static_cast<double>(tally.units);
    const auto sum = [&](Sum which) { return tally.sums[which].Value(); };
    const MeanOf lateral(count, sum(kLateral), sum(kLateralSquares));
    const MeanOf heading(count, sum(kHeading), sum(kHeadingSquares));
    const Belief place(count, sum(kPlaceSquares), sum(kPlaceExcess), sum(kPlaceExcessSquares));
    const Belief turn(count, sum(kHeadingSquares), sum(kHeadingExcess), sum(kHeadingExcessSquares));
    Answer answer{.units = tally.units,
                  .figures = {{"place_error", std::sqrt(sum(kPlaceSquares) / count), "m"},
                              {"heading_error", std::sqrt(sum(kHeadingSquares) / count) * kDegrees, "degrees"},
                              {"lateral_mean", lateral.mean, "m"},
                              {"lateral_mean_standard_error", lateral.standard_error, "m"},
                              {"heading_mean", heading.mean * kDegrees, "degrees"},
                              {"heading_mean_standard_error", heading.standard_error * kDegrees, "degrees"},
                              {"place_excess", place.share, "of the believed variance"},
                              {"place_excess_standard_error", place.standard_error, "of the believed variance"},
                              {"heading_excess", turn.share, "of the believed variance"},
                              {"heading_excess_standard_error", turn.standard_error, "of the believed variance"},
                              {"effective_particles", sum(kEffective) / count, "particles"},
                              {"astray", sum(kAstray), "filters"},
                              {"filters", count, "filters"},
                              VectorWidth(tally)},
                  .check = Judge(job, lateral, heading, place, turn, sum(kAstray), count)};
    // Of one filter nothing is known of how much they vary.
    if (tally.units < 2) {
      std::erase_if(answer.figures, [](const Figure& figure) { return figure.name.ends_with("_standard_error"); });
    }
    return answer;
  }

 private:
  // By what share squared errors exceed the variance that filters believe.
  struct Belief {
    double share = 0, standard_error = 0;
    Belief(double count, double squares, double excess, double excess_squares) {
      const MeanOf mean(count, excess, excess_squares);
      const double believed = (squares - excess) / count;
      // Particles that all are one believe in no error.
      if (believed <= 0) return;
      share = mean.mean / believed;
      standard_error = mean.standard_error / believed;
    }
  };

  Filter(const LocalisationCase& settings, std::uint64_t seed) : localisation_(settings, seed) {}

  static CheckRecord Judge(const WorkerJob& job, const MeanOf& lateral, const MeanOf& heading, const Belief& place,
                           const Belief& turn, double astray, double count) {
    // One in ten thousand may lose its way; of fewer filters, one.
    if (astray > 1 + count * 1e-4) {
      return {.passed = false, .text = StrCat(astray, " of ", count, " filters lost their way by more than 0.3 m")};
    }
    // Of few filters the spread is known too badly to judge their mean by.
    constexpr double kEnough = 100;
    if (count < kEnough) {
      return {.passed = true, .text = StrCat("the filters found the robot; ", count, " are too few to say more")};
    }
    // Rounding alone is left where there is no error at all.
    const double sideways = std::abs(lateral.mean) / std::max(lateral.standard_error, 1e-12);
    const double turned = std::abs(heading.mean) / std::max(heading.standard_error, 1e-12);
    const std::string means =
        StrCat("mean lateral and heading errors are ", Tenths(sideways), " and ", Tenths(turned),
               " standard errors from 0, where symmetry puts them (limit ", kMostStandardErrors, ")");
    if (!(sideways <= kMostStandardErrors && turned <= kMostStandardErrors)) return {.passed = false, .text = means};
    const double allowed = kParticleShare / job.Number("particles");
    const auto judge = [&](std::string_view of, const Belief& belief) {
      const double low = -kMostStandardErrors * belief.standard_error, high = allowed - low;
      return CheckRecord{.passed = belief.share >= low && belief.share <= high,
                         .text = StrCat("the squared error of the ", of, " exceeds what the filters believe by ",
                                        Percent(belief.share), " (limits ", Percent(low), " to ", Percent(high), ")")};
    };
    CheckRecord belief = judge("place", place);
    if (!belief.passed) return belief;
    belief = judge("heading", turn);
    if (!belief.passed) return belief;
    return {.passed = true,
            .text = StrCat(means, "; squared errors exceed what the filters believe by ", Percent(place.share),
                           " (place) and ", Percent(turn.share), " (heading); limit ", Percent(allowed),
                           " and 5 standard errors")};
  }

  static double Tenths(double value) { return std::round(value * 10) / 10; }
  static std::string Percent(double share) { return StrCat(Tenths(share * 100), " %"); }

  Localisation localisation_;
};

}  // namespace

WorkloadType MonteCarloLocalisation() {
  using Kind = ParameterInfo::Kind;
  return MonteCarlo<Filter>(
      {.name = "montecarlo/localisation",
       .about = "finds a robot in a known room by a particle filter over scans of a 2D lidar",
       .unit = "filter over 8 scans of 24 beams",
       .parameters = {{"particles", Kind::kWholeNumber, "1000", "100 to 2000"},
                      {"range_noise", Kind::kPositiveNumber, "0.05", "m: the scanner's, and what the map is off by"}}});
}

}  // namespace corerig
