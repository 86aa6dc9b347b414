// Which kernels this CPU can run, and which of them are used.
#pragma once

#include <span>

#include "scenarios/simd/kernels.h"

namespace corerig {

// Those that this CPU has the instructions for, the narrowest first; the first one runs on any.
std::span<const Kernels* const> KernelsOfThisCpu();

// The widest of them, unless a ForcedKernels says otherwise.
const Kernels& ChosenKernels();

// For tests and benchmarks: all threads use `kernels` until it is destroyed. One at a time.
class ForcedKernels {
 public:
  explicit ForcedKernels(const Kernels& kernels);
  ~ForcedKernels();
  ForcedKernels(const ForcedKernels&) = delete;
  ForcedKernels& operator=(const ForcedKernels&) = delete;
};

}  // namespace corerig
