// A trend that outliers do not move.
#pragma once

#include <optional>
#include <span>

namespace corerig {

struct TrendPoint {
  double x = 0, y = 0;
};

// The Theil-Sen slope: the median of the slopes through all pairs of points with different x (Sen, "Estimates of the
// regression coefficient based on Kendall's tau", JASA 63, 1968). Right as long as fewer than 29 % of the points are
// outliers. Nothing if no two points differ in x. Takes time and memory n²/2.
std::optional<double> TheilSenSlope(std::span<const TrendPoint> points);

}  // namespace corerig
