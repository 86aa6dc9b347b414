#include "sensors/rm3100.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "harness/base/philox.h"
#include "sensors/byte_order.h"
#include "sensors/fixed_frames.h"

namespace corerig {
namespace {

constexpr std::size_t kImageSize = 11, kFieldAt = 1, kAxisSize = 3, kRevisionAt = 10;
constexpr std::byte kDataReady{0x80}, kRevision{0x22};
constexpr double kLsbPerMicrotesla = 75, kNoise = 0.015;  // at 200 cycle counts; uT
constexpr std::int32_t kRange = 60'000;                   // 800 uT
constexpr double kHighest = 0x7FFFFF;                     // count

using Axes = std::array<double, 3>;

// In the body: x ahead, y right, z down; uT.
Axes FieldAt(Nanos offset) {
  constexpr double kNorth = 21.45, kEast = 1.5, kDown = 43.4;
  constexpr std::int64_t kTurnNanos = 8'000'000'000, kNodNanos = 13'000'000'000;
  constexpr double kNod = 10 * std::numbers::pi / 180;
  const auto phase = [&](std::int64_t period) {
    return 2 * std::numbers::pi * static_cast<double>(offset.count() % period) / static_cast<double>(period);
  };
  const double yaw = phase(kTurnNanos), pitch = kNod * std::sin(phase(kNodNanos));
  const double ahead = kNorth * std::cos(yaw) + kEast * std::sin(yaw);
  const double right = kEast * std::cos(yaw) - kNorth * std::sin(yaw);
  return {ahead * std::cos(pitch) - kDown * std::sin(pitch), right, ahead * std::sin(pitch) + kDown * std::cos(pitch)};
}

std::int32_t AxisOf(std::span<const std::byte> image, std::size_t axis) {
  const auto word = static_cast<std::uint32_t>(BigEndian(image, kFieldAt + axis * kAxisSize, kAxisSize));
  return static_cast<std::int32_t>(word << 8) >> 8;
}

// FNV-1a, 64 bits.
std::uint64_t KeyOf(std::span<const std::byte> image) {
  std::uint64_t hash = 14695981039346656037u;
  for (const std::byte byte : image.subspan(kFieldAt, 3 * kAxisSize)) {
    hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 1099511628211u;
  }
  return hash;
}

class Model final : public SensorModel {
 public:
  explicit Model(const SensorContext& context) : context_(context) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    const std::uint64_t measured_at = falsified.measurement_of.value_or(sequence);
    Axes field = FieldAt(context_.rate.OffsetOf(measured_at));
    field[0] += falsified.bias;
    const auto noise = RandomNormals(context_.seed, context_.stream_id, measured_at);
    out[0] = kDataReady;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const auto lsb =
          std::lround(std::clamp((field[axis] + kNoise * noise[axis]) * kLsbPerMicrotesla, -kHighest, kHighest));
      PutBigEndian(out, kFieldAt + axis * kAxisSize, static_cast<std::uint64_t>(lsb), kAxisSize);
    }
    out[kRevisionAt] = kRevision;
    return {.size = kImageSize,
            .wire_key = KeyOf(out.first(kImageSize)),
            .value = FieldAt(context_.rate.OffsetOf(sequence))[0]};
  }

 private:
  const SensorContext context_;
};

class Check {
 public:
  static constexpr std::size_t kSize = kImageSize;

  bool MayBegin(std::span<const std::byte> bytes) const { return (bytes[0] & kDataReady) == kDataReady; }

  std::optional<FrameContent> Read(std::span<const std::byte> image) const {
    if (image[kRevisionAt] != kRevision) return std::nullopt;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      if (std::abs(AxisOf(image, axis)) > kRange) return std::nullopt;
    }
    return FrameContent{.wire_key = KeyOf(image), .value = AxisOf(image, 0) / kLsbPerMicrotesla};
  }
};

// Along x: the level field turned any way, and as much of the one downwards as a nod of 10 degrees shows.
ValueLimits LimitsOf(const SensorContext&) {
  constexpr double kMost = 29.1, kSlope = 22, kSigmas = 8, kStep = 1 / kLsbPerMicrotesla;  // uT, uT/s
  return {.lowest = -kMost - kSigmas * kNoise,
          .highest = kMost + kSigmas * kNoise,
          .noise = std::numbers::sqrt2 * kSigmas * kNoise + kStep,
          .slope = kSlope,
          .repeats = EqualInARow(kNoise / kStep)};
}

}  // namespace

SensorType Rm3100() {
  return {.info = {.name = "rm3100",
                   .about = "PNI RM3100, magnetometer: register image, 200 cycle counts",
                   .default_rate = Rate::Hertz(75),
                   .highest_rate = Rate::Hertz(100),
                   .channels = {ChannelKind::kSeqpacket, ChannelKind::kPipe},
                   .formats = {},
                   .falsifiable = true},
          .max_frame_size = kImageSize,
          .value_unit = "uT",  // along x
          .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
            return std::make_unique<Model>(context);
          },
          .make_decoder = [](const SensorContext& context) -> std::unique_ptr<Decoder> {
            return std::make_unique<FixedFrames<Check>>(context.channel);
          },
          .value_limits = &LimitsOf};
}

}  // namespace corerig
