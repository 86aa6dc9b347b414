// Bosch BMI088: six-axis inertial sensor for vibrating machines, two dies in one package; read through both FIFOs
// ("fifo") or through a Linux driver's buffer ("iio": sensors/iio_scan.h).
//
// Sources: data sheet BST-BMI088-DS001 (1.1 electrical specification; 5.3.4 accelerometer data and 5.3.5 sensor time;
// 5.5.2 rate data); application note BST-MIS-AN005, "BMI08x FIFO usage", and Bosch's own answer on its forum that only
// the accelerometer's FIFO has headers; the data sheet of the BMA456, whose FIFO is that of the accelerometer die
// (4.5: headers, sensor time frame). The headers agree with Zephyr's driver (bmi08x_accel_decoder.c).
//
// How two dies become one stream: a frame is what a driver reads in one go when the accelerometer's FIFO has `batch`
// samples: its FIFO, read until it is empty, so that it ends with a sensor time frame; then the gyroscope's. Both dies
// are taken to sample at the stream's rate and at the same instants; real ones run on clocks of their own unless
// Bosch's data synchronisation is on. The wire, 13 * batch + 4 bytes, words little-endian:
//
//   batch times 7   accelerometer: header 0x84 (data frame, no interrupt tags); x y z, +-24 g at 32768/24 LSB/g
//   4               sensor time: header 0x44; 24-bit counter of 39.0625 us, which wraps every 655.36 s
//   batch times 6   gyroscope, no headers: x y z, +-2000 dps at 16.384 LSB/dps
//
// The sensor time is that of the read; ours is made at the instant of the last sample.
//
// What a receiver can check is the length, the headers (a driver that sees a skip frame, 0x40, knows that it came too
// late; we send none), and that no rate is -32768, which the data sheet's range leaves out. There is no checksum: a
// flipped bit in a measurement passes, and in the sensor time of a message too. As bytes, a frame whose time is out of
// step with the last one waits for the next to bear it out (sensors/stamped_frames.h).
//
// Noise: densities, offsets and drifts of the data sheet, typical. It has no bias instability and no rate random walk:
// the gyroscope's B is one measured (6.5 degrees per hour, in an Allan plot that J. Pieper published, with 0.016
// dps/sqrt(Hz) beside it), the others are of the order usual for parts of this class.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType Bmi088();

}  // namespace corerig
