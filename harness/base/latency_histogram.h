// Durations in logarithmic buckets: at most 1 % relative error from 1 ns to 100 s, a few nanoseconds a sample, no
// memory taken while recording.
//
//   LatencyHistogram* histogram = ...;                 // in a slab; all bytes zero is an empty histogram
//   histogram->Record(done - due);                     // its one writer
//   Distribution seen = histogram->Read();             // anyone, also from another process, while it is written
//   seen.Percentile(0.99, /*infinite=*/lost);
//
// Every power of two from 64 ns on is cut into 64 equal buckets and a value is read back as the middle of its bucket,
// so the error is at most 1/128 = 0.8 %; below 128 ns each nanosecond has its own (the layout of HdrHistogram, Tene
// 2012). What is longer than 100 s goes into one last bucket and is read back as the longest of all: never better than
// it was.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/base/counter.h"
#include "harness/base/units.h"

namespace corerig {

namespace histogram_internal {
inline constexpr int kSubBits = 6;                         // 64 buckets per power of two
inline constexpr std::int64_t kHighest = 100'000'000'000;  // 100 s

constexpr std::size_t BucketOf(std::int64_t nanos) {
  const auto value = static_cast<std::uint64_t>(nanos);
  if (value < (1u << kSubBits)) return value;
  const int exponent = std::bit_width(value) - 1 - kSubBits;
  return static_cast<std::size_t>((exponent << kSubBits) + static_cast<int>(value >> exponent));
}

// The bucket of all values beyond the one of kHighest.
inline constexpr std::size_t kOverflow = BucketOf(kHighest) + 1;
inline constexpr std::size_t kBuckets = kOverflow + 1;

// The smallest value of a bucket.
constexpr std::int64_t LowerOf(std::size_t bucket) {
  if (bucket < (2u << kSubBits)) return static_cast<std::int64_t>(bucket);
  const int exponent = static_cast<int>(bucket >> kSubBits) - 1;
  return static_cast<std::int64_t>((bucket & ((1u << kSubBits) - 1)) + (1u << kSubBits)) << exponent;
}
inline constexpr std::int64_t kOverflowFrom = LowerOf(kOverflow);
}  // namespace histogram_internal

// What was recorded, copied out: can be merged and asked.
class Distribution {
 public:
  struct Bucket {
    std::int64_t lower;  // ns, inclusive
    std::int64_t upper;  // ns, exclusive; of the last bucket, which has no border, just above the longest
    std::uint64_t count;
  };

  std::uint64_t count() const { return count_; }
  // The exact smallest and largest value; 0 if empty.
  std::int64_t min() const { return count_ == 0 ? 0 : min_; }
  std::int64_t max() const { return max_; }
  // From the buckets' middles; 0 if empty.
  double mean() const;

  // The value (ns) that a share `p` (0 to 1) of all samples does not exceed (nearest rank), where `infinite` more
  // samples are longer than any recorded. +infinity when the rank falls among those; NaN when there are no samples at
  // all. The smallest and the largest recorded are exact.
  double Percentile(double p, std::uint64_t infinite = 0) const;

  void Add(std::int64_t nanos, std::uint64_t times = 1);
  void Merge(const Distribution& other);

  // The buckets that hold something, in order.
  std::vector<Bucket> buckets() const;

 private:
  double ValueOf(std::size_t bucket) const;

  std::vector<std::uint64_t> counts_;  // empty until something is recorded
  std::uint64_t count_ = 0;
  std::int64_t min_ = 0;
  std::int64_t max_ = 0;

  friend class LatencyHistogram;
};

// One writer; any readers. 16 KiB.
class LatencyHistogram {
 public:
  // Negative durations (two clocks read a moment apart) count as 0.
  void Record(Nanos duration) {
    const std::int64_t raw = duration.count() < 0 ? 0 : duration.count();
    counts_[histogram_internal::BucketOf(raw < histogram_internal::kOverflowFrom ? raw
                                                                                 : histogram_internal::kOverflowFrom)]
        .Add();
    if (raw > max_.load(std::memory_order_relaxed)) max_.store(raw, std::memory_order_relaxed);
    const std::int64_t room = INT64_MAX - raw;
    if (room > min_room_.load(std::memory_order_relaxed)) min_room_.store(room, std::memory_order_relaxed);
  }

  // The count is the sum of the buckets, so it cannot disagree with them. Smallest and largest are those of the buckets
  // where the exact ones do not fit: read while a sample is being recorded, or from a slab that its writer has damaged.
  Distribution Read() const;

 private:
  std::array<Counter, histogram_internal::kBuckets> counts_;
  std::atomic<std::int64_t> max_{0};
  std::atomic<std::int64_t> min_room_{0};  // INT64_MAX - min, so that zeroed memory is an empty histogram
};
static_assert(sizeof(LatencyHistogram) <= 16 * 1024);
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "histograms are shared between processes");

}  // namespace corerig
