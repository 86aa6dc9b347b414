// What a sensor's source puts on the wire, for programs that are not ours.
//
//   const auto frames = FramesOf("zed-f9p", "ubx", Rate::Hertz(10), 3600);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/stream/sensor.h"

namespace corerig {

struct SentFrame {
  std::string bytes;
  std::uint64_t wire_key = 0;
  double value = 0;  // true
  Nanos time{0};     // civil, as the sensor shows it
};

// 2026-02-28 18:00:00 UTC, a Saturday: at midnight the month turns, and 18 s before it the GPS week.
inline constexpr Nanos kOracleEpoch{1'772'301'600'000'000'000};

// The first `count` frames by default parameters. The sensor and the format must exist.
std::vector<SentFrame> FramesOf(std::string_view sensor, std::string_view format, Rate rate, std::size_t count);

// Writes a file below the test's own folder; its path.
std::string WriteFile(const std::string& name, std::string_view content);

}  // namespace corerig
