// TDK InvenSense ICM-42688-P: six-axis inertial sensor of flight controllers, read through its FIFO as packet 3.
//
// Sources: data sheet DS-000347, sections 3.1 and 3.2 (gyroscope, accelerometer specifications), 4.13 (temperature),
// 6.1 (packet structure), 6.2 (FIFO header), and the registers INTF_CONFIG0 (invalid samples) and TMST_CONFIG (stamp).
//
// The wire, 16 bytes, words big-endian (the reset value of SENSOR_DATA_ENDIAN):
//
//   0       header 0110'1000: not empty (7), accel (6) and gyro (5) present, no 20-bit extension (4), ODR stamp
//           (3:2 = 10), neither accel's (1) nor gyro's (0) data rate changed
//   1..6    acceleration x y z, +-16 g at 2048 LSB/g
//   7..12   angular rate x y z, +-2000 dps at 16.4 LSB/dps
//   13      temperature, LSB/2.07 + 25 degC
//   14..15  stamp of 16 us (TMST_RES = 1); it wraps every 1.048576 s
//
// What a receiver can check is the length, every header bit, and that no axis is -32768 (invalid sample) or -32767 (not
// in the FIFO's range -32766..32767). There is no checksum: a flipped bit in a measurement or in the stamp passes.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType Icm42688p();

}  // namespace corerig
