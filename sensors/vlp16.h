// Velodyne VLP-16 (Puck): a lidar of 16 lasers, turning at 600 rpm, single return (strongest).
//
// Source: VLP-16 User Manual 63-9243 Rev D, sections 8.1 to 8.3 (firing, packet rate), 9.2 (angles), 9.3.1 and 9.3.2
// (data packet), 9.4 (timing).
//
// The wire, the 1206 bytes that follow the packet's UDP header, little-endian:
//
//   12 blocks of 100 bytes: flag FF EE, azimuth in 0.01 degrees, 2 firing sequences of 16 x (distance in 2 mm, 0 for no
//   return; reflectivity)
//   1200..1203  time of the first firing, us past the hour
//   1204..1205  factory bytes: 0x37 strongest return, 0x22 VLP-16
//
// What a receiver can check: the length, the 12 flags, azimuths below 360 degrees that step as the part's 300 to 1200
// rpm make them, a stamp below one hour, the factory bytes. There is no checksum: a flipped bit in a distance passes.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType Vlp16();

}  // namespace corerig
