// A hydraulic pressure transducer on a serial line. It is the skeleton of a sensor: small, complete, built and tested,
// to be copied; README.md, "A sensor of your own", says in which order. corerig itself does not have it.
//
// (A header begins with the part, and the source of its figures and layout: data sheet and section. This one is made
// up, after common transmitters of 0 to 16 bar with RS-485.)
//
// The wire, 8 bytes, big-endian; a thousand a second are 80 kbit/s with start and stop bits:
//
//   0..1    0xA5 0x5A
//   2..3    number of the sample, 16 bits: it wraps after 65.5 s
//   4..5    pressure, 16 bits, 25 Pa per LSB from 0
//   6..7    CRC-16/CCITT-FALSE of bytes 2 to 5 (polynomial 0x1021, from 0xFFFF)
//
// (Then what a receiver can check, and what passes: it is what injected faults are held against.)
// Start bytes and CRC. All flips of up to three bits within the bytes that it covers are found, and bursts of up to 16.
//
// (Then the model, in SI units, with the source of its noise.)
// A pump's pressure: 0.8 MPa, and 0.3 MPa up and down in five seconds. White noise of 200 Pa rms, whatever the rate.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType PressureTransducer();

}  // namespace corerig
