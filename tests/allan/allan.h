// The overlapping Allan deviation (NIST Special Publication 1065, 5.2.4) of evenly sampled rates: gyroscope readings in
// rad/s, accelerations, or fractional frequencies.
//
//   const AllanEstimator allan(samples, 1.0 / rate);
//   allan.Deviation(100);      // averaging over 100 samples
//
// It is what noise models are held to, so it knows nothing of them.
#pragma once

#include <cstddef>
#include <vector>

namespace corerig {

class AllanEstimator {
 public:
  // `interval` in seconds, between samples.
  AllanEstimator(const std::vector<double>& samples, double interval);

  // The square of the deviation when averaging over `count` samples; they must be there at least 2 * count times.
  double Variance(std::size_t count) const;
  double Deviation(std::size_t count) const;

 private:
  std::vector<double> integral_;  // of the samples, over time: N + 1 values from 0
  double interval_;
};

}  // namespace corerig
