#include "scenarios/train/optimiser.h"

namespace corerig {

Optimiser::Optimiser(const Settings& settings, std::size_t count, const TrainKernels& kernels)
    : settings_(settings), kernels_(kernels), first_(count), second_(settings.kind == Kind::kAdam ? count : 0) {}

void Optimiser::Step(std::span<float> parameters, std::span<const float> gradient) {
  if (settings_.kind == Kind::kSgd) {
    kernels_.momentum(parameters.data(), first_.data(), gradient.data(), parameters.size(),
                      {.rate = settings_.rate, .momentum = settings_.momentum});
    return;
  }
  constexpr double kFirst = 0.9, kSecond = 0.999;
  first_left_ *= kFirst;
  second_left_ *= kSecond;
  kernels_.adam(parameters.data(), first_.data(), second_.data(), gradient.data(), parameters.size(),
                {.rate = settings_.rate,
                 .first = static_cast<float>(kFirst),
                 .second = static_cast<float>(kSecond),
                 .unbias_first = static_cast<float>(1 / (1 - first_left_)),
                 .unbias_second = static_cast<float>(1 / (1 - second_left_)),
                 .epsilon = 1e-8f});
}

}  // namespace corerig
