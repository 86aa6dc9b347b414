// What becomes of a gradient: stochastic gradient descent with momentum, or Adam.
//
//   Optimiser optimiser({.kind = Optimiser::Kind::kAdam, .rate = 1e-3f}, network.parameters().size());
//   optimiser.Step(network.parameters(), network.gradient());
#pragma once

#include <cstdint>
#include <span>

#include "scenarios/train/aligned.h"
#include "scenarios/train/kernels.h"

namespace corerig {

class Optimiser {
 public:
  enum class Kind : std::uint32_t { kSgd, kAdam };
  struct Settings {
    Kind kind = Kind::kSgd;
    float rate = 0.05f;
    float momentum = 0.9f;  // of kSgd. Adam's decays are those of its paper: 0.9 and 0.999
  };

  // For `count` parameters, a multiple of kPadding.
  Optimiser(const Settings& settings, std::size_t count, const TrainKernels& kernels = BestTrainKernels());

  void Step(std::span<float> parameters, std::span<const float> gradient);

 private:
  Settings settings_;
  const TrainKernels& kernels_;
  AlignedFloats first_, second_;             // velocity, or both moments
  double first_left_ = 1, second_left_ = 1;  // Adam's decays to the power of the step
};

}  // namespace corerig
