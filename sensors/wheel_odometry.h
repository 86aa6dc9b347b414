// Wheel odometry of a robot with two driven wheels: what its motor controller says about its encoders over a serial
// line.
//
// Source: the frame is ours, modelled on common motor controllers (two start bytes, length, command, little-endian
// counters and milliseconds, XOR): no one part has it. Its parts are what receivers of such devices must cope with:
// counters that wrap, a stamp that wraps, start bytes that also occur in the data, eight bits of check.
//
// The wire, 11 bytes:
//
//   0..1    0xAA 0x55
//   2       length of what follows up to the check: 7
//   3       0x01: encoder report
//   4..5    ticks of the left wheel, 6..7 of the right: 16 bits, little-endian, 10000 ticks per metre; they wrap
//   8..9    milliseconds, 16 bits, little-endian; they wrap every 65.536 s
//   10      XOR of bytes 2 to 9
//
// What a receiver can check: start bytes, length, command, XOR. Two flips of one bit position pass. The stamp tells
// frames apart. Ticks are unwrapped to the nearest: after an outage of more than 32768 ticks (3.3 m) the distance is
// wrong by whole wraps, as on a robot.
//
// The model: speed 0.5 m/s with 0.3 m/s of variation in 20 s, turning with 0.4 rad/s in 15 s; wheels 0.4 m apart. The
// true value is the way the left wheel's hub has come. The tyre slips: measured and true way differ by a random walk, 1
// cm rms after the first metre and with the root of the way; then ticks are counted whole. (No data
// sheet has such a figure: it is our assumption, for rubber on a hard floor.)
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType WheelOdometry();

}  // namespace corerig
