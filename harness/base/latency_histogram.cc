#include "harness/base/latency_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace corerig {
namespace {

using histogram_internal::BucketOf;
using histogram_internal::kBuckets;
using histogram_internal::kHighest;
using histogram_internal::LowerOf;

double MiddleOf(std::size_t bucket) {
  const auto lower = static_cast<double>(LowerOf(bucket));
  const auto upper = static_cast<double>(LowerOf(bucket + 1));
  return lower + (upper - lower - 1) / 2;
}

}  // namespace

double Distribution::mean() const {
  if (count_ == 0) return 0;
  double sum = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) sum += MiddleOf(i) * static_cast<double>(counts_[i]);
  return sum / static_cast<double>(count_);
}

double Distribution::Percentile(double p, std::uint64_t infinite) const {
  const std::uint64_t total = count_ + infinite;
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  const auto wanted = static_cast<std::uint64_t>(std::ceil(p * static_cast<double>(total)));
  const std::uint64_t rank = std::clamp<std::uint64_t>(wanted, 1, total);
  if (rank > count_) return std::numeric_limits<double>::infinity();
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    // The last bucket may hold values far beyond its border; no bucket reaches outside what was seen.
    if (seen >= rank) {
      const double value = i + 1 == kBuckets ? static_cast<double>(max_) : MiddleOf(i);
      return std::clamp(value, static_cast<double>(min_), static_cast<double>(max_));
    }
  }
  return static_cast<double>(max_);
}

void Distribution::Add(std::int64_t nanos, std::uint64_t times) {
  if (times == 0) return;
  if (counts_.empty()) counts_.resize(kBuckets);
  const std::int64_t value = std::max<std::int64_t>(nanos, 0);
  counts_[BucketOf(std::min(value, kHighest))] += times;
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  count_ += times;
}

void Distribution::Merge(const Distribution& other) {
  if (other.count_ == 0) return;
  if (counts_.empty()) counts_.resize(kBuckets);
  for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
}

std::vector<Distribution::Bucket> Distribution::buckets() const {
  std::vector<Bucket> filled;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] != 0) filled.push_back({LowerOf(i), LowerOf(i + 1), counts_[i]});
  }
  return filled;
}

Distribution LatencyHistogram::Read() const {
  Distribution read;
  read.counts_.resize(kBuckets);
  for (std::size_t i = 0; i < kBuckets; ++i) {
    read.counts_[i] = counts_[i].Get();
    read.count_ += read.counts_[i];
  }
  if (read.count_ == 0) return Distribution();
  read.max_ = max_.load(std::memory_order_relaxed);
  read.min_ = INT64_MAX - min_room_.load(std::memory_order_relaxed);
  return read;
}

}  // namespace corerig
