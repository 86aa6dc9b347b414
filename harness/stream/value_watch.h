// What a receiver without any truth can say about a stream's values: which cannot be, and which only repeat the last.
//
//   ValueWatch watch({.lowest = 8, .highest = 12, .noise = 0.2, .slope = 4, .repeats = 15});
//   const ValueWatch::Finding found = watch.Look(frame.value, stamp);
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "harness/base/units.h"

namespace corerig {

// What a receiver may take for granted about a sensor's values, in their unit; by default nothing.
struct ValueLimits {
  // Where all its values lie, noise included.
  double lowest = -std::numeric_limits<double>::infinity(), highest = std::numeric_limits<double>::infinity();
  // Two measurements of one true value differ by no more, and the true value changes by no more in a second.
  double noise = std::numeric_limits<double>::infinity(), slope = 0;
  // So many equal values in a row are no chance; 0: any number may be. See EqualInARow.
  std::uint32_t repeats = 0;
};

inline constexpr std::uint32_t kMostRepeats = 64;

// How many equal values in a row are rarer than one in 10^12, for white normal noise of `sigma` steps of the wire's
// resolution: one given step is hit with a probability of at most p = 1 / (sqrt(2 pi) sigma), n in a row with p^n. 0 if
// that takes more than kMostRepeats.
std::uint32_t EqualInARow(double sigma);

class ValueWatch {
 public:
  explicit ValueWatch(const ValueLimits& limits) : limits_(limits) {}

  struct Finding {
    // It lies outside the limits, or further from the last plausible value than noise and slope allow.
    bool implausible = false;
    bool first_of_run = false;  // it differs from the value before it
    // So many values, this one the last, are found to repeat the one before them: all but the first of a run when it
    // reaches `repeats`, then one by one.
    std::uint32_t repeating = 0;
  };
  // The values of distinct samples as they come; `stamp` is the sensor's.
  Finding Look(double value, Nanos stamp);

 private:
  struct Plausible {
    double value;
    Nanos stamp;
  };
  bool IsPlausible(double value, Nanos stamp) const;

  const ValueLimits limits_;
  std::optional<Plausible> plausible_;  // the last one
  std::optional<double> last_;
  std::uint32_t run_ = 0;  // equal values, up to the last one
};

}  // namespace corerig
