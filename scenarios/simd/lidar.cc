#include "scenarios/simd/lidar.h"

#include "scenarios/simd/wide_vectors.h"

namespace corerig {

void AddSquaredErrors(const Map& map, const Beam& beam, const Poses& poses, double* squares) {
  if (CpuHasWideVectors()) return avx2::AddSquaredErrors(map, beam, poses, squares);
  baseline::AddSquaredErrors(map, beam, poses, squares);
}

}  // namespace corerig
