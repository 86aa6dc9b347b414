#include "harness/measure/theil_sen.h"

#include <algorithm>
#include <vector>

namespace corerig {

std::optional<double> TheilSenSlope(std::span<const TrendPoint> points) {
  std::vector<double> slopes;
  slopes.reserve(points.size() * (points.size() + 1) / 2);
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (points[i].x != points[j].x) slopes.push_back((points[i].y - points[j].y) / (points[i].x - points[j].x));
    }
  }
  if (slopes.empty()) return std::nullopt;
  const auto middle = slopes.begin() + static_cast<std::ptrdiff_t>(slopes.size() / 2);
  std::nth_element(slopes.begin(), middle, slopes.end());
  if (slopes.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(slopes.begin(), middle)) / 2;
}

}  // namespace corerig
