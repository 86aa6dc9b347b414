#include "sensors/bmi088.h"

#include <algorithm>
#include <numbers>

#include "sensors/byte_order.h"
#include "sensors/iio_scan.h"
#include "sensors/imu_model.h"
#include "sensors/stamped_frames.h"

namespace corerig {
namespace {

constexpr std::size_t kAccelSize = 7, kTimeSize = 4, kRateSize = 6;
constexpr std::uint32_t kMostSamples = 100;  // the gyroscope's FIFO; the accelerometer's has room for 146 in its 1 KiB
constexpr std::byte kAccelHeader{0x84}, kTimeHeader{0x44};

constexpr double kDegree = std::numbers::pi / 180;
constexpr ImuScale kScale = {.accel_lsb = 24 * kStandardGravity / 32768, .rate_lsb = 2000 * kDegree / 32768};
constexpr int kLowestRate = -32767;

// Zero-g offset 20 mg and zero-rate offset 1 dps; their change 0.2 mg and 0.015 dps per kelvin; cross-axis sensitivity
// 0.5 % and 1 %; sensitivity of the gyroscope 1 %, that of the accelerometer is taken to be the same; noise density in
// z 190 ug/sqrt(Hz) against 160 in x and y.
constexpr ImuTolerances kTolerances = {
    .accel = {.offset = 20e-3 * kStandardGravity,
              .drift = 0.2e-3 * kStandardGravity,
              .scale = 0.01,
              .cross = 0.005,
              .density_ratio = {1, 1, 190.0 / 160}},
    .gyro = {
        .offset = 1 * kDegree, .drift = 0.015 * kDegree, .scale = 0.01, .cross = 0.01, .density_ratio = {1, 1, 1}}};

// Noise density 160 ug/sqrt(Hz) and 0.014 dps/sqrt(Hz). Not of the data sheet: bias instability of 40 ug and, measured,
// 6.5 degrees per hour; rate random walks that reach it after half an hour.
constexpr ImuDefaults kDefaults = {.accel_density = "0.00156906",
                                   .accel_bias_instability = "0.000392",
                                   .accel_rate_random_walk = "0.0000106",
                                   .gyro_density = "0.000244346",
                                   .gyro_bias_instability = "0.0000315",
                                   .gyro_rate_random_walk = "0.00000086"};

// Ticks of 39.0625 us: 2 of them are 78125 ns.
std::uint64_t SensorTimeAt(Nanos time) {
  const auto nanos = static_cast<std::uint64_t>(time.count());
  return (nanos / 78'125 * 2 + nanos % 78'125 * 2 / 78'125) & 0xFFFFFF;
}

class FifoModel final : public SensorModel {
 public:
  explicit FifoModel(const SensorContext& context)
      : model_(kTolerances, context), rate_(context.rate), batch_(context.batch), clock_offset_(context.clock_offset) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    const std::size_t time = batch_ * kAccelSize, rates = time + kTimeSize;
    EncodedFrame frame{.size = rates + batch_ * kRateSize};
    const std::uint64_t first = sequence * batch_;
    for (std::uint64_t i = 0; i < batch_; ++i) {
      const ImuModel::Sample sample = model_.FalsifiedAt(first + i, falsified, batch_);
      out[i * kAccelSize] = kAccelHeader;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        Put(out, i * kAccelSize + 1 + 2 * axis, CountOf(sample.accel[axis], kScale.accel_lsb, kScale.lowest));
        Put(out, rates + i * kRateSize + 2 * axis, CountOf(sample.rate[axis], kScale.rate_lsb, kLowestRate));
      }
      frame.value = sample.true_accel_z;
    }
    frame.wire_key = SensorTimeAt(clock_offset_ + rate_.OffsetOf(first + batch_ - 1));
    out[time] = kTimeHeader;
    PutLittleEndian(out, time + 1, frame.wire_key, 3);
    return frame;
  }

 private:
  static void Put(std::span<std::byte> out, std::size_t at, std::int16_t count) {
    PutLittleEndian(out, at, static_cast<std::uint16_t>(count), 2);
  }

  ImuModel model_;
  const Rate rate_;
  const std::uint64_t batch_;
  const Nanos clock_offset_;
};

class Fifos final : public FrameFormat {
 public:
  explicit Fifos(std::uint32_t batch) : time_(batch * kAccelSize), size_(time_ + kTimeSize + batch * kRateSize) {}

  std::size_t size() const override { return size_; }

  bool Plausible(std::span<const std::byte> frame) const override {
    for (std::size_t at = 0; at < time_; at += kAccelSize) {
      if (frame[at] != kAccelHeader) return false;
    }
    if (frame[time_] != kTimeHeader) return false;
    for (std::size_t at = time_ + kTimeSize; at < size_; at += 2) {
      if (Count(frame, at) < kLowestRate) return false;
    }
    return true;
  }

  std::uint64_t Stamp(std::span<const std::byte> frame) const override { return LittleEndian(frame, time_ + 1, 3); }

  double Value(std::span<const std::byte> frame) const override {
    return kScale.accel_lsb * Count(frame, time_ - kAccelSize + 5);
  }

 private:
  static int Count(std::span<const std::byte> bytes, std::size_t at) {
    return static_cast<std::int16_t>(LittleEndian(bytes, at, 2));
  }

  const std::size_t time_, size_;
};

std::unique_ptr<SensorModel> MakeModel(const SensorContext& context) {
  if (context.format == "iio") return MakeIioModel(kTolerances, kScale, context);
  return std::make_unique<FifoModel>(context);
}

std::unique_ptr<Decoder> MakeDecoder(const SensorContext& context) {
  if (context.format == "iio") return MakeIioDecoder(kScale, context);
  // Both ends of a period are rounded down to a tick.
  constexpr double kTick = 39062.5;
  const StampClock clock{.tick = kTick, .bits = 24, .tolerance = kTick};
  const double period = 1e9 / context.rate.hertz() * context.batch;
  return std::make_unique<StampedFrameDecoder>(std::make_unique<Fifos>(context.batch), clock, period,
                                               IsDatagram(context.channel));
}

ValueLimits LimitsOf(const SensorContext& context) { return ImuLimits(kTolerances.accel, kScale.accel_lsb, context); }

}  // namespace

SensorType Bmi088() {
  return {.info = {.name = "bmi088",
                   .about = "Bosch BMI088, six-axis inertial sensor: both FIFOs or IIO scans, +-24 g, +-2000 dps",
                   .default_rate = Rate::Hertz(400),
                   .highest_rate = Rate::Hertz(2000),  // the gyroscope's; the accelerometer's by data synchronisation
                   .channels = {ChannelKind::kSeqpacket, ChannelKind::kPipe},
                   .formats = {"fifo", "iio"},
                   .batching = {.most = kMostSamples, .frames = Rate::Hertz(1000)},
                   .parameters = ImuParameters(kDefaults),
                   .falsifiable = true},
          .max_frame_size = kMostSamples * kIioScanSize,
          .value_unit = "m/s^2",  // acceleration along z
          .make_model = &MakeModel,
          .make_decoder = &MakeDecoder,
          .value_limits = &LimitsOf};
}

}  // namespace corerig
