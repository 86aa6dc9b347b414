#include "harness/base/quantity.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "harness/base/text.h"

namespace corerig {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t size;  // in the quantity's finest step
};

// One kind of quantity as it is written.
struct Quantity {
  std::string_view name;          // in messages
  std::span<const Unit> units;    // from small to large
  std::string_view usual_unit;    // what a bare number probably means
  std::string_view finest;        // the step that all values are multiples of
  std::uint64_t highest;          // in steps
  std::string_view highest_text;  // as one would write it
  std::string_view example;
};

constexpr Unit kDurationUnits[] = {{"ns", 1},
                                   {"us", 1'000},
                                   {"ms", 1'000'000},
                                   {"s", 1'000'000'000},
                                   {"min", 60'000'000'000},
                                   {"h", 3'600'000'000'000}};
constexpr Unit kRateUnits[] = {{"mHz", 1}, {"Hz", 1'000}, {"kHz", 1'000'000}, {"MHz", 1'000'000'000}};
constexpr Unit kFrequencyUnits[] = {{"Hz", 1}, {"kHz", 1'000}, {"MHz", 1'000'000}, {"GHz", 1'000'000'000}};
constexpr Unit kSizeUnits[] = {{"B", 1},         {"kB", 1'000},         {"KiB", 1 << 10}, {"MB", 1'000'000},
                               {"MiB", 1 << 20}, {"GB", 1'000'000'000}, {"GiB", 1 << 30}};

constexpr Quantity kDuration = {"duration", kDurationUnits, "s", "1ns", 8760 * 3'600'000'000'000u, "8760h", "500us"};
constexpr Quantity kRate = {"rate", kRateUnits, "Hz", "1mHz", 1'000'000'000'000, "1000MHz", "1kHz"};
constexpr Quantity kFrequency = {"frequency", kFrequencyUnits, "MHz", "1Hz", 1'000'000'000'000, "1000GHz", "1.5GHz"};
constexpr Quantity kSize = {"size", kSizeUnits, "B", "1B", 1ull << 53, "8388608GiB", "24MiB"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "24.5MiB" cut into its parts.
struct Written {
  std::string_view number;    // "24.5"
  std::string_view whole;     // "24"
  std::string_view fraction;  // "5"
  std::string_view unit;      // "MiB"
};

Written Cut(std::string_view text) {
  std::size_t whole = 0;
  while (whole < text.size() && IsDigit(text[whole])) ++whole;
  std::size_t end = whole;
  if (whole > 0 && whole + 1 < text.size() && text[whole] == '.' && IsDigit(text[whole + 1])) {
    ++end;
    while (end < text.size() && IsDigit(text[end])) ++end;
  }
  const std::string_view fraction = end == whole ? std::string_view() : text.substr(whole + 1, end - whole - 1);
  return {text.substr(0, end), text.substr(0, whole), fraction, text.substr(end)};
}

std::string Quoted(const Quantity& quantity, std::string_view text) { return StrCat(quantity.name, " \"", text, "\""); }

enum class Fault { kTooFine, kTooLarge };

// The written number times the size of a unit, exactly.
struct Steps {
  std::uint64_t value = 0;
  std::optional<Fault> fault;
};

Steps StepsOf(const Written& written, std::uint64_t unit, std::uint64_t highest) {
  const auto whole = ParseNumber<std::uint64_t>(written.whole);
  if (!whole || *whole > highest / unit) return {0, Fault::kTooLarge};
  // From the last digit to the first: if one step does not divide by ten, the sum is no whole number either.
  std::uint64_t fraction = 0;
  for (std::size_t i = written.fraction.size(); i-- > 0;) {
    fraction += static_cast<std::uint64_t>(written.fraction[i] - '0') * unit;
    if (fraction % 10 != 0) return {0, Fault::kTooFine};
    fraction /= 10;
  }
  const std::uint64_t value = *whole * unit + fraction;
  if (value > highest) return {0, Fault::kTooLarge};
  return {value, std::nullopt};
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualButForCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != Lower(b[i])) return false;
  }
  return true;
}

// What the writer may have meant by a unit that there is none of: "k" is kHz, "M" is MB or MiB, "S" is s, "µs" is us.
std::vector<std::string_view> UnitsMeant(const Quantity& quantity, std::string_view unit) {
  const std::string_view bare = Trim(unit);
  if (bare.empty()) return {quantity.usual_unit};
  std::vector<std::string_view> meant;
  for (const auto& known : quantity.units) {
    if (EqualButForCase(known.name, bare)) meant.push_back(known.name);
  }
  if (!meant.empty()) return meant;
  if (bare == "µs" || bare == "μs") return {"us"};  // the micro sign and the Greek letter
  for (const auto& known : quantity.units) {
    if (known.name.starts_with(bare)) meant.push_back(known.name);
  }
  return meant;
}

// "1kHz" also as "1000Hz".
std::string InUsualUnit(const Quantity& quantity, const Written& written, std::string_view unit_name) {
  std::uint64_t usual = 0, meant = 0;
  for (const auto& unit : quantity.units) {
    if (unit.name == quantity.usual_unit) usual = unit.size;
    if (unit.name == unit_name) meant = unit.size;
  }
  const Steps steps = StepsOf(written, meant, quantity.highest);
  if (steps.fault || steps.value % usual != 0) return {};
  return StrCat(steps.value / usual, quantity.usual_unit);
}

tl::unexpected<Error> FailOnUnit(const Quantity& quantity, std::string_view text, const Written& written) {
  // A bare prefix ("1k") is a number to the one who writes it.
  constexpr std::string_view kPrefixes[] = {"", "k", "K", "M", "G", "Ki", "Mi", "Gi"};
  std::string fault = StrCat(" has an unknown unit \"", written.unit, "\"");
  for (const auto prefix : kPrefixes) {
    if (written.unit == prefix) fault = " has no unit";
  }
  if (!written.unit.empty() && Trim(written.unit) != written.unit) fault = " has a blank before or after its unit";
  const auto meant = UnitsMeant(quantity, written.unit);
  if (meant.empty()) {
    std::string known;
    for (const auto& unit : quantity.units) known += StrCat(" ", unit.name);
    return Fail(Quoted(quantity, text), fault, "; the units are", known);
  }
  std::string right;
  for (const auto& unit : meant) right += StrCat(right.empty() ? "" : " or ", "\"", written.number, unit, "\"");
  if (meant.size() == 1 && fault == " has no unit") {
    const std::string usual = InUsualUnit(quantity, written, meant[0]);
    if (!usual.empty() && usual != StrCat(written.number, meant[0])) right += StrCat(" or \"", usual, "\"");
  }
  return Fail(Quoted(quantity, text), fault, "; write ", right);
}

// The value in steps.
Result<std::uint64_t> Parse(const Quantity& quantity, std::string_view text) {
  if (text.empty()) return Fail(quantity.name, " is empty; write one like \"", quantity.example, "\"");
  const Written written = Cut(text);
  if (written.whole.empty()) {
    if (text[0] == '-' && !Cut(text.substr(1)).whole.empty()) {
      return Fail(Quoted(quantity, text), " is negative; write one like \"", quantity.example, "\"");
    }
    return Fail(Quoted(quantity, text), " does not begin with a digit; write one like \"", quantity.example, "\"");
  }
  for (const auto& unit : quantity.units) {
    if (unit.name != written.unit) continue;
    const Steps steps = StepsOf(written, unit.size, quantity.highest);
    if (steps.fault == Fault::kTooLarge) {
      return Fail(Quoted(quantity, text), " is too large; write at most \"", quantity.highest_text, "\"");
    }
    if (steps.fault == Fault::kTooFine) {
      return Fail(Quoted(quantity, text), " is too fine; write a multiple of \"", quantity.finest, "\"");
    }
    return steps.value;
  }
  return FailOnUnit(quantity, text, written);
}

// The largest unit that divides `steps`, which makes the shortest number.
std::string Write(std::span<const Unit> units, std::uint64_t steps) {
  for (std::size_t i = units.size(); i-- > 0;) {
    if (steps % units[i].size == 0) return StrCat(steps / units[i].size, units[i].name);
  }
  return {};
}

// A unit for people.
struct Scale {
  std::string_view name;
  double size;
};
constexpr Scale kDurationScales[] = {{"ns", 1}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 60e9}, {"h", 3600e9}};
constexpr Scale kRateScales[] = {{"mHz", 1e-3}, {"Hz", 1}, {"kHz", 1e3}, {"MHz", 1e6}};
constexpr Scale kSizeScales[] = {{"B", 1}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
constexpr Scale kShareScales[] = {{"%", 1e-2}};

std::string Digits(double value, std::chars_format format, int precision) {
  char buffer[64];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format, precision).ptr);
}

// `value`, positive and not infinite, in the scale in which its rounded form is below 1000.
std::string FormatPositive(std::span<const Scale> scales, double value, bool whole_steps) {
  for (const auto& scale : scales) {
    const bool last = &scale == &scales.back();
    const double scaled = value / scale.size;
    if (std::isinf(scaled)) {  // in too small a unit
      if (last) return "∞";
      continue;
    }
    // Rounded before the scale is chosen, so that 999.7 ns is 1.00 µs and not "1000 ns".
    const std::string rounded = Digits(scaled, std::chars_format::scientific, 2);  // "9.99e+02"
    const auto exponent = ParseNumber<int>(std::string_view(rounded).substr(rounded[5] == '+' ? 6 : 5)).value_or(0);
    if (exponent > 2 && !last) continue;
    const bool first = &scale == &scales.front();
    std::string digits;
    if (exponent > 6 || exponent < -3) {
      digits = rounded;
    } else if (exponent > 2 || (first && whole_steps && scaled == std::floor(scaled))) {
      digits = Digits(scaled, std::chars_format::fixed, 0);
    } else {
      digits = Digits(scaled, std::chars_format::fixed, 2 - exponent);
    }
    return StrCat(digits, " ", scale.name);
  }
  return {};
}

std::string Format(std::span<const Scale> scales, double value, bool whole_steps) {
  if (std::isnan(value)) return "unknown";
  if (std::isinf(value)) return value < 0 ? "-∞" : "∞";
  if (value == 0) return StrCat("0 ", scales.front().name);
  return value < 0 ? "-" + FormatPositive(scales, -value, whole_steps) : FormatPositive(scales, value, whole_steps);
}

}  // namespace

Result<Nanos> ParseDuration(std::string_view text) {
  const auto steps = Parse(kDuration, text);
  if (!steps) return Forward(steps);
  return Nanos(static_cast<std::int64_t>(*steps));
}

Result<Rate> ParseRate(std::string_view text) {
  const auto steps = Parse(kRate, text);
  if (!steps) return Forward(steps);
  if (*steps == 0) return Fail(Quoted(kRate, text), " is zero; write at least \"1mHz\"");
  return Rate{static_cast<std::int64_t>(*steps)};
}

Result<double> ParseFrequency(std::string_view text) {
  const auto steps = Parse(kFrequency, text);
  if (!steps) return Forward(steps);
  return static_cast<double>(*steps);
}

Result<Bytes> ParseSize(std::string_view text) {
  const auto steps = Parse(kSize, text);
  if (!steps) return Forward(steps);
  return Bytes{*steps};
}

Result<double> ParseShare(std::string_view text) {
  if (text.empty()) return Fail("share is empty; write one like \"1%\" or \"0.01\"");
  const bool percent = text.back() == '%';
  const std::string_view number = percent ? text.substr(0, text.size() - 1) : text;
  const auto value = ParseNumber<double>(number);
  if (!value || !std::isfinite(*value)) {
    return Fail("share \"", text, "\" is not a number; write one like \"1%\" or \"0.01\"");
  }
  // Divided, not multiplied by 0.01: the double nearest to 7/100 is the one that "0.07" is.
  const double share = percent ? *value / 100 : *value;
  if (share < 0) return Fail("share \"", text, "\" is negative; write \"0%\" to \"100%\", or 0 to 1");
  if (share <= 1) return share;
  if (!percent && share <= 100) {
    return Fail("share \"", text, "\" is above 1; write \"", number, "%\" or \"", share / 100, "\"");
  }
  return Fail("share \"", text, "\" is above 1; write \"0%\" to \"100%\", or 0 to 1");
}

std::string FormatDuration(double nanoseconds) { return Format(kDurationScales, nanoseconds, true); }
std::string FormatRate(double hertz) { return hertz == 0 ? "0 Hz" : Format(kRateScales, hertz, false); }
std::string FormatSize(double bytes) { return Format(kSizeScales, bytes, true); }
std::string FormatShare(double share) { return Format(kShareScales, share, false); }

std::string ToText(Nanos duration) {
  if (duration == Nanos(0)) return "0s";
  const auto count = static_cast<std::uint64_t>(duration.count());
  return duration < Nanos(0) ? "-" + Write(kDurationUnits, 0 - count) : Write(kDurationUnits, count);
}

std::string ToText(Rate rate) {
  const std::int64_t hertz = rate.millihertz / 1000, rest = rate.millihertz % 1000;
  // In hertz with decimals: "819.2Hz" is how data sheets have it, not "819200mHz".
  if (rest != 0) return StrCat(rate.hertz(), "Hz");
  return Write(std::span(kRateUnits).subspan(1), static_cast<std::uint64_t>(hertz) * 1000);
}

std::string ToText(Bytes size) { return size.count == 0 ? "0B" : Write(kSizeUnits, size.count); }

}  // namespace corerig
