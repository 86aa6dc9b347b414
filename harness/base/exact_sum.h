// A sum of doubles without rounding: the same bits whatever the order of its terms and however they were grouped.
//
//   ExactSum sum;
//   sum.Add(1e16); sum.Add(1); sum.Add(-1e16);
//   sum.Value();  // 1
//
// The sum is held as doubles of different magnitude that do not overlap, whose exact sum it is (Shewchuk, "Adaptive
// Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates", 1997, grow-expansion; Python's math.fsum
// rounds the same way). Sums of parts of a run, on other cores or boards, can so be added to the bits of the whole.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "harness/base/result.h"

namespace corerig {

class ExactSum {
 public:
  // Doubles span 2^-1074 to 2^1024. Compressed, each part covers 53 bits of that: 41 parts; with room for more, that is
  // seldom needed.
  static constexpr std::size_t kMostParts = 48;

  // A value that is not finite, or a sum that is beyond the doubles on its way, makes the sum not a number for good.
  void Add(double value);
  void Add(const ExactSum& other);

  // The double nearest to the sum, ties to even.
  double Value() const;

  // What it is held as, the smallest first; none is zero. The exact sum of these is the sum.
  std::span<const double> parts() const { return {parts_.data(), count_}; }
  // Of parts that came from outside: fails if there are too many or one is not finite.
  static Result<ExactSum> FromParts(std::span<const double> parts);

 private:
  void Compress();

  std::array<double, kMostParts> parts_{};
  std::size_t count_ = 0;
};

}  // namespace corerig
