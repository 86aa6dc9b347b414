#include "sensors/zed_f9p.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/base/philox.h"
#include "sensors/gnss_fix.h"
#include "sensors/received.h"
#include "sensors/ubx.h"

namespace corerig {
namespace {

const SensorType kGnss = ZedF9p();

// The examples of UBX-18010854, made one epoch: talker GN for GP, all at the GGA's time and the RMC's place. RMC is
// printed there with *57, which is the sum without the ",V" of NMEA 4.1 (0x2C ^ 0x56 = 0x7A): *2D, *33 with GN ('P' ^
// 'N' = 0x1E), and *3A at 092725 instead of 083559 (0x09). VTG's *06 becomes *18.
const std::string kRmc = "$GNRMC,092725.00,A,4717.11437,N,00833.91522,E,0.004,77.52,091202,,,A,V*3A\r\n";
const std::string kVtg = "$GNVTG,77.52,T,,M,0.004,N,0.008,K,A*18\r\n";
const std::string kGga = "$GNGGA,092725.00,4717.11437,N,00833.91522,E,1,08,1.01,499.6,M,48.0,M,,*4F\r\n";
const std::string kSentences[] = {kRmc, kVtg, kGga};
enum Sentences { kInRmc, kInVtg, kInGga };
const std::string kEpoch = kRmc + kVtg + kGga;

using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

SensorContext Context(std::string_view format = "nmea") { return ContextOf(kGnss, Rate::Hertz(10), format); }

Received DecodeText(std::string_view text, std::string_view format = "nmea") {
  return Decode(kGnss, AsBytes(text), format);
}

// "$" + body + the checksum that fits, computed here by other means than the sensor's.
std::string Sentence(std::string_view body) {
  unsigned sum = 0;
  for (const unsigned char c : body) sum ^= c;
  char tail[8];
  std::snprintf(tail, sizeof tail, "*%02X\r\n", sum);
  return "$" + std::string(body) + tail;
}

struct Change {
  int sentence, field;
  std::string text;
};

// The epoch with some fields of its sentences replaced, checksums right.
std::string With(const std::vector<Change>& changes) {
  std::string epoch;
  for (int s = 0; s < 3; ++s) {
    std::string_view rest = std::string_view(kSentences[s]).substr(1, kSentences[s].size() - 6);
    std::string body;
    for (int f = 0;; ++f) {
      const auto comma = rest.find(',');
      std::string field(rest.substr(0, comma));
      for (const Change& change : changes) {
        if (change.sentence == s && change.field == f) field = change.text;
      }
      body += field;
      if (comma == std::string_view::npos) break;
      body += ',';
      rest.remove_prefix(comma + 1);
    }
    epoch += Sentence(body);
  }
  return epoch;
}

std::string With(int sentence, int field, std::string_view text) {
  return With({{sentence, field, std::string(text)}});
}

std::string Stream(std::uint64_t frames, std::uint64_t first = 0, std::string_view format = "nmea") {
  const auto model = kGnss.make_model(Context(format));
  std::string text;
  for (std::uint64_t sequence = first; sequence < first + frames; ++sequence) {
    text += Text(Encode(kGnss, *model, sequence).bytes);
  }
  return text;
}

TEST(ZedF9p, ReadsTheExamplesOfTheInterfaceDescription) {
  const Received received = DecodeText(kEpoch);
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_TRUE(received.corrupt.empty());
  // 09:27:25.00.
  EXPECT_EQ(received.frames[0].wire_key, ((9u * 60 + 27) * 60 + 25) * 100);
  // 47 degrees 17.11437 minutes is 0.3147605 degrees south of 47.6; a degree there is 111182.537 m.
  EXPECT_NEAR(received.frames[0].value, -0.3147605 * 111182.537, 0.01);
  EXPECT_EQ(received.frames[0].begin, 0u);
  EXPECT_EQ(received.frames[0].end, kEpoch.size());
}

TEST(ZedF9p, WritesAnEpochInTheFormOfTheInterfaceDescription) {
  const std::string frame = Stream(1, 12);  // 1.2 s after 15:09:26.535 on 2026-03-14
  EXPECT_THAT(frame, testing::MatchesRegex(
                         "\\$GNRMC,150927[.]73,A,473[56][.][0-9]{5},N,0092[67][.][0-9]{5},E,[34][.][0-9]{3},"
                         "[0-9]{2,3}[.][0-9]{2},140326,,,A,V[*][0-9A-F]{2}\r\n"
                         "\\$GNVTG,[0-9]{2,3}[.][0-9]{2},T,,M,[34][.][0-9]{3},N,[78][.][0-9]{3},K,A[*][0-9A-F]{2}\r\n"
                         "\\$GNGGA,150927[.]73,473[56][.][0-9]{5},N,0092[67][.][0-9]{5},E,1,12,0[.]70,"
                         "4[0-9]{2}[.][0-9],M,47[.]0,M,,[*][0-9A-F]{2}\r\n"));
}

// Comma-separated field `field` of the frame's sentence `sentence`.
double FieldOf(const std::string& frame, int sentence, int field) {
  std::size_t at = 0;
  for (; sentence > 0; --sentence) at = frame.find('\n', at) + 1;
  for (; field > 0; --field) at = frame.find(',', at) + 1;
  return std::stod(frame.substr(at, frame.find_first_of(",*", at) - at));
}

TEST(ZedF9p, VelocityOnTheWireIsTheDerivativeOfTheTruePosition) {
  // 5000 epochs: means of errors of 0.042 m/s per axis are good to 0.0024 m/s (four standard errors).
  auto context = Context();
  context.parameters = {{"noise", "1.5"}, {"velocity_noise", "0.05"}};
  const auto model = kGnss.make_model(context);
  double north_error = 0, east_error = 0, squares = 0;
  constexpr int kEpochs = 5000;
  for (std::uint64_t sequence = 1; sequence <= kEpochs; ++sequence) {
    const std::string frame = Text(Encode(kGnss, *model, sequence).bytes);
    const double speed = FieldOf(frame, kInRmc, 7) * 1852 / 3600, course = FieldOf(frame, kInRmc, 8) * M_PI / 180;
    ASSERT_NEAR(FieldOf(frame, kInVtg, 1) * M_PI / 180, course, 1e-9);
    ASSERT_NEAR(FieldOf(frame, kInVtg, 7) / 3.6, speed, 0.001);
    // The circle of 20 m, differentiated over half a second about the epoch.
    const auto angle = [&](double seconds) { return 2 * M_PI * (static_cast<double>(sequence) / 10 + seconds) / 60; };
    const double north = 20 * (std::cos(angle(0.25)) - std::cos(angle(-0.25))) / 0.5;
    const double east = 20 * (std::sin(angle(0.25)) - std::sin(angle(-0.25))) / 0.5;
    const double north_off = speed * std::cos(course) - north, east_off = speed * std::sin(course) - east;
    north_error += north_off / kEpochs;
    east_error += east_off / kEpochs;
    squares += (north_off * north_off + east_off * east_off) / 2 / kEpochs;
  }
  EXPECT_NEAR(north_error, 0, 0.0024);
  EXPECT_NEAR(east_error, 0, 0.0024);
  EXPECT_NEAR(std::sqrt(squares) / (0.05 / 1.1774), 1, 0.04);
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
  EXPECT_EQ(sentences, 1500u);
}

TEST(ZedF9p, TimeAndDateTurnAtMidnight) {
  auto context = Context();
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

TEST(ZedF9p, HalfOfAllPositionsLieWithinTheStatedCircle) {
  // An epoch every 1000 s, whose errors have forgotten each other.
  for (const std::string noise : {"1.5", "0.25"}) {
    SensorContext context = Context();
    context.rate = {1};
    context.parameters = {{"noise", noise}, {"velocity_noise", "0.05"}};
    const auto model = kGnss.make_model(context);
    constexpr int kSamples = 5000;
    int within = 0;
    double north_squares = 0;
    for (std::uint64_t sequence = 0; sequence < kSamples; ++sequence) {
      const Encoded encoded = Encode(kGnss, *model, sequence);
      const std::string text = Text(encoded.bytes);
      const double north_error = DecodeText(text).frames.at(0).value - encoded.frame.value;
      // East from the text, by the test's own arithmetic; a degree of longitude there is 75200.385 m.
      const auto at = text.find(",N,") + 3;
      const double longitude = std::stod(text.substr(at, 3)) + std::stod(text.substr(at + 3, 8)) / 60;
      const double east = (longitude - 9.45) * 75200.385;
      const double east_error = east - 20 * std::sin(2 * M_PI * std::fmod(sequence * 1000.0, 60) / 60);
      if (std::hypot(north_error, east_error) < std::stod(noise)) ++within;
      north_squares += north_error * north_error;
    }
    EXPECT_NEAR(within / double{kSamples}, 0.5, 0.03) << noise;
    EXPECT_NEAR(std::sqrt(north_squares / kSamples) / (std::stod(noise) / 1.1774), 1, 0.04) << noise;
  }
}

TEST(ZedF9p, NorthIsTrueOnACircleOfTwentyMetres) {
  const auto model = kGnss.make_model(Context());
  EXPECT_NEAR(Encode(kGnss, *model, 0).frame.value, 20, 1e-9);
  EXPECT_NEAR(Encode(kGnss, *model, 150).frame.value, 0, 1e-9);
  EXPECT_NEAR(Encode(kGnss, *model, 300).frame.value, -20, 1e-9);
}

TEST(ZedF9p, AnySplitOfTheBytesGivesTheSame) {
  std::string text = "garbage" + Stream(3) + "\r\n$GN" + Stream(2, 3) + "\xB5\x62" + Stream(1, 5);
  text[250] ^= 4;
  const Received whole = DecodeText(text);
  EXPECT_EQ(whole.frames.size(), 5u);
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const auto decoder = kGnss.make_decoder(Context());
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
  int accepted = 0;
  for (auto star = good.find('*'); star != std::string::npos; star = good.find('*', star + 1)) {
    for (int sum = 0; sum < 256; ++sum) {
      char hex[3];
      std::snprintf(hex, sizeof hex, "%02X", sum);
      std::string changed = good;
      changed.replace(star + 1, 2, hex);
      const bool right = changed == good;
      EXPECT_EQ(DecodeText(changed).frames.size(), right ? 1u : 0u) << changed;
      accepted += right;
    }
  }
  EXPECT_EQ(accepted, 3);
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

TEST(ZedF9p, SentencesOfTwoEpochsAreNoFrame) {
  ASSERT_EQ(DecodeText(With({})).frames.size(), 1u) << "the test's own epoch is good";
  const Change others[] = {{kInGga, 1, "092725.10"},   {kInGga, 2, "4717.11438"}, {kInGga, 3, "S"},
                           {kInGga, 4, "00833.91523"}, {kInGga, 5, "W"},          {kInVtg, 1, "77.53"},
                           {kInVtg, 5, "0.005"},       {kInVtg, 7, "0.010"}};
  for (const Change& other : others) {
    const std::string epoch = With({other});
    const Received received = DecodeText(epoch);
    EXPECT_TRUE(received.frames.empty()) << epoch;
    EXPECT_EQ(received.corrupt, (Ranges{{0, epoch.size()}})) << epoch;
  }
}

TEST(ZedF9p, ATimeThatNoDayHasIsCorruptThoughAllSentencesAgree) {
  const auto at = [](const std::string& time) {
    return DecodeText(With({{kInRmc, 1, time}, {kInGga, 1, time}})).frames.size();
  };
  EXPECT_EQ(at("235959.99"), 1u);
  EXPECT_EQ(at("240000.00"), 0u);
  EXPECT_EQ(at("096000.00"), 0u);
  EXPECT_EQ(at("092760.00"), 0u);
}

TEST(ZedF9p, APositionOutsideTheGlobeIsCorruptThoughAllSentencesAgree) {
  const auto at = [](int field, const std::string& text) {
    return DecodeText(With({{kInRmc, field + 1, text}, {kInGga, field, text}})).frames;
  };
  EXPECT_EQ(at(2, "9000.00000").size(), 1u);
  EXPECT_EQ(at(4, "18000.00000").size(), 1u);
  for (const std::string text : {"9000.00001", "4760.00000", "4717.1139", "471711.399", "4717x11399", ""}) {
    EXPECT_TRUE(at(2, text).empty()) << text;
  }
  for (const std::string text : {"18000.00001", "0833.91590", ""}) EXPECT_TRUE(at(4, text).empty()) << text;
  EXPECT_TRUE(at(3, "E").empty());
  EXPECT_TRUE(at(5, "N").empty());
  const auto south = at(3, "S");
  ASSERT_EQ(south.size(), 1u);
  EXPECT_NEAR(south[0].value, (-47.2852395 - 47.6) * 111182.537, 1);
}

TEST(ZedF9p, ASentenceOfEightyTwoCharactersIsTheLongest) {
  const std::string padding(82 - kGga.size(), '1');  // in the field for the age of corrections
  EXPECT_EQ(DecodeText(With(kInGga, 13, padding)).frames.size(), 1u);
  EXPECT_EQ(DecodeText(With(kInGga, 13, padding + "1")).frames.size(), 0u);
}

TEST(ZedF9p, AFrameWithoutOneSentenceIsCorruptAndTheNextFrameIsGood) {
  for (const std::string& part : {kRmc, kRmc + kVtg, kRmc + kGga, kVtg + kGga, kVtg, kGga}) {
    const Received received = DecodeText(part + kEpoch);
    EXPECT_EQ(received.corrupt, (Ranges{{0, part.size()}})) << part;
    EXPECT_EQ(received.frames.size(), 1u) << part;
  }
  EXPECT_TRUE(DecodeText(kGga + kVtg + kRmc).frames.empty());
  EXPECT_TRUE(DecodeText(kRmc + kGga + kVtg).frames.empty());
}

TEST(ZedF9p, GarbageBetweenTheSentencesBreaksTheFrame) {
  const std::string broken = kRmc + "x" + kVtg + kGga;
  const Received received = DecodeText(broken + kEpoch);
  EXPECT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.corrupt, (Ranges{{0, broken.size()}}));
}

TEST(ZedF9p, AWholeSentenceOfAnotherKindIsCorrupt) {
  const std::string other = Sentence("GNGLL,4717.11364,N,00833.91565,E,092321.00,A,A");
  const Received received = DecodeText(other + kEpoch);
  EXPECT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.corrupt, (Ranges{{0, other.size()}}));
}

TEST(ZedF9p, ASentenceThatNeverEndsIsGivenUpAtEightyTwoCharacters) {
  const std::string endless = "$GNRMC," + std::string(500, '1');
  const Received received = DecodeText(endless);
  EXPECT_EQ(received.corrupt, (Ranges{{0, endless.size()}}));
  EXPECT_EQ(DecodeText(endless + kEpoch).frames.size(), 1u);
}

TEST(ZedF9p, AnUnfinishedFrameIsNeitherGoodNorCorruptYet) {
  const Received received = DecodeText(std::string_view(kEpoch).substr(0, kEpoch.size() - 1));
  EXPECT_TRUE(received.frames.empty());
  EXPECT_TRUE(received.corrupt.empty());
}

TEST(ZedF9p, BytesThatWereSkippedBreakWhatWasBegun) {
  const auto decoder = kGnss.make_decoder(Context());
  Received received;
  decoder->Feed(AsBytes(std::string_view(kEpoch).substr(0, 50)), 0, received);
  decoder->Feed(AsBytes(kEpoch), 1000, received);
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
        // RMC; its time and position are those of GGA and are tested in both.
        BadField{0, 0, "GNRMD"}, BadField{0, 0, "GPRMC"}, BadField{0, 1, "092725.0"}, BadField{0, 1, "92725.00"},
        BadField{0, 1, "0927250.0"}, BadField{0, 1, "09272x.00"}, BadField{0, 1, ""}, BadField{0, 2, "V"},
        BadField{0, 4, "s"}, BadField{0, 4, ""}, BadField{0, 6, "S"}, BadField{0, 7, "-0.1"}, BadField{0, 7, ""},
        BadField{0, 8, "360.00"}, BadField{0, 9, "001202"}, BadField{0, 9, "321202"}, BadField{0, 9, "090002"},
        BadField{0, 9, "091302"}, BadField{0, 9, "9122"}, BadField{0, 12, "N"}, BadField{0, 13, "A"},
        BadField{0, 13, "V,"},
        // VTG
        BadField{1, 0, "GPVTG"}, BadField{1, 1, ""}, BadField{1, 2, "M"}, BadField{1, 4, "T"}, BadField{1, 5, ""},
        BadField{1, 6, "K"}, BadField{1, 7, ""}, BadField{1, 8, "N"}, BadField{1, 9, "N"}, BadField{1, 9, "A,"},
        // GGA
        BadField{2, 0, "GPGGA"}, BadField{2, 1, ""}, BadField{2, 3, ""}, BadField{2, 6, "0"}, BadField{2, 6, "6"},
        BadField{2, 6, "12"}, BadField{2, 7, "8"}, BadField{2, 7, "x8"}, BadField{2, 8, "-1"}, BadField{2, 8, ""},
        BadField{2, 9, "1e3"}, BadField{2, 9, "nan"}, BadField{2, 9, "499.6.1"}, BadField{2, 9, "200000"},
        BadField{2, 10, "F"}, BadField{2, 11, "4800.0"}, BadField{2, 12, ""},
        BadField{2, 13, ","}),  // one field too many
    [](const auto& info) {
      return kSentences[info.param.sentence].substr(3, 3) + std::to_string(info.param.field) + "_" +
             std::to_string(info.index);
    });

TEST_P(FieldCheck, AFieldOutOfFormOrRangeIsCorruptThoughTheChecksumIsRight) {
  const auto& [sentence, field, text] = GetParam();
  const std::string pair = With(sentence, field, text);
  EXPECT_TRUE(DecodeText(pair).frames.empty()) << pair;
  // Only that field is the reason: the next pair is good.
  EXPECT_EQ(DecodeText(pair + kEpoch).frames.size(), 1u) << pair;
}

TEST(ZedF9p, LimitsThemselvesAreGood) {
  EXPECT_EQ(DecodeText(With(kInGga, 9, "-12.5")).frames.size(), 1u);
  EXPECT_EQ(DecodeText(With({{kInRmc, 8, "359.99"}, {kInVtg, 1, "359.99"}})).frames.size(), 1u);
}

// One to six changes of every kind.
std::string Mutated(std::string text, std::uint64_t round, std::string_view alphabet) {
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
        text[at] = alphabet[draw[2] % alphabet.size()];
        break;
    }
    if (text.empty()) text = "$";
  }
  return text;
}

TEST(ZedF9p, WhateverAMutationDoesNoFrameWithAWrongChecksumIsAccepted) {
  const std::string text = Stream(40);
  std::vector<std::size_t> begins = {0};
  for (std::size_t at = 0; (at = text.find("$GNRMC", at + 1)) != std::string::npos;) begins.push_back(at);
  std::size_t accepted = 0;
  for (std::uint64_t round = 0; round < 5000; ++round) {
    const std::size_t first = begins[round % 38], end = begins[round % 38 + 2];
    const std::string mutated = Mutated(text.substr(first, end - first), round, "$*,\r\n.0A");
    const Received received = DecodeText(mutated);
    ASSERT_TRUE(received.in_order);
    for (const DecodedFrame& frame : received.frames) {
      const std::string taken = mutated.substr(frame.begin, frame.end - frame.begin);
      std::string again;
      for (std::size_t at = 0; at < taken.size();) {
        const auto next = taken.find('\n', at) + 1;
        again += Sentence(taken.substr(at + 1, next - at - 6));
        at = next;
      }
      ASSERT_EQ(taken, again);
      const auto vtg = taken.find('\n') + 1, gga = taken.find('\n', vtg) + 1;
      ASSERT_EQ(taken.substr(7, 9), taken.substr(gga + 7, 9)) << taken;
      ++accepted;
    }
  }
  EXPECT_GT(accepted, 2000u);
}

TEST(ZedF9p, StampsShowTheSensorsOwnClock) {
  for (const std::string_view format : {"nmea", "ubx"}) {
    auto context = Context(format);
    const auto usual = Encode(kGnss, *kGnss.make_model(context), 5);
    context.clock_offset = Nanos(-1'500'000'000);
    const auto early = Encode(kGnss, *kGnss.make_model(context), 5);
    EXPECT_EQ(usual.frame.wire_key - early.frame.wire_key, format == "ubx" ? 1500u : 150u);
    EXPECT_EQ(usual.frame.value, early.frame.value) << "the place is that of the moment, not of the clock";
  }
}

// UBX.

const std::string kRecorded(
    "\xB5\x62\x01\x07\x5C\x00\x00\x26\x08\x18\xE2\x07\x04\x1A\x0F\x3B\x1D\xF7\xE9\x03\x00\x00\xF5\x1A\xE6\x0B\x03\x43"
    "\xEA\x0E\x40\x60\x91\x08\x94\xFA\xE0\x1D\xD2\xF1\x04\x00\xAD\x44\x04\x00\x27\x00\x00\x00\x31\x00\x00\x00\xEE\xFF"
    "\xFF\xFF\x04\x00\x00\x00\xE2\xFF\xFF\xFF\x12\x00\x00\x00\xD5\x65\x92\x01\x20\x00\x00\x00\x53\xCC\x2C\x00\xA2\x00"
    "\x00\x00\x12\x19\x26\x3B\x00\x00\x00\x00\x00\x00\x00\x00\x57\x03",
    100);

// The recorded frame with something else in it, its checksum right.
std::string WithPvt(void (*change)(NavPvt&)) {
  NavPvt pvt = NavPvtOf(AsBytes(kRecorded));
  change(pvt);
  std::string frame(kNavPvtFrameSize, '\0');
  PutNavPvt(pvt, std::as_writable_bytes(std::span(frame)));
  return frame;
}

TEST(ZedF9pUbx, ReadsWhatARealReceiverSaid) {
  const Received received = DecodeText(kRecorded, "ubx");
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].wire_key, 403'187'200u);
  EXPECT_NEAR(received.frames[0].value, (50.1283476 - 47.6) * 111182.537, 0.1);
}

TEST(ZedF9pUbx, WritesTimePlaceAndVelocityOfTheEpoch) {
  // 15:09:26.535 UTC on 2026-03-14, a Saturday: 6 days and 18 s more in the GPS week. Epoch 150 is a quarter turn
  // later.
  const auto model = kGnss.make_model(Context("ubx"));
  const Encoded encoded = Encode(kGnss, *model, 150);
  const NavPvt pvt = NavPvtOf(encoded.bytes);
  EXPECT_EQ(pvt.itow, 6 * 86'400'000u + (15 * 3600 + 9 * 60 + 26 + 15 + 18) * 1000u + 535);
  EXPECT_EQ(encoded.frame.wire_key, pvt.itow);
  EXPECT_EQ(pvt.year, 2026);
  EXPECT_EQ(pvt.month, 3);
  EXPECT_EQ(pvt.day, 14);
  EXPECT_EQ(pvt.hour, 15);
  EXPECT_EQ(pvt.minute, 9);
  EXPECT_EQ(pvt.second, 41);
  EXPECT_EQ(pvt.nano, 535'000'000);
  // South at 2.094 m/s, 20 m east of the reference, 450 m above the sea, sinking by 0.628 m/s; within five deviations.
  EXPECT_NEAR(pvt.latitude * 1e-7, 47.6, 6.4 / 111'182);
  EXPECT_NEAR(pvt.longitude * 1e-7, 9.45 + 20 / 75'200.385, 6.4 / 75'200);
  EXPECT_NEAR(pvt.height_above_sea, 450'000, 12'800);
  EXPECT_EQ(pvt.height, pvt.height_above_sea + 47'000);
  EXPECT_NEAR(pvt.velocity_north, -2094, 215);
  EXPECT_NEAR(pvt.velocity_east, 0, 215);
  EXPECT_NEAR(pvt.velocity_down, 628, 430);
  EXPECT_NEAR(pvt.ground_speed, std::hypot(pvt.velocity_north, pvt.velocity_east), 1.5);
  EXPECT_NEAR(pvt.heading * 1e-5, 180, 6);
  EXPECT_EQ(pvt.horizontal_accuracy, 1802u);  // sqrt 2 * 1.274 m
}

TEST(ZedF9pUbx, BothFormatsSayTheSameOfOneEpoch) {
  const auto nmea = kGnss.make_model(Context()), ubx = kGnss.make_model(Context("ubx"));
  for (std::uint64_t sequence = 0; sequence < 1000; ++sequence) {
    const Encoded text = Encode(kGnss, *nmea, sequence), frame = Encode(kGnss, *ubx, sequence);
    const NavPvt pvt = NavPvtOf(frame.bytes);
    const double latitude = DecodeText(Text(text.bytes)).frames.at(0).value;
    ASSERT_NEAR(DecodeText(Text(frame.bytes), "ubx").frames.at(0).value, latitude, 0.02);
    ASSERT_EQ(text.frame.value, frame.frame.value);
    ASSERT_NEAR(FieldOf(Text(text.bytes), kInGga, 9), pvt.height_above_sea * 1e-3, 0.051);
    ASSERT_NEAR(FieldOf(Text(text.bytes), kInVtg, 7) / 3.6, pvt.ground_speed * 1e-3, 0.001);
    ASSERT_NEAR(std::remainder(FieldOf(Text(text.bytes), kInVtg, 1) - pvt.heading * 1e-5, 360), 0, 0.006);
  }
}

TEST(ZedF9pUbx, TheWeekBeginsEighteenSecondsBeforeSundayInUtc) {
  auto context = Context("ubx");
  context.rate = Rate::Hertz(1);
  context.epoch = Nanos(1'773'532'781'000'000'000);  // Saturday 2026-03-14 23:59:41
  const auto model = kGnss.make_model(context);
  EXPECT_EQ(Encode(kGnss, *model, 0).frame.wire_key, 604'799'000u);
  EXPECT_EQ(Encode(kGnss, *model, 1).frame.wire_key, 0u);
}

TEST(ZedF9pUbx, AnyOneFlippedBitCostsItsFrameAndNoOther) {
  const std::string first = Stream(1, 0, "ubx"), hit = Stream(1, 1, "ubx"), last = Stream(1, 2, "ubx");
  for (std::size_t at = 0; at < hit.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string broken = hit;
      broken[at] = static_cast<char>(broken[at] ^ (1 << bit));
      const Received received = DecodeText(first + broken + last, "ubx");
      ASSERT_EQ(received.frames.size(), 2u) << "byte " << at << " bit " << bit;
      ASSERT_EQ(received.frames[1].begin, 200u);
      ASSERT_EQ(received.corrupt, (Ranges{{100, 200}})) << "byte " << at << " bit " << bit;
    }
  }
}

TEST(ZedF9pUbx, AnySplitOfTheBytesGivesTheSame) {
  std::string text = "garbage\xB5" + Stream(2, 0, "ubx") + "\xB5\x62\x01" + Stream(1, 2, "ubx") + Stream(1) +
                     Stream(1, 3, "ubx").substr(0, 60) + Stream(3, 4, "ubx");
  text[170] ^= 4;
  const Received whole = DecodeText(text, "ubx");
  ASSERT_EQ(whole.frames.size(), 5u);  // of seven one is flipped and one cut off
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const auto decoder = kGnss.make_decoder(Context("ubx"));
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
    }
  }
}

TEST(ZedF9pUbx, AFrameThatBeginsWithinABrokenOneIsFound) {
  const std::string good = Stream(1, 0, "ubx");
  for (std::size_t size = 1; size < good.size(); ++size) {
    const Received received = DecodeText(good.substr(0, size) + good, "ubx");
    ASSERT_EQ(received.frames.size(), 1u) << size;
    ASSERT_EQ(received.frames[0].begin, size);
    ASSERT_EQ(received.corrupt, (Ranges{{0, size}}));
  }
}

TEST(ZedF9pUbx, BytesThatWereSkippedBreakWhatWasBegun) {
  const auto decoder = kGnss.make_decoder(Context("ubx"));
  Received received;
  decoder->Feed(AsBytes(kRecorded.substr(0, 50)), 0, received);
  decoder->Feed(AsBytes(kRecorded), 1000, received);
  EXPECT_EQ(received.corrupt, (Ranges{{0, 50}}));
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].begin, 1000u);
}

TEST(ZedF9pUbx, AnotherMessageIsCorruptAndTheNextFrameIsGood) {
  const std::string rate("\xB5\x62\x06\x08\x06\x00\xFA\x00\x01\x00\x01\x00\x10\x96", 14);
  const Received received = DecodeText(rate + kRecorded, "ubx");
  EXPECT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.corrupt, (Ranges{{0, 14}}));
}

TEST(ZedF9pUbx, WhatIsNoFixOrOutOfRangeIsCorruptThoughTheChecksumIsRight) {
  void (*const changes[])(NavPvt&) = {
      [](NavPvt& pvt) { pvt.itow = 604'800'200; },
      [](NavPvt& pvt) { pvt.itow += 2; },
      [](NavPvt& pvt) { pvt.itow -= 2; },
      [](NavPvt& pvt) { pvt.month = 13; },
      [](NavPvt& pvt) { pvt.month = 0; },
      [](NavPvt& pvt) { pvt.day = 31; },
      [](NavPvt& pvt) { pvt.hour = 24; },
      [](NavPvt& pvt) { pvt.minute = 60; },
      [](NavPvt& pvt) { pvt.second = 61; },
      [](NavPvt& pvt) { pvt.valid &= ~1; },
      [](NavPvt& pvt) { pvt.valid &= ~2; },
      [](NavPvt& pvt) { pvt.valid &= ~4; },
      [](NavPvt& pvt) { pvt.nano += 1'000'000'000; },
      [](NavPvt& pvt) { pvt.fix_type = 1; },
      [](NavPvt& pvt) { pvt.fix_type = 5; },
      [](NavPvt& pvt) { pvt.flags &= ~1; },
      [](NavPvt& pvt) { pvt.flags3 |= 1; },
      [](NavPvt& pvt) { pvt.latitude = 900'000'001; },
      [](NavPvt& pvt) { pvt.latitude = -2'147'483'647 - 1; },
      [](NavPvt& pvt) { pvt.longitude = -1'800'000'001; },
  };
  ASSERT_EQ(DecodeText(WithPvt([](NavPvt&) {}), "ubx").frames.size(), 1u);
  ASSERT_EQ(DecodeText(WithPvt([](NavPvt& pvt) { pvt.latitude = -900'000'000; }), "ubx").frames.size(), 1u);
  ASSERT_EQ(DecodeText(WithPvt([](NavPvt& pvt) { pvt.itow += 1; }), "ubx").frames.size(), 1u);
  // 199.9 ms before the second that the date names is what a receiver says whose clock is behind.
  ASSERT_EQ(DecodeText(WithPvt([](NavPvt& pvt) { pvt.nano = -800'370'443; }), "ubx").frames.size(), 1u);
  int index = 0;
  for (const auto change : changes) {
    const Received received = DecodeText(WithPvt(change) + kRecorded, "ubx");
    EXPECT_EQ(received.frames.size(), 1u) << "change " << index;
    EXPECT_EQ(received.corrupt, (Ranges{{0, 100}})) << "change " << index;
    ++index;
  }
}

TEST(ZedF9pUbx, WhateverAMutationDoesNoFrameWithAWrongChecksumIsAccepted) {
  const std::string text = Stream(40, 0, "ubx");
  std::size_t accepted = 0;
  for (std::uint64_t round = 0; round < 5000; ++round) {
    const std::string mutated =
        Mutated(text.substr(100 * (round % 38), 200), round, std::string_view("\xB5\x62\x01\x07\x5C\x00", 6));
    const Received received = DecodeText(mutated, "ubx");
    ASSERT_TRUE(received.in_order);
    for (const DecodedFrame& frame : received.frames) {
      const std::string taken = mutated.substr(frame.begin, frame.end - frame.begin);
      ASSERT_EQ(taken.size(), 100u);
      // Computed here by other means than the sensor's: b sums every byte as often as it is within a running sum.
      unsigned a = 0, b = 0;
      for (std::size_t i = 2; i < 98; ++i) {
        a += static_cast<unsigned char>(taken[i]);
        b += static_cast<unsigned>(98 - i) * static_cast<unsigned char>(taken[i]);
      }
      ASSERT_EQ(static_cast<unsigned char>(taken[98]), a % 256);
      ASSERT_EQ(static_cast<unsigned char>(taken[99]), b % 256);
      ASSERT_NE(text.find(taken), std::string::npos) << "round " << round << ": no frame that was sent";
      ++accepted;
    }
  }
  EXPECT_GT(accepted, 2000u);
}

}  // namespace
}  // namespace corerig
