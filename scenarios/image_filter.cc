#include "scenarios/image_filter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "harness/base/philox.h"
#include "harness/base/text.h"
#include "scenarios/worker_results.h"
#include "sensors/camera.h"

namespace corerig {
namespace {

constexpr std::size_t kBorder = kSmoothBorder + kEdgeBorder;
constexpr std::size_t kStride = kFrameWidth + 2 * kBorder;
constexpr int kMostFrames = 100;
// A pixel is on an edge where |along| + |down| is at least so much: 8 grey levels per pixel.
constexpr std::int32_t kEdge = 8 * 2048;

// A frame with its border.
using Image = std::vector<std::uint8_t>;

class FrameMaker {
 public:
  explicit FrameMaker(std::uint64_t seed)
      : sensor_(Camera()), model_(sensor_.make_model(Context(seed))), bytes_(sensor_.max_frame_size) {}

  Image Make(std::uint64_t sequence) {
    const std::size_t size = model_->Encode(sequence, bytes_).size;
    const std::byte* const payload = bytes_.data() + (size - kFrameWidth * kFrameHeight);
    Image image(kStride * (kFrameHeight + 2 * kBorder));
    for (std::size_t y = 0; y < kFrameHeight + 2 * kBorder; ++y) {
      const std::size_t from = std::clamp(y, kBorder, kFrameHeight + kBorder - 1) - kBorder;
      std::uint8_t* const row = image.data() + y * kStride;
      std::memcpy(row + kBorder, payload + from * kFrameWidth, kFrameWidth);
      std::fill_n(row, kBorder, row[kBorder]);
      std::fill_n(row + kBorder + kFrameWidth, kBorder, row[kBorder + kFrameWidth - 1]);
    }
    return image;
  }

 private:
  static SensorContext Context(std::uint64_t seed) {
    SensorContext context;
    context.seed = seed;
    context.stream_id = StreamId("image/filter");
    context.rate = Camera().info.default_rate;
    context.format = "gray8";
    return context;
  }

  SensorType sensor_;
  std::unique_ptr<SensorModel> model_;
  std::vector<std::byte> bytes_;
};

// What tiles come to.
struct TileSums {
  std::uint64_t units = 0;
  std::uint64_t wrong = 0;   // tiles whose sums do not follow from their input
  std::uint64_t digest = 0;  // modulo 2^64
  std::uint64_t grey = 0;    // sum of smoothed pixels, in 1/256 of a grey level
  std::uint64_t edges = 0;   // pixels
};

class Worker final : public Workload {
 public:
  Worker(std::uint64_t seed, std::size_t frames) : frames_(seed), images_(frames) {}

  void RunUnit(std::uint64_t unit) override {
    const std::uint64_t frame = unit / kTilesInFrame % images_.size(), tile = unit % kTilesInFrame;
    Image& image = images_[frame];
    if (image.empty()) image = frames_.Make(frame);
    const std::uint8_t* const pixels =
        image.data() + tile / kTilesAcross * kTileSide * kStride + tile % kTilesAcross * kTileSide;
    FilterTile(pixels, kStride, *result_);
    ++sums_.units;
    if (!SumsAreRight(pixels, kStride, *result_)) ++sums_.wrong;
    sums_.digest += DigestOf(*result_, frame * kTilesInFrame + tile);
    for (std::size_t y = 0; y < kTileSide; ++y) {
      const std::uint16_t* const smoothed = result_->smoothed + (y + kEdgeBorder) * kSmoothSide + kEdgeBorder;
      std::uint32_t grey = 0, edges = 0;
      for (std::size_t x = 0; x < kTileSide; ++x) {
        const std::int32_t slope =
            std::abs(result_->along[y * kTileSide + x]) + std::abs(result_->down[y * kTileSide + x]);
        grey += smoothed[x];
        edges += slope >= kEdge ? 1 : 0;
      }
      sums_.grey += grey;
      sums_.edges += edges;
    }
  }

  std::size_t WriteResult(std::span<std::byte> out) const override {
    std::memcpy(out.data(), &sums_, sizeof sums_);
    return sizeof sums_;
  }

 private:
  FrameMaker frames_;
  std::vector<Image> images_;  // empty: not needed yet
  std::unique_ptr<TileResult> result_ = std::make_unique<TileResult>();
  TileSums sums_;
};

Result<Answer> Merge(const WorkerJob& job, std::span<const WorkerResult> results) {
  constexpr std::uint64_t kPixels = kTileSide * kTileSide;
  TileSums total;
  if (auto checked = CheckSenders(job, results); !checked) return Forward(checked);
  for (const WorkerResult& result : results) {
    const auto wrong = [&](const auto&... what) { return Fail(NameOf(job, result), ": ", what...); };
    TileSums sums;
    if (result.bytes.size() != sizeof sums) {
      return wrong("a result of ", result.bytes.size(), " bytes; ", sizeof sums, " were expected");
    }
    std::memcpy(&sums, result.bytes.data(), sizeof sums);
    if (auto checked = CheckUnits(job, result, sums.units); !checked) return Forward(checked);
    constexpr std::uint64_t kMostUnits = std::uint64_t{1} << 30;  // the sums below cannot overflow
    if (sums.units > kMostUnits || sums.wrong > sums.units || sums.edges > sums.units * kPixels ||
        sums.grey > sums.units * kPixels * 255 * 256) {
      return wrong("of ", sums.units, " tiles it claims ", sums.wrong, " wrong ones and ", sums.edges,
                   " pixels on edges");
    }
    total.units += sums.units;
    total.wrong += sums.wrong;
    total.digest += sums.digest;
    total.grey += sums.grey;
    total.edges += sums.edges;
  }
  if (total.units == 0) return Fail("worker ", job.group, ": no unit of work was finished");
  const auto pixels = static_cast<double>(total.units * kPixels);
  return Answer{
      .units = total.units,
      .figures = {{"digest", static_cast<double>(total.digest & ((std::uint64_t{1} << 53) - 1)), ""},
                  {"grey", static_cast<double>(total.grey) / 256 / pixels, "grey levels"},
                  {"edges", static_cast<double>(total.edges) / pixels, "of the pixels"},
                  {"tiles", static_cast<double>(total.units), "tiles"},
                  {"wrong", static_cast<double>(total.wrong), "tiles"}},
      .check = CheckRecord{
          .passed = total.wrong == 0,
          .text = total.wrong == 0
                      ? StrCat("the sums of all ", total.units, " tiles are what linear filters make of the frames'")
                      : StrCat(total.wrong, " of ", total.units,
                               " tiles have sums that linear filters cannot make of the frames'")}};
}

// Per place of the input how much of a filter's weight falls on outputs, of which there are as many as fit.
template <std::size_t kInputs, std::size_t kTaps>
constexpr std::array<std::int32_t, kInputs> Coverage(const std::array<int, kTaps>& weights) {
  std::array<std::int32_t, kInputs> coverage{};
  for (std::size_t output = 0; output + kTaps <= kInputs; ++output) {
    for (std::size_t tap = 0; tap < kTaps; ++tap) coverage[output + tap] += weights[tap];
  }
  return coverage;
}

// The sum of values by their coverage: all alike but at both ends, where a multiplication is.
template <typename Value, std::size_t kInputs>
std::int64_t Covered(const std::array<std::int32_t, kInputs>& coverage, const Value* values) {
  constexpr std::size_t kEnd = 4;
  const std::int32_t inside = coverage[kInputs / 2];
  std::int32_t sum = 0;
  for (std::size_t i = kEnd; i < kInputs - kEnd; ++i) sum += values[i];
  std::int64_t covered = std::int64_t{inside} * sum;
  for (std::size_t i = 0; i < kEnd; ++i) {
    covered += std::int64_t{coverage[i]} * values[i];
    covered += std::int64_t{coverage[kInputs - 1 - i]} * values[kInputs - 1 - i];
  }
  return covered;
}

template <typename Value>
std::int32_t SumOf(const Value* values, std::size_t count) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += values[i];
  return sum;
}

}  // namespace

bool SumsAreRight(const std::uint8_t* pixels, std::size_t stride, const TileResult& result) {
  static constexpr auto kSmooth = Coverage<kTileInput, 5>({1, 4, 6, 4, 1});
  static constexpr auto kAcross = Coverage<kSmoothSide, 3>({1, 2, 1});
  static constexpr auto kAlong = Coverage<kSmoothSide, 3>({-1, 0, 1});  // telescopes: -1 -1 0 … 0 1 1

  // Rows fit 32 bits: a smoothed pixel is at most 65280, a gradient four times that.
  std::int64_t expected = 0;
  for (std::size_t y = 0; y < kTileInput; ++y) {
    expected += std::int64_t{kSmooth[y]} * Covered(kSmooth, pixels + y * stride);
  }
  std::int64_t smoothed = 0, expected_along = 0, expected_down = 0;
  for (std::size_t y = 0; y < kSmoothSide; ++y) {
    const std::uint16_t* const row = result.smoothed + y * kSmoothSide;
    smoothed += SumOf(row, kSmoothSide);
    expected_along += std::int64_t{kAcross[y]} * Covered(kAlong, row);
    expected_down += std::int64_t{kAlong[y]} * Covered(kAcross, row);
  }
  std::int64_t along = 0, down = 0;
  for (std::size_t y = 0; y < kTileSide; ++y) {
    along += SumOf(result.along + y * kTileSide, kTileSide);
    down += SumOf(result.down + y * kTileSide, kTileSide);
  }
  return smoothed == expected && along == expected_along && down == expected_down;
}

std::uint64_t DigestOf(const TileResult& result, std::uint64_t seed) {
  // Fletcher's two sums over the values of all three, in lanes that make vectors, then mixed (as sensors/camera's
  // checksum).
  constexpr std::size_t kLanes = 16;
  std::array<std::uint32_t, kLanes> a{}, b{};
  const auto add = [&](const auto& values, std::size_t count) {
    std::array<std::uint32_t, kLanes> sum = a, sum_of_sums = b;  // in registers
    for (std::size_t at = 0; at + kLanes <= count; at += kLanes) {
      for (std::size_t i = 0; i < kLanes; ++i) {
        sum[i] += static_cast<std::uint32_t>(values[at + i]);
        sum_of_sums[i] += sum[i];
      }
    }
    for (std::size_t at = count / kLanes * kLanes; at < count; ++at) {
      sum[0] += static_cast<std::uint32_t>(values[at]);
      sum_of_sums[0] += sum[0];
    }
    a = sum;
    b = sum_of_sums;
  };
  add(result.smoothed, std::size(result.smoothed));
  add(result.along, std::size(result.along));
  add(result.down, std::size(result.down));
  std::uint64_t hash = (seed + 1) * 0x9E3779B97F4A7C15u;
  for (std::size_t i = 0; i < kLanes; ++i) {
    for (const std::uint32_t x : {a[i], b[i]}) {
      hash = (hash ^ x) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 32;
    }
  }
  return hash;
}

WorkloadType ImageFilter() {
  using Kind = ParameterInfo::Kind;
  return {.info = {.name = "image/filter",
                   .about = "smooths a camera's frames and finds their edges, tile by tile (binomial 5 x 5, Sobel)",
                   .unit = "tile of 160 x 160 pixels",
                   .parameters = {{"frames", Kind::kWholeNumber, "8", "different ones, 307 kB each in every worker"}}},
          .make = [](const WorkerJob& job, const Surroundings&) -> Result<std::unique_ptr<Workload>> {
            const double frames = job.Number("frames");
            if (frames < 1 || frames > kMostFrames) return Fail("frames = ", frames, "; write 1 to ", kMostFrames);
            return std::make_unique<Worker>(job.seed, static_cast<std::size_t>(frames));
          },
          .result_size = [](const WorkerJob&) { return sizeof(TileSums); },
          .merge = &Merge};
}

}  // namespace corerig
