#include "harness/base/quantity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "harness/base/philox.h"

namespace corerig {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <typename T>
std::string ErrorOf(const Result<T>& result) {
  return result ? "(no error)" : result.error().message;
}

std::int64_t NanosIn(std::string_view text) {
  const auto parsed = ParseDuration(text);
  EXPECT_TRUE(parsed) << ErrorOf(parsed);
  return parsed ? parsed->count() : -1;
}
std::int64_t MillihertzIn(std::string_view text) {
  const auto parsed = ParseRate(text);
  EXPECT_TRUE(parsed) << ErrorOf(parsed);
  return parsed ? parsed->millihertz : -1;
}
std::uint64_t BytesIn(std::string_view text) {
  const auto parsed = ParseSize(text);
  EXPECT_TRUE(parsed) << ErrorOf(parsed);
  return parsed ? parsed->count : 1;
}
double ShareIn(std::string_view text) {
  const auto parsed = ParseShare(text);
  EXPECT_TRUE(parsed) << ErrorOf(parsed);
  return parsed ? *parsed : -1;
}

TEST(ParseDuration, KnowsEveryUnit) {
  EXPECT_EQ(NanosIn("7ns"), 7);
  EXPECT_EQ(NanosIn("500us"), 500'000);
  EXPECT_EQ(NanosIn("20ms"), 20'000'000);
  EXPECT_EQ(NanosIn("10s"), 10'000'000'000);
  EXPECT_EQ(NanosIn("2min"), 120'000'000'000);
  EXPECT_EQ(NanosIn("3h"), 10'800'000'000'000);
  EXPECT_EQ(NanosIn("0s"), 0);
}

TEST(ParseDuration, IsExactInItsDecimals) {
  EXPECT_EQ(NanosIn("1.5ms"), 1'500'000);
  EXPECT_EQ(NanosIn("0.1us"), 100);
  EXPECT_EQ(NanosIn("0.000000001s"), 1);
  EXPECT_EQ(NanosIn("1.500000000000000000000000s"), 1'500'000'000) << "zeros at the end cost nothing";
  EXPECT_EQ(NanosIn("0.05min"), 3'000'000'000);
  EXPECT_EQ(NanosIn("8760h"), 31'536'000'000'000'000);
}

TEST(ParseDuration, SaysWhatWouldBeRight) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "duration is empty; write one like \"500us\""},
      {"10", "duration \"10\" has no unit; write \"10s\""},
      {"1.5", "duration \"1.5\" has no unit; write \"1.5s\""},
      {"10 s", "duration \"10 s\" has a blank before or after its unit; write \"10s\""},
      {"10s ", "duration \"10s \" has a blank before or after its unit; write \"10s\""},
      {"10S", "duration \"10S\" has an unknown unit \"S\"; write \"10s\""},
      {"10µs", "duration \"10µs\" has an unknown unit \"µs\"; write \"10us\""},
      {"5m", "duration \"5m\" has an unknown unit \"m\"; write \"5ms\" or \"5min\""},
      {"5sec", "duration \"5sec\" has an unknown unit \"sec\"; the units are ns us ms s min h"},
      {"1.s", "duration \"1.s\" has an unknown unit \".s\"; the units are ns us ms s min h"},
      {"-5s", "duration \"-5s\" is negative; write one like \"500us\""},
      {"s", "duration \"s\" does not begin with a digit; write one like \"500us\""},
      {".5s", "duration \".5s\" does not begin with a digit; write one like \"500us\""},
      {"-", "duration \"-\" does not begin with a digit; write one like \"500us\""},
      {"1.5ns", "duration \"1.5ns\" is too fine; write a multiple of \"1ns\""},
      {"0.0000000001s", "duration \"0.0000000001s\" is too fine; write a multiple of \"1ns\""},
      {"8760.1h", "duration \"8760.1h\" is too large; write at most \"8760h\""},
      {"8761h", "duration \"8761h\" is too large; write at most \"8760h\""},
      {"99999999999999999999s", "duration \"99999999999999999999s\" is too large; write at most \"8760h\""},
  };
  for (const auto& c : cases) EXPECT_EQ(ErrorOf(ParseDuration(c.text)), c.message);
}

TEST(ParseRate, KnowsEveryUnit) {
  EXPECT_EQ(MillihertzIn("1mHz"), 1);
  EXPECT_EQ(MillihertzIn("754Hz"), 754'000);
  EXPECT_EQ(MillihertzIn("819.2Hz"), 819'200);
  EXPECT_EQ(MillihertzIn("0.5Hz"), 500);
  EXPECT_EQ(MillihertzIn("1kHz"), 1'000'000);
  EXPECT_EQ(MillihertzIn("1MHz"), 1'000'000'000);
  EXPECT_EQ(MillihertzIn("1000MHz"), 1'000'000'000'000);
}

TEST(ParseFrequency, IsOfACpuAndInHertz) {
  EXPECT_EQ(ParseFrequency("1.5GHz").value_or(0), 1.5e9);
  EXPECT_EQ(ParseFrequency("800MHz").value_or(0), 8e8);
  EXPECT_EQ(ParseFrequency("0Hz").value_or(1), 0);
  EXPECT_EQ(ErrorOf(ParseFrequency("800")), "frequency \"800\" has no unit; write \"800MHz\"");
  EXPECT_EQ(ErrorOf(ParseFrequency("800MiB")),
            "frequency \"800MiB\" has an unknown unit \"MiB\"; the units are Hz kHz MHz GHz");
}

TEST(ParseRate, SaysWhatWouldBeRight) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "rate is empty; write one like \"1kHz\""},
      {"1000", "rate \"1000\" has no unit; write \"1000Hz\""},
      {"1k", "rate \"1k\" has no unit; write \"1kHz\" or \"1000Hz\""},
      {"1.5k", "rate \"1.5k\" has no unit; write \"1.5kHz\" or \"1500Hz\""},
      {"2M", "rate \"2M\" has no unit; write \"2MHz\" or \"2000000Hz\""},
      {"0.0001k", "rate \"0.0001k\" has no unit; write \"0.0001kHz\""},
      {"1hz", "rate \"1hz\" has an unknown unit \"hz\"; write \"1Hz\""},
      {"1mhz", "rate \"1mhz\" has an unknown unit \"mhz\"; write \"1mHz\" or \"1MHz\""},
      {"1ms", "rate \"1ms\" has an unknown unit \"ms\"; the units are mHz Hz kHz MHz"},
      {"-1Hz", "rate \"-1Hz\" is negative; write one like \"1kHz\""},
      {"fast", "rate \"fast\" does not begin with a digit; write one like \"1kHz\""},
      {"0Hz", "rate \"0Hz\" is zero; write at least \"1mHz\""},
      {"0.0005Hz", "rate \"0.0005Hz\" is too fine; write a multiple of \"1mHz\""},
      {"1001MHz", "rate \"1001MHz\" is too large; write at most \"1000MHz\""},
  };
  for (const auto& c : cases) EXPECT_EQ(ErrorOf(ParseRate(c.text)), c.message);
}

TEST(ParseSize, KnowsEveryUnit) {
  EXPECT_EQ(BytesIn("512B"), 512u);
  EXPECT_EQ(BytesIn("2kB"), 2000u);
  EXPECT_EQ(BytesIn("2KiB"), 2048u);
  EXPECT_EQ(BytesIn("3MB"), 3'000'000u);
  EXPECT_EQ(BytesIn("24MiB"), 24u << 20);
  EXPECT_EQ(BytesIn("1.5GB"), 1'500'000'000u);
  EXPECT_EQ(BytesIn("1.5GiB"), 3u << 29);
  EXPECT_EQ(BytesIn("0.0009765625GiB"), 1u << 20) << "ten decimals of a power of two";
  EXPECT_EQ(BytesIn("0B"), 0u);
  EXPECT_EQ(BytesIn("8388608GiB"), 1ull << 53);
}

TEST(ParseSize, SaysWhatWouldBeRight) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "size is empty; write one like \"24MiB\""},
      {"512", "size \"512\" has no unit; write \"512B\""},
      {"24M", "size \"24M\" has no unit; write \"24MB\" or \"24MiB\""},
      {"24Mi", "size \"24Mi\" has no unit; write \"24MiB\" or \"25165824B\""},
      {"4k", "size \"4k\" has no unit; write \"4kB\" or \"4000B\""},
      {"24mb", "size \"24mb\" has an unknown unit \"mb\"; write \"24MB\""},
      {"1TB", "size \"1TB\" has an unknown unit \"TB\"; the units are B kB KiB MB MiB GB GiB"},
      {"-1B", "size \"-1B\" is negative; write one like \"24MiB\""},
      {"big", "size \"big\" does not begin with a digit; write one like \"24MiB\""},
      {"1.5B", "size \"1.5B\" is too fine; write a multiple of \"1B\""},
      {"0.1KiB", "size \"0.1KiB\" is too fine; write a multiple of \"1B\""},
      {"8388609GiB", "size \"8388609GiB\" is too large; write at most \"8388608GiB\""},
  };
  for (const auto& c : cases) EXPECT_EQ(ErrorOf(ParseSize(c.text)), c.message);
}

TEST(ParseShare, ReadsPercentAndFraction) {
  EXPECT_EQ(ShareIn("1%"), 0.01);
  EXPECT_EQ(ShareIn("7%"), 0.07) << "the same double as 0.07";
  EXPECT_EQ(ShareIn("0.01"), 0.01);
  EXPECT_EQ(ShareIn("1e-05"), 1e-5);
  EXPECT_EQ(ShareIn("0"), 0);
  EXPECT_EQ(ShareIn("1"), 1);
  EXPECT_EQ(ShareIn("100%"), 1);
  EXPECT_EQ(ShareIn("12.5%"), 0.125);
}

TEST(ParseShare, SaysWhatWouldBeRight) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "share is empty; write one like \"1%\" or \"0.01\""},
      {"%", "share \"%\" is not a number; write one like \"1%\" or \"0.01\""},
      {"half", "share \"half\" is not a number; write one like \"1%\" or \"0.01\""},
      {"1 %", "share \"1 %\" is not a number; write one like \"1%\" or \"0.01\""},
      {"inf", "share \"inf\" is not a number; write one like \"1%\" or \"0.01\""},
      {"nan", "share \"nan\" is not a number; write one like \"1%\" or \"0.01\""},
      {"-1%", "share \"-1%\" is negative; write \"0%\" to \"100%\", or 0 to 1"},
      {"50", "share \"50\" is above 1; write \"50%\" or \"0.5\""},
      {"101", "share \"101\" is above 1; write \"0%\" to \"100%\", or 0 to 1"},
      {"101%", "share \"101%\" is above 1; write \"0%\" to \"100%\", or 0 to 1"},
  };
  for (const auto& c : cases) EXPECT_EQ(ErrorOf(ParseShare(c.text)), c.message);
}

TEST(FormatDuration, HasThreeSignificantDigitsInTheUnitThatFits) {
  EXPECT_EQ(FormatDuration(18'912), "18.9 µs");
  EXPECT_EQ(FormatDuration(312'000), "312 µs");
  EXPECT_EQ(FormatDuration(1'234'567), "1.23 ms");
  EXPECT_EQ(FormatDuration(22e9), "22.0 s");
  EXPECT_EQ(FormatDuration(600e9), "600 s");
  EXPECT_EQ(FormatDuration(1800e9), "30.0 min");
  EXPECT_EQ(FormatDuration(7200e9), "120 min");
  EXPECT_EQ(FormatDuration(86'400e9), "24.0 h");
  EXPECT_EQ(FormatDuration(31'536'000e9), "8760 h") << "there is no larger unit";
}

TEST(FormatDuration, StepsToTheNextUnitWhereRoundingDoes) {
  EXPECT_EQ(FormatDuration(999), "999 ns");
  EXPECT_EQ(FormatDuration(999.4), "999 ns");
  EXPECT_EQ(FormatDuration(999.6), "1.00 µs");
  EXPECT_EQ(FormatDuration(1000), "1.00 µs");
  EXPECT_EQ(FormatDuration(9'994), "9.99 µs");
  EXPECT_EQ(FormatDuration(9'996), "10.0 µs");
  EXPECT_EQ(FormatDuration(99'960), "100 µs");
  EXPECT_EQ(FormatDuration(999'400), "999 µs");
  EXPECT_EQ(FormatDuration(999'600), "1.00 ms");
}

TEST(FormatDuration, WholeNanosecondsStayWhole) {
  EXPECT_EQ(FormatDuration(0), "0 ns");
  EXPECT_EQ(FormatDuration(5), "5 ns");
  EXPECT_EQ(FormatDuration(64), "64 ns");
  EXPECT_EQ(FormatDuration(5.25), "5.25 ns") << "a mean";
  EXPECT_EQ(FormatDuration(0.5), "0.500 ns");
}

TEST(Format, HasNegativeAndInfiniteValues) {
  EXPECT_EQ(FormatDuration(-18'912), "-18.9 µs");
  EXPECT_EQ(FormatSize(-2.5 * 1024 * 1024), "-2.50 MiB") << "memory that shrinks";
  EXPECT_EQ(FormatDuration(kInfinity), "∞");
  EXPECT_EQ(FormatDuration(-kInfinity), "-∞");
  EXPECT_EQ(FormatSize(kInfinity), "∞");
  EXPECT_EQ(FormatRate(kInfinity), "∞");
  EXPECT_EQ(FormatShare(kInfinity), "∞");
  EXPECT_EQ(FormatDuration(std::nan("")), "unknown");
}

TEST(Format, StaysShortForAnyDouble) {
  for (const double value :
       {std::numeric_limits<double>::max(), std::numeric_limits<double>::denorm_min(), 1e15, 1e-15}) {
    for (const auto& text : {FormatDuration(value), FormatRate(value), FormatSize(value), FormatShare(value)}) {
      EXPECT_LE(text.size(), 13u) << text;
    }
  }
  EXPECT_EQ(FormatShare(1e-9), "1.00e-07 %");
}

TEST(FormatRate, ScalesFromMillihertzToMegahertz) {
  EXPECT_EQ(FormatRate(1000), "1.00 kHz");
  EXPECT_EQ(FormatRate(819.2), "819 Hz");
  EXPECT_EQ(FormatRate(50), "50.0 Hz");
  EXPECT_EQ(FormatRate(0.5), "500 mHz");
  EXPECT_EQ(FormatRate(2.5e6), "2.50 MHz");
  EXPECT_EQ(FormatRate(0), "0 Hz");
}

TEST(FormatSize, ScalesByPowersOf1024) {
  EXPECT_EQ(FormatSize(2.37 * 1024 * 1024), "2.37 MiB");
  EXPECT_EQ(FormatSize(0), "0 B");
  EXPECT_EQ(FormatSize(512), "512 B");
  EXPECT_EQ(FormatSize(1023), "0.999 KiB") << "four digits would be needed";
  EXPECT_EQ(FormatSize(1024), "1.00 KiB");
  EXPECT_EQ(FormatSize(999.4 * 1024), "999 KiB");
  EXPECT_EQ(FormatSize(1000 * 1024), "0.977 MiB");
  EXPECT_EQ(FormatSize(24.0 * 1024 * 1024), "24.0 MiB");
  EXPECT_EQ(FormatSize(8.0 * 1024 * 1024 * 1024), "8.00 GiB");
}

TEST(FormatShare, IsInPercent) {
  EXPECT_EQ(FormatShare(0.123), "12.3 %");
  EXPECT_EQ(FormatShare(0), "0 %");
  EXPECT_EQ(FormatShare(0.01), "1.00 %");
  EXPECT_EQ(FormatShare(1), "100 %");
  EXPECT_EQ(FormatShare(1.5), "150 %");
  EXPECT_EQ(FormatShare(12.5), "1250 %");
  EXPECT_EQ(FormatShare(0.00123), "0.123 %");
  EXPECT_EQ(FormatShare(0.0000123), "0.00123 %");
}

TEST(ToText, WritesTheShortestExactForm) {
  EXPECT_EQ(ToText(Nanos(1'500'000)), "1500us");
  EXPECT_EQ(ToText(Nanos(20'000'000'000)), "20s");
  EXPECT_EQ(ToText(Nanos(90'000'000'000)), "90s");
  EXPECT_EQ(ToText(Nanos(120'000'000'000)), "2min");
  EXPECT_EQ(ToText(Nanos(7)), "7ns");
  EXPECT_EQ(ToText(Nanos(0)), "0s");
  EXPECT_EQ(ToText(Nanos(-5'000)), "-5us");
  EXPECT_EQ(ToText(Nanos::min()), "-9223372036854775808ns");
  EXPECT_EQ(ToText(Rate::Hertz(1000)), "1kHz");
  EXPECT_EQ(ToText(Rate::Hertz(754)), "754Hz");
  EXPECT_EQ(ToText(Rate::Hertz(1500)), "1500Hz");
  EXPECT_EQ(ToText(Rate::Hertz(2'000'000)), "2MHz");
  EXPECT_EQ(ToText(Rate{819'200}), "819.2Hz");
  EXPECT_EQ(ToText(Rate{500}), "0.5Hz");
  EXPECT_EQ(ToText(Rate{1}), "0.001Hz");
  EXPECT_EQ(ToText(Bytes{24u << 20}), "24MiB");
  EXPECT_EQ(ToText(Bytes{1'500'000'000}), "1500MB");
  EXPECT_EQ(ToText(Bytes{1025}), "1025B");
  EXPECT_EQ(ToText(Bytes{0}), "0B");
}

TEST(ToText, ReadsBackEqual) {
  for (std::uint64_t i = 0; i < 5'000; ++i) {
    const auto words = RandomWords(3, StreamId("quantity"), i);
    const auto number = ((static_cast<std::uint64_t>(words[0]) << 32 | words[1]) >> 11) >> words[2] % 53;
    const auto round = [&](std::uint64_t highest, std::uint64_t step) { return number % (highest / step + 1) * step; };
    for (const std::uint64_t step : {1, 1000, 1'000'000, 1'000'000'000}) {
      const Nanos duration(static_cast<std::int64_t>(round(31'536'000'000'000'000, step)));
      ASSERT_EQ(NanosIn(ToText(duration)), duration.count()) << ToText(duration);
      const Rate rate{static_cast<std::int64_t>(round(1'000'000'000'000 - step, step) + step)};
      ASSERT_EQ(MillihertzIn(ToText(rate)), rate.millihertz) << ToText(rate);
    }
    for (const std::uint64_t step : {1, 1000, 1024, 1 << 20, 1 << 30}) {
      const Bytes size{round(1ull << 53, step)};
      ASSERT_EQ(BytesIn(ToText(size)), size.count) << ToText(size);
    }
  }
}

}  // namespace
}  // namespace corerig
