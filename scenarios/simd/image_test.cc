#include "scenarios/simd/image.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "scenarios/simd/wide_vectors.h"

namespace corerig {
namespace {

constexpr std::size_t kStride = kTileInput + 5;

using Pixels = std::vector<std::uint8_t>;

template <typename Grey>
Pixels Picture(const Grey& grey) {
  Pixels pixels(kStride * kTileInput, 0xEE);
  for (std::size_t y = 0; y < kTileInput; ++y) {
    for (std::size_t x = 0; x < kTileInput; ++x) {
      pixels[y * kStride + x] = static_cast<std::uint8_t>(grey(static_cast<int>(x), static_cast<int>(y)));
    }
  }
  return pixels;
}

Pixels Noise() {
  std::uint32_t state = 1;
  return Picture([&](int, int) { return (state = state * 1664525u + 1013904223u) >> 24; });
}

std::unique_ptr<TileResult> Filter(TileFunction& function, const Pixels& pixels) {
  auto result = std::make_unique<TileResult>();
  function(pixels.data(), kStride, *result);
  return result;
}

TEST(FilterTile, AConstantStaysAndHasNoEdges) {
  for (const int grey : {0, 1, 200, 255}) {
    const auto result = Filter(FilterTile, Picture([&](int, int) { return grey; }));
    for (const auto smoothed : result->smoothed) ASSERT_EQ(smoothed, grey * 256);
    for (const auto along : result->along) ASSERT_EQ(along, 0);
    for (const auto down : result->down) ASSERT_EQ(down, 0);
  }
}

TEST(FilterTile, ARampStaysAndItsGradientIsItsSlope) {
  const auto result = Filter(FilterTile, Picture([](int x, int) { return x; }));
  for (std::size_t y = 0; y < kSmoothSide; ++y) {
    for (std::size_t x = 0; x < kSmoothSide; ++x) ASSERT_EQ(result->smoothed[y * kSmoothSide + x], (x + 2) * 256);
  }
  for (const auto along : result->along) ASSERT_EQ(along, 2048);
  for (const auto down : result->down) ASSERT_EQ(down, 0);
  const auto falling = Filter(FilterTile, Picture([](int, int y) { return 200 - y; }));
  for (const auto along : falling->along) ASSERT_EQ(along, 0);
  for (const auto down : falling->down) ASSERT_EQ(down, -2048);
}

TEST(FilterTile, APointBecomesTheKernel) {
  const auto result = Filter(FilterTile, Picture([](int x, int y) { return x == 50 && y == 70 ? 1 : 0; }));
  constexpr std::array<int, 5> kBinomial = {1, 4, 6, 4, 1};
  int sum = 0;
  for (int y = 0; y < 5; ++y) {
    for (int x = 0; x < 5; ++x) {
      EXPECT_EQ(result->smoothed[(66 + y) * static_cast<int>(kSmoothSide) + 46 + x], kBinomial[y] * kBinomial[x]);
    }
  }
  for (const auto smoothed : result->smoothed) sum += smoothed;
  EXPECT_EQ(sum, 256);
}

// Straight from the definition, in two dimensions.
TEST(FilterTile, IsTheConvolutionOfItsDefinition) {
  constexpr std::array<int, 5> kBinomial = {1, 4, 6, 4, 1};
  constexpr std::array<int, 3> kAcross = {1, 2, 1}, kAlong = {-1, 0, 1};
  const Pixels pixels = Noise();
  const auto result = Filter(FilterTile, pixels);
  for (std::size_t y = 0; y < kSmoothSide; ++y) {
    for (std::size_t x = 0; x < kSmoothSide; ++x) {
      int sum = 0;
      for (std::size_t j = 0; j < 5; ++j) {
        for (std::size_t i = 0; i < 5; ++i) sum += kBinomial[j] * kBinomial[i] * pixels[(y + j) * kStride + x + i];
      }
      ASSERT_EQ(result->smoothed[y * kSmoothSide + x], sum);
    }
  }
  for (std::size_t y = 0; y < kTileSide; ++y) {
    for (std::size_t x = 0; x < kTileSide; ++x) {
      int along = 0, down = 0;
      for (std::size_t j = 0; j < 3; ++j) {
        for (std::size_t i = 0; i < 3; ++i) {
          along += kAcross[j] * kAlong[i] * result->smoothed[(y + j) * kSmoothSide + x + i];
          down += kAlong[j] * kAcross[i] * result->smoothed[(y + j) * kSmoothSide + x + i];
        }
      }
      ASSERT_EQ(result->along[y * kTileSide + x], along);
      ASSERT_EQ(result->down[y * kTileSide + x], down);
    }
  }
}

#ifdef __x86_64__
TEST(FilterTile, IsTheSameInVectorsOfAnyWidth) {
  if (!CpuHasWideVectors()) GTEST_SKIP() << "this CPU has no AVX2 and FMA";
  const Pixels pixels = Noise();
  const auto narrow = Filter(baseline::FilterTile, pixels), wide = Filter(avx2::FilterTile, pixels);
  EXPECT_EQ(std::memcmp(narrow.get(), wide.get(), sizeof(TileResult)), 0);
}
#endif

}  // namespace
}  // namespace corerig
