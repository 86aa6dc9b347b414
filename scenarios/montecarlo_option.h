// Workload "montecarlo/option": the price of a European or an Asian option by Monte Carlo, checked against closed
// forms.
//
// A European option pays by the price at the end, S_T = S exp((r - v^2/2) T + v sqrt(T) Z): one normal per path. An
// Asian one pays by the arithmetic mean of the prices at `dates` times T/dates, 2T/dates, …, T: one normal per time,
// and no closed form. Its sample is checked by two things that have one: the same option on the geometric mean of the
// prices (Kemna and Vorst, "A pricing method for options based on average asset values", 1990), which is also the
// control variate of the price; and the mean of the arithmetic means itself.
//
// One unit of work is a block of paths: 16384, Asian 1024. Path p of block b is normal p of the draws of b in lane
// `time - 1` (Philox4x32-10, Box-Muller on all four words), so it does not matter which worker computes it.
#pragma once

#include "harness/child/workload.h"

namespace corerig {

inline constexpr std::uint64_t kPathsPerBlock = 16384, kAsianPathsPerBlock = 1024;
inline constexpr int kMostDates = 1000;

struct Option {
  double spot = 0;
  double strike = 0;
  double interest = 0;    // per year, continuous
  double volatility = 0;  // per square root of a year
  double maturity = 0;    // years
  bool is_call = true;
  int dates = 0;  // of an Asian option; 0: a European one
};

struct Expectation {
  double price = 0;  // the mean
  double standard_deviation = 0;
};

// Of the discounted payoff of a European option (Black and Scholes 1973).
Expectation BlackScholes(const Option& option);
// Of the discounted payoff of an option on the geometric mean of the prices at its dates.
Expectation GeometricAsian(const Option& option);
// Of the arithmetic mean of the prices at its dates.
Expectation ArithmeticMean(const Option& option);

WorkloadType MonteCarloOption();

}  // namespace corerig
