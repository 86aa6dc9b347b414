#include "harness/base/exact_sum.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace corerig {

void ExactSum::Add(double value) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    double larger = value, smaller = parts_[i];
    if (std::abs(larger) < std::abs(smaller)) std::swap(larger, smaller);
    // Fast two-sum: value + rest is exactly larger + smaller.
    value = larger + smaller;
    const double rest = smaller - (value - larger);
    if (rest != 0) parts_[kept++] = rest;
  }
  if (!std::isfinite(value)) {
    parts_[0] = std::numeric_limits<double>::quiet_NaN();
    count_ = 1;
    return;
  }
  if (value != 0) parts_[kept++] = value;
  count_ = kept;
  if (count_ == kMostParts) Compress();
}

// Parts that do not overlap may still have few bits each. Adding them up from the largest down, and keeping one only
// when the next no longer fits, leaves parts of which each is below half a unit in the last place of the next.
void ExactSum::Compress() {
  double value = parts_[count_ - 1];
  std::size_t bottom = count_;
  for (std::size_t i = count_ - 1; i-- > 0;) {
    const double before = value, part = parts_[i];
    value = before + part;
    const double rest = part - (value - before);
    if (rest == 0) continue;
    parts_[--bottom] = value;
    value = rest;
  }
  parts_[--bottom] = value;
  std::copy(parts_.begin() + static_cast<std::ptrdiff_t>(bottom), parts_.begin() + static_cast<std::ptrdiff_t>(count_),
            parts_.begin());
  count_ -= bottom;
}

void ExactSum::Add(const ExactSum& other) {
  // A copy: the other may be this one.
  const ExactSum terms = other;
  for (const double part : terms.parts()) Add(part);
}

double ExactSum::Value() const {
  if (count_ == 0) return 0;
  std::size_t i = count_ - 1;
  double value = parts_[i], rest = 0;
  // From the largest down, until a part no longer fits in.
  while (i > 0) {
    const double before = value, part = parts_[--i];
    value = before + part;
    rest = part - (value - before);
    if (rest != 0) break;
  }
  // Was that rounding a tie, what is below decides it: half a unit more, if it has the sign of the rest.
  if (i > 0 && (rest < 0) == (parts_[i - 1] < 0)) {
    const double twice = rest * 2, other = value + twice;
    if (twice == other - value) value = other;
  }
  return value;
}

Result<ExactSum> ExactSum::FromParts(std::span<const double> parts) {
  if (parts.size() > kMostParts) return Fail("a sum of ", parts.size(), " parts; it has at most ", kMostParts);
  ExactSum sum;
  for (const double part : parts) {
    if (!std::isfinite(part)) return Fail("a sum with a part that is no finite number");
    sum.Add(part);
  }
  return sum;
}

}  // namespace corerig
