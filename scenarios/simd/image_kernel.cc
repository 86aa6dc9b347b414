// Compiled once for each instruction set, into the namespace named so. Loops of fixed length over separate elements:
// the compiler makes vectors of them.
#include "scenarios/simd/image.h"

#ifndef CORERIG_ISA
#define CORERIG_ISA baseline
#endif

namespace corerig::CORERIG_ISA {
namespace {

// Down the columns of five rows: 16 times a grey level.
void SmoothDown(const std::uint8_t* __restrict pixels, std::size_t stride, std::uint16_t* __restrict out) {
  for (std::size_t x = 0; x < kTileInput; ++x) {
    out[x] = static_cast<std::uint16_t>(pixels[x] + pixels[x + 4 * stride] +
                                        4 * (pixels[x + stride] + pixels[x + 3 * stride]) + 6 * pixels[x + 2 * stride]);
  }
}

// Along a row: 256 times a grey level, at most 65280.
void SmoothAlong(const std::uint16_t* __restrict in, std::uint16_t* __restrict out) {
  for (std::size_t x = 0; x < kSmoothSide; ++x) {
    out[x] = static_cast<std::uint16_t>(in[x] + in[x + 4] + 4 * (in[x + 1] + in[x + 3]) + 6 * in[x + 2]);
  }
}

// Of three rows of the smoothed image.
void Gradients(const std::uint16_t* __restrict above, const std::uint16_t* __restrict row,
               const std::uint16_t* __restrict below, std::int32_t* __restrict along, std::int32_t* __restrict down) {
  for (std::size_t x = 0; x < kTileSide; ++x) {
    along[x] = (above[x + 2] - above[x]) + 2 * (row[x + 2] - row[x]) + (below[x + 2] - below[x]);
    down[x] = (below[x] - above[x]) + 2 * (below[x + 1] - above[x + 1]) + (below[x + 2] - above[x + 2]);
  }
}

}  // namespace

void FilterTile(const std::uint8_t* pixels, std::size_t stride, TileResult& result) {
  std::uint16_t column_sums[kTileInput];
  for (std::size_t y = 0; y < kSmoothSide; ++y) {
    SmoothDown(pixels + y * stride, stride, column_sums);
    SmoothAlong(column_sums, result.smoothed + y * kSmoothSide);
  }
  for (std::size_t y = 0; y < kTileSide; ++y) {
    const std::uint16_t* const above = result.smoothed + y * kSmoothSide;
    Gradients(above, above + kSmoothSide, above + 2 * kSmoothSide, result.along + y * kTileSide,
              result.down + y * kTileSide);
  }
}

}  // namespace corerig::CORERIG_ISA
