// u-blox's binary protocol UBX: the frame, and its message NAV-PVT (position, velocity and time of one epoch).
//
//   PutNavPvt({.itow = 403'187'200, .year = 2018, …}, out);  // kNavPvtFrameSize bytes
//   if (UbxFrameFits(frame)) NavPvtOf(frame).itow;
//
// Source: UBX-18010854, "UBX frame structure", "UBX checksum" and "UBX-NAV-PVT". A frame is B5 62, class, id, length
// (16 bits), payload, CK_A, CK_B; all is little-endian; the checksum is RFC 1145's 8-bit Fletcher over class to
// payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace corerig {

inline constexpr std::size_t kUbxHeaderSize = 6, kUbxChecksumSize = 2;
inline constexpr std::size_t kNavPvtSize = 92, kNavPvtFrameSize = kUbxHeaderSize + kNavPvtSize + kUbxChecksumSize;
inline constexpr std::uint8_t kNavPvtHeader[kUbxHeaderSize] = {0xB5, 0x62, 0x01, 0x07, kNavPvtSize, 0};

// Payload, in the units of the wire; the offset of each field behind it. Reserved bytes (78 to 83 but flags3) are 0.
struct NavPvt {
  std::uint32_t itow = 0;                                             // 0: ms of the GPS week
  std::uint16_t year = 0;                                             // 4: UTC
  std::uint8_t month = 0, day = 0, hour = 0, minute = 0, second = 0;  // 6 to 10
  std::uint8_t valid = 0;                         // 11: bits 0 date, 1 time of day, 2 no seconds uncertain
  std::uint32_t time_accuracy = 0;                // 12: ns
  std::int32_t nano = 0;                          // 16: ns of the second, may be negative
  std::uint8_t fix_type = 0;                      // 20: 2 2D, 3 3D, 4 with dead reckoning
  std::uint8_t flags = 0;                         // 21: bit 0 fix within the limits, 1 corrections, 7:6 carrier phase
  std::uint8_t flags2 = 0;                        // 22: bits 5 to 7 date and time of day are confirmed
  std::uint8_t satellites = 0;                    // 23
  std::int32_t longitude = 0, latitude = 0;       // 24, 28: 1e-7 degrees
  std::int32_t height = 0, height_above_sea = 0;  // 32, 36: mm, above the ellipsoid; above the sea
  std::uint32_t horizontal_accuracy = 0, vertical_accuracy = 0;           // 40, 44: mm
  std::int32_t velocity_north = 0, velocity_east = 0, velocity_down = 0;  // 48, 52, 56: mm/s
  std::int32_t ground_speed = 0;                                          // 60: mm/s
  std::int32_t heading = 0;                                               // 64: of motion, 1e-5 degrees
  std::uint32_t speed_accuracy = 0;                                       // 68: mm/s
  std::uint32_t heading_accuracy = 0;                                     // 72: 1e-5 degrees
  std::uint16_t position_dop = 0;                                         // 76: 0.01
  std::uint16_t flags3 = 0;                                               // 78: bit 0 position is invalid
  std::int32_t vehicle_heading = 0;                                       // 84: 1e-5 degrees, if flags bit 5
  std::int16_t declination = 0;                                           // 88: magnetic, 0.01 degrees, if valid bit 3
  std::uint16_t declination_accuracy = 0;                                 // 90: 0.01 degrees
  bool operator==(const NavPvt&) const = default;
};

// Writes a whole frame.
void PutNavPvt(const NavPvt& pvt, std::span<std::byte> out);
// Of a frame of kNavPvtFrameSize bytes, whatever its header and checksum say.
NavPvt NavPvtOf(std::span<const std::byte> frame);

// CK_A in the low byte, CK_B in the high one, of class to payload.
std::uint16_t UbxChecksum(std::span<const std::byte> class_to_payload);
// A whole frame whose checksum is right.
bool UbxFrameFits(std::span<const std::byte> frame);

}  // namespace corerig
