#include "sensors/ld06.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "harness/base/philox.h"
#include "sensors/byte_order.h"
#include "sensors/fixed_frames.h"

namespace corerig {
namespace {

constexpr std::size_t kPoints = 12, kPacketSize = 47, kSpeedAt = 2, kFirstAngleAt = 4, kPointsAt = 6, kPointSize = 3;
constexpr std::size_t kLastAngleAt = 42, kStampAt = 44, kCrcAt = 46;
constexpr std::byte kStart{0x54}, kLength{0x2C};
constexpr int kCircle = 36'000;                          // 0.01 degree
constexpr std::int64_t kTurnNanos = 100'000'000;         // 10 turns per second
constexpr std::int64_t kStampPeriod = 30'000;            // ms
constexpr double kNoise = 0.010, kMissing = 0.01;        // m; share of points
constexpr std::uint8_t kWhite = 200, kPillarGrey = 140;  // intensities

enum Lane : std::uint32_t { kNoiseLane, kMissingLane };

constexpr std::array<std::uint8_t, 256> CrcTable() {
  std::array<std::uint8_t, 256> table = {};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x80) != 0 ? crc << 1 ^ 0x4D : crc << 1;
    table[byte] = static_cast<std::uint8_t>(crc);
  }
  return table;
}

std::byte CrcOf(std::span<const std::byte> packet) {
  static constexpr auto kTable = CrcTable();
  std::uint8_t crc = 0;
  for (const std::byte byte : packet.first(kCrcAt)) crc = kTable[crc ^ std::to_integer<std::uint8_t>(byte)];
  return std::byte{crc};
}

// Where the robot is and where it looks: metres from the middle of the room, radians from its long side, anticlockwise.
struct Pose {
  double x, y, heading;
};

Pose PoseAt(Nanos offset) {
  const auto phase = [&](std::int64_t seconds) {
    const std::int64_t period = seconds * 1'000'000'000;
    return 2 * std::numbers::pi * static_cast<double>(offset.count() % period) / static_cast<double>(period);
  };
  return {.x = std::sin(phase(40)), .y = 0.5 * std::sin(phase(20)), .heading = phase(60)};
}

struct Return {
  double distance;
  std::uint8_t intensity;
};

Return Cast(const Pose& from, double clockwise) {
  constexpr double kHalfLength = 3, kHalfWidth = 2;
  constexpr double kPillarX = 1.8, kPillarY = 1.2, kPillarRadius = 0.2;
  const double direction = from.heading - clockwise, c = std::cos(direction), s = std::sin(direction);
  const double across = (std::copysign(kHalfLength, c) - from.x) / c;
  const double along = (std::copysign(kHalfWidth, s) - from.y) / s;
  const double wall = std::min(across, along);
  // The nearer root of |from + d * (c, s) - pillar| = radius.
  const double to_x = kPillarX - from.x, to_y = kPillarY - from.y, ahead = to_x * c + to_y * s;
  const double discriminant = ahead * ahead - to_x * to_x - to_y * to_y + kPillarRadius * kPillarRadius;
  if (ahead > 0 && discriminant > 0) return {ahead - std::sqrt(discriminant), kPillarGrey};
  return {wall, kWhite};
}

class Model final : public SensorModel {
 public:
  explicit Model(const SensorContext& context) : context_(context) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  // A bias is one of all distances. One that is stuck repeats them at the angles where it looks.
  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    const std::uint64_t first = sequence * kPoints, shown = falsified.measurement_of.value_or(sequence) * kPoints;
    out[0] = kStart;
    out[1] = kLength;
    PutLittleEndian(out, kSpeedAt, kCircle / 100 * (1'000'000'000 / kTurnNanos), 2);
    PutLittleEndian(out, kFirstAngleAt, WireAngle(context_.rate.OffsetOf(first)), 2);
    for (std::uint64_t i = 0; i < kPoints; i += 4) {
      const auto noise = RandomNormals(context_.seed, context_.stream_id, (shown + i) / 4, kNoiseLane);
      const auto luck = RandomWords(context_.seed, context_.stream_id, (shown + i) / 4, kMissingLane);
      for (std::uint64_t j = 0; j < 4; ++j) {
        const Nanos at = context_.rate.OffsetOf(shown + i + j);
        const bool missing = UniformOpen(luck[j]) < kMissing;
        const Return hit = missing ? Return{0, 0} : Cast(PoseAt(at), AngleAt(at));
        // 0 says that none came back.
        const double measured =
            missing ? 0 : std::clamp(hit.distance + kNoise * noise[j] + falsified.bias, 0.001, 65.535);
        const std::size_t place = kPointsAt + (i + j) * kPointSize;
        PutLittleEndian(out, place, static_cast<std::uint64_t>(std::lround(measured * 1000)), 2);
        out[place + 2] = std::byte{hit.intensity};
      }
    }
    const Nanos last = context_.rate.OffsetOf(first + kPoints - 1);
    PutLittleEndian(out, kLastAngleAt, WireAngle(last), 2);
    const auto stamp = static_cast<std::uint64_t>((context_.clock_offset + last).count() / 1'000'000 % kStampPeriod);
    PutLittleEndian(out, kStampAt, stamp, 2);
    out[kCrcAt] = CrcOf(out);
    return {.size = kPacketSize, .wire_key = stamp, .value = LastReturn(first)};
  }

 private:
  // True distance of the last of kPoints points that comes back; 0 if none does.
  double LastReturn(std::uint64_t first) const {
    for (std::uint64_t point = first + kPoints; point-- > first;) {
      const auto luck = RandomWords(context_.seed, context_.stream_id, point / 4, kMissingLane);
      const Nanos at = context_.rate.OffsetOf(point);
      if (UniformOpen(luck[point % 4]) >= kMissing) return Cast(PoseAt(at), AngleAt(at)).distance;
    }
    return 0;
  }

  // Whole turns are taken off in integers, so that the angle stays exact in long runs.
  static double AngleAt(Nanos offset) {
    return 2 * std::numbers::pi * static_cast<double>(offset.count() % kTurnNanos) / kTurnNanos;
  }
  static std::uint64_t WireAngle(Nanos offset) {
    return static_cast<std::uint64_t>(offset.count() % kTurnNanos * kCircle / kTurnNanos);
  }

  const SensorContext context_;
};

class Check {
 public:
  static constexpr std::size_t kSize = kPacketSize;

  bool MayBegin(std::span<const std::byte> bytes) const {
    return bytes[0] == kStart && (bytes.size() == 1 || bytes[1] == kLength);
  }

  std::optional<FrameContent> Read(std::span<const std::byte> packet) const {
    if (CrcOf(packet) != packet[kCrcAt]) return std::nullopt;
    const std::uint64_t stamp = LittleEndian(packet, kStampAt, 2);
    if (LittleEndian(packet, kFirstAngleAt, 2) >= kCircle || LittleEndian(packet, kLastAngleAt, 2) >= kCircle ||
        stamp > kStampPeriod) {
      return std::nullopt;
    }
    double value = 0;
    for (std::size_t i = 0; i < kPoints; ++i) {
      const std::uint64_t millimetres = LittleEndian(packet, kPointsAt + i * kPointSize, 2);
      if (millimetres != 0) value = static_cast<double>(millimetres) / 1000;
    }
    return FrameContent{.wire_key = stamp, .value = value};
  }
};

// From where it drives the pillar is never nearer than 0.86 m and the farthest corner 4.72 m away. Neighbours jump from
// one to the other.
ValueLimits LimitsOf(const SensorContext&) {
  constexpr double kNearest = 0.86, kFarthest = 4.72, kSigmas = 8;
  return {.lowest = kNearest - kSigmas * kNoise,
          .highest = kFarthest + kSigmas * kNoise,
          .repeats = EqualInARow(kNoise * 1000)};
}

}  // namespace

SensorType Ld06() {
  return {.info = {.name = "ld06",
                   .about = "LDROBOT LD06, 2D laser scanner: packets of 12 points, 10 turns per second",
                   .default_rate = Rate::Hertz(4500),
                   .highest_rate = Rate::Hertz(4500),
                   .channels = {ChannelKind::kPty},
                   .formats = {},
                   .batching = {.most = kPoints, .frames = {}, .least = kPoints},
                   .falsifiable = true},
          .max_frame_size = kPacketSize,
          .value_unit = "m",  // the packet's last point that came back
          .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
            return std::make_unique<Model>(context);
          },
          .make_decoder = [](const SensorContext& context) -> std::unique_ptr<Decoder> {
            return std::make_unique<FixedFrames<Check>>(context.channel);
          },
          .value_limits = &LimitsOf};
}

}  // namespace corerig
