#include "scenarios/train/score.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace corerig {

double AreaUnderCurve(std::span<const float> scores, std::span<const std::int32_t> labels) {
  // No order has a place for what is not a number.
  if (std::any_of(scores.begin(), scores.end(), [](float score) { return !std::isfinite(score); })) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  // Pairs won by the faulty ones, from the lowest score up: each beats the healthy ones below, and half of its equals.
  double won = 0, healthy_below = 0, faulty = 0;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    double equal_healthy = 0, equal_faulty = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end) {
      (labels[order[end]] == 0 ? equal_healthy : equal_faulty) += 1;
    }
    won += equal_faulty * (healthy_below + equal_healthy / 2);
    healthy_below += equal_healthy;
    faulty += equal_faulty;
    begin = end;
  }
  if (healthy_below == 0 || faulty == 0) return std::numeric_limits<double>::quiet_NaN();
  return won / (healthy_below * faulty);
}

double Determination(std::span<const float> predicted, std::span<const float> truth) {
  double mean = 0;
  for (const float value : truth) mean += static_cast<double>(value);
  mean /= static_cast<double>(truth.size());
  double errors = 0, deviations = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double error = static_cast<double>(predicted[i]) - static_cast<double>(truth[i]);
    const double deviation = static_cast<double>(truth[i]) - mean;
    errors += error * error;
    deviations += deviation * deviation;
  }
  return 1 - errors / deviations;
}

}  // namespace corerig
