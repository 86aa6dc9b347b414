// Workload "image/filter": frames of a camera, smoothed and searched for edges, tile by tile.
//
// The frames are those of the simulated camera (sensors/camera), 640 x 480 pixels of 8 bits, a number of different ones
// made when they are first needed and then taken in turn. A unit of work is one of the 12 tiles of a frame: the
// binomial 5 x 5, then Sobel's gradients of that (scenarios/simd/image.h). Beyond the frame's border its outermost
// pixels go on.
//
// The answer's digest is the sum, modulo 2^53, of a hash of every tile's smoothed pixels and gradients: it does not
// depend on who computed which, and all arithmetic is in whole numbers, so it is the same on every board.
//
// The check, of every tile: both filters are linear, so the sums of their results follow from sums of the input alone.
// The smoothed pixels' is that of the input's weighted by how much of the kernel falls on the tile; Sobel's telescope,
// to the difference of the borders. What is computed in one way is compared with what is computed in the other.
#pragma once

#include <cstdint>
#include <span>

#include "harness/child/workload.h"
#include "scenarios/simd/image.h"

namespace corerig {

inline constexpr std::size_t kFrameWidth = 640, kFrameHeight = 480;
inline constexpr std::size_t kTilesAcross = kFrameWidth / kTileSide, kTilesDown = kFrameHeight / kTileSide;
inline constexpr std::size_t kTilesInFrame = kTilesAcross * kTilesDown;

// Whether the sums of `result` are those that follow from the tile's input.
bool SumsAreRight(const std::uint8_t* pixels, std::size_t stride, const TileResult& result);

// Of smoothed pixels and gradients; another one for every `seed`.
std::uint64_t DigestOf(const TileResult& result, std::uint64_t seed);

WorkloadType ImageFilter();

}  // namespace corerig
