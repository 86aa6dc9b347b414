// Recorded measurements of an inertial sensor as comma-separated text, read into scans of a Linux IIO buffer.
//
//   timestamp_ns,ax,ay,az,gx,gy,gz            or time, in s; in any order, and other columns may stand beside them
//   1403636579763555584,0.1,-0.2,9.81,0.01,0.02,-0.03
//
// ax ay az are m/s^2, gx gy gz rad/s. A row becomes a scan of 24 bytes as sensors/iio_scan.h has it, in the counts of
// the ICM-42688-P (2048 LSB/g, 16.4 LSB per degree/s): what is beyond +-16 g or +-2000 degrees/s is refused, as it
// most often is of another unit. A stamp on the wire is epoch + clock_offset + what has passed since the first row by
// the recording's own clock, over and over; at another speed it goes on as in the recording.
//
// A receiver checks what can be checked of a lone scan (sensors/iio_scan.h). A flipped bit in a measurement passes; in
// a stamp too, but no sample has that stamp.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "harness/stream/sensor.h"
#include "sensors/recording.h"

namespace corerig {

// The error begins with the line: "7: …". Stamps on the wire are left zero.
Result<Recording> ReadImuCsv(std::string_view text);

void SetScanStamp(std::span<std::byte> scan, std::uint64_t stamp);
double AccelZOf(std::span<const std::byte> scan);  // m/s^2

// Of messages.
std::unique_ptr<Decoder> MakeScanDecoder(const SensorContext& context);

}  // namespace corerig
