// What a column of numbers comes to: moments, extremes, zero crossings, quantiles. Parts of a column can be added, in
// any order and grouping, to the bits of the whole.
//
//   ColumnFeatures x(centre);
//   x.AddBlock(values, value_before);            // block by block
//   x.Finish(rows).skewness;
//
// Sums of powers are taken about `centre`, a number amid the column that all its parts agree on, as raw ones cancel
// where the mean is large (Chan, Golub, LeVeque, "Algorithms for Computing the Sample Variance", 1983); those of a
// block are added up in its order, those of all blocks exactly.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "harness/base/exact_sum.h"
#include "harness/base/result.h"

namespace corerig {

// How often deviations of which size were seen: 32 buckets from each power of two to the next, from 2^-64 to 2^64 and
// likewise below 0; smaller ones are 0, larger ones are taken for the largest. A quantile is the middle of its bucket:
// off by less than 1/64 of its distance from the centre.
class DeviationHistogram {
 public:
  static constexpr std::size_t kBuckets = 2 * 128 * 32 + 1;

  void Add(double deviation) { ++counts_[BucketOf(deviation)]; }
  void Add(std::size_t bucket, std::uint64_t count) { counts_[bucket] += count; }
  std::span<const std::uint64_t> counts() const { return counts_; }  // the most negative first
  std::uint64_t total() const;
  // The deviation that `share` of those counted do not exceed, of at least one.
  double Quantile(double share) const;

  static std::size_t BucketOf(double deviation);

 private:
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(kBuckets);
};

struct ColumnFigures {
  double mean = 0, variance = 0;  // of a sample: over n - 1
  double rms = 0;
  double min = 0, max = 0;
  // Of a column that is not constant: third and fourth central moment over the powers of the second; 0 and 3 if normal.
  std::optional<double> skewness = {}, kurtosis = {};
  std::uint64_t zero_crossings = 0;
};

class ColumnFeatures {
 public:
  explicit ColumnFeatures(double centre) : centre_(centre) {}

  // The values of consecutive rows, and the one before them if there is one.
  void AddBlock(std::span<const double> values, std::optional<double> before);
  // Of the same centre.
  void Add(const ColumnFeatures& other);

  // Of all of at least 2 `rows` that were added.
  ColumnFigures Finish(std::uint64_t rows) const;
  double Quantile(double share) const;

  // What it is held as, for a worker's result.
  static constexpr std::size_t kPowers = 4;
  double centre() const { return centre_; }
  double least() const { return least_; }
  double most() const { return most_; }
  std::uint64_t crossings() const { return crossings_; }
  const std::array<ExactSum, kPowers>& powers() const { return powers_; }
  const DeviationHistogram& histogram() const { return histogram_; }
  static ColumnFeatures FromParts(double centre, double least, double most, std::uint64_t crossings,
                                  std::array<ExactSum, kPowers> powers, DeviationHistogram histogram);

 private:
  double centre_;
  double least_ = std::numeric_limits<double>::infinity(), most_ = -std::numeric_limits<double>::infinity();
  std::uint64_t crossings_ = 0;
  std::array<ExactSum, kPowers> powers_;  // of deviations from the centre, of their squares, …
  DeviationHistogram histogram_;
};

}  // namespace corerig
