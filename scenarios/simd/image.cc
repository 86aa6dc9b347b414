#include "scenarios/simd/image.h"

#include "scenarios/simd/wide_vectors.h"

namespace corerig {

void FilterTile(const std::uint8_t* pixels, std::size_t stride, TileResult& result) {
  if (CpuHasWideVectors()) return avx2::FilterTile(pixels, stride, result);
  baseline::FilterTile(pixels, stride, result);
}

}  // namespace corerig
