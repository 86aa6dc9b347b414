// LDROBOT LD06: laser scanner of small robots, 360 degrees in a plane, one-way over a UART at 230400 baud.
//
// Sources: LD06 development manual v1.0 (packet, example packet, CRC table: polynomial 0x4D, initial value 0, no
// reflection); LD06 data sheet (4500 measurements per second, 5 to 13 turns per second, 0.02 to 12 m); data sheet of
// the LD19, which has the same optics (standard deviation 10 mm, resolution 15 mm).
//
// The wire, 47 bytes, words little-endian, angles in 0.01 degree growing clockwise as seen from above, 0 ahead:
//
//   0       0x54
//   1       0x2C: the low five bits are the number of points, 12
//   2..3    speed in degrees per second: 3600 at 10 turns per second
//   4..5    angle of the first point
//   6..41   twelve points: distance in mm (2 bytes; 0: nothing came back) and intensity (about 200 on white)
//   42..43  angle of the last point; the others lie evenly between
//   44..45  milliseconds; they start again at 30000
//   46      CRC-8 of bytes 0 to 45
//
// What a receiver can check: the two fixed bytes, the CRC (which finds every burst of up to 8 bits, and 255 of 256 of
// all else), angles below 36000, a stamp of at most 30000. The stamp tells packets apart.
//
// `rate` counts points, as the data sheet does: 4500 per second are 375 packets of twelve, always. A packet is due with
// its last point, and its stamp is that point's.
//
// The model: a room of 6 m by 4 m with a pillar, seen from a robot that drives a slow loop in it and turns; white noise
// of 10 mm; one point in a hundred comes back with nothing. The wire's value is the packet's last point that came back.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType Ld06();

}  // namespace corerig
