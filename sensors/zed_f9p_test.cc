#include "sensors/zed_f9p.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/base/philox.h"
#include "sensors/received.h"

namespace corerig {
namespace {

const SensorType kGnss = ZedF9p();

// The examples of UBX-18010854. GGA: ...*5B, with talker GN for GP ('P' ^ 'N' = 0x1E) *45. RMC: printed with *57, which
// is the sum without the ",V" of NMEA 4.1 (0x2C ^ 0x56 = 0x7A): *2D, *33 with GN, and *3A at the GGA's time (083559 ->
// 092725 changes the sum by 0x09).
constexpr std::string_view kGga = "$GNGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*45\r\n";
constexpr std::string_view kRmc = "$GNRMC,092725.00,A,4717.11437,N,00833.91522,E,0.004,77.52,091202,,,A,V*3A\r\n";
const std::string kPair = std::string(kGga) + std::string(kRmc);

using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

Received DecodeText(std::string_view text) { return Decode(kGnss, AsBytes(text)); }

// "$" + body + the checksum that fits, computed here by other means than the sensor's.
std::string Sentence(std::string_view body) {
  unsigned sum = 0;
  for (const unsigned char c : body) sum ^= c;
  char tail[8];
  std::snprintf(tail, sizeof tail, "*%02X\r\n", sum);
  return "$" + std::string(body) + tail;
}

// The pair with one field of one of its sentences replaced, checksums right.
std::string With(int sentence, int field, std::string_view text) {
  std::string pair;
  for (int s = 0; s < 2; ++s) {
    const std::string_view whole = s == 0 ? kGga : kRmc;
    std::string_view rest = whole.substr(1, whole.size() - 6);
    std::string body;
    for (int f = 0; !rest.empty() || f == 0; ++f) {
      const auto comma = rest.find(',');
      if (f > 0) body += ',';
      body += s == sentence && f == field ? text : rest.substr(0, comma);
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
      if (rest.empty()) {
        body += ',';
        break;
      }
    }
    pair += Sentence(body);
  }
  return pair;
}

std::string Stream(std::uint64_t frames, std::uint64_t first = 0) {
  const auto model = kGnss.make_model(ContextAt(Rate::Hertz(10)));
  std::string text;
  for (std::uint64_t sequence = first; sequence < first + frames; ++sequence) {
    text += Text(Encode(kGnss, *model, sequence).bytes);
  }
  return text;
}

TEST(ZedF9p, ReadsTheExamplesOfTheInterfaceDescription) {
  const Received received = DecodeText(kPair);
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_TRUE(received.corrupt.empty());
  // 09:27:25.00.
  EXPECT_EQ(received.frames[0].wire_key, ((9u * 60 + 27) * 60 + 25) * 100);
  // 47 degrees 17.11399 minutes is 0.31476683 degrees south of 47.6; a degree is 111195.08 m on the mean sphere.
  EXPECT_NEAR(received.frames[0].value, -0.3147668333 * 111195.080, 0.01);
  EXPECT_EQ(received.frames[0].begin, 0u);
  EXPECT_EQ(received.frames[0].end, kPair.size());
}

TEST(ZedF9p, WritesGgaAndRmcOfTheEpochInTheFormOfTheInterfaceDescription) {
  const std::string frame = Stream(1, 12);  // 1.2 s after 15:09:26.535 on 2026-03-14
  EXPECT_THAT(
      frame,
      testing::MatchesRegex(
          "\\$GNGGA,150927[.]73,473[56][.][0-9]{5},N,0092[67][.][0-9]{5},E,1,12,0[.]70,4[0-9]{2}[.][0-9],M,47[.]0,M,,"
          "[*][0-9A-F]{2}\r\n"
          "\\$GNRMC,150927[.]73,A,473[56][.][0-9]{5},N,0092[67][.][0-9]{5},E,4[.]071,97[.]20,140326,,,A,V"
          "[*][0-9A-F]{2}\r\n"));
  // 20 m in 60 s per turn are 2.0944 m/s or 4.071 knots; 1.2 s are 7.2 degrees of the turn.
}

TEST(ZedF9p, ChecksumIsTheXorOfWhatStandsBetweenDollarAndStar) {
  const std::string text = Stream(500);
  std::size_t sentences = 0;
  for (std::size_t begin = 0; begin < text.size(); ++sentences) {
    const auto star = text.find('*', begin), end = text.find('\n', begin) + 1;
    EXPECT_EQ(text.substr(begin, end - begin), Sentence(text.substr(begin + 1, star - begin - 1)));
    EXPECT_LE(end - begin, 82u) << "NMEA 0183 allows 82 characters";
    begin = end;
  }
  EXPECT_EQ(sentences, 1000u);
}

TEST(ZedF9p, TimeAndDateTurnAtMidnight) {
  auto context = ContextAt(Rate::Hertz(10));
  context.epoch = Nanos(1'772'323'199'950'000'000);  // 2026-02-28 23:59:59.95
  const auto model = kGnss.make_model(context);
  const Encoded before = Encode(kGnss, *model, 0), after = Encode(kGnss, *model, 1);
  EXPECT_EQ(before.frame.wire_key, 8'639'995u);
  EXPECT_EQ(after.frame.wire_key, 5u);
  EXPECT_NE(Text(before.bytes).find("$GNRMC,235959.95,A"), std::string::npos) << Text(before.bytes);
  EXPECT_NE(Text(before.bytes).find(",280226,"), std::string::npos) << Text(before.bytes);
  EXPECT_NE(Text(after.bytes).find("$GNRMC,000000.05,A"), std::string::npos) << Text(after.bytes);
  EXPECT_NE(Text(after.bytes).find(",010326,"), std::string::npos) << Text(after.bytes);
}

TEST(ZedF9p, HalfOfAllPositionsLieWithinOneAndAHalfMetres) {
  const auto model = kGnss.make_model(ContextAt(Rate::Hertz(10)));
  constexpr int kSamples = 20'000;
  int within = 0;
  double north_squares = 0;
  for (std::uint64_t sequence = 0; sequence < kSamples; ++sequence) {
    const Encoded encoded = Encode(kGnss, *model, sequence);
    const std::string text = Text(encoded.bytes);
    const double north_error = DecodeText(text).frames.at(0).value - encoded.frame.value;
    // East from the text, by the test's own arithmetic.
    const double longitude = std::stod(text.substr(30, 3)) + std::stod(text.substr(33, 8)) / 60;
    const double east = (longitude - 9.45) * 111195.080 * std::cos(47.6 * M_PI / 180);
    const double east_error = east - 20 * std::sin(2 * M_PI * sequence / 600.0);
    if (std::hypot(north_error, east_error) < 1.5) ++within;
    north_squares += north_error * north_error;
  }
  EXPECT_NEAR(within / double{kSamples}, 0.5, 0.02);
  EXPECT_NEAR(std::sqrt(north_squares / kSamples) / (1.5 / 1.1774), 1, 0.02);
}

TEST(ZedF9p, NorthIsTrueOnACircleOfTwentyMetres) {
  const auto model = kGnss.make_model(ContextAt(Rate::Hertz(10)));
  EXPECT_NEAR(Encode(kGnss, *model, 0).frame.value, 20, 1e-9);
  EXPECT_NEAR(Encode(kGnss, *model, 150).frame.value, 0, 1e-9);
  EXPECT_NEAR(Encode(kGnss, *model, 300).frame.value, -20, 1e-9);
}

TEST(ZedF9p, AnySplitOfTheBytesGivesTheSame) {
  std::string text = "garbage" + Stream(3) + "\r\n$GN" + Stream(2, 3) + "\xB5\x62" + Stream(1, 5);
  text[200] ^= 4;
  const Received whole = DecodeText(text);
  EXPECT_EQ(whole.frames.size(), 5u);
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const auto decoder = kGnss.make_decoder(ContextAt(Rate::Hertz(10)));
    Received received;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      decoder->Feed(AsBytes(std::string_view(text).substr(at, piece)), at, received);
    }
    ASSERT_EQ(received.corrupt, whole.corrupt) << "pieces of " << piece;
    ASSERT_TRUE(received.in_order);
    ASSERT_EQ(received.frames.size(), whole.frames.size()) << "pieces of " << piece;
    for (std::size_t i = 0; i < whole.frames.size(); ++i) {
      EXPECT_EQ(received.frames[i].wire_key, whole.frames[i].wire_key);
      EXPECT_EQ(received.frames[i].begin, whole.frames[i].begin);
      EXPECT_EQ(received.frames[i].end, whole.frames[i].end);
    }
  }
}

TEST(ZedF9p, AnyOneFlippedBitCostsItsFrameAndNoOther) {
  const std::string first = Stream(1, 0), hit = Stream(1, 1), last = Stream(1, 2);
  for (std::size_t at = 0; at < hit.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string broken = hit;
      broken[at] = static_cast<char>(broken[at] ^ (1 << bit));
      const Received received = DecodeText(first + broken + last);
      ASSERT_EQ(received.frames.size(), 2u) << "byte " << at << " bit " << bit << ": " << broken;
      ASSERT_EQ(received.frames[0].begin, 0u);
      ASSERT_EQ(received.frames[1].begin, first.size() + hit.size());
      ASSERT_EQ(received.corrupt, (Ranges{{first.size(), first.size() + hit.size()}}))
          << "byte " << at << " bit " << bit;
    }
  }
}

TEST(ZedF9p, AWrongChecksumIsNeverAccepted) {
  const std::string good = Stream(1);
  const std::size_t star = good.find('*'), second = good.rfind('*');
  int accepted = 0;
  for (int sum = 0; sum < 256; ++sum) {
    char hex[3];
    std::snprintf(hex, sizeof hex, "%02X", sum);
    for (const std::size_t at : {star, second}) {
      std::string changed = good;
      changed.replace(at + 1, 2, hex);
      const bool right = changed == good;
      EXPECT_EQ(DecodeText(changed).frames.size(), right ? 1u : 0u) << changed;
      accepted += right;
    }
  }
  EXPECT_EQ(accepted, 2);
}

TEST(ZedF9p, ChecksumIsInCapitals) {
  // The receiver writes capitals; else one flipped bit (0x20) of a letter would pass.
  for (std::uint64_t sequence = 0; sequence < 100; ++sequence) {
    std::string text = Stream(1, sequence);
    const std::size_t star = text.find('*');
    if (text[star + 2] < 'A') continue;
    text[star + 2] |= 0x20;
    EXPECT_TRUE(DecodeText(text).frames.empty()) << text;
    return;
  }
  FAIL() << "no checksum with a letter in 100 frames";
}

TEST(ZedF9p, SentencesOfTwoTimesAreNoFrame) {
  const std::string pair = With(1, 1, "092725.10");
  const Received received = DecodeText(pair);
  EXPECT_TRUE(received.frames.empty());
  EXPECT_EQ(received.corrupt, (Ranges{{0, pair.size()}}));
  EXPECT_EQ(DecodeText(With(1, 1, "092725.00")).frames.size(), 1u) << "the test's own pair is good";
}

TEST(ZedF9p, ATimeThatNoDayHasIsCorruptThoughBothSentencesAgree) {
  const auto at = [](const std::string& time) {
    const std::string gga = With(0, 1, time), rmc = With(1, 1, time);
    return DecodeText(gga.substr(0, gga.find('\n') + 1) + rmc.substr(rmc.find('\n') + 1)).frames.size();
  };
  EXPECT_EQ(at("235959.99"), 1u);
  EXPECT_EQ(at("240000.00"), 0u);
  EXPECT_EQ(at("096000.00"), 0u);
  EXPECT_EQ(at("092760.00"), 0u);
}

TEST(ZedF9p, ASentenceOfEightyTwoCharactersIsTheLongest) {
  const std::string padding(82 - kGga.size(), '1');  // in the field for the age of corrections
  EXPECT_EQ(DecodeText(With(0, 13, padding)).frames.size(), 1u);
  EXPECT_EQ(DecodeText(With(0, 13, padding + "1")).frames.size(), 0u);
}

TEST(ZedF9p, AHalfFrameIsCorruptAndTheNextFrameIsGood) {
  const std::string gga(kGga), rmc(kRmc);
  const Received without_rmc = DecodeText(gga + kPair);
  EXPECT_EQ(without_rmc.corrupt, (Ranges{{0, gga.size()}}));
  EXPECT_EQ(without_rmc.frames.size(), 1u);
  const Received without_gga = DecodeText(rmc + kPair);
  EXPECT_EQ(without_gga.corrupt, (Ranges{{0, rmc.size()}}));
  EXPECT_EQ(without_gga.frames.size(), 1u);
  const Received twisted = DecodeText(rmc + gga);
  EXPECT_TRUE(twisted.frames.empty());
}

TEST(ZedF9p, GarbageBetweenTheSentencesBreaksTheFrame) {
  const Received received = DecodeText(std::string(kGga) + "x" + std::string(kRmc) + kPair);
  EXPECT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.corrupt, (Ranges{{0, kGga.size() + 1 + kRmc.size()}}));
}

TEST(ZedF9p, AWholeSentenceOfAnotherKindIsCorrupt) {
  const std::string other = Sentence("GNGLL,4717.11364,N,00833.91565,E,092321.00,A,A");
  const Received received = DecodeText(other + kPair);
  EXPECT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.corrupt, (Ranges{{0, other.size()}}));
}

TEST(ZedF9p, ASentenceThatNeverEndsIsGivenUpAtEightyTwoCharacters) {
  const std::string endless = "$GNGGA," + std::string(500, '1');
  const Received received = DecodeText(endless);
  EXPECT_EQ(received.corrupt, (Ranges{{0, endless.size()}}));
  EXPECT_EQ(DecodeText(endless + kPair).frames.size(), 1u);
}

TEST(ZedF9p, AnUnfinishedFrameIsNeitherGoodNorCorruptYet) {
  const Received received = DecodeText(std::string_view(kPair).substr(0, kPair.size() - 1));
  EXPECT_TRUE(received.frames.empty());
  EXPECT_TRUE(received.corrupt.empty());
}

TEST(ZedF9p, BytesThatWereSkippedBreakWhatWasBegun) {
  const auto decoder = kGnss.make_decoder(ContextAt(Rate::Hertz(10)));
  Received received;
  decoder->Feed(AsBytes(std::string_view(kPair).substr(0, 50)), 0, received);
  decoder->Feed(AsBytes(kPair), 1000, received);
  EXPECT_EQ(received.corrupt, (Ranges{{0, 50}}));
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].begin, 1000u);
}

struct BadField {
  int sentence, field;
  const char* text;
};

class FieldCheck : public testing::TestWithParam<BadField> {};

INSTANTIATE_TEST_SUITE_P(
    Fields, FieldCheck,
    testing::Values(
        // GGA
        BadField{0, 0, "GPGGA"}, BadField{0, 1, "240000.00"}, BadField{0, 1, "096025.00"}, BadField{0, 1, "092760.00"},
        BadField{0, 1, "92725.00"}, BadField{0, 1, "0927250.0"}, BadField{0, 1, "09272x.00"}, BadField{0, 1, ""},
        BadField{0, 2, "9000.00001"}, BadField{0, 2, "4760.00000"}, BadField{0, 2, "4717.1139"},
        BadField{0, 2, "471711.399"}, BadField{0, 2, ""}, BadField{0, 3, "E"}, BadField{0, 3, ""},
        BadField{0, 4, "18000.00001"}, BadField{0, 4, "0833.91590"}, BadField{0, 5, "N"}, BadField{0, 6, "0"},
        BadField{0, 6, "6"}, BadField{0, 6, "12"}, BadField{0, 7, "8"}, BadField{0, 7, "x8"}, BadField{0, 8, "-1"},
        BadField{0, 8, ""}, BadField{0, 9, "1e3"}, BadField{0, 9, "nan"}, BadField{0, 9, "499.6.1"},
        BadField{0, 9, "200000"}, BadField{0, 10, "F"}, BadField{0, 11, "4800.0"}, BadField{0, 12, ""},
        BadField{0, 13, ","},  // one field too many
        // RMC
        BadField{1, 0, "GNRMD"}, BadField{1, 1, "092725.0"}, BadField{1, 2, "V"}, BadField{1, 3, "9100.00000"},
        BadField{1, 4, "s"}, BadField{1, 5, "18100.00000"}, BadField{1, 6, "S"}, BadField{1, 7, "-0.1"},
        BadField{1, 7, ""}, BadField{1, 8, "360.00"}, BadField{1, 9, "001202"}, BadField{1, 9, "321202"},
        BadField{1, 9, "090002"}, BadField{1, 9, "091302"}, BadField{1, 9, "9122"}, BadField{1, 12, "N"},
        BadField{1, 13, "A"}, BadField{1, 13, "V,"}),
    [](const auto& info) {
      return (info.param.sentence == 0 ? "Gga" : "Rmc") + std::to_string(info.param.field) + "_" +
             std::to_string(info.index);
    });

TEST_P(FieldCheck, AFieldOutOfFormOrRangeIsCorruptThoughTheChecksumIsRight) {
  const auto& [sentence, field, text] = GetParam();
  const std::string pair = With(sentence, field, text);
  EXPECT_TRUE(DecodeText(pair).frames.empty()) << pair;
  // Only that field is the reason: the next pair is good.
  EXPECT_EQ(DecodeText(pair + kPair).frames.size(), 1u) << pair;
}

TEST(ZedF9p, LimitsThemselvesAreGood) {
  EXPECT_EQ(DecodeText(With(0, 2, "9000.00000")).frames.size(), 1u);
  EXPECT_EQ(DecodeText(With(0, 4, "18000.00000")).frames.size(), 1u);
  EXPECT_EQ(DecodeText(With(0, 9, "-12.5")).frames.size(), 1u);
  EXPECT_EQ(DecodeText(With(1, 8, "359.99")).frames.size(), 1u);
  const Received south = DecodeText(With(0, 3, "S"));
  ASSERT_EQ(south.frames.size(), 1u);
  EXPECT_NEAR(south.frames[0].value, (-47.2852331667 - 47.6) * 111195.080, 1);
}

// Mutations of every kind; whatever is accepted must satisfy an independent reading of the rules.
TEST(ZedF9p, WhateverAMutationDoesNoFrameWithAWrongChecksumIsAccepted) {
  for (std::uint64_t round = 0; round < 5000; ++round) {
    std::string text = Stream(2, round);
    const auto count = RandomWords(3, StreamId("mutations"), round)[0] % 6;
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto draw = RandomWords(3, StreamId("mutations"), round, i + 1);
      const std::size_t at = draw[0] % text.size();
      switch (draw[1] % 4) {
        case 0:
          text[at] = static_cast<char>(draw[2]);
          break;
        case 1:
          text.erase(at, draw[2] % 40);
          break;
        case 2:
          text.insert(at, text.substr(draw[2] % text.size(), draw[3] % 100));
          break;
        case 3:
          text[at] = "$*,\r\n.0A"[draw[2] % 8];
          break;
      }
      if (text.empty()) text = "$";
    }
    const Received received = DecodeText(text);
    ASSERT_TRUE(received.in_order);
    for (const DecodedFrame& frame : received.frames) {
      const std::string taken = text.substr(frame.begin, frame.end - frame.begin);
      const auto middle = taken.find('\n') + 1;
      const std::string gga = taken.substr(0, middle), rmc = taken.substr(middle);
      ASSERT_EQ(gga, Sentence(gga.substr(1, gga.size() - 6))) << taken;
      ASSERT_EQ(rmc, Sentence(rmc.substr(1, rmc.size() - 6))) << taken;
      ASSERT_EQ(gga.substr(7, 9), rmc.substr(7, 9)) << taken;
    }
  }
}

}  // namespace
}  // namespace corerig
