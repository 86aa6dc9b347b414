// Workload "montecarlo/option": the price of a European option by Monte Carlo, checked against Black and Scholes.
//
// One unit of work is a block of 16384 paths of geometric Brownian motion, of which a European payoff needs the end
// alone: S_T = S exp((r - v^2/2) T + v sqrt(T) Z), discounted by exp(-r T). The paths of block b are a function of the
// seed and b (Philox4x32-10, Box-Muller on all four words), so it does not matter which worker computes them.
#pragma once

#include "harness/child/workload.h"

namespace corerig {

inline constexpr std::uint64_t kPathsPerBlock = 16384;

struct Option {
  double spot = 0;
  double strike = 0;
  double interest = 0;    // per year, continuous
  double volatility = 0;  // per square root of a year
  double maturity = 0;    // years
  bool is_call = true;
};

// Of the discounted payoff under the model (Black and Scholes 1973): its mean is the price.
struct Expectation {
  double price = 0;
  double standard_deviation = 0;
};
Expectation BlackScholes(const Option& option);

WorkloadType MonteCarloOption();

}  // namespace corerig
