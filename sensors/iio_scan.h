// A scan of a Linux IIO buffer as read() on /dev/iio:deviceN returns it: six axes and the time.
//
// Sources: Documentation/iio/iio_devbuf.rst of the kernel (scan elements, "le:s16/16>>0"),
// Documentation/driver-api/iio/ buffers.rst (each element is aligned to its own size), and
// iio_push_to_buffers_with_timestamp (the stamp is the last element: s64 nanoseconds of CLOCK_REALTIME, or what
// current_timestamp_clock says).
//
// The wire, 24 bytes, little-endian, as a driver with one device for both sensors makes it; the mainline drivers of
// these parts make one device for each (and that of the ICM-42688-P leaves the words big-endian):
//
//   0..5    in_accel_x y z      le:s16/16>>0
//   6..11   in_anglvel_x y z    le:s16/16>>0
//   12..15  padding up to the stamp's alignment, zeroed by drivers
//   16..23  in_timestamp        le:s64/64>>0
//
// A frame is what one read() returns when the buffer's watermark is the stream's batch: so many scans. The stamp is
// epoch + clock_offset + n / rate.
//
// What a receiver can check is the length, the padding, that stamps are of this century, and of several scans in a
// frame that they are one period apart, give or take an eighth (a driver interpolates them). A flipped bit in a
// measurement passes; in a lone stamp too, but a sample with that stamp was never taken.
#pragma once

#include "sensors/imu_model.h"
#include "sensors/stamped_frames.h"

namespace corerig {

inline constexpr std::size_t kIioScanSize = 24;

// Counts of a part's data registers, which is what drivers pass on.
struct ImuScale {
  double accel_lsb = 0;  // m/s^2
  double rate_lsb = 0;   // rad/s
  int lowest = -32768;   // count
};

// `value` in units of `lsb`, rounded, clamped to what the register holds.
std::int16_t CountOf(double value, double lsb, int lowest);

// Of one scan.
void PutIioStamp(std::span<std::byte> scan, std::uint64_t stamp);
double IioAccelZ(std::span<const std::byte> scan, double accel_lsb);

// Samples of a model as frames of IIO scans.
std::unique_ptr<SensorModel> MakeIioModel(const ImuTolerances& tolerances, const ImuScale& scale,
                                          const SensorContext& context);

// Its value is the acceleration along z, m/s^2.
std::unique_ptr<Decoder> MakeIioDecoder(const ImuScale& scale, const SensorContext& context);

}  // namespace corerig
