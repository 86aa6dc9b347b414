#include "tests/allan/allan.h"

#include <cmath>

namespace corerig {

AllanEstimator::AllanEstimator(const std::vector<double>& samples, double interval) : interval_(interval) {
  // The mean drops out of the second differences; without it the sums stay small and exact.
  double mean = 0;
  for (const double sample : samples) mean += sample / static_cast<double>(samples.size());
  integral_.reserve(samples.size() + 1);
  integral_.push_back(0);
  for (const double sample : samples) integral_.push_back(integral_.back() + (sample - mean) * interval);
}

double AllanEstimator::Variance(std::size_t count) const {
  const double* phase = integral_.data();
  const std::size_t terms = integral_.size() - 2 * count;
  double squares = 0;
  for (std::size_t i = 0; i < terms; ++i) {
    const double second = phase[i + 2 * count] - 2 * phase[i + count] + phase[i];
    squares += second * second;
  }
  const double time = static_cast<double>(count) * interval_;
  return squares / (2 * time * time * static_cast<double>(terms));
}

double AllanEstimator::Deviation(std::size_t count) const { return std::sqrt(Variance(count)); }

}  // namespace corerig
