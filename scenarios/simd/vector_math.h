// Arithmetic on arrays of doubles, vectorised for the CPU it runs on: what Monte Carlo workloads do with their numbers.
//
//   ExpAffine(log_start, deviation, normals, prices);
//   Ramp(1, strike, prices);
//   sums[0] += Sum(prices);
//
// Arrays of one call are of one length (the first one's); an output may be the input. Any thread. Sums are added in as
// many parts as the vectors have lanes: the same bits on CPUs of one vector width, close to it on others.
#pragma once

#include <cstdint>
#include <span>

namespace corerig {

// out = exp(offset + slope x): relative error below 1e-15 and that of the exponent. It saturates: below -708 it is
// exp(-708), above 709 exp(709).
void ExpAffine(double offset, double slope, std::span<const double> x, std::span<double> out);

// A step of random walks: x += drift + scale normal, then sum_x += x and sum_exp += exp(x).
void Walk(double drift, double scale, std::span<const double> normals, std::span<double> x, std::span<double> sum_x,
          std::span<double> sum_exp);

// value = max(slope (value - from), 0)
void Ramp(double slope, double from, std::span<double> values);

double Sum(std::span<const double> x);
double Dot(std::span<const double> x, std::span<const double> y);

// How many points (x, y) have x² + y² < 1, as doubles are rounded: the same on any CPU.
std::uint64_t CountInCircle(std::span<const double> x, std::span<const double> y);

}  // namespace corerig
