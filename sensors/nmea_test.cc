#include "sensors/nmea.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>

namespace corerig {
namespace {

// 2026-02-28 23:59:59.958 UTC.
constexpr CivilTime kNight{Nanos(1'772'323'199'958'000'000)};

std::string Written(const std::function<void(NmeaWriter&)>& write) {
  std::array<std::byte, 200> out;
  NmeaWriter writer(out);
  write(writer);
  return {reinterpret_cast<const char*>(out.data()), writer.size()};
}

TEST(Nmea, ChecksumsOfTheInterfaceDescriptionsExamplesAreRight) {
  for (const std::string_view sentence :
       {"$GPGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*5B\r\n",
        "$GPRMC,083559.00,A,4717.11437,N,00833.91522,E,0.004,77.52,091202,,,A*57\r\n",
        "$GPVTG,77.52,T,,M,0.004,N,0.008,K,A*06\r\n", "$GPTXT,01,01,02,u-blox ag - www.u-blox.com*50\r\n"}) {
    const auto body = NmeaBody(sentence);
    ASSERT_TRUE(body) << sentence;
    EXPECT_EQ(*body, sentence.substr(1, sentence.size() - 6));
  }
}

TEST(Nmea, AnEnvelopeThatIsWrongAnywhereHasNoBody) {
  const std::string good = "$GPVTG,77.52,T,,M,0.004,N,0.008,K,A*06\r\n";
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string broken = good;
      broken[at] = static_cast<char>(broken[at] ^ (1 << bit));
      EXPECT_FALSE(NmeaBody(broken)) << broken;
    }
    EXPECT_FALSE(NmeaBody(good.substr(0, at))) << at;
  }
}

TEST(Nmea, WritesWhatItReads) {
  const std::string sentence = Written([](NmeaWriter& writer) {
    writer.Begin("GPVTG");
    writer.Field();
    writer.Decimal(77.52, 2);
    writer.Text(",T,,M,");
    writer.Decimal(0.004, 3);
    writer.Text(",N,");
    writer.Decimal(0.008, 3);
    writer.Text(",K,A");
    writer.End();
  });
  EXPECT_EQ(sentence, "$GPVTG,77.52,T,,M,0.004,N,0.008,K,A*06\r\n");
}

TEST(Nmea, TimeIsCutOffAndDateIsThatOfItsDay) {
  EXPECT_EQ(Written([](NmeaWriter& writer) { writer.Time(kNight, 2); }), "235959.95");
  EXPECT_EQ(Written([](NmeaWriter& writer) { writer.Time(kNight, 1); }), "235959.9");
  EXPECT_EQ(Written([](NmeaWriter& writer) { writer.Time(kNight, 0); }), "235959");
  EXPECT_EQ(Written([](NmeaWriter& writer) { writer.Date(kNight); }), "280226");
  EXPECT_EQ(Written([](NmeaWriter& writer) { writer.Date(kNight + std::chrono::milliseconds(42)); }), "010326");
  EXPECT_EQ(NmeaHundredths(kNight), 8'639'995);
}

TEST(Nmea, DecimalsAreRoundedAndZeroHasNoSign) {
  const auto decimal = [](double value, int decimals, int digits) {
    return Written([=](NmeaWriter& writer) { writer.Decimal(value, decimals, digits); });
  };
  EXPECT_EQ(decimal(499.649, 1, 1), "499.6");
  EXPECT_EQ(decimal(-12.46, 1, 1), "-12.5");
  EXPECT_EQ(decimal(-0.04, 1, 1), "0.0");
  EXPECT_EQ(decimal(9.996, 2, 1), "10.00");
  EXPECT_EQ(decimal(4, 1, 3), "004.0");
}

TEST(Nmea, PositionsHaveTheirHemispheres) {
  const auto position = [](std::int64_t latitude, std::int64_t longitude, int decimals) {
    return Written([=](NmeaWriter& writer) { writer.Position({latitude, longitude}, decimals); });
  };
  EXPECT_EQ(position(283'711'399, 51'391'590, 5), "4717.11399,N,00833.91590,E");
  EXPECT_EQ(position(-283'711'399, -51'391'590, 4), "4717.1139,S,00833.9159,W");
  NmeaFields fields("4717.1139,S,00833.9159,W");
  EXPECT_EQ(fields.Position("mm.mmmm"), (NmeaPosition{-283'711'390, -51'391'590}));
  EXPECT_TRUE(fields.Finished());
}

TEST(Nmea, ADateThatNoCalendarHasIsWrong) {
  const auto good = [](std::string_view text) {
    NmeaFields fields(text);
    fields.Date();
    return fields.Finished();
  };
  EXPECT_TRUE(good("290224"));
  for (const std::string_view text : {"290226", "310426", "001202", "321202", "090002", "091302", "9122", "0a1202"}) {
    EXPECT_FALSE(good(text)) << text;
  }
}

TEST(Nmea, FieldsTooManyOrTooFewAreNotFinished) {
  NmeaFields left("A,B");
  left.Expect("A");
  EXPECT_FALSE(left.Finished());
  NmeaFields missing("A");
  missing.Expect("A");
  missing.Next();
  EXPECT_FALSE(missing.Finished());
}

}  // namespace
}  // namespace corerig
