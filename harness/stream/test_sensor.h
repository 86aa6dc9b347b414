// A sensor for the tests of this package: a counter, a value and a CRC, as messages or as bytes with a sync word.
//
// Formats: "message" (16-bit counter), "message8" (the counter wraps after 256 samples), "message0" (it stands still),
// "bare" (no check, as some real parts have none), "bytes" (for byte streams; the decoder resynchronises after a
// fault).
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

inline constexpr std::size_t kTestFrameSize = 40;

std::unique_ptr<SensorModel> MakeTestModel(const SensorContext& context);
std::unique_ptr<Decoder> MakeTestDecoder(const SensorContext& context);

// Values go up to 2^24 - 1, and four equal ones in a row are no chance.
ValueLimits TestLimits(const SensorContext& context);

SensorType TestSensor();
// As every rig's "tick": no model, no decoder.
SensorType TestTick();

// The value of a sample, exactly as the receiver will see it.
double TestValue(std::uint64_t sequence);

}  // namespace corerig
