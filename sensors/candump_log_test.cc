#include "sensors/candump_log.h"

#include <gtest/gtest.h>
#include <linux/can.h>

#include <cstring>

#include "harness/base/philox.h"
#include "sensors/received.h"

namespace corerig {
namespace {

std::string Bytes(std::span<const std::byte> bytes) {
  std::string hex;
  for (const std::byte byte : bytes) {
    constexpr std::string_view kHex = "0123456789abcdef";
    hex += kHex[std::to_integer<unsigned>(byte) >> 4];
    hex += kHex[std::to_integer<unsigned>(byte) & 15];
  }
  return hex;
}

// Of one line's frame, as it lies in memory on a little-endian machine.
std::string FrameOf(std::string_view frame) {
  const auto recording = ReadCandumpLog(StrCat("(1436509052.249713) vcan0 ", frame, "\n"), "any");
  return recording ? Bytes(recording->frame(0)) : recording.error().message;
}

// The bytes are those of struct can_frame (linux/can.h): identifier with flags, length, two unused, raw length, data.
TEST(CandumpLog, FramesAreReadAsCanUtilsWritesThem) {
  EXPECT_EQ(FrameOf("123#DEADBEEF"), "2301000004000000deadbeef00000000");
  EXPECT_EQ(FrameOf("7FF#"), "ff070000000000000000000000000000");
  EXPECT_EQ(FrameOf("1F334455#1122334455667788"), "5544339f080000001122334455667788");
  EXPECT_EQ(FrameOf("00000123#01"), "23010080010000000100000000000000") << "8 digits: extended, however small";
  EXPECT_EQ(FrameOf("5A1#11.2233.44556677.88"), "a1050000080000001122334455667788");
  EXPECT_EQ(FrameOf("123#R"), "23010040000000000000000000000000");
  EXPECT_EQ(FrameOf("123#R8"), "23010040080000000000000000000000");
  EXPECT_EQ(FrameOf("12345678#r3"), "785634d2030000000000000000000000");
  EXPECT_EQ(FrameOf("123#R8_C"), "230100400800000c0000000000000000");
  EXPECT_EQ(FrameOf("123#1122334455667788_E"), "230100000800000e1122334455667788");
  EXPECT_EQ(FrameOf("1ab#deadbeef R"), FrameOf("1AB#DEADBEEF"));
}

TEST(CandumpLog, LinesHaveStampsInterfacesAndMaybeADirection) {
  const auto recording = ReadCandumpLog(
      "(1436509052.249713) vcan0 044#2A366C2BBA\r\n"
      "\n"
      "(1436509052.449847)  can1  0F6#7ADFE07BD2 T\n"
      "(1436509052.449847) vcan0 12345678#\n"
      "(1436509053.000000001) vcan0 123#R R",
      "any");
  ASSERT_TRUE(recording) << recording.error().message;
  ASSERT_EQ(recording->size(), 4u);
  EXPECT_EQ(recording->at(1), Nanos(200'134'000));
  EXPECT_EQ(recording->at(2), Nanos(200'134'000));
  EXPECT_EQ(recording->at(3), Nanos(750'287'001));
  EXPECT_EQ(Bytes(recording->frame(1)), "f6000000050000007adfe07bd2000000");
}

TEST(CandumpLog, OneInterfaceMayBeSelectedAndErrorFramesAreSkipped) {
  constexpr std::string_view kLog =
      "(1.0) can0 123#01\n(1.1) can1 123#02\n(1.2) can0 20000080#0000000000000000\n(1.3) can0 123#03\n";
  const auto one = ReadCandumpLog(kLog, "can0");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->About(), "2 frames in 300ms; skipped 1: of another interface, 1: error frame");
  EXPECT_EQ(ReadCandumpLog(kLog, "any")->About(), "3 frames in 300ms; skipped 1: error frame");
  EXPECT_EQ(ReadCandumpLog(kLog, "can2")->size(), 0u);
  EXPECT_EQ(ReadCandumpLog("", "any")->size(), 0u);
}

TEST(CandumpLog, WhatIsWrongIsToldWithItsLine) {
  const auto refusal = [](std::string_view line) {
    const auto recording = ReadCandumpLog(StrCat("(1.0) can0 123#\n", line, "\n"), "any");
    return recording ? "taken" : recording.error().message;
  };
  constexpr std::string_view kNoLine =
      " is no line of a candump log; write one such as (1436509052.249713) vcan0 123#DEADBEEF, as candump -l does";
  for (const char* line : {"  can0  123   [4]  DE AD BE EF", "(1.0) can0", "1.0 can0 123#", "(x) can0 123#",
                           "() can0 123#", "( can0 123#", "garbage", "(1.0)", "(-1.0) can0 123#"}) {
    EXPECT_EQ(refusal(line), StrCat("2: ", Quoted(line), kNoLine));
  }
  const auto no_bytes = [](std::string_view frame) {
    return StrCat("2: \"", frame,
                  "\" has no 0 to 8 bytes of two hexadecimal digits each; write one such as "
                  "123#DEADBEEF");
  };
  for (const char* frame :
       {"123#1", "123#1G", "123#112233445566778899", "123#.11", "123#11..22", "123#11223344556677_E",
        "123#1122334455667788_8", "123#1122334455667788_EE", "123#1122334455667788_", "123#11."}) {
    EXPECT_EQ(refusal(StrCat("(1.0) can0 ", frame)), no_bytes(frame));
  }
  for (const char* frame : {"12#11", "1234#11", "12345#11", "123456789#11", "12G#11", "123", "#11"}) {
    EXPECT_EQ(refusal(StrCat("(1.0) can0 ", frame)),
              StrCat("2: \"", frame,
                     "\" has no identifier of 3 or 8 hexadecimal digits and #; write one such as "
                     "123#DEADBEEF"));
  }
  EXPECT_EQ(refusal("(1.0) can0 800#"),
            "2: identifier 800 has more than 11 bits; write it with 8 digits, or at most 7FF");
  EXPECT_EQ(refusal("(1.0) can0 80000000#"), "2: identifier 80000000 has more than 29 bits; at most 1FFFFFFF");
  EXPECT_EQ(refusal("(1.0) can0 123##1112233"),
            "2: \"123##1112233\" is a CAN FD frame, and the channel carries classic frames; leave such lines out");
  EXPECT_EQ(refusal("(1.0) can0 123#R9"), "2: \"123#R9\" is no remote frame; write one such as 123#R or 123#R8");
  EXPECT_EQ(refusal("(1.0) can0 123#R4_E"), "2: \"123#R4_E\" is no remote frame; write one such as 123#R or 123#R8");
  EXPECT_EQ(refusal("(1.0) can0 123# X"),
            "2: behind the frame stands \"X\"; there may be an R or a T, for its direction");
  EXPECT_EQ(refusal("(1.0) can0 123# R R"),
            "2: behind the frame stands \"R\"; there may be an R or a T, for its direction");
  EXPECT_EQ(refusal("(0.9) can0 123#"),
            "2: the stamp is 100ms before the one of the frame before; put the recording into the order of its stamps");
}

TEST(CandumpLog, AnyBytesAreReadOrRefusedWithALine) {
  const std::string log =
      "(1436509052.249713) vcan0 044#2A366C2BBA\n(1436509052.449847) can1 12345678#R8 R\n(1436509053.1) c 001#\n"
      "(1436509053.2) c 123#1122334455667788_E\n";
  int taken = 0;
  for (std::uint64_t round = 0; round < 20'000; ++round) {
    std::string text = log;
    for (std::uint32_t i = 0; i < 1 + RandomWords(1, 9, round)[0] % 3; ++i) {
      const auto draw = RandomWords(2, 9, round, i);
      constexpr std::string_view kLikely = "()#_R.0123456789abcdefABCDEF \n\r\t";
      const char c = draw[2] % 2 == 0 ? static_cast<char>(draw[1]) : kLikely[draw[1] % kLikely.size()];
      text[draw[0] % text.size()] = c;
    }
    text.resize(RandomWords(3, 9, round)[0] % 4 == 0 ? RandomWords(3, 9, round)[1] % text.size() : text.size());
    // From the heap, of the exact size: reading past the end is seen by the address sanitizer.
    const std::vector<char> exact(text.begin(), text.end());
    const auto recording = ReadCandumpLog({exact.data(), exact.size()}, "any");
    if (!recording) {
      EXPECT_TRUE(recording.error().message[0] >= '1' && recording.error().message[0] <= '9');
      continue;
    }
    ++taken;
    // What was read is what a receiver takes.
    const auto decoder = MakeCanFrameDecoder();
    Received received;
    for (std::size_t i = 0; i < recording->size(); ++i) decoder->Feed(recording->frame(i), 16 * i, received);
    EXPECT_EQ(received.frames.size(), recording->size());
  }
  EXPECT_GT(taken, 500);
}

TEST(CanFrames, WhatNoBusCarriesIsCorrupt) {
  const auto corrupt = [](can_frame frame) {
    Received received;
    MakeCanFrameDecoder()->Feed(std::as_bytes(std::span(&frame, 1)), 0, received);
    return received.corrupt.size() == 1 && received.frames.empty();
  };
  const auto frame = [](const auto& change) {
    can_frame frame = {};
    frame.can_id = 0x123;
    frame.len = 4;
    change(frame);
    return frame;
  };
  EXPECT_FALSE(corrupt(frame([](can_frame&) {})));
  EXPECT_FALSE(corrupt(frame([](can_frame& f) { f.can_id = 0x1FFFFFFF | CAN_EFF_FLAG; })));
  EXPECT_FALSE(corrupt(frame([](can_frame& f) { f.can_id |= CAN_RTR_FLAG; })));
  EXPECT_FALSE(corrupt(frame([](can_frame& f) { f.len = 8, f.len8_dlc = 9; })));
  EXPECT_TRUE(corrupt(frame([](can_frame& f) { f.can_id = 0x800; })));
  EXPECT_TRUE(corrupt(frame([](can_frame& f) { f.can_id |= CAN_ERR_FLAG; })));
  EXPECT_TRUE(corrupt(frame([](can_frame& f) { f.len = 9; })));
  EXPECT_TRUE(corrupt(frame([](can_frame& f) { f.data[4] = 1; })));
  EXPECT_TRUE(corrupt(frame([](can_frame& f) { f.can_id |= CAN_RTR_FLAG, f.data[0] = 1; })));
  EXPECT_TRUE(corrupt(frame([](can_frame& f) { f.len8_dlc = 9; })));
  EXPECT_TRUE(corrupt(frame([](can_frame& f) { f.len = 8, f.len8_dlc = 8; })));
  EXPECT_TRUE(corrupt(frame([](can_frame& f) { f.len = 8, f.len8_dlc = 16; })));
  EXPECT_TRUE(corrupt(frame([](can_frame& f) { f.__pad = 1; })));
  EXPECT_TRUE(corrupt(frame([](can_frame& f) { f.__res0 = 1; })));
  Received received;
  MakeCanFrameDecoder()->Feed(std::vector<std::byte>(15), 0, received);
  MakeCanFrameDecoder()->Feed(std::vector<std::byte>(72), 15, received);
  EXPECT_EQ(received.corrupt.size(), 1u) << "adjacent";
  EXPECT_TRUE(received.frames.empty());
}

}  // namespace
}  // namespace corerig
