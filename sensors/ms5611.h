// TE Connectivity (MEAS) MS5611-01BA03: barometer, read as its calibration PROM and the two raw conversions.
//
// Sources: data sheet MS5611-01BA03, "PROM" and "Pressure and temperature calculation" (first and second order, with
// the example that the tests use), "Performance specifications" (resolution, conversion time); application note AN520
// (CRC-4, with example).
//
// The wire, 22 bytes, words big-endian, in the order of the part's commands:
//
//   0..15   PROM 0xA0 to 0xAE: factory data, C1 to C6, then serial code (15:8) and CRC-4 of all (3:0; 7:4 are not
//   covered) 16..18  D1, pressure, 24 bits: the ADC read after a conversion at OSR 4096 19..21  D2, temperature,
//   likewise
//
// What a receiver can check: the length; the PROM's CRC-4; that D1 and D2 are not 0, which the ADC gives when read too
// early; pressure within 10 to 1200 mbar and temperature within -40 to 85 degC once computed; and that the PROM is the
// one it knows: a driver reads it once, this decoder when two images in a row agree on it. The conversions have no
// check: a flipped bit of D1 or D2 that stays in range passes, and so does, on a pipe, an image cut there, which takes
// the bytes it lacks from the next. Nor has the image a counter: D1 and D2 are the wire's key, so a flipped bit that
// passes shows as `ambiguous`, as nothing was sent with it.
//
// The model: a drone that climbs from 450 m by 40 m and sinks again every minute, in the International Standard
// Atmosphere; 20 degC and 5 up and down in ten minutes (so that second-order terms come and go); white noise of 0.012
// mbar and 0.002 degC rms on what the receiver computes (resolution at OSR 4096), whatever the rate. The formulas round
// pressure down to 0.01 mbar. At OSR 4096 a conversion takes up to 9.04 ms: drivers that go to 100 Hz convert D2 seldom
// and use it again; here each image has one of its own.
//
// `delivers = 18` beside `rate = "20Hz"`: a part that is nominally that fast and is not. Samples are missing at random,
// each with probability 1 - delivers / rate, drawn from the seed; they are neither sent nor lost but `gaps`.
#pragma once

#include <array>

#include "harness/stream/sensor.h"

namespace corerig {

SensorType Ms5611();

using Ms5611Prom = std::array<std::uint16_t, 8>;

// As AN520 has it; the CRC's own byte counts as 0.
std::uint8_t Ms5611Crc4(const Ms5611Prom& prom);

struct Ms5611Reading {
  std::int64_t centidegrees = 0;  // 0.01 degC
  std::int64_t pascals = 0;       // 0.01 mbar
  bool operator==(const Ms5611Reading&) const = default;
};

// The data sheet's integer arithmetic, second order included.
Ms5611Reading Ms5611Compensated(const Ms5611Prom& prom, std::uint32_t d1, std::uint32_t d2);

}  // namespace corerig
