// 128 bits: what SSE2 and NEON have. Where there is neither the compiler takes the vectors apart.
#define CORERIG_VECTOR_BYTES 16
#include "scenarios/train/kernels_body.inc"

namespace corerig {

const TrainKernels& BaselineTrainKernels() { return kKernels; }

}  // namespace corerig
