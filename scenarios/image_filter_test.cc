#include "scenarios/image_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>

#include "harness/base/philox.h"
#include "scenarios/group_run.h"
#include "sensors/camera.h"

namespace corerig {
namespace {

GroupRun Tiles(std::uint64_t units) { return {.type = ImageFilter(), .units = units}; }

struct Tile {
  std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(kTileInput * kTileInput);
  std::unique_ptr<TileResult> result = std::make_unique<TileResult>();
  Tile() {
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * i % 251);
    FilterTile(pixels.data(), kTileInput, *result);
  }
  bool right() const { return SumsAreRight(pixels.data(), kTileInput, *result); }
};

TEST(SumsAreRight, OfWhatTheFiltersMakeAndOfNothingElse) {
  Tile tile;
  EXPECT_TRUE(tile.right());
  tile.result->smoothed[0] ^= 1;
  EXPECT_FALSE(tile.right()) << "the first smoothed pixel";
  tile.result->smoothed[0] ^= 1;
  tile.result->along[777] += 1;
  EXPECT_FALSE(tile.right()) << "a gradient";
  tile.result->along[777] -= 1;
  tile.result->down[kTileSide * kTileSide - 1] -= 1;
  EXPECT_FALSE(tile.right()) << "the last gradient";
  tile.result->down[kTileSide * kTileSide - 1] += 1;
  EXPECT_TRUE(tile.right());
  tile.pixels.back() ^= 1;
  EXPECT_FALSE(tile.right()) << "the input's last corner, on which 1/256 of one result depends";
}

TEST(DigestOf, ChangesWithEveryValueAndTheTile) {
  Tile tile;
  std::set<std::uint64_t> digests = {DigestOf(*tile.result, 0), DigestOf(*tile.result, 1)};
  for (const std::size_t at : {std::size_t{0}, std::size_t{15}, kTileSide * kTileSide - 1}) {
    tile.result->smoothed[at] ^= 1;
    digests.insert(DigestOf(*tile.result, 0));
    tile.result->along[at] ^= 1;
    digests.insert(DigestOf(*tile.result, 0));
    tile.result->down[at] ^= 1;
    digests.insert(DigestOf(*tile.result, 0));
  }
  std::swap(tile.result->along[3], tile.result->along[100]);
  digests.insert(DigestOf(*tile.result, 0));
  EXPECT_EQ(digests.size(), 12u);
}

TEST(ImageFilter, AnswerIsTheSameToTheLastBitForAnyNumberOfWorkers) {
  const GroupRun run = Tiles(40);
  const auto one = BitsOf(run.With(1));
  ASSERT_FALSE(one.empty());
  for (const int workers : {2, 3, 7}) EXPECT_EQ(BitsOf(run.With(workers)), one) << workers << " workers";
  GroupRun other = run;
  other.seed = 43;
  EXPECT_NE(BitsOf(other.With(1)), one) << "other noise, other pixels";
  EXPECT_NE(FigureOf(*Tiles(39).With(1), "digest"), FigureOf(*run.With(1), "digest"));
}

// What seed 42 gave on the machine it was written on.
TEST(ImageFilter, DigestIsTheSameOnEveryBoard) {
  EXPECT_EQ(static_cast<std::uint64_t>(FigureOf(*Tiles(24).With(2), "digest")), 3420845881891079u);
}

// From the camera's frames themselves, pixel by pixel.
TEST(ImageFilter, DigestIsThatOfEveryTileOfTheFramesInItsPlace) {
  const SensorType camera = Camera();
  SensorContext context;
  context.seed = 42;
  context.stream_id = StreamId("image/filter");
  context.rate = camera.info.default_rate;
  context.format = "gray8";
  const auto model = camera.make_model(context);
  std::vector<std::byte> frame(camera.max_frame_size);
  const auto result = std::make_unique<TileResult>();
  std::uint64_t digest = 0;
  for (int sequence = 0; sequence < 2; ++sequence) {
    const std::size_t header = model->Encode(static_cast<std::uint64_t>(sequence), frame).size - 640 * 480;
    for (int tile = 0; tile < 12; ++tile) {
      std::vector<std::uint8_t> input;
      for (int y = -3; y < 163; ++y) {
        for (int x = -3; x < 163; ++x) {
          const int column = std::clamp(tile % 4 * 160 + x, 0, 639), row = std::clamp(tile / 4 * 160 + y, 0, 479);
          input.push_back(std::to_integer<std::uint8_t>(frame[header + static_cast<std::size_t>(row * 640 + column)]));
        }
      }
      FilterTile(input.data(), kTileInput, *result);
      digest += DigestOf(*result, static_cast<std::uint64_t>(sequence * 12 + tile));
    }
  }
  EXPECT_EQ(FigureOf(*Tiles(24).With(3), "digest"), static_cast<double>(digest % (std::uint64_t{1} << 53)));
}

// The scene of sensors/camera: a gradient from 0.1 to 0.4 of the full well, and a disc of 0.8 of radius 40, through the
// part's conversion to 8 bits.
TEST(ImageFilter, SeesTheCamerasScene) {
  const auto answer = Tiles(kTilesInFrame * 4).With(1);
  ASSERT_TRUE(answer) << ErrorOf(answer);
  EXPECT_TRUE(answer->check->passed) << answer->check->text;
  EXPECT_EQ(answer->check->text, "the sums of all 48 tiles are what linear filters make of the frames'");
  const double disc = 3.14159 * 40 * 40 / (640 * 480);
  const double light = 0.25 * (1 - disc) + 0.8 * disc;
  EXPECT_NEAR(FigureOf(*answer, "grey"), (168 + (4095 - 168) * light) / 16, 1.5);
  // The disc's rim, 251 pixels long and smoothed to a few pixels' width.
  EXPECT_GT(FigureOf(*answer, "edges"), 251 * 2 / (640. * 480));
  EXPECT_LT(FigureOf(*answer, "edges"), 251 * 10 / (640. * 480));
}

TEST(ImageFilter, FramesComeAgainAfterTheLast) {
  const auto sum = [](std::uint64_t units) {
    return static_cast<std::uint64_t>(FigureOf(*Tiles(units).Set("frames", "2").With(1), "digest"));
  };
  constexpr std::uint64_t kModulus = std::uint64_t{1} << 53;
  EXPECT_EQ(sum(4 * kTilesInFrame), 2 * sum(2 * kTilesInFrame) % kModulus);
  EXPECT_NE(sum(2 * kTilesInFrame), 2 * sum(kTilesInFrame) % kModulus) << "two frames are not one twice";
}

TEST(ImageFilter, AWrongTileFailsTheCheck) {
  const GroupRun run = Tiles(20);
  auto bytes = run.ResultOf(1, 0);
  ASSERT_TRUE(bytes);
  const auto with = [&](std::size_t word, std::uint64_t value) {
    auto changed = *bytes;
    std::memcpy(changed.data() + 8 * word, &value, sizeof value);
    return run.type.merge(run.Job(), std::vector<WorkerResult>{{0, changed}});
  };
  const auto wrong = with(1, 3);
  ASSERT_TRUE(wrong) << ErrorOf(wrong);
  EXPECT_FALSE(wrong->check->passed);
  EXPECT_EQ(wrong->check->text, "3 of 20 tiles have sums that linear filters cannot make of the frames'");
  EXPECT_EQ(ErrorOf(with(0, 21)), "worker w.0: it claims 21 units; 20 were its own");
  EXPECT_FALSE(with(1, 21));
  EXPECT_FALSE(with(3, ~std::uint64_t{0}));
  EXPECT_FALSE(with(4, 20 * 160 * 160 + 1));
  EXPECT_EQ(ErrorOf(run.type.merge(run.Job(), std::vector<WorkerResult>{{0, std::span(*bytes).first(39)}})),
            "worker w.0: a result of 39 bytes; 40 were expected");
  EXPECT_EQ(ErrorOf(run.type.merge(run.Job(), {})), "worker w: no unit of work was finished");
}

TEST(ImageFilter, TheAnswerOfTheSurvivorsSaysOverHowManyUnits) {
  const auto answer = Tiles(20).With(3, /*missing=*/1);
  ASSERT_TRUE(answer) << ErrorOf(answer);
  EXPECT_EQ(answer->units, 13u);
  EXPECT_TRUE(answer->check->passed);
}

TEST(ImageFilter, FramesHaveBounds) {
  EXPECT_EQ(Tiles(1).Refusal(), "");
  EXPECT_EQ(Tiles(1).Set("frames", "0").Refusal(), "frames = 0; write 1 to 100");
  EXPECT_EQ(Tiles(1).Set("frames", "101").Refusal(), "frames = 101; write 1 to 100");
}

}  // namespace
}  // namespace corerig
