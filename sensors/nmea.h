// Sentences of NMEA 0183, version 4.11: written into bytes, and taken apart with every field held to its form.
//
//   NmeaWriter writer(out);
//   writer.Begin("GNVTG");
//   writer.Field(); writer.Decimal(course, 2); …
//   writer.End();                                        // "$GNVTG,77.52,…*hh\r\n"
//
//   if (const auto body = NmeaBody(sentence)) {
//     NmeaFields fields(*body);
//     fields.Expect("GNVTG");
//     fields.Decimal(0, 359.99); …
//     if (fields.Finished()) …
//   }
//
// Source: u-blox UBX-18010854, chapter "NMEA protocol" (frame structure, checksum: the XOR of what stands between $
// and *, in capitals); 82 characters at most are NMEA 0183's. Angles are counted in 1e-5 minutes of arc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "harness/base/units.h"

namespace corerig {

inline constexpr std::size_t kLongestNmeaSentence = 82;            // with $, CR and LF
inline constexpr std::int64_t kNmeaTicksPerDegree = 60 * 100'000;  // of an angle

// South and west are negative.
struct NmeaPosition {
  std::int64_t latitude = 0, longitude = 0;
  bool operator==(const NmeaPosition&) const = default;
};

using CivilTime = std::chrono::sys_time<Nanos>;

// Since midnight, cut off.
std::int64_t NmeaHundredths(CivilTime time);

// Writes sentences one behind the other; `out` must have room for kLongestNmeaSentence each.
class NmeaWriter {
 public:
  explicit NmeaWriter(std::span<std::byte> out) : out_(out) {}

  void Begin(std::string_view address);  // "$GNRMC"
  void End();                            // "*hh" CR LF

  void Field() { Text(","); }
  void Text(std::string_view text);
  void Number(std::int64_t value, int digits);  // not negative; at least so many digits
  void Decimal(double value, int decimals, int digits = 1);
  void Time(CivilTime time, int decimals);  // hhmmss or hhmmss.s with as many decimals as asked for, at most two
  void Date(CivilTime time);                // ddmmyy
  // "ddmm.mmmmm,N,dddmm.mmmmm,E" with 4 or 5 decimals, cut off.
  void Position(const NmeaPosition& position, int decimals);

  std::size_t size() const { return size_; }

 private:
  void Digits(std::int64_t value, int digits, int decimals);
  void Angle(std::int64_t ticks, int degree_digits, int decimals, std::string_view hemispheres);

  std::span<std::byte> out_;
  std::size_t size_ = 0, begin_ = 0;
};

// What stands between $ and * if the sentence begins with $ and ends with the right checksum, CR and LF.
std::optional<std::string_view> NmeaBody(std::string_view sentence);

// Takes fields off a body's front, one by one; one that is not of the wanted form makes all not ok.
class NmeaFields {
 public:
  explicit NmeaFields(std::string_view body) : rest_(body) {}

  std::string_view Next();
  void Expect(std::string_view text);
  char OneOf(std::string_view choices);  // one character of these; it is returned
  // Digits, with a point where `form` has one ("hhmmss.ss"), as one number.
  std::int64_t Digits(std::string_view form);
  // A decimal fraction within [low, high]; no exponent.
  double Decimal(double low, double high);
  std::int64_t Time(std::string_view form);  // "hhmmss.ss" or "hhmmss": hundredths since midnight
  void Date();                               // ddmmyy, of some calendar year
  // Latitude and longitude, each with its hemisphere, `form` being that of the minutes: "mm.mmmmm".
  NmeaPosition Position(std::string_view form);

  void Require(bool condition) { ok_ = ok_ && condition; }
  // Every field was of its form and none is left.
  bool Finished() const { return ok_ && ended_; }

 private:
  std::int64_t Angle(int degree_digits, std::string_view minutes, std::string_view hemispheres,
                     std::int64_t most_degrees);

  std::string_view rest_;
  bool ok_ = true, ended_ = false;
};

}  // namespace corerig
