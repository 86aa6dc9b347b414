// TDK InvenSense ICM-42688-P: six-axis inertial sensor of flight controllers, read through its FIFO as packet 3
// ("fifo") or through a Linux driver's buffer ("iio": sensors/iio_scan.h).
//
// Sources: data sheet DS-000347, sections 3.1 and 3.2 (gyroscope, accelerometer specifications), 4.13 (temperature),
// 6.1 (packet structure), 6.2 (FIFO header), and the registers INTF_CONFIG0 (invalid samples) and TMST_CONFIG (stamp).
//
// The wire of "fifo": as many packets as the FIFO is read at a time (`batch`, at most the 128 that its 2 KiB hold),
// each of 16 bytes, words big-endian (the reset value of SENSOR_DATA_ENDIAN):
//
//   0       header 0110'1000: not empty (7), accel (6) and gyro (5) present, no 20-bit extension (4), ODR stamp
//           (3:2 = 10), neither accel's (1) nor gyro's (0) data rate changed
//   1..6    acceleration x y z, +-16 g at 2048 LSB/g
//   7..12   angular rate x y z, +-2000 dps at 16.4 LSB/dps
//   13      temperature, LSB/2.07 + 25 degC
//   14..15  stamp of 16 us (TMST_RES = 1) of the sensor's clock; it wraps every 1.048576 s
//
// What a receiver can check is the length, every header bit, that no axis is -32768 (invalid sample) or -32767 (not in
// the FIFO's range -32766..32767), and of several packets in a frame that their stamps are one period apart. There is
// no checksum: a flipped bit in a measurement passes, and in the stamp of a lone packet too. As bytes, a frame out of
// step with the last one waits for the next to bear it out (sensors/stamped_frames.h). A cut packet that ends in bytes
// of the next one passes if what stands in the stamp's place happens to be in step: 3 % of cut packets at 1 kHz, 26 %
// at 8 kHz in batches of one.
//
// Noise: the densities, offsets and tolerances of the data sheet, typical. It has no bias instability and no rate
// random walk; ours are of the order that Allan plots of parts of this class show: set your part's
// (sensors/imu_model.h).
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType Icm42688p();

}  // namespace corerig
