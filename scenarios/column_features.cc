#include "scenarios/column_features.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace corerig {
namespace {

// The upper bits of a double are its exponent and the first bits of its mantissa: a logarithm with 32 steps in an
// octave.
constexpr int kStepBits = 5, kShift = 52 - kStepBits, kOctaves = 128;
constexpr std::int64_t kSide = std::int64_t{kOctaves} << kStepBits;
constexpr std::int64_t kSmallest = std::int64_t{1023 - kOctaves / 2} << kStepBits;
static_assert(DeviationHistogram::kBuckets == 2 * kSide + 1);

// The middle of step `step` from 0 on.
double MiddleOf(std::int64_t step) {
  const auto edge = [](std::int64_t of) {
    return std::bit_cast<double>(static_cast<std::uint64_t>(kSmallest + of) << kShift);
  };
  return (edge(step) + edge(step + 1)) / 2;
}

}  // namespace

std::size_t DeviationHistogram::BucketOf(double deviation) {
  const auto step = static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(std::abs(deviation)) >> kShift) - kSmallest;
  if (step < 0) return static_cast<std::size_t>(kSide);
  const std::int64_t kept = std::min(step, kSide - 1);
  return static_cast<std::size_t>(deviation < 0 ? kSide - 1 - kept : kSide + 1 + kept);
}

std::uint64_t DeviationHistogram::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

double DeviationHistogram::Quantile(double share) const {
  const double rank = std::max(std::ceil(share * static_cast<double>(total())), 1.0);
  double seen = 0;
  std::size_t bucket = 0;
  while (bucket + 1 < kBuckets && (seen += static_cast<double>(counts_[bucket])) < rank) ++bucket;
  const std::int64_t at = static_cast<std::int64_t>(bucket) - kSide;
  return at == 0 ? 0 : at > 0 ? MiddleOf(at - 1) : -MiddleOf(-at - 1);
}

void ColumnFeatures::AddBlock(std::span<const double> values, std::optional<double> before) {
  double sums[kPowers] = {};
  double least = least_, most = most_;
  bool below = before ? *before < 0 : !values.empty() && values[0] < 0;
  for (const double value : values) {
    const double d = value - centre_, square = d * d;
    sums[0] += d;
    sums[1] += square;
    sums[2] += square * d;
    sums[3] += square * square;
    least = std::min(least, value);
    most = std::max(most, value);
    crossings_ += below != (value < 0) ? 1 : 0;
    below = value < 0;
    histogram_.Add(d);
  }
  least_ = least;
  most_ = most;
  for (std::size_t i = 0; i < kPowers; ++i) powers_[i].Add(sums[i]);
}

void ColumnFeatures::Add(const ColumnFeatures& other) {
  least_ = std::min(least_, other.least_);
  most_ = std::max(most_, other.most_);
  crossings_ += other.crossings_;
  for (std::size_t i = 0; i < kPowers; ++i) powers_[i].Add(other.powers_[i]);
  const auto counts = other.histogram_.counts();
  for (std::size_t i = 0; i < counts.size(); ++i) histogram_.Add(i, counts[i]);
}

ColumnFigures ColumnFeatures::Finish(std::uint64_t rows) const {
  const auto n = static_cast<double>(rows);
  const double d = powers_[0].Value() / n;
  const double second = powers_[1].Value() / n, third = powers_[2].Value() / n, fourth = powers_[3].Value() / n;
  ColumnFigures figures = {.mean = centre_ + d, .min = least_, .max = most_, .zero_crossings = crossings_};
  // A constant column's are 0, not what rounding leaves.
  const double square = least_ == most_ ? 0 : std::max(second - d * d, 0.0);
  figures.variance = square * n / (n - 1);
  figures.rms = std::sqrt(square + figures.mean * figures.mean);
  if (square > 0) {
    figures.skewness = (third - 3 * d * second + 2 * d * d * d) / std::pow(square, 1.5);
    figures.kurtosis = (fourth - 4 * d * third + 6 * d * d * second - 3 * d * d * d * d) / (square * square);
  }
  return figures;
}

double ColumnFeatures::Quantile(double share) const {
  return std::clamp(centre_ + histogram_.Quantile(share), least_, most_);
}

ColumnFeatures ColumnFeatures::FromParts(double centre, double least, double most, std::uint64_t crossings,
                                         std::array<ExactSum, kPowers> powers, DeviationHistogram histogram) {
  ColumnFeatures features(centre);
  features.least_ = least;
  features.most_ = most;
  features.crossings_ = crossings;
  features.powers_ = powers;
  features.histogram_ = std::move(histogram);
  return features;
}

}  // namespace corerig
