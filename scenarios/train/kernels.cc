#include "scenarios/train/kernels.h"

#if defined(__x86_64__)
#include "scenarios/train/kernels_v3.h"
#endif

namespace corerig {

const TrainKernels* WideTrainKernels() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has ? &TrainKernelsV3() : nullptr;
#else
  return nullptr;
#endif
}

const TrainKernels& BestTrainKernels() {
  const TrainKernels* wide = WideTrainKernels();
  return wide != nullptr ? *wide : BaselineTrainKernels();
}

}  // namespace corerig
