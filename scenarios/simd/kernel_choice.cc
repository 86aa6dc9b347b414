#include "scenarios/simd/kernel_choice.h"

#include <array>
#include <atomic>

#include "scenarios/simd/wide_vectors.h"

namespace corerig {
namespace {

std::atomic<const Kernels*> forced = nullptr;

}  // namespace

std::span<const Kernels* const> KernelsOfThisCpu() {
#ifdef __x86_64__
  static constexpr std::array<const Kernels*, 2> all = {&kKernels128, &kKernels256};
  static const bool wide = CpuHasWideVectors();
  return std::span(all).first(wide ? 2 : 1);
#else
  static constexpr std::array<const Kernels*, 1> all = {&kKernels128};
  return all;
#endif
}

const Kernels& ChosenKernels() {
  static const Kernels& widest = *KernelsOfThisCpu().back();
  const Kernels* chosen = forced.load(std::memory_order_relaxed);
  return chosen == nullptr ? widest : *chosen;
}

ForcedKernels::ForcedKernels(const Kernels& kernels) { forced = &kernels; }

ForcedKernels::~ForcedKernels() { forced = nullptr; }

}  // namespace corerig
