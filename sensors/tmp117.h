// Texas Instruments TMP117: temperature sensor, read as its result register.
//
// Source: data sheet SNOSD82, section 7.6 (Temp_Result, register 0x00: reset value 0x8000, 7.8125 m degC per LSB), 6.5
// (electrical characteristics: accuracy, repeatability), 7.3.2 (averaging and conversion cycle).
//
// The wire, 2 bytes: the register, two's complement, big-endian. 0x8000 stands in it from power-up to the end of the
// first conversion: it is no measurement.
//
// What a receiver can check is the length, that it is not 0x8000, and that the temperature lies within the part's -55
// to 150 degC. There is no CRC, no counter, no stamp: a flipped bit passes unless it leaves that range. The register is
// its own key: readings that are alike cannot be told apart by anyone, and are matched to the one sent nearest in time.
// A flipped bit that passes shows as `ambiguous` unless a reading of that value was sent and not yet received.
//
// The model: 25 degC and 4 degC up and down in ten minutes; the part's constant error within +-0.1 degC (-20 to 50
// degC); white noise of half an LSB per reading (repeatability +-1 LSB with 8 conversions averaged, taken as two
// sigma). With 8 averaged a conversion takes 124 ms, so 8 Hz is the highest rate.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType Tmp117();

}  // namespace corerig
