#include "sensors/mavlink.h"

#include <gtest/gtest.h>

#include "harness/base/philox.h"
#include "sensors/received.h"

namespace corerig {
namespace {

std::vector<std::byte> Hex(std::string_view digits) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// A heartbeat of a copter as it is printed in many places, version 1.
constexpr std::string_view kHeartbeat =
    "fe094e010100000000000203510403"
    "1c7f";
// Made by a program of its own from common.xml: RAW_IMU, version 1; ATTITUDE, version 2; HIGHRES_IMU, signed, the zeros
// at its end left out; and a message 42999 that is not listed, with an extra byte of 77.
constexpr std::string_view kRawImu = "fe1a0901011b63000000000000000000010002000300040005000600070008001beb";
constexpr std::string_view kAttitude =
    "fd1c00000101011e00000a0000007675cc3d2a26643f4afb5c3f7c502a3d9c7a51bf31026dbf6145";
constexpr std::string_view kSigned =
    "fd3c0100070101690000d202964900000000000000000000003f0000803f0000c03f0000004000002040000040400000604000008040000090"
    "400000a0400000b0400000c0401e92000102030405060708090a0b0c";
constexpr std::string_view kUnlisted = "fd030000080101f7a700010203584d";

std::string FaultOf(std::string_view hex) {
  const auto checked = CheckMavlink(Hex(hex));
  if (checked) return "good";
  return checked.error().message.substr(0, checked.error().message.find(';'));
}

std::string With(std::string_view hex, std::size_t byte, std::string_view digits) {
  std::string changed(hex);
  return changed.replace(2 * byte, 2, digits);
}

TEST(Mavlink, CrcIsMcrf4xx) {
  EXPECT_EQ(MavlinkCrc(AsBytes("123456789")), 0x6F91);
  EXPECT_EQ(MavlinkCrc(AsBytes("6789"), MavlinkCrc(AsBytes("12345"))), 0x6F91);
}

TEST(Mavlink, ExtraBytesAreThoseOfTheCommonMessages) {
  // As MAVLink's own generated headers have them.
  EXPECT_EQ(MavlinkCrcExtra(0), 50);    // HEARTBEAT
  EXPECT_EQ(MavlinkCrcExtra(1), 124);   // SYS_STATUS
  EXPECT_EQ(MavlinkCrcExtra(24), 24);   // GPS_RAW_INT
  EXPECT_EQ(MavlinkCrcExtra(26), 170);  // SCALED_IMU
  EXPECT_EQ(MavlinkCrcExtra(27), 144);  // RAW_IMU
  EXPECT_EQ(MavlinkCrcExtra(30), 39);   // ATTITUDE
  EXPECT_EQ(MavlinkCrcExtra(33), 104);  // GLOBAL_POSITION_INT
  EXPECT_EQ(MavlinkCrcExtra(74), 20);   // VFR_HUD
  EXPECT_EQ(MavlinkCrcExtra(105), 93);  // HIGHRES_IMU
  EXPECT_EQ(MavlinkCrcExtra(253), 83);  // STATUSTEXT
  EXPECT_EQ(MavlinkCrcExtra(331), 91);  // ODOMETRY
  EXPECT_EQ(MavlinkCrcExtra(3), std::nullopt);
  EXPECT_EQ(MavlinkCrcExtra(332), std::nullopt);
  EXPECT_EQ(MavlinkCrcExtra(0xFFFFFF), std::nullopt);
}

TEST(Mavlink, MessagesOfBothVersionsPass) {
  for (const std::string_view good : {kHeartbeat, kRawImu, kAttitude, kSigned, kUnlisted}) {
    EXPECT_EQ(FaultOf(good), "good") << good;
    EXPECT_EQ(FaultOf(StrCat(good, kHeartbeat, good)), "good") << "several in a datagram: " << good;
  }
}

TEST(Mavlink, WhatIsNoneIsToldApart) {
  EXPECT_EQ(FaultOf(""), "the datagram is empty");
  EXPECT_EQ(FaultOf("00"), "the datagram is no MAVLink message: it begins with neither FE nor FD");
  EXPECT_EQ(FaultOf(StrCat(kHeartbeat, "55")), "the datagram is no MAVLink message: it begins with neither FE nor FD");
  EXPECT_EQ(FaultOf("fe094e0101"), "the datagram ends within a message's header");
  EXPECT_EQ(FaultOf("fd1c0000010101 1e00"), "the datagram ends within a message's header");
  for (const std::string_view good : {kHeartbeat, kAttitude, kSigned, kUnlisted}) {
    for (std::size_t size = 1; size < good.size() / 2; ++size) {
      EXPECT_TRUE(FaultOf(good.substr(0, 2 * size)).starts_with("the datagram ends within a message")) << size;
    }
  }
  EXPECT_EQ(FaultOf(With(kAttitude, 2, "02")), "the datagram has a message with an unknown incompatible flag");
  EXPECT_EQ(FaultOf(With(kHeartbeat, 10, "03")), "the datagram has a message with a wrong CRC");
  EXPECT_EQ(
      CheckMavlink(AsBytes("x")).error().message,
      "the datagram is no MAVLink message: it begins with neither FE nor FD; select MAVLink's by port, or play it "
      "as format = \"pcap\"");
}

TEST(Mavlink, AFlippedBitOfAListedMessageIsFoundUnlessItMakesItAnUnlistedOne) {
  for (const std::string_view good : {kHeartbeat, kRawImu, kAttitude}) {
    auto bytes = Hex(good);
    const bool second = bytes[0] == std::byte{0xFD};
    int passed = 0;
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
      const std::size_t at = bit / 8;
      const bool id = second ? at >= 7 && at <= 9 : at == 5;
      if (CheckMavlink(bytes)) {
        ++passed;
        EXPECT_TRUE(id) << "bit " << bit << " of " << good;
      }
      bytes[at] ^= static_cast<std::byte>(1 << bit % 8);
    }
    EXPECT_LE(passed, second ? 24 : 8);
    EXPECT_GT(passed, 0) << "as the header says";
  }
}

TEST(Mavlink, ADatagramIsOneFrameKnownByItsBytes) {
  Received received;
  const auto decoder = MakeMavlinkDecoder();
  const auto two = Hex(StrCat(kHeartbeat, kAttitude)), one = Hex(kHeartbeat);
  decoder->Feed(two, 0, received);
  decoder->Feed(one, two.size(), received);
  decoder->Feed(two, two.size() + one.size(), received);
  decoder->Feed(std::span(two).first(20), 200, received);
  decoder->Feed({}, 220, received);
  ASSERT_EQ(received.frames.size(), 3u);
  EXPECT_EQ(received.frames[0].wire_key, received.frames[2].wire_key);
  EXPECT_NE(received.frames[0].wire_key, received.frames[1].wire_key);
  EXPECT_EQ(received.corrupt, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{200, 220}}));
}

TEST(Mavlink, AnyBytesAreTakenOrRefused) {
  const auto good = Hex(StrCat(kHeartbeat, kSigned, kUnlisted));
  int taken = 0;
  for (std::uint64_t round = 0; round < 50'000; ++round) {
    auto bytes = good;
    const auto how = RandomWords(1, 13, round);
    for (std::uint32_t i = 0; i < how[0] % 4; ++i) {
      const auto draw = RandomWords(2, 13, round, i);
      bytes[draw[0] % bytes.size()] = static_cast<std::byte>(draw[1]);
    }
    if (how[1] % 3 == 0) bytes.resize(how[2] % bytes.size());
    // From the heap, of the exact size: reading past the end is seen by the address sanitizer.
    taken += CheckMavlink(std::vector<std::byte>(bytes)) ? 1 : 0;
  }
  EXPECT_GT(taken, 5000);
  EXPECT_LT(taken, 30'000);
}

}  // namespace
}  // namespace corerig
