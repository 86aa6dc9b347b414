#include "sensors/iio_scan.h"

#include <algorithm>
#include <cmath>

#include "sensors/byte_order.h"

namespace corerig {
namespace {

constexpr std::size_t kPadding = 12, kPaddingSize = 4, kStamp = 16;
constexpr std::size_t kAccelZ = 4;

// 2000-01-01 and 2100-01-01 00:00:00 UTC, ns since 1970.
constexpr std::uint64_t kCenturyBegin = 946'684'800'000'000'000, kCenturyEnd = 4'102'444'800'000'000'000;

class Model final : public SensorModel {
 public:
  Model(const ImuTolerances& tolerances, const ImuScale& scale, const SensorContext& context)
      : model_(tolerances, context),
        scale_(scale),
        rate_(context.rate),
        batch_(context.batch),
        begin_(context.epoch + context.clock_offset) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    EncodedFrame frame{.size = batch_ * kIioScanSize};
    for (std::uint64_t i = 0; i < batch_; ++i) {
      const std::uint64_t n = sequence * batch_ + i;
      const auto scan = out.subspan(i * kIioScanSize, kIioScanSize);
      const ImuModel::Sample sample = model_.FalsifiedAt(n, falsified, batch_);
      for (std::size_t axis = 0; axis < 3; ++axis) {
        Put(scan, 2 * axis, CountOf(sample.accel[axis], scale_.accel_lsb, scale_.lowest));
        Put(scan, 6 + 2 * axis, CountOf(sample.rate[axis], scale_.rate_lsb, scale_.lowest));
      }
      PutLittleEndian(scan, kPadding, 0, kPaddingSize);
      frame.wire_key = static_cast<std::uint64_t>((begin_ + rate_.OffsetOf(n)).count());
      PutIioStamp(scan, frame.wire_key);
      frame.value = sample.true_accel_z;
    }
    return frame;
  }

 private:
  static void Put(std::span<std::byte> scan, std::size_t at, std::int16_t count) {
    PutLittleEndian(scan, at, static_cast<std::uint16_t>(count), 2);
  }

  ImuModel model_;
  const ImuScale scale_;
  const Rate rate_;
  const std::uint64_t batch_;
  const Nanos begin_;
};

class Scans final : public FrameFormat {
 public:
  Scans(double accel_lsb, std::uint32_t batch, StampClock clock, double period)
      : accel_lsb_(accel_lsb), size_(batch * kIioScanSize), clock_(clock), period_(period) {}

  std::size_t size() const override { return size_; }

  bool Plausible(std::span<const std::byte> frame) const override {
    std::uint64_t previous = 0;
    for (std::size_t at = 0; at < size_; at += kIioScanSize) {
      const std::uint64_t stamp = LittleEndian(frame, at + kStamp, 8);
      if (LittleEndian(frame, at + kPadding, kPaddingSize) != 0) return false;
      if (stamp < kCenturyBegin || stamp >= kCenturyEnd) return false;
      if (at > 0 && !clock_.IsNext(previous, stamp, period_)) return false;
      previous = stamp;
    }
    return true;
  }

  std::uint64_t Stamp(std::span<const std::byte> frame) const override {
    return LittleEndian(frame, size_ - kIioScanSize + kStamp, 8);
  }

  double Value(std::span<const std::byte> frame) const override {
    return IioAccelZ(frame.last(kIioScanSize), accel_lsb_);
  }

 private:
  const double accel_lsb_;
  const std::size_t size_;
  const StampClock clock_;
  const double period_;  // of samples, ns
};

}  // namespace

std::int16_t CountOf(double value, double lsb, int lowest) {
  return static_cast<std::int16_t>(std::lround(std::clamp<double>(value / lsb, lowest, 32767)));
}

void PutIioStamp(std::span<std::byte> scan, std::uint64_t stamp) { PutLittleEndian(scan, kStamp, stamp, 8); }

double IioAccelZ(std::span<const std::byte> scan, double accel_lsb) {
  return accel_lsb * static_cast<std::int16_t>(LittleEndian(scan, kAccelZ, 2));
}

std::unique_ptr<SensorModel> MakeIioModel(const ImuTolerances& tolerances, const ImuScale& scale,
                                          const SensorContext& context) {
  return std::make_unique<Model>(tolerances, scale, context);
}

std::unique_ptr<Decoder> MakeIioDecoder(const ImuScale& scale, const SensorContext& context) {
  const double period = 1e9 / context.rate.hertz();
  const StampClock clock{.tick = 1, .bits = 64, .tolerance = period / 8};
  return std::make_unique<StampedFrameDecoder>(std::make_unique<Scans>(scale.accel_lsb, context.batch, clock, period),
                                               clock, period * context.batch, IsDatagram(context.channel));
}

}  // namespace corerig
