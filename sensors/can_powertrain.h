// A car's powertrain bus: 12 messages of five control units, 900 frames per second, each frame a struct can_frame.
//
// Six messages come every 10 ms and six every 20 ms (a lower or higher `rate` stretches or shrinks all periods alike).
// Each control unit queues its messages at the same instants in every period, several units at nearly the same; the
// bus sends one frame at a time, of those that wait the one with the lowest identifier. A frame of eight data bytes
// takes at most 135 bit times (R. Davis, A. Burns, R. Bril, J. Lukkien: "Controller Area Network (CAN) schedulability
// analysis: refuted, revisited and revised", Real-Time Systems 35, 2007, equation 1: 55 + 10 s bits, s = 8), and each
// is taken to take as long: 270 us at 500 kbit/s. A frame is due when its last bit is on the bus.
//
// The data, as safety-related messages carry it (in the manner of AUTOSAR's E2E profile 1; the layout is ours):
//
//   0       CRC-8 SAE J1850 (polynomial 0x1D, initial value and final XOR 0xFF) over the identifier, low byte first,
//   and
//           bytes 1 to 7
//   1       counter, bits 0 to 3: 0 to 15 and again, for each identifier its own; bits 4 to 7 are 0
//   2..7    three signals, little-endian 16 bits, physical = raw * scale + offset (can_powertrain.cc)
//
// A receiver checks identifier, length, CRC and the zero bits. The CRC finds any two flipped bits and any burst of up
// to eight; of other damage it misses one in 256.
#pragma once

#include <cstdint>
#include <span>

#include "harness/stream/sensor.h"

namespace corerig {

SensorType CanPowertrain();

// Of SAE J1850; "123456789" gives 0x4B.
std::uint8_t Crc8J1850(std::span<const std::byte> bytes);

}  // namespace corerig
