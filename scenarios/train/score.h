// How good a model is on rows that it has not learned from.
#pragma once

#include <cstdint>
#include <span>

namespace corerig {

// Area under the receiver operating characteristic: the probability that a random faulty row (label 1) scores above a
// random healthy one (label 0), ties counting half (Mann and Whitney's U over the number of pairs). In n log n. NaN if
// there is no row of one kind.
double AreaUnderCurve(std::span<const float> scores, std::span<const std::int32_t> labels);

// Coefficient of determination, 1 - sum of squared errors / sum of squared deviations from the mean: 1 is perfect, 0 as
// good as saying the mean.
double Determination(std::span<const float> predicted, std::span<const float> truth);

}  // namespace corerig
