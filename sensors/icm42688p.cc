#include "sensors/icm42688p.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sensors/byte_order.h"
#include "sensors/iio_scan.h"
#include "sensors/imu_model.h"
#include "sensors/stamped_frames.h"

namespace corerig {
namespace {

constexpr std::size_t kPacketSize = 16;
constexpr std::uint32_t kMostPackets = 128;
constexpr std::byte kHeader{0x68};
constexpr int kLowestSample = -32766;  // of the FIFO, INTF_CONFIG0
constexpr std::int64_t kStampNanos = 16'000;
constexpr std::size_t kAccel = 1, kRate = 7, kTemperature = 13, kStamp = 14;

constexpr double kDegree = std::numbers::pi / 180;
constexpr double kTemperatureLsbPerDegree = 2.07;
constexpr ImuScale kScale = {.accel_lsb = kStandardGravity / 2048, .rate_lsb = kDegree / 16.4, .lowest = kLowestSample};

// Sections 3.2 and 3.1: zero-g offset 20 mg and zero-rate offset 0.5 dps; their change 0.15 mg and 0.005 dps per
// degree; sensitivity 0.5 %; cross-axis sensitivity 1 % and 1.25 %; noise density in z 70 ug/sqrt(Hz) against 65 in x
// and y.
constexpr ImuTolerances kTolerances = {.accel = {.offset = 20e-3 * kStandardGravity,
                                                 .drift = 0.15e-3 * kStandardGravity,
                                                 .scale = 0.005,
                                                 .cross = 0.01,
                                                 .density_ratio = {1, 1, 70.0 / 65}},
                                       .gyro = {.offset = 0.5 * kDegree,
                                                .drift = 0.005 * kDegree,
                                                .scale = 0.005,
                                                .cross = 0.0125,
                                                .density_ratio = {1, 1, 1}}};

// Noise density 65 ug/sqrt(Hz) and 0.0028 dps/sqrt(Hz). Not of the data sheet: bias instability of 20 ug and 5 degrees
// per hour, rate random walks that reach it after half an hour.
constexpr ImuDefaults kDefaults = {.accel_density = "0.000637432",
                                   .accel_bias_instability = "0.000196",
                                   .accel_rate_random_walk = "0.0000053",
                                   .gyro_density = "0.0000488692",
                                   .gyro_bias_instability = "0.0000242",
                                   .gyro_rate_random_walk = "0.00000066"};

class FifoModel final : public SensorModel {
 public:
  explicit FifoModel(const SensorContext& context)
      : model_(kTolerances, context), rate_(context.rate), batch_(context.batch), clock_offset_(context.clock_offset) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    EncodedFrame frame{.size = batch_ * kPacketSize};
    for (std::uint64_t i = 0; i < batch_; ++i) {
      const std::uint64_t n = sequence * batch_ + i;
      const auto packet = out.subspan(i * kPacketSize, kPacketSize);
      const ImuModel::Sample sample = model_.FalsifiedAt(n, falsified, batch_);
      packet[0] = kHeader;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        Put(packet, kAccel + 2 * axis, CountOf(sample.accel[axis], kScale.accel_lsb, kLowestSample));
        Put(packet, kRate + 2 * axis, CountOf(sample.rate[axis], kScale.rate_lsb, kLowestSample));
      }
      const double temperature = std::clamp((sample.celsius - 25) * kTemperatureLsbPerDegree, -128.0, 127.0);
      packet[kTemperature] = static_cast<std::byte>(static_cast<std::int8_t>(std::lround(temperature)));
      const Nanos time = clock_offset_ + rate_.OffsetOf(n);
      const auto stamp = static_cast<std::uint16_t>(time.count() / kStampNanos);
      PutBigEndian(packet, kStamp, stamp, 2);
      frame.wire_key = stamp;
      frame.value = sample.true_accel_z;
    }
    return frame;
  }

 private:
  static void Put(std::span<std::byte> packet, std::size_t at, std::int16_t count) {
    PutBigEndian(packet, at, static_cast<std::uint16_t>(count), 2);
  }

  ImuModel model_;
  const Rate rate_;
  const std::uint64_t batch_;
  const Nanos clock_offset_;
};

// Both ends of a period are rounded down to a tick.
constexpr StampClock kClock = {.tick = kStampNanos, .bits = 16, .tolerance = kStampNanos};

class Packets final : public FrameFormat {
 public:
  Packets(std::uint32_t batch, double period) : size_(batch * kPacketSize), period_(period) {}

  std::size_t size() const override { return size_; }

  bool Plausible(std::span<const std::byte> frame) const override {
    std::uint64_t previous = 0;
    for (std::size_t at = 0; at < size_; at += kPacketSize) {
      if (frame[at] != kHeader) return false;
      for (std::size_t axis = at + kAccel; axis < at + kTemperature; axis += 2) {
        if (Count(frame, axis) < kLowestSample) return false;
      }
      const std::uint64_t stamp = BigEndian(frame, at + kStamp, 2);
      if (at > 0 && !kClock.IsNext(previous, stamp, period_)) return false;
      previous = stamp;
    }
    return true;
  }

  std::uint64_t Stamp(std::span<const std::byte> frame) const override {
    return BigEndian(frame, size_ - kPacketSize + kStamp, 2);
  }

  double Value(std::span<const std::byte> frame) const override {
    return kScale.accel_lsb * Count(frame, size_ - kPacketSize + kAccel + 4);
  }

 private:
  static int Count(std::span<const std::byte> bytes, std::size_t at) {
    return static_cast<std::int16_t>(BigEndian(bytes, at, 2));
  }

  const std::size_t size_;
  const double period_;  // of samples, ns
};

std::unique_ptr<SensorModel> MakeModel(const SensorContext& context) {
  if (context.format == "iio") return MakeIioModel(kTolerances, kScale, context);
  return std::make_unique<FifoModel>(context);
}

std::unique_ptr<Decoder> MakeDecoder(const SensorContext& context) {
  if (context.format == "iio") return MakeIioDecoder(kScale, context);
  const double period = 1e9 / context.rate.hertz();
  return std::make_unique<StampedFrameDecoder>(std::make_unique<Packets>(context.batch, period), kClock,
                                               period * context.batch, IsDatagram(context.channel));
}

ValueLimits LimitsOf(const SensorContext& context) { return ImuLimits(kTolerances.accel, kScale.accel_lsb, context); }

}  // namespace

SensorType Icm42688p() {
  return {.info = {.name = "icm42688p",
                   .about = "TDK ICM-42688-P, six-axis inertial sensor: FIFO packet 3 or IIO scans, +-16 g, +-2000 dps",
                   .default_rate = Rate::Hertz(1000),
                   // The part goes to 32 kHz; its stamp tells neighbours apart up to 62.5 kHz, our timers are coarser.
                   .highest_rate = Rate::Hertz(8000),
                   .channels = {ChannelKind::kSeqpacket, ChannelKind::kPipe},
                   .formats = {"fifo", "iio"},
                   .batching = {.most = kMostPackets, .frames = Rate::Hertz(1000)},
                   .parameters = ImuParameters(kDefaults),
                   .falsifiable = true},
          .max_frame_size = kMostPackets * std::max(kPacketSize, kIioScanSize),
          .value_unit = "m/s^2",  // acceleration along z
          .make_model = &MakeModel,
          .make_decoder = &MakeDecoder,
          .value_limits = &LimitsOf};
}

}  // namespace corerig
