// Velodyne VLP-16 (Puck): a lidar of 16 lasers, turning at 600 rpm, single return (strongest), with a GPS receiver
// wired to it.
//
// Source: VLP-16 User Manual 63-9243 Rev D, sections 8.1 to 8.3 (firing, packet rate), 9.2 (angles), 9.3.1 and 9.3.2
// (data packet), 9.3.3 with tables 9-3 and 9-4 (position packet), 9.4 (timing).
//
// Format "data", what follows the UDP header of port 2368, 1206 bytes, little-endian:
//
//   12 blocks of 100 bytes: flag FF EE, azimuth in 0.01 degrees, 2 firing sequences of 16 x (distance in 2 mm, 0 for no
//   return; reflectivity)
//   1200..1203  time of the first firing, us past the hour
//   1204..1205  factory bytes: 0x37 strongest return, 0x22 VLP-16
//
// Format "position", what follows the UDP header of port 8308, 512 bytes; the part sends one with about every 14th data
// packet, so a stream of these is given a rate of 54 Hz:
//
//   198..201  time when the packet was put together, us past the hour
//   202       pulse per second: 0 none, 1 synchronizing, 2 locked, 3 error
//   206..     what the GPS receiver said last, CR and LF at its end, then null bytes, as all that is not named:
//             $GPRMC,hhmmss,A,ddmm.mmmm,N,dddmm.mmmm,E,speed,course,ddmmyy,variation,E,A*hh
//
// The GPS receiver stands still and speaks once a second: its sentence is that of the second that the stamp is in.
//
// What a receiver can check of data: the length, the 12 flags, azimuths below 360 degrees that step as the part's 300
// to 1200 rpm make them, a stamp below one hour, the factory bytes. There is no checksum: a flipped bit in a distance
// passes. Of position: the length, the null bytes, the pulse locked, a stamp below one hour, the sentence's checksum
// and fields, and that it is of the stamp's second or the one before it (it comes some time after the pulse). A flipped
// bit passes where the stamp stays in these two seconds.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType Vlp16();

}  // namespace corerig
