#include "sensors/imu_csv.h"

#include <gtest/gtest.h>

#include "harness/base/philox.h"
#include "sensors/byte_order.h"
#include "sensors/received.h"

namespace corerig {
namespace {

std::int16_t CountAt(std::span<const std::byte> scan, std::size_t at) {
  return static_cast<std::int16_t>(LittleEndian(scan, at, 2));
}

TEST(ImuCsv, ARowBecomesAScanInCounts) {
  const auto recording = ReadImuCsv(
      "time,ax,ay,az,gx,gy,gz\n"
      "12.25,9.80665,-9.80665,0.004788403,0.017453293,-0.017453293,34.814\n"
      "12.2500005,156.9,-156.903,0,0,0,0\n");
  ASSERT_TRUE(recording) << recording.error().message;
  ASSERT_EQ(recording->size(), 2u);
  EXPECT_EQ(recording->at(1), Nanos(500));
  const auto scan = recording->frame(0);
  ASSERT_EQ(scan.size(), 24u);
  EXPECT_EQ(CountAt(scan, 0), 2048);  // 1 g
  EXPECT_EQ(CountAt(scan, 2), -2048);
  EXPECT_EQ(CountAt(scan, 4), 1);
  EXPECT_EQ(CountAt(scan, 6), 16);  // 1 degree/s is 16.4
  EXPECT_EQ(CountAt(scan, 8), -16);
  EXPECT_EQ(CountAt(scan, 10), 32713);                // 34.814 rad/s: 1994.7 degrees/s
  EXPECT_EQ(CountAt(recording->frame(1), 0), 32767);  // 156.9 m/s^2
  EXPECT_EQ(CountAt(recording->frame(1), 2), -32767);
}

TEST(ImuCsv, ColumnsStandInAnyOrderBesideOthers) {
  const auto recording = ReadImuCsv(
      "\xEF\xBB\xBF# gz , gy,gx, temperature,az,ay,ax,timestamp_ns\r\n"
      "0.03,0.02,0.01,warm,9.80665,0,4.903325,1403636579763555584\r\n"
      "\r\n"
      "0.03,0.02,0.01,warm,-9.80665,0,0,1403636579768555585\r\n");
  ASSERT_TRUE(recording) << recording.error().message;
  EXPECT_EQ(recording->at(1), Nanos(5'000'001));
  EXPECT_EQ(CountAt(recording->frame(0), 0), 1024);
  EXPECT_EQ(CountAt(recording->frame(0), 4), 2048);
  EXPECT_EQ(CountAt(recording->frame(0), 10), 28);  // 0.03 rad/s: 28.19
  EXPECT_NEAR(AccelZOf(recording->frame(1)), -9.80665, 1e-9);
}

TEST(ImuCsv, TimesMayHaveAnExponent) {
  const auto recording = ReadImuCsv(
      "time,ax,ay,az,gx,gy,gz\n1.0e+00,0,0,0,0,0,0\n1.000500000000000000e+00,0,0,0,0,0,0\n1.001,0,0,0,0,0,0");
  ASSERT_TRUE(recording) << recording.error().message;
  EXPECT_EQ(recording->at(1), Nanos(500'000));
  EXPECT_EQ(recording->at(2), Nanos(1'000'000));
}

TEST(ImuCsv, WhatIsWrongIsToldWithItsLine) {
  const auto refusal = [](std::string_view text) {
    const auto recording = ReadImuCsv(text);
    return recording ? "taken" : recording.error().message;
  };
  constexpr std::string_view kHeader = "time,ax,ay,az,gx,gy,gz\n0.5,0,0,0,0,0,0\n";
  const auto row = [&](std::string_view line) { return refusal(StrCat(kHeader, line)); };
  EXPECT_EQ(row("1,0,0,9.8,0,0,0"), "taken");
  EXPECT_EQ(refusal(""), "1: there is no row; the first one names the columns, such as timestamp_ns,ax,ay,az,gx,gy,gz");
  EXPECT_EQ(refusal("ax,ay,az,gx,gy,gz\n"),
            "1: there is no column \"time\" or \"timestamp_ns\"; the first row names the columns, such as "
            "timestamp_ns,ax,ay,az,gx,gy,gz");
  EXPECT_EQ(refusal("\ntime,ax,ay,gx,gy,gz\n"),
            "2: there is no column \"az\"; the first row names them, such as timestamp_ns,ax,ay,az,gx,gy,gz");
  EXPECT_EQ(refusal("time,ax,ay,az,gx,gy,gz,ax\n"), "1: there are two columns \"ax\"; leave one out");
  EXPECT_EQ(row("1,0,0,9.8,0,0"), "3: a row of 6 columns; the first row names 7");
  EXPECT_EQ(row("1,0,0,9.8,0,0,0,0"), "3: a row of 8 columns; the first row names 7");
  EXPECT_EQ(row("1,0,0,nan,0,0,0"), "3: az is \"nan\"; write a number");
  EXPECT_EQ(row("1,0,0,inf,0,0,0"), "3: az is \"inf\"; write a number");
  EXPECT_EQ(row("1,0,0,,0,0,0"), "3: az is \"\"; write a number");
  EXPECT_EQ(row("1,0,0,9.8x,0,0,0"), "3: az is \"9.8x\"; write a number");
  EXPECT_EQ(row("1,0,0,980,0,0,0"), "3: az is 980; the scan holds 16 g: accelerations are in m/s^2");
  EXPECT_EQ(row("1,0,0,0,0,-36,0"), "3: gy is -36; the scan holds 2000 degrees/s: rates are in rad/s");
  EXPECT_EQ(row("now,0,0,0,0,0,0"), "3: \"now\" is no time; write seconds such as 12.345");
  EXPECT_EQ(row("-1,0,0,0,0,0,0"), "3: \"-1\" is no time; write seconds such as 12.345");
  EXPECT_EQ(refusal("timestamp_ns,ax,ay,az,gx,gy,gz\n1.5,0,0,0,0,0,0\n"),
            "2: \"1.5\" is no time; write whole nanoseconds");
  for (const char* stamp : {"0.5", "0.4"}) {
    EXPECT_EQ(
        row(StrCat(stamp, ",0,0,0,0,0,0")),
        "3: the stamp is not after the one of the row before; put the rows in order, and leave out repeated ones");
  }
}

TEST(ImuCsv, AnyBytesAreReadOrRefusedWithALine) {
  const std::string good =
      "time,ax,ay,az,gx,gy,gz\n0.5,0.1,-0.2,9.8,0.01,0.02,-0.03\n0.505,0.1,-0.2,9.8,0.01,0.02,-0.03\n1e0,0,0,0,0,0,0\n";
  int taken = 0;
  for (std::uint64_t round = 0; round < 20'000; ++round) {
    std::string text = good;
    const auto how = RandomWords(1, 12, round);
    for (std::uint32_t i = 0; i < how[0] % 4; ++i) {
      const auto draw = RandomWords(2, 12, round, i);
      constexpr std::string_view kLikely = ",.-+e0123456789\n\r \"#";
      text[draw[0] % text.size()] = draw[2] % 2 == 0 ? static_cast<char>(draw[1]) : kLikely[draw[1] % kLikely.size()];
    }
    if (how[1] % 3 == 0) text.resize(how[2] % text.size());
    const std::vector<char> exact(text.begin(), text.end());
    const auto recording = ReadImuCsv({exact.data(), exact.size()});
    if (recording) {
      ++taken;
    } else {
      EXPECT_TRUE(recording.error().message[0] >= '1' && recording.error().message[0] <= '9');
    }
  }
  EXPECT_GT(taken, 1000);
}

TEST(Scans, CarryTheStampAndAreCheckedAsLoneScansAre) {
  const auto recording = ReadImuCsv("time,ax,ay,az,gx,gy,gz\n0.5,0.1,-0.2,9.80665,0.01,0.02,-0.03\n");
  ASSERT_TRUE(recording);
  std::vector<std::byte> scan(recording->frame(0).begin(), recording->frame(0).end());
  SetScanStamp(scan, static_cast<std::uint64_t>(kPiDay.count()));
  SensorContext context = ContextAt(Rate::Hertz(200));
  context.channel = ChannelKind::kSeqpacket;
  const auto feed = [&](std::span<const std::byte> bytes) {
    Received received;
    MakeScanDecoder(context)->Feed(bytes, 0, received);
    return received;
  };
  const Received good = feed(scan);
  ASSERT_EQ(good.frames.size(), 1u);
  EXPECT_EQ(good.frames[0].wire_key, static_cast<std::uint64_t>(kPiDay.count()));
  EXPECT_NEAR(good.frames[0].value, 9.80665, 1e-9);
  scan[13] = std::byte{1};
  EXPECT_EQ(feed(scan).corrupt.size(), 1u) << "padding";
  EXPECT_EQ(feed(std::span(scan).first(23)).corrupt.size(), 1u);
}

}  // namespace
}  // namespace corerig
