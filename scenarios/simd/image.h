// Smoothing and edges of a tile of an image, in whole numbers: exact, and the same on any CPU.
//
//   smoothed   the binomial 5 x 5 (1 4 6 4 1 along each axis), in 1/256 of a grey level: nothing is rounded
//   gradients  Sobel's of the smoothed image (1 2 1 across, -1 0 1 along), in 1/2048 of a grey level per pixel
//
// (Jähne, "Digital Image Processing", 6th edition, sections 11.4 and 12.4.) Vectorised for the CPU it runs on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace corerig {

inline constexpr std::size_t kTileSide = 160;                     // pixels
inline constexpr std::size_t kSmoothBorder = 2, kEdgeBorder = 1;  // which the filters need around
inline constexpr std::size_t kSmoothSide = kTileSide + 2 * kEdgeBorder;
inline constexpr std::size_t kTileInput = kSmoothSide + 2 * kSmoothBorder;

// The results for one tile, row by row.
struct TileResult {
  std::uint16_t smoothed[kSmoothSide * kSmoothSide];  // with a border of one pixel
  std::int32_t along[kTileSide * kTileSide];          // gradient to the right
  std::int32_t down[kTileSide * kTileSide];
};

// `pixels` is the first of kTileInput rows of kTileInput pixels, each row `stride` bytes behind the one before.
using TileFunction = void(const std::uint8_t* pixels, std::size_t stride, TileResult& result);
TileFunction FilterTile;

// What FilterTile chooses among.
namespace baseline {
TileFunction FilterTile;
}
#ifdef __x86_64__
namespace avx2 {
TileFunction FilterTile;
}
#endif

}  // namespace corerig
