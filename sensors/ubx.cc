#include "sensors/ubx.h"

#include <algorithm>
#include <type_traits>

namespace corerig {
namespace {

template <typename Field>
void PutField(Field value, std::byte* out) {
  auto word = static_cast<std::make_unsigned_t<Field>>(value);
  for (std::size_t i = 0; i < sizeof(Field); ++i) out[i] = static_cast<std::byte>(word >> (8 * i) & 0xFF);
}

template <typename Field>
Field FieldAt(const std::byte* in) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < sizeof(Field); ++i) word |= std::to_integer<std::uint32_t>(in[i]) << (8 * i);
  return static_cast<Field>(static_cast<std::make_unsigned_t<Field>>(word));
}

// The layout, once for both directions: calls visit(offset, field) for every field.
template <typename Pvt, typename Visit>
void ForEachField(Pvt& pvt, Visit visit) {
  visit(0, pvt.itow);
  visit(4, pvt.year);
  visit(6, pvt.month);
  visit(7, pvt.day);
  visit(8, pvt.hour);
  visit(9, pvt.minute);
  visit(10, pvt.second);
  visit(11, pvt.valid);
  visit(12, pvt.time_accuracy);
  visit(16, pvt.nano);
  visit(20, pvt.fix_type);
  visit(21, pvt.flags);
  visit(22, pvt.flags2);
  visit(23, pvt.satellites);
  visit(24, pvt.longitude);
  visit(28, pvt.latitude);
  visit(32, pvt.height);
  visit(36, pvt.height_above_sea);
  visit(40, pvt.horizontal_accuracy);
  visit(44, pvt.vertical_accuracy);
  visit(48, pvt.velocity_north);
  visit(52, pvt.velocity_east);
  visit(56, pvt.velocity_down);
  visit(60, pvt.ground_speed);
  visit(64, pvt.heading);
  visit(68, pvt.speed_accuracy);
  visit(72, pvt.heading_accuracy);
  visit(76, pvt.position_dop);
  visit(78, pvt.flags3);
  visit(84, pvt.vehicle_heading);
  visit(88, pvt.declination);
  visit(90, pvt.declination_accuracy);
}

}  // namespace

void PutNavPvt(const NavPvt& pvt, std::span<std::byte> out) {
  std::fill_n(out.begin(), kNavPvtFrameSize, std::byte{0});
  for (std::size_t i = 0; i < kUbxHeaderSize; ++i) out[i] = std::byte{kNavPvtHeader[i]};
  ForEachField(pvt, [&](std::size_t at, auto field) { PutField(field, &out[kUbxHeaderSize + at]); });
  PutField(UbxChecksum(out.subspan(2, kNavPvtFrameSize - 2 - kUbxChecksumSize)), &out[kUbxHeaderSize + kNavPvtSize]);
}

NavPvt NavPvtOf(std::span<const std::byte> frame) {
  NavPvt pvt;
  ForEachField(pvt, [&](std::size_t at, auto& field) {
    field = FieldAt<std::remove_reference_t<decltype(field)>>(&frame[kUbxHeaderSize + at]);
  });
  return pvt;
}

std::uint16_t UbxChecksum(std::span<const std::byte> class_to_payload) {
  std::uint8_t a = 0, b = 0;
  for (const std::byte byte : class_to_payload) {
    a = static_cast<std::uint8_t>(a + std::to_integer<std::uint8_t>(byte));
    b = static_cast<std::uint8_t>(b + a);
  }
  return static_cast<std::uint16_t>(b << 8 | a);
}

bool UbxFrameFits(std::span<const std::byte> frame) {
  if (frame.size() < kUbxHeaderSize + kUbxChecksumSize) return false;
  if (frame[0] != std::byte{0xB5} || frame[1] != std::byte{0x62}) return false;
  if (FieldAt<std::uint16_t>(&frame[4]) != frame.size() - kUbxHeaderSize - kUbxChecksumSize) return false;
  return UbxChecksum(frame.subspan(2, frame.size() - 2 - kUbxChecksumSize)) ==
         FieldAt<std::uint16_t>(&frame[frame.size() - kUbxChecksumSize]);
}

}  // namespace corerig
