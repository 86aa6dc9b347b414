#include "scenarios/simd/vector_math.h"

#include "scenarios/simd/kernel_choice.h"

namespace corerig {

void ExpAffine(double offset, double slope, std::span<const double> x, std::span<double> out) {
  ChosenKernels().exp_affine(offset, slope, x.data(), out.data(), x.size());
}

void Walk(double drift, double scale, std::span<const double> normals, std::span<double> x, std::span<double> sum_x,
          std::span<double> sum_exp) {
  ChosenKernels().walk(drift, scale, normals.data(), x.data(), sum_x.data(), sum_exp.data(), normals.size());
}

void Ramp(double slope, double from, std::span<double> values) {
  ChosenKernels().ramp(slope, from, values.data(), values.size());
}

double Sum(std::span<const double> x) { return ChosenKernels().sum(x.data(), x.size()); }

double Dot(std::span<const double> x, std::span<const double> y) {
  return ChosenKernels().dot(x.data(), y.data(), x.size());
}

std::uint64_t CountInCircle(std::span<const double> x, std::span<const double> y) {
  return ChosenKernels().count_in_circle(x.data(), y.data(), x.size());
}

}  // namespace corerig
