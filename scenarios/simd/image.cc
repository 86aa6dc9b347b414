#include "scenarios/simd/image.h"

namespace corerig {

void FilterTile(const std::uint8_t* pixels, std::size_t stride, TileResult& result) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) return avx2::FilterTile(pixels, stride, result);
#endif
  baseline::FilterTile(pixels, stride, result);
}

}  // namespace corerig
