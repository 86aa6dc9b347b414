// u-blox ZED-F9P: satellite navigation receiver, speaking NMEA 4.11 as the multi-system talker GN, or UBX.
//
// Sources: ZED-F9P interface description UBX-18010854, chapters "NMEA protocol" (message format, position fix flags,
// RMC, VTG, GGA) and "UBX protocol" (NAV-PVT); data sheet UBX-17051259 (accuracy, rates). Path and errors: gnss_fix.h.
//
// One frame is what the receiver says about one epoch. Format "nmea", known by its hundredth of a second of the day:
// three sentences in the order in which receivers of this family send them (seen in recordings), each closed by its
// checksum and CR LF (nmea.h):
//
//   $GNRMC,hhmmss.ss,A,ddmm.mmmmm,N,dddmm.mmmmm,E,spd,cog,ddmmyy,,,posMode,V*hh
//   $GNVTG,cog,T,,M,spd,N,kph,K,posMode*hh
//   $GNGGA,hhmmss.ss,ddmm.mmmmm,N,dddmm.mmmmm,E,quality,numSV,HDOP,alt,M,sep,M,,*hh
//
// The receiver's check: all three whole, in this order, with right checksums, every field of its form and range; RMC
// and GGA of one time and position, RMC and VTG of one course and speed. Eight bits of XOR miss two flips of one bit
// position: where they hit a field that is told once, such as the height, that is the real wire's weakness.
//
// Format "ubx", known by iTOW, the millisecond of the GPS week: one NAV-PVT of 100 bytes (ubx.h). The receiver's check:
// header, length, the 16 bits of checksum; date, time and position valid by the flags and in range; iTOW and UTC of one
// millisecond. Two sums of 8 bits find every error within two neighbouring bytes, and let one in 65536 of the others
// pass.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType ZedF9p();

}  // namespace corerig
