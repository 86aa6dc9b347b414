#include "sensors/ieee952.h"

#include <cmath>
#include <numbers>

#include "harness/base/philox.h"

namespace corerig {
namespace {

enum Lane : std::uint32_t { kWhite, kBias, kWalk, kQuantum };

// The maximum over x = t / T of the Allan deviation of a Gauss-Markov process over q * sqrt(T), at x = 1.8926:
// sqrt((1 - (3 - 4 exp(-x) + exp(-2x)) / 2x) / x) (IEEE Std 952-1997, C.1.2.1).
constexpr double kGaussMarkovPeak = 0.4365424710738;

double Seconds(Nanos time) { return static_cast<double>(time.count()) * 1e-9; }

}  // namespace

double RandomWalkOf(double density) { return density / std::numbers::sqrt2; }

GaussMarkov GaussMarkovOf(double bias_instability, double correlation_time) {
  const double floor = std::sqrt(2 * std::numbers::ln2 / std::numbers::pi) * bias_instability;
  const double driving = floor / (kGaussMarkovPeak * std::sqrt(correlation_time));
  return {.driving = driving, .steady = driving * std::sqrt(correlation_time / 2)};
}

Ieee952Noise::Ieee952Noise(const std::array<Ieee952, 3>& axes, Rate rate, std::uint64_t seed, std::uint32_t stream,
                           std::uint32_t first_lane)
    : rate_(rate), seed_(seed), stream_(stream), first_lane_(first_lane) {
  const double step = Seconds(kStep);
  for (std::size_t i = 0; i < 3; ++i) {
    const GaussMarkov bias = GaussMarkovOf(axes[i].bias_instability, axes[i].correlation_time);
    const double decay = std::exp(-step / axes[i].correlation_time);
    axes_[i] = {.white = axes[i].random_walk * std::sqrt(rate.hertz()),
                .quantum = axes[i].quantization * rate.hertz(),
                .steady = bias.steady,
                .decay = decay,
                .renewal = bias.steady * std::sqrt(1 - decay * decay),
                .walk = axes[i].rate_random_walk * std::sqrt(step)};
    white_ = white_ || axes_[i].white != 0;
    quantized_ = quantized_ || axes_[i].quantum != 0;
    biased_ = biased_ || axes_[i].steady != 0;
    walks_ = walks_ || axes_[i].walk != 0;
  }
  StartSlow();
}

Axes Ieee952Noise::At(std::uint64_t sample) {
  const auto step = static_cast<std::uint64_t>(rate_.OffsetOf(sample) / kStep);
  if (step < step_) StartSlow();
  if (biased_ || walks_) {
    while (step_ < step) AdvanceSlow();
  }
  Axes error{};
  for (std::size_t i = 0; i < 3; ++i) error[i] = bias_[i] + walk_[i];
  if (white_) {
    const Axes normals = Normals(sample, kWhite);
    for (std::size_t i = 0; i < 3; ++i) error[i] += axes_[i].white * normals[i];
  }
  if (quantized_) {
    // Of sample n the angle's error is number n + 1, that before the first sample is number 0.
    const Axes now = Normals(sample + 1, kQuantum), before = Normals(sample, kQuantum);
    for (std::size_t i = 0; i < 3; ++i) error[i] += axes_[i].quantum * (now[i] - before[i]);
  }
  return error;
}

Axes Ieee952Noise::Normals(std::uint64_t index, std::uint32_t lane) const {
  const auto normals = RandomNormals(seed_, stream_, index, first_lane_ + lane);
  return {normals[0], normals[1], normals[2]};
}

void Ieee952Noise::StartSlow() {
  step_ = 0;
  walk_ = {};
  if (!biased_) return;
  const Axes normals = Normals(0, kBias);
  for (std::size_t i = 0; i < 3; ++i) bias_[i] = axes_[i].steady * normals[i];
}

void Ieee952Noise::AdvanceSlow() {
  ++step_;
  if (biased_) {
    const Axes normals = Normals(step_, kBias);
    for (std::size_t i = 0; i < 3; ++i) bias_[i] = axes_[i].decay * bias_[i] + axes_[i].renewal * normals[i];
  }
  if (walks_) {
    const Axes normals = Normals(step_, kWalk);
    for (std::size_t i = 0; i < 3; ++i) walk_[i] += axes_[i].walk * normals[i];
  }
}

Axes AxisErrors::Of(const Axes& truth) const {
  Axes shown = truth;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) shown[i] += e[i][j] * truth[j];
  }
  return shown;
}

AxisErrors DrawAxisErrors(double scale, double cross_axis, std::uint64_t seed, std::uint32_t stream,
                          std::uint32_t lane) {
  AxisErrors errors;
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto words = RandomWords(seed, stream, i, lane);
    for (std::size_t j = 0; j < 3; ++j) {
      errors.e[i][j] = (i == j ? scale : cross_axis) * (2 * UniformOpen(words[j]) - 1);
    }
  }
  return errors;
}

}  // namespace corerig
