#include "sensors/nmea_log.h"

#include <gtest/gtest.h>

#include "harness/base/philox.h"
#include "harness/base/quantity.h"
#include "sensors/received.h"

namespace corerig {
namespace {

// Sentences of the u-blox protocol specification and of others' documents, with the checksums printed there.
constexpr std::string_view kGga = "$GPGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*5B";
constexpr std::string_view kGll = "$GPGLL,4717.11364,N,00833.91565,E,092321.00,A,A*60";
constexpr std::string_view kVtg = "$GPVTG,77.52,T,,M,0.004,N,0.008,K,A*06";
constexpr std::string_view kRmc = "$GPRMC,083559.00,A,4717.11437,N,00833.91522,E,0.004,77.52,091202,,,A*57";
constexpr std::string_view kOldGga = "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47";
constexpr std::string_view kZda = "$GPZDA,082710.00,16,09,2002,00,00*64";
constexpr std::string_view kAis = "!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C";

// With the checksum made here, by the definition.
std::string Sentence(std::string_view body) {
  unsigned sum = 0;
  for (const char c : body) sum ^= static_cast<unsigned char>(c);
  constexpr std::string_view kHex = "0123456789ABCDEF";
  return StrCat("$", body, "*", kHex[sum >> 4], kHex[sum & 15]);
}

std::string Lf(std::initializer_list<std::string_view> lines) {
  std::string text;
  for (const auto line : lines) text += StrCat(line, "\n");
  return text;
}

std::string TextOf(const Recording& recording, std::size_t i) { return Text(recording.frame(i)); }

TEST(NmeaLog, EverySentenceIsAFrameOfTheEpochAtHand) {
  const std::string later = Sentence("GNRMC,083559.20,V,,,,,,,091202,,,N");
  const auto recording = ReadNmeaLog(Lf({"# a walk", kVtg, kRmc, "", kAis, kVtg, later, kVtg}));
  ASSERT_TRUE(recording) << recording.error().message;
  ASSERT_EQ(recording->size(), 6u);
  const std::int64_t expected[] = {0, 0, 0, 0, 200, 200};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(recording->at(i), std::chrono::milliseconds(expected[i])) << i;
  EXPECT_EQ(TextOf(*recording, 0), StrCat(kVtg, "\r\n"));
  EXPECT_EQ(TextOf(*recording, 2), StrCat(kAis, "\r\n"));
  EXPECT_EQ(recording->cycle(), std::chrono::milliseconds(400));
}

TEST(NmeaLog, TellsTheTimeByTheSentencesThatHaveIt) {
  const auto at = [](std::string_view sentence) {
    // A second sentence, 1 h before midnight, is so much later.
    const auto recording = ReadNmeaLog(Lf({sentence, Sentence("GNGNS,230000.0,,,,,,,,,,,,")}));
    if (!recording) return recording.error().message;
    return ToText(Nanos(std::chrono::hours(23)) - recording->at(1));
  };
  EXPECT_EQ(at(kGga), "34045s");  // 09:27:25
  EXPECT_EQ(at(kGll), "33801s");  // 09:23:21
  EXPECT_EQ(at(kRmc), "30959s");
  EXPECT_EQ(at(kZda), "30430s");
  EXPECT_EQ(at(kOldGga), "45319s");
  EXPECT_EQ(at(Sentence("GPGST,082356.123,1.8,,,,1.7,1.3,2.2")), "30236123ms");
  EXPECT_EQ(at(Sentence("GPRMC,225960.00,A")), "23h") << "a leap second";
  const std::string none = "1: no sentence tells the time; record RMC, GGA, GNS, ZDA or GLL as well";
  EXPECT_EQ(ReadNmeaLog(Lf({kVtg})).error().message, none);
  EXPECT_EQ(ReadNmeaLog(Lf({Sentence("GPRMC,,V,,,,,,,,,,N"), Sentence("GPGLL,1"), Sentence("PUBX,04,073731.00")}))
                .error()
                .message,
            none);
}

TEST(NmeaLog, UtcGoesOnOverMidnightAndNeverBack) {
  const auto recording =
      ReadNmeaLog(Lf({Sentence("GPRMC,235959.80,A"), Sentence("GPRMC,000000.00,A"), Sentence("GPRMC,120000,A"),
                      Sentence("GPRMC,235959.90,A"), Sentence("GPRMC,000000.10,A")}));
  ASSERT_TRUE(recording) << recording.error().message;
  EXPECT_EQ(recording->at(1), std::chrono::milliseconds(200));
  EXPECT_EQ(recording->at(2), std::chrono::hours(12) + std::chrono::milliseconds(200));
  EXPECT_EQ(recording->at(4), std::chrono::hours(24) + std::chrono::milliseconds(300));
  EXPECT_EQ(ReadNmeaLog(Lf({Sentence("GPRMC,120000,A"), kVtg, Sentence("GPRMC,115959,A")})).error().message,
            "3: the stamp is 1s before the one of the frame before; put the recording into the order of its stamps");
  EXPECT_EQ(ReadNmeaLog(Lf({Sentence("GPRMC,000001,A"), Sentence("GPRMC,235959,A"), Sentence("GPRMC,000002,A")}))
                .error()
                .message,
            "2: the stamp is 2s before the one of the frame before; put the recording into the order of its stamps");
}

TEST(NmeaLog, WhatIsWrongIsToldWithItsLine) {
  const auto refusal = [](std::string_view line) {
    const auto recording = ReadNmeaLog(Lf({kGga, line}));
    return recording ? "taken" : recording.error().message;
  };
  EXPECT_EQ(refusal(kVtg), "taken");
  EXPECT_EQ(refusal("{\"class\":\"VERSION\"}"),
            "2: \"{\"class\":\"VERSION\"}\" is no sentence; one begins with $ or !; leave the line out");
  EXPECT_EQ(refusal("$GPVTG,77.52,T*00"),
            "2: \"$GPVTG,77.52,T*00\" does not end with the checksum *2F; leave the line out if it is damaged");
  EXPECT_EQ(refusal("$GPVTG,77.52,T"),
            "2: \"$GPVTG,77.52,T\" does not end with the checksum *2F; leave the line out if it is damaged");
  EXPECT_EQ(refusal("$GPVTG,77.52,T*2f"),
            "2: \"$GPVTG,77.52,T*2f\" does not end with the checksum *2F; leave the line out if it is damaged");
  EXPECT_EQ(refusal("$"), "2: \"$\" does not end with the checksum *00; leave the line out if it is damaged");
  EXPECT_EQ(refusal(Sentence("GPTXT,$5")),
            StrCat("2: \"", Sentence("GPTXT,$5"),
                   "\" has a $ or ! within, where a receiver sees a sentence begin; split the line"));
  EXPECT_EQ(refusal(Sentence(StrCat("P", std::string(250, 'X')))),
            "2: a sentence of 257 characters; the longest that can be played has 255");
  EXPECT_EQ(refusal(Sentence(StrCat("P", std::string(248, 'X')))), "taken");
  for (const char* time : {"240000", "126000", "120061", "12000", "1200.00", "noon..", "1200-1", "120000.0x"}) {
    EXPECT_EQ(refusal(Sentence(StrCat("GPRMC,", time, ",A"))),
              StrCat("2: UTC \"", time, "\" is no time; it is written hhmmss.ss"));
  }
}

TEST(NmeaLog, AnyBytesAreReadOrRefusedWithALine) {
  const std::string log = Lf({kVtg, kRmc, kAis, kGga, kVtg});
  int taken = 0;
  for (std::uint64_t round = 0; round < 20'000; ++round) {
    std::string text = log;
    const auto how = RandomWords(1, 10, round);
    for (std::uint32_t i = 0; i < how[0] % 3; ++i) {
      const auto draw = RandomWords(2, 10, round, i);
      constexpr std::string_view kLikely = "$!*,.#0123456789\n\r";
      text[draw[0] % text.size()] = draw[2] % 2 == 0 ? static_cast<char>(draw[1]) : kLikely[draw[1] % kLikely.size()];
    }
    if (how[1] % 3 == 0) text.resize(how[2] % text.size());
    const std::vector<char> exact(text.begin(), text.end());
    const auto recording = ReadNmeaLog({exact.data(), exact.size()});
    if (!recording) {
      EXPECT_TRUE(recording.error().message[0] >= '1' && recording.error().message[0] <= '9');
      continue;
    }
    ++taken;
    // What was read is what a receiver takes.
    const auto decoder = MakeSentenceDecoder();
    Received received;
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < recording->size(); ++i) {
      decoder->Feed(recording->frame(i), offset, received);
      offset += recording->frame(i).size();
    }
    EXPECT_EQ(received.frames.size(), recording->size()) << text;
    EXPECT_TRUE(received.corrupt.empty()) << text;
  }
  EXPECT_GT(taken, 500);
}

TEST(Sentences, AreFoundBetweenGarbageAndEveryByteIsAccountedFor) {
  const std::string good = StrCat(kGga, "\r\n");
  const std::string stream = StrCat("half a line\r\n", good, "?", good, "$GPG", good, kVtg, "\n", good, kAis, "\r\n",
                                    "$", std::string(300, 'x'), good, "$GPGGA,1");
  Received received;
  const auto decoder = MakeSentenceDecoder();
  decoder->Feed(AsBytes(stream), 0, received);
  ASSERT_EQ(received.frames.size(), 6u);
  EXPECT_TRUE(received.in_order);
  std::size_t accounted = 0;
  for (const auto& frame : received.frames) accounted += frame.end - frame.begin;
  for (const auto& [begin, end] : received.corrupt) accounted += end - begin;
  EXPECT_EQ(accounted, stream.size() - 8) << "but what may yet become a sentence";
  EXPECT_EQ(received.corrupt.size(), 5u);
  decoder->Feed(AsBytes("x"), stream.size() + 10, received);
  EXPECT_EQ(received.corrupt.back().first, stream.size() + 10) << "bytes are missing before";
}

TEST(Sentences, EveryFlippedBitIsFoundOrMakesAnotherFrame) {
  const std::string good = StrCat(kRmc, "\r\n");
  Received clean;
  MakeSentenceDecoder()->Feed(AsBytes(good), 0, clean);
  ASSERT_EQ(clean.frames.size(), 1u);
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string damaged = good;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    Received received;
    MakeSentenceDecoder()->Feed(AsBytes(StrCat(damaged, good)), 0, received);
    ASSERT_EQ(received.frames.size(), 1u) << bit;
    EXPECT_EQ(received.frames[0].begin, good.size()) << bit;
    EXPECT_FALSE(received.corrupt.empty());
  }
}

}  // namespace
}  // namespace corerig
