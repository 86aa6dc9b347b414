#include "scenarios/simd/lidar.h"

namespace corerig {

void AddSquaredErrors(const Map& map, const Beam& beam, const Poses& poses, double* squares) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) return avx2::AddSquaredErrors(map, beam, poses, squares);
#endif
  baseline::AddSquaredErrors(map, beam, poses, squares);
}

}  // namespace corerig
