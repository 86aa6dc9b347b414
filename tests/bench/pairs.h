// Two things measured in turn, and how they compare.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace corerig {

// Figures of A and B taken alternately, so that what drifts (clock frequency, neighbours) meets both.
struct Pairs {
  std::vector<double> a, b;

  // Calls a and b `count` times each; every second pair in reverse order. A pair of which one side fails (nothing) is
  // told on stderr and left out.
  static Pairs Measure(int count, const std::function<std::optional<double>()>& a,
                       const std::function<std::optional<double>()>& b);

  // The median of the pairwise ratios a/b, with the interval that holds the true median with at least 95 % probability
  // (order statistics: no distribution is assumed).
  struct Ratio {
    double median, low, high;
  };
  Ratio ratio() const;
};

double Median(std::vector<double> values);

// "tick, 1 kHz   24 pairs   corerig p50 18.9 µs   cyclictest p50 14.6 µs   ratio 1.29 [1.24, 1.33]"
std::string Line(const std::string& what, const Pairs& pairs, const std::string& name_a, const std::string& name_b,
                 const std::function<std::string(double)>& format);

// The kernel, the cores and the load that the figures were taken with.
std::string Conditions();

// The number after the program's name, or `otherwise`.
int CountFrom(int argc, char** argv, int otherwise);

}  // namespace corerig
