// Compiled for x86-64-v3: only called where the CPU has it (kernels.cc).
#define CORERIG_VECTOR_BYTES 32
#include "scenarios/train/kernels_v3.h"

#include "scenarios/train/kernels_body.inc"

namespace corerig {

const TrainKernels& TrainKernelsV3() { return kKernels; }

}  // namespace corerig
