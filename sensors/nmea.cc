#include "sensors/nmea.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr std::size_t kTail = 5;  // *hh CR LF

// "*hh" CR LF of a body.
struct Tail {
  explicit Tail(std::string_view body) {
    // Eight columns at once, then their XOR.
    std::uint64_t columns = 0;
    for (; body.size() >= sizeof columns; body.remove_prefix(sizeof columns)) {
      std::uint64_t word = 0;
      std::memcpy(&word, body.data(), sizeof word);
      columns ^= word;
    }
    columns ^= columns >> 32;
    columns ^= columns >> 16;
    columns ^= columns >> 8;
    unsigned sum = columns & 0xFF;
    for (const char c : body) sum ^= static_cast<unsigned char>(c);
    constexpr std::string_view kHex = "0123456789ABCDEF";
    text[1] = kHex[sum >> 4];
    text[2] = kHex[sum & 15];
  }
  std::string_view view() const { return {text, kTail}; }

  char text[kTail] = {'*', '0', '0', '\r', '\n'};
};

std::int64_t PowerOfTen(int exponent) {
  std::int64_t power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

// Without its last `digits` digits.
std::int64_t CutOff(std::int64_t value, int digits) {
  for (; digits > 0; --digits) value /= 10;
  return value;
}

}  // namespace

std::int64_t NmeaHundredths(CivilTime time) {
  return (time - std::chrono::floor<std::chrono::days>(time)).count() / 10'000'000;
}

void NmeaWriter::Begin(std::string_view address) {
  begin_ = size_;
  Text("$");
  Text(address);
}

void NmeaWriter::End() {
  Text(Tail({reinterpret_cast<const char*>(out_.data()) + begin_ + 1, size_ - begin_ - 1}).view());
}

void NmeaWriter::Text(std::string_view text) {
  std::memcpy(&out_[size_], text.data(), text.size());
  size_ += text.size();
}

void NmeaWriter::Number(std::int64_t value, int digits) { Digits(value, digits, 0); }

void NmeaWriter::Decimal(double value, int decimals, int digits) {
  const auto scaled = std::llround(std::abs(value) * static_cast<double>(PowerOfTen(decimals)));
  if (value < 0 && scaled != 0) Text("-");
  Digits(scaled, digits + decimals, decimals);
}

// At least `digits` digits, the last `decimals` of them behind a point.
void NmeaWriter::Digits(std::int64_t value, int digits, int decimals) {
  char text[24];
  char* begin = text + sizeof text;
  for (int n = 0; value > 0 || n < digits; value /= 10) {
    *--begin = static_cast<char>('0' + value % 10);
    if (++n == decimals) *--begin = '.';
  }
  Text({begin, static_cast<std::size_t>(text + sizeof text - begin)});
}

void NmeaWriter::Time(CivilTime time, int decimals) {
  const std::int64_t hundredths = NmeaHundredths(time);
  // hhmmssss as one number.
  const std::int64_t clock = (hundredths / 360'000 * 100 + hundredths / 6000 % 60) * 10'000 + hundredths % 6000;
  Digits(CutOff(clock, 2 - decimals), 6 + decimals, decimals);
}

void NmeaWriter::Date(CivilTime time) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
  Number((static_cast<unsigned>(date.day()) * 100 + static_cast<unsigned>(date.month())) * 100 +
             static_cast<unsigned>(static_cast<int>(date.year()) % 100),
         6);
}

void NmeaWriter::Position(const NmeaPosition& position, int decimals) {
  Angle(position.latitude, 2, decimals, "NS");
  Field();
  Angle(position.longitude, 3, decimals, "EW");
}

void NmeaWriter::Angle(std::int64_t ticks, int degree_digits, int decimals, std::string_view hemispheres) {
  const std::int64_t size = std::abs(ticks);
  // ddmmmmmmm as one number: a hundred minutes are written for each degree.
  const std::int64_t written = size / kNmeaTicksPerDegree * 10'000'000 + size % kNmeaTicksPerDegree;
  Digits(CutOff(written, 5 - decimals), degree_digits + 2 + decimals, decimals);
  Field();
  Text(hemispheres.substr(ticks < 0 ? 1 : 0, 1));
}

std::optional<std::string_view> NmeaBody(std::string_view sentence) {
  if (sentence.size() < 1 + kTail || sentence[0] != '$') return std::nullopt;
  const std::string_view body = sentence.substr(1, sentence.size() - 1 - kTail);
  if (sentence.substr(sentence.size() - kTail) != Tail(body).view()) return std::nullopt;
  return body;
}

std::string_view NmeaFields::Next() {
  if (ended_) ok_ = false;
  const auto comma = rest_.find(',');
  const std::string_view field = rest_.substr(0, comma);
  ended_ = comma == std::string_view::npos;
  rest_ = ended_ ? std::string_view{} : rest_.substr(comma + 1);
  return field;
}

void NmeaFields::Expect(std::string_view text) { Require(Next() == text); }

char NmeaFields::OneOf(std::string_view choices) {
  const std::string_view field = Next();
  Require(field.size() == 1 && choices.find(field) != std::string_view::npos);
  return ok_ ? field[0] : '\0';
}

std::int64_t NmeaFields::Digits(std::string_view form) {
  const std::string_view field = Next();
  Require(field.size() == form.size());
  std::int64_t value = 0;
  for (std::size_t i = 0; ok_ && i < form.size(); ++i) {
    const bool digit = field[i] >= '0' && field[i] <= '9';
    Require(form[i] == '.' ? field[i] == '.' : digit);
    if (form[i] != '.') value = value * 10 + (field[i] - '0');
  }
  return value;
}

double NmeaFields::Decimal(double low, double high) {
  const std::string_view field = Next();
  Require(field.find_first_not_of("-.0123456789") == std::string_view::npos);
  const auto value = ParseNumber<double>(field);
  Require(value && *value >= low && *value <= high);
  return value.value_or(0);
}

std::int64_t NmeaFields::Time(std::string_view form) {
  const std::int64_t digits = Digits(form) * (form.size() == 6 ? 100 : 1);
  const std::int64_t hour = digits / 1'000'000, minute = digits / 10'000 % 100, hundredths = digits % 10'000;
  Require(hour < 24 && minute < 60 && hundredths < 6000);
  return (hour * 60 + minute) * 6000 + hundredths;
}

void NmeaFields::Date() {
  const std::int64_t date = Digits("ddmmyy");
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(2000 + date % 100)),
                                        std::chrono::month(static_cast<unsigned>(date / 100 % 100)),
                                        std::chrono::day(static_cast<unsigned>(date / 10'000)));
  Require(day.ok());
}

NmeaPosition NmeaFields::Position(std::string_view form) {
  NmeaPosition position;
  position.latitude = Angle(2, form, "NS", 90);
  position.longitude = Angle(3, form, "EW", 180);
  return position;
}

std::int64_t NmeaFields::Angle(int degree_digits, std::string_view minutes, std::string_view hemispheres,
                               std::int64_t most_degrees) {
  constexpr std::size_t kPoint = 2, kMostDecimals = 5;
  char form[16] = {};
  for (int i = 0; i < degree_digits; ++i) form[i] = 'd';
  minutes.copy(form + degree_digits, sizeof form - 4);
  const std::int64_t unit = PowerOfTen(static_cast<int>(kMostDecimals - (minutes.size() - kPoint - 1)));
  const std::int64_t digits = Digits({form, degree_digits + minutes.size()}) * unit;
  const std::int64_t degrees = digits / 10'000'000, ticks = digits % 10'000'000;
  Require(ticks < kNmeaTicksPerDegree);
  const std::int64_t angle = degrees * kNmeaTicksPerDegree + ticks;
  Require(angle <= most_degrees * kNmeaTicksPerDegree);
  return OneOf(hemispheres) == hemispheres[1] ? -angle : angle;
}

}  // namespace corerig
