#include "harness/stream/value_watch.h"

#include <cmath>
#include <numbers>

namespace corerig {

std::uint32_t EqualInARow(double sigma) {
  constexpr double kRareness = 12;  // decimal digits
  const double likely = 1 / (std::sqrt(2 * std::numbers::pi) * sigma);
  if (!(likely < 1)) return 0;
  const double n = std::ceil(kRareness / -std::log10(likely)) + 1;
  return n <= kMostRepeats ? static_cast<std::uint32_t>(n) : 0;
}

ValueWatch::Finding ValueWatch::Look(double value, Nanos stamp) {
  Finding found;
  found.implausible = !IsPlausible(value, stamp);
  found.first_of_run = last_ != value;
  // A value that repeats the last one may be stuck: it tells nothing about where the true one is by now.
  if (!found.implausible && found.first_of_run) plausible_ = {value, stamp};
  run_ = found.first_of_run ? 1 : run_ + 1;
  last_ = value;
  if (limits_.repeats > 1 && run_ >= limits_.repeats) found.repeating = run_ == limits_.repeats ? run_ - 1 : 1;
  return found;
}

bool ValueWatch::IsPlausible(double value, Nanos stamp) const {
  if (!(value >= limits_.lowest && value <= limits_.highest)) return false;
  if (!plausible_ || !std::isfinite(limits_.noise)) return true;
  const double seconds = std::abs(static_cast<double>((stamp - plausible_->stamp).count())) * 1e-9;
  return std::abs(value - plausible_->value) <= limits_.noise + limits_.slope * seconds;
}

}  // namespace corerig
