#include "scenarios/train/kernels.h"

#include "scenarios/simd/wide_vectors.h"

#if defined(__x86_64__)
#include "scenarios/train/kernels_v3.h"
#endif

namespace corerig {

const TrainKernels* WideTrainKernels() {
#if defined(__x86_64__)
  static const bool has = CpuHasWideVectors();
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
