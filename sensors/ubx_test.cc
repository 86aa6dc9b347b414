#include "sensors/ubx.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace corerig {
namespace {

std::vector<std::byte> Bytes(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

// What a receiver with a float solution said near Prague on 2018-04-26 15:59:29.2 UTC (a recording, not ours).
const std::vector<std::byte> kRecorded =
    Bytes({0xB5, 0x62, 0x01, 0x07, 0x5C, 0x00, 0x00, 0x26, 0x08, 0x18, 0xE2, 0x07, 0x04, 0x1A, 0x0F, 0x3B, 0x1D,
           0xF7, 0xE9, 0x03, 0x00, 0x00, 0xF5, 0x1A, 0xE6, 0x0B, 0x03, 0x43, 0xEA, 0x0E, 0x40, 0x60, 0x91, 0x08,
           0x94, 0xFA, 0xE0, 0x1D, 0xD2, 0xF1, 0x04, 0x00, 0xAD, 0x44, 0x04, 0x00, 0x27, 0x00, 0x00, 0x00, 0x31,
           0x00, 0x00, 0x00, 0xEE, 0xFF, 0xFF, 0xFF, 0x04, 0x00, 0x00, 0x00, 0xE2, 0xFF, 0xFF, 0xFF, 0x12, 0x00,
           0x00, 0x00, 0xD5, 0x65, 0x92, 0x01, 0x20, 0x00, 0x00, 0x00, 0x53, 0xCC, 0x2C, 0x00, 0xA2, 0x00, 0x00,
           0x00, 0x12, 0x19, 0x26, 0x3B, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x57, 0x03});

TEST(Ubx, ReadsWhatARealReceiverSaid) {
  ASSERT_EQ(kRecorded.size(), kNavPvtFrameSize);
  EXPECT_TRUE(UbxFrameFits(kRecorded));
  const NavPvt pvt = NavPvtOf(kRecorded);
  EXPECT_EQ(pvt.itow, 403'187'200u);  // Thursday 15:59:47.2 of GPS time
  EXPECT_EQ(pvt.year, 2018);
  EXPECT_EQ(pvt.month, 4);
  EXPECT_EQ(pvt.day, 26);
  EXPECT_EQ(pvt.hour, 15);
  EXPECT_EQ(pvt.minute, 59);
  EXPECT_EQ(pvt.second, 29);
  EXPECT_EQ(pvt.nano, 199'629'557);
  EXPECT_EQ(pvt.fix_type, 3);
  EXPECT_EQ(pvt.satellites, 14);
  EXPECT_EQ(pvt.longitude, 143'745'088);
  EXPECT_EQ(pvt.latitude, 501'283'476);
  EXPECT_EQ(pvt.height, 324'050);
  EXPECT_EQ(pvt.height_above_sea, 279'725);
  EXPECT_EQ(pvt.velocity_north, -18);
  EXPECT_EQ(pvt.velocity_east, 4);
  EXPECT_EQ(pvt.velocity_down, -30);
  EXPECT_EQ(pvt.ground_speed, 18);
  EXPECT_EQ(pvt.position_dop, 162);
}

TEST(Ubx, WritesThatFrameAgainButForItsReservedBytes) {
  std::array<std::byte, kNavPvtFrameSize> written;
  PutNavPvt(NavPvtOf(kRecorded), written);
  for (std::size_t at = 0; at < kUbxHeaderSize + kNavPvtSize; ++at) {
    const bool reserved = at >= kUbxHeaderSize + 80 && at < kUbxHeaderSize + 84;
    EXPECT_EQ(written[at], reserved ? std::byte{0} : kRecorded[at]) << at;
  }
  EXPECT_TRUE(UbxFrameFits(written));
  EXPECT_EQ(NavPvtOf(written), NavPvtOf(kRecorded));
}

TEST(Ubx, KnownFramesOfOtherMessagesFit) {
  EXPECT_TRUE(UbxFrameFits(Bytes({0xB5, 0x62, 0x01, 0x07, 0x00, 0x00, 0x08, 0x19})));  // asks for NAV-PVT
  // CFG-RATE: 250 ms.
  EXPECT_TRUE(
      UbxFrameFits(Bytes({0xB5, 0x62, 0x06, 0x08, 0x06, 0x00, 0xFA, 0x00, 0x01, 0x00, 0x01, 0x00, 0x10, 0x96})));
}

TEST(Ubx, NoFlippedBitAndNoErrorInTwoNeighbouringBytesFits) {
  for (std::size_t at = 0; at < kRecorded.size(); ++at) {
    for (int mask = 1; mask < 256; ++mask) {
      auto broken = kRecorded;
      broken[at] ^= static_cast<std::byte>(mask);
      ASSERT_FALSE(UbxFrameFits(broken)) << at << " " << mask;
      if (at + 1 == kRecorded.size()) continue;
      for (int second = 1; second < 256; second += 51) {
        auto twice = broken;
        twice[at + 1] ^= static_cast<std::byte>(second);
        // Two bytes of the checksum itself, or the last of the payload and the first of the checksum, are no exception.
        ASSERT_FALSE(UbxFrameFits(twice)) << at << " " << mask << " " << second;
      }
    }
  }
}

TEST(Ubx, AFrameCutOffDoesNotFit) {
  for (std::size_t size = 0; size < kRecorded.size(); ++size) {
    EXPECT_FALSE(UbxFrameFits(std::span(kRecorded).first(size))) << size;
  }
}

}  // namespace
}  // namespace corerig
