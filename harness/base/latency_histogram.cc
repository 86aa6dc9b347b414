#include "harness/base/latency_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace corerig {
namespace {

using histogram_internal::BucketOf;
using histogram_internal::kBuckets;
using histogram_internal::kOverflow;
using histogram_internal::kOverflowFrom;
using histogram_internal::LowerOf;

// The largest value of a bucket.
std::int64_t HighestOf(std::size_t bucket) { return bucket == kOverflow ? INT64_MAX : LowerOf(bucket + 1) - 1; }

// Nearest rank, 1 to `total`.
std::uint64_t RankOf(double p, std::uint64_t total) {
  // 0.07 * 100 is 7.000000000000001: what is above a whole number by rounding alone must not raise the rank.
  constexpr double kRounding = 4 * std::numeric_limits<double>::epsilon();
  const double wanted = std::ceil(p * static_cast<double>(total) * (1 - kRounding));
  if (wanted >= static_cast<double>(total)) return total;
  return wanted < 1 ? 1 : static_cast<std::uint64_t>(wanted);
}

}  // namespace

// What a sample of this bucket is read back as: its middle, but nothing outside of what was seen.
double Distribution::ValueOf(std::size_t bucket) const {
  const auto longest = static_cast<double>(max_);
  if (bucket == kOverflow) return longest;
  const double middle = static_cast<double>(LowerOf(bucket) + HighestOf(bucket)) / 2;
  return std::clamp(middle, static_cast<double>(min_), longest);
}

double Distribution::mean() const {
  if (count_ == 0) return 0;
  double sum = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) sum += ValueOf(i) * static_cast<double>(counts_[i]);
  return sum / static_cast<double>(count_);
}

double Distribution::Percentile(double p, std::uint64_t infinite) const {
  const std::uint64_t total = count_ + infinite;
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  const std::uint64_t rank = RankOf(p, total);
  if (rank > count_) return std::numeric_limits<double>::infinity();
  if (rank == 1) return static_cast<double>(min_);
  if (rank == count_) return static_cast<double>(max_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return ValueOf(i);
  }
  return static_cast<double>(max_);
}

void Distribution::Add(std::int64_t nanos, std::uint64_t times) {
  if (times == 0) return;
  if (counts_.empty()) counts_.resize(kBuckets);
  const std::int64_t value = std::max<std::int64_t>(nanos, 0);
  counts_[BucketOf(std::min(value, kOverflowFrom))] += times;
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
    if (counts_[i] == 0) continue;
    const std::int64_t highest = i == kOverflow ? max_ : HighestOf(i);
    filled.push_back({LowerOf(i), highest == INT64_MAX ? highest : highest + 1, counts_[i]});
  }
  return filled;
}

Distribution LatencyHistogram::Read() const {
  Distribution read;
  read.counts_.resize(kBuckets);
  std::size_t first = kBuckets, last = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const std::uint64_t count = counts_[i].Get();
    if (count == 0) continue;
    read.counts_[i] = count;
    read.count_ += count;
    first = std::min(first, i);
    last = i;
  }
  if (read.count_ == 0) return Distribution();
  // A negative room would be a minimum beyond INT64_MAX.
  const std::int64_t room = std::max<std::int64_t>(min_room_.load(std::memory_order_relaxed), 0);
  read.max_ = std::clamp(max_.load(std::memory_order_relaxed), LowerOf(last), HighestOf(last));
  read.min_ = std::min(std::clamp(INT64_MAX - room, LowerOf(first), HighestOf(first)), read.max_);
  return read;
}

}  // namespace corerig
