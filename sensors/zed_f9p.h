// u-blox ZED-F9P: satellite navigation receiver, speaking NMEA 4.11 on its UART as the multi-system talker GN.
//
// Sources: ZED-F9P interface description UBX-18010854, chapter "NMEA protocol" (message format, position fix flags,
// GGA, RMC); data sheet UBX-17051259 (accuracy, rates); NMEA 0183 for the 82 characters of a sentence.
//
// One frame is what the receiver says about one epoch, two sentences, each closed by its checksum (the XOR of what
// stands between $ and *) and CR LF:
//
//   $GNGGA,hhmmss.ss,ddmm.mmmmm,N,dddmm.mmmmm,E,quality,numSV,HDOP,alt,M,sep,M,,*hh
//   $GNRMC,hhmmss.ss,A,ddmm.mmmmm,N,dddmm.mmmmm,E,spd,cog,ddmmyy,,,posMode,V*hh
//
// The receiver's check: both sentences whole, in this order, with right checksums, every field of its form and range,
// both of one time. Eight bits of XOR miss two flips of one bit position: that is the real wire's weakness.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType ZedF9p();

}  // namespace corerig
