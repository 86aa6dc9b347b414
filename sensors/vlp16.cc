#include "sensors/vlp16.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numbers>
#include <optional>
#include <string_view>
#include <vector>

#include "harness/base/philox.h"
#include "harness/plan/parameter.h"
#include "sensors/byte_order.h"
#include "sensors/gnss_fix.h"
#include "sensors/nmea.h"

namespace corerig {
namespace {

constexpr std::size_t kPacketSize = 1206, kBlockSize = 100, kBlocks = 12;
constexpr std::size_t kStampAt = 1200, kReturnModeAt = 1204, kProductAt = 1205;
constexpr std::uint8_t kStrongest = 0x37, kProductVlp16 = 0x22;
constexpr int kSequencesPerBlock = 2, kLasers = 16;
constexpr int kCircle = 36'000;  // 0.01 degrees
constexpr std::int64_t kHourMicros = 3'600'000'000;

// Position packet.
constexpr std::string_view kPosition = "position";
constexpr std::size_t kPositionSize = 512, kPositionStampAt = 198, kPulseAt = 202, kSentenceAt = 206;
constexpr std::uint8_t kPulseLocked = 2;
constexpr double kMetresPerLsb = 0.002;

// Section 8.1: a laser every 2.304 us, all sixteen every 55.296 us.
constexpr double kSequenceNanos = 55'296, kFiringNanos = 2304;
// 600 rpm are 3600 degrees per second.
constexpr double kCentidegreesPerNano = 3600.0 * 100 / 1e9;

// Section 9.2, table 9-1: elevation in degrees by laser, in the order they fire.
constexpr std::array<int, kLasers> kElevation = {-15, 1, -13, 3, -11, 5, -9, 7, -7, 9, -5, 11, -3, 13, -1, 15};

// Range accuracy: +-3 cm typical (data sheet 63-9229), taken as one standard deviation.
constexpr double kRangeNoise = 0.03;

// What a ray hits: its distance in metres and how well it reflects (calibrated reflectivity, 0..100 diffuse).
struct Return {
  double distance;
  std::uint8_t reflectivity;
};

// A room of 12 x 9 m, 3 m high, with a round pillar. The lidar stands off-centre, 1.2 m above the floor.
//
// Walls and pillar are upright, so how far they are depends on the azimuth alone: one table of that, and each laser's
// way to floor or ceiling, answer every ray.
class Room {
 public:
  Room() : upright_(kCircle), is_pillar_(kCircle) {
    constexpr double kDegree = std::numbers::pi / 180;
    constexpr double kRight = 7, kLeft = -5, kFront = 5.5, kBack = -3.5, kHeight = 1.2, kCeiling = 1.8;
    constexpr double kPillarX = -1.5, kPillarY = 2.5, kPillarRadius = 0.3;
    for (int azimuth = 0; azimuth < kCircle; ++azimuth) {
      // Section 9.2: azimuth turns clockwise from the y axis.
      const double x = std::sin(azimuth * 0.01 * kDegree), y = std::cos(azimuth * 0.01 * kDegree);
      const double to_side = x == 0 ? 1e9 : (x > 0 ? kRight : kLeft) / x;
      const double to_end = y == 0 ? 1e9 : (y > 0 ? kFront : kBack) / y;
      upright_[azimuth] = static_cast<float>(std::min(to_side, to_end));
      const double along = kPillarX * x + kPillarY * y, across = kPillarX * y - kPillarY * x;
      if (along > 0 && std::abs(across) < kPillarRadius) {
        upright_[azimuth] = static_cast<float>(along - std::sqrt(kPillarRadius * kPillarRadius - across * across));
        is_pillar_[azimuth] = true;
      }
    }
    for (int laser = 0; laser < kLasers; ++laser) {
      const double elevation = kElevation[laser] * kDegree;
      per_cosine_[laser] = 1 / std::cos(elevation);
      level_[laser] = (elevation < 0 ? -kHeight : kCeiling) / std::sin(elevation);
    }
  }

  Return Cast(int azimuth, int laser) const {
    constexpr std::uint8_t kWall = 60, kPillar = 90, kFloorOrCeiling = 20;
    const double upright = upright_[azimuth] * per_cosine_[laser];
    if (level_[laser] < upright) return {level_[laser], kFloorOrCeiling};
    return {upright, is_pillar_[azimuth] ? kPillar : kWall};
  }

 private:
  std::vector<float> upright_;  // metres in the plane, by azimuth
  std::vector<bool> is_pillar_;
  std::array<double, kLasers> per_cosine_;
  std::array<double, kLasers> level_;  // metres to floor or ceiling
};

// Microseconds past the hour.
std::uint32_t StampOf(Nanos time) { return static_cast<std::uint32_t>(time.count() / 1000 % kHourMicros); }

class DataModel final : public SensorModel {
 public:
  explicit DataModel(const SensorContext& context) : context_(context) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  // A bias is one of all ranges. A lidar that is stuck shows the angles of its last packet, too.
  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    const std::uint64_t measured_at = falsified.measurement_of.value_or(sequence);
    const Nanos offset = context_.rate.OffsetOf(sequence);
    const double in_turn = InTurn(measured_at), first = FirstReturn(InTurn(sequence));
    std::uint64_t draw = measured_at * kDrawsPerPacket;
    for (std::size_t block = 0; block < kBlocks; ++block) {
      std::size_t at = block * kBlockSize;
      const double block_nanos = in_turn + static_cast<double>(block) * kSequencesPerBlock * kSequenceNanos;
      out[at] = std::byte{0xFF};
      out[at + 1] = std::byte{0xEE};
      PutLittleEndian(out, at + 2, static_cast<std::uint64_t>(Azimuth(block_nanos)), 2);
      at += 4;
      for (int firing = 0; firing < kSequencesPerBlock; ++firing) {
        const double firing_nanos = block_nanos + firing * kSequenceNanos;
        for (int laser = 0; laser < kLasers; laser += 4) {
          const auto noise = RandomNormals(context_.seed, context_.stream_id, draw++);
          for (int i = 0; i < 4; ++i, at += 3) {
            const Return hit = room_.Cast(Azimuth(firing_nanos + (laser + i) * kFiringNanos), laser + i);
            const double measured = hit.distance + kRangeNoise * noise[i] + falsified.bias;
            const double range = std::clamp(measured / kMetresPerLsb, 0.0, 65535.0);
            PutLittleEndian(out, at, static_cast<std::uint64_t>(Rounded(range)), 2);
            out[at + 2] = std::byte{hit.reflectivity};
          }
        }
      }
    }
    const std::uint32_t stamp = StampOf(context_.epoch + context_.clock_offset + offset);
    PutLittleEndian(out, kStampAt, stamp, 4);
    out[kReturnModeAt] = std::byte{kStrongest};
    out[kProductAt] = std::byte{kProductVlp16};
    return {.size = kPacketSize, .wire_key = stamp, .value = first};
  }

 private:
  static constexpr std::uint64_t kDrawsPerPacket = kBlocks * kSequencesPerBlock * kLasers / 4;

  // One turn is 100 ms: the whole turns are taken off in integers, so that the angle stays exact in long runs.
  double InTurn(std::uint64_t sequence) const {
    return static_cast<double>(context_.rate.OffsetOf(sequence).count() % 100'000'000);
  }

  static int Azimuth(double nanos) { return Rounded(nanos * kCentidegreesPerNano) % kCircle; }

  // Of what is not negative; std::lround is a call, and there are two for every return.
  static int Rounded(double value) { return static_cast<int>(2 * value + 1) / 2; }

  double FirstReturn(double nanos) const { return room_.Cast(Azimuth(nanos), 0).distance; }

  SensorContext context_;
  Room room_;
};

class PositionModel final : public SensorModel {
 public:
  explicit PositionModel(const SensorContext& context)
      : context_(context),
        first_second_(SecondOf(context.epoch + context.clock_offset)),
        sigma_(SigmaOfCep(NumberOf(context.parameters, "gps_noise"))),
        wander_(context.seed, context.stream_id, 1) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  // A bias is one of the position northwards. The sentence's time goes on when the position is stuck.
  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    const Nanos time = TimeOf(sequence);
    const std::uint32_t stamp = StampOf(time);
    std::fill_n(out.begin(), kPositionSize, std::byte{0});
    PutLittleEndian(out, kPositionStampAt, stamp, 4);
    out[kPulseAt] = std::byte{kPulseLocked};

    const std::chrono::seconds second = SecondOf(time);
    const std::chrono::seconds measured = SecondOf(TimeOf(falsified.measurement_of.value_or(sequence)));
    const auto& error = wander_.At(static_cast<std::uint64_t>((measured - first_second_).count()));
    constexpr double kTicks = kNmeaTicksPerDegree;
    NmeaWriter writer(out.subspan(kSentenceAt, kLongestNmeaSentence));
    writer.Begin("GPRMC");
    writer.Field();
    writer.Time(CivilTime(second), 0);
    writer.Text(",A,");
    writer.Position({.latitude = std::llround(LatitudeOf(sigma_ * error[0] + falsified.bias) * kTicks),
                     .longitude = std::llround(LongitudeOf(sigma_ * error[1]) * kTicks)},
                    4);
    writer.Text(",000.0,000.0,");
    writer.Date(CivilTime(second));
    writer.Text(",004.0,E,A");  // the magnetic variation at Lake Constance; autonomous
    writer.End();
    return {.size = kPositionSize, .wire_key = stamp, .value = 0};
  }

 private:
  Nanos TimeOf(std::uint64_t sequence) const {
    return context_.epoch + context_.clock_offset + context_.rate.OffsetOf(sequence);
  }
  static std::chrono::seconds SecondOf(Nanos time) { return std::chrono::floor<std::chrono::seconds>(time); }

  SensorContext context_;
  std::chrono::seconds first_second_;
  double sigma_;  // m, each axis
  GnssWander wander_;
};

class PositionDecoder final : public Decoder {
 public:
  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    const std::uint64_t end = offset + bytes.size();
    const auto latitude = Latitude(bytes);
    if (!latitude) return sink.OnCorrupt(offset, end);
    sink.OnFrame({.wire_key = LittleEndian(bytes, kPositionStampAt, 4),
                  .value = NorthOf(static_cast<double>(*latitude) / kNmeaTicksPerDegree),
                  .begin = offset,
                  .end = end});
  }

 private:
  static bool IsNull(std::span<const std::byte> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
  }

  // Of a packet that passes every check.
  static std::optional<std::int64_t> Latitude(std::span<const std::byte> bytes) {
    if (bytes.size() != kPositionSize || bytes[kPulseAt] != std::byte{kPulseLocked}) return std::nullopt;
    const auto stamp = static_cast<std::int64_t>(LittleEndian(bytes, kPositionStampAt, 4));
    if (stamp >= kHourMicros) return std::nullopt;
    const std::string_view text(reinterpret_cast<const char*>(&bytes[kSentenceAt]), kLongestNmeaSentence);
    const std::size_t size = text.find('\n') + 1;  // 0 if there is none
    const auto body = NmeaBody(text.substr(0, size));
    if (!body || !IsNull(bytes.first(kPositionStampAt)) || !IsNull(bytes.subspan(kPulseAt + 1, 3)) ||
        !IsNull(bytes.subspan(kSentenceAt + size))) {
      return std::nullopt;
    }
    NmeaFields fields(*body);
    fields.Expect("GPRMC");
    const std::int64_t second = fields.Time("hhmmss") / 100;
    fields.Expect("A");
    const NmeaPosition position = fields.Position("mm.mmmm");
    fields.Decimal(0, 10'000);
    fields.Decimal(0, 359.9);
    fields.Date();
    fields.Decimal(0, 180);
    fields.OneOf("EW");
    fields.OneOf("AD");
    const std::int64_t age = (stamp / 1'000'000 - second % 3600 + 3600) % 3600;
    if (!fields.Finished() || age > 1) return std::nullopt;
    return position.latitude;
  }
};

class DataDecoder final : public Decoder {
 public:
  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    const std::uint64_t end = offset + bytes.size();
    if (!Valid(bytes)) return sink.OnCorrupt(offset, end);
    sink.OnFrame({.wire_key = LittleEndian(bytes, kStampAt, 4),
                  .value = static_cast<double>(LittleEndian(bytes, 4, 2)) * kMetresPerLsb,
                  .begin = offset,
                  .end = end});
  }

 private:
  static bool Valid(std::span<const std::byte> bytes) {
    if (bytes.size() != kPacketSize) return false;
    if (bytes[kReturnModeAt] != std::byte{kStrongest} || bytes[kProductAt] != std::byte{kProductVlp16}) return false;
    if (LittleEndian(bytes, kStampAt, 4) >= kHourMicros) return false;
    int previous = 0;
    for (std::size_t block = 0; block < kBlocks; ++block) {
      const std::size_t at = block * kBlockSize;
      if (bytes[at] != std::byte{0xFF} || bytes[at + 1] != std::byte{0xEE}) return false;
      const int azimuth = static_cast<int>(LittleEndian(bytes, at + 2, 2));
      if (azimuth >= kCircle) return false;
      if (block > 0) {
        // Section 8.3: 300 to 1200 rpm turn 0.199 to 0.796 degrees in the 110.592 us between blocks.
        const int step = (azimuth - previous + kCircle) % kCircle;
        if (step < 19 || step > 80) return false;
      }
      previous = azimuth;
    }
    return true;
  }
};

// Of data packets what laser 0, which looks down, can hit in the room: the pillar, 2.6 m away, to the floor, 4.64 m
// away. It jumps from one to the other, so neighbours tell nothing. A position is the same for a second.
ValueLimits LimitsOf(const SensorContext& context) {
  constexpr double kNearest = 2.6, kFarthest = 4.64, kSigmas = 8;
  if (context.format == kPosition) {
    const double step = NorthOf(kGnssLatitude + 1 / (60 * 1e4));
    const double reach = kSigmas * SigmaOfCep(NumberOf(context.parameters, "gps_noise")) + step;
    return {.lowest = -reach, .highest = reach};
  }
  return {.lowest = kNearest - kSigmas * kRangeNoise,
          .highest = kFarthest + kSigmas * kRangeNoise,
          .repeats = EqualInARow(kRangeNoise / kMetresPerLsb)};
}

}  // namespace

SensorType Vlp16() {
  return {
      .info = {.name = "vlp16",
               .about = "Velodyne VLP-16, lidar of 16 lasers: data packets, single return, 600 rpm; position packets",
               // Section 8.2.1: 24 firing sequences of 55.296 us to a packet, 753.5 packets per second.
               .default_rate = Rate::Hertz(754),
               .highest_rate = Rate::Hertz(754),
               .channels = {ChannelKind::kUdp},
               .formats = {"data", kPosition},
               .batching = {},
               .parameters = {{"gps_noise", ParameterInfo::Kind::kPositiveNumber, "3",
                               "m: of position packets, the circle that holds half of all positions"}},
               .falsifiable = true},
      .max_frame_size = kPacketSize,
      .value_unit = "m",  // the data packet's first return; how far north a position packet says it is
      .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
        if (context.format == kPosition) return std::make_unique<PositionModel>(context);
        return std::make_unique<DataModel>(context);
      },
      .make_decoder = [](const SensorContext& context) -> std::unique_ptr<Decoder> {
        if (context.format == kPosition) return std::make_unique<PositionDecoder>();
        return std::make_unique<DataDecoder>();
      },
      .value_limits = &LimitsOf};
}

}  // namespace corerig
