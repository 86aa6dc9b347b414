#include "sensors/zed_f9p.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <optional>

#include "harness/base/philox.h"
#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr std::size_t kLongestSentence = 82;  // with $, CR and LF
constexpr std::int64_t kHundredthNanos = 10'000'000;

// Positions on the wire are counted in 1e-5 minutes of arc.
constexpr std::int64_t kTicksPerDegree = 60 * 100'000;

// The middle of Lake Constance, where a position harms nobody; east and north are metres from here.
constexpr std::int64_t kReferenceLatitude = 476 * kTicksPerDegree / 10;
constexpr std::int64_t kReferenceLongitude = 945 * kTicksPerDegree / 100;
constexpr double kCosReferenceLatitude = 0.67430239;                                         // cos 47.6 degrees
constexpr double kTicksPerMetre = kTicksPerDegree / (6'371'008.8 * std::numbers::pi / 180);  // mean earth radius

// The path: a circle, level, at constant speed.
constexpr double kRadius = 20, kSecondsPerTurn = 60, kAltitude = 450, kGeoidSeparation = 47;

// Data sheet, position accuracy without corrections: 1.5 m CEP, the radius that holds half of all positions:
// sigma * sqrt(2 ln 2) for two independent normal axes. Height is taken to err twice as much, as satellite geometry has
// it. Errors are drawn anew for each epoch; a real receiver's wander over minutes.
constexpr double kHorizontalNoise = 1.5 / 1.17741002;
constexpr double kVerticalNoise = 2 * kHorizontalNoise;

std::uint8_t Checksum(std::string_view body) {
  std::uint8_t sum = 0;
  for (const char c : body) sum ^= static_cast<std::uint8_t>(c);
  return sum;
}

char HexDigit(unsigned nibble) { return "0123456789ABCDEF"[nibble]; }

// Writes sentences into a frame.
class Writer {
 public:
  explicit Writer(std::span<std::byte> out) : out_(out) {}

  void Text(std::string_view text) {
    for (const char c : text) out_[size_++] = static_cast<std::byte>(c);
  }

  // At least `digits` digits.
  void Number(std::int64_t value, int digits) {
    char reversed[24];
    int n = 0;
    for (; value > 0 || n < digits; value /= 10) reversed[n++] = static_cast<char>('0' + value % 10);
    while (n > 0) out_[size_++] = static_cast<std::byte>(reversed[--n]);
  }

  // `value` as a decimal fraction with `decimals` digits after the point.
  void Decimal(double value, int decimals) {
    std::int64_t unit = 1;
    for (int i = 0; i < decimals; ++i) unit *= 10;
    const auto scaled = std::llround(std::abs(value) * static_cast<double>(unit));
    if (value < 0 && scaled != 0) Text("-");
    Number(scaled / unit, 1);
    Text(".");
    Number(scaled % unit, decimals);
  }

  // "ddmm.mmmmm,N" or "dddmm.mmmmm,E".
  void Angle(std::int64_t ticks, int degree_digits, std::string_view positive, std::string_view negative) {
    const std::int64_t size = std::abs(ticks);
    Number(size / kTicksPerDegree, degree_digits);
    Number(size % kTicksPerDegree / 100'000, 2);
    Text(".");
    Number(size % 100'000, 5);
    Text(",");
    Text(ticks < 0 ? negative : positive);
  }

  void Begin() { begin_ = size_; }

  void End() {
    const std::string_view body(reinterpret_cast<const char*>(out_.data()) + begin_ + 1, size_ - begin_ - 1);
    const std::uint8_t sum = Checksum(body);
    const char tail[] = {'*', HexDigit(sum >> 4), HexDigit(sum & 15), '\r', '\n'};
    Text({tail, sizeof tail});
  }

  std::size_t size() const { return size_; }

 private:
  std::span<std::byte> out_;
  std::size_t size_ = 0, begin_ = 0;
};

class Model final : public SensorModel {
 public:
  explicit Model(const SensorContext& context) : context_(context) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  EncodedFrame EncodeFalsified(std::uint64_t frame, const Falsification& falsified, std::span<std::byte> out) override {
    const std::uint64_t sequence = falsified.measurement_of.value_or(frame);
    const Nanos offset = context_.rate.OffsetOf(frame);
    const double angle = AngleOf(sequence);
    const double north = kRadius * std::cos(angle) + falsified.bias, east = kRadius * std::sin(angle);
    const auto noise = RandomNormals(context_.seed, context_.stream_id, sequence);
    const std::int64_t latitude =
        kReferenceLatitude + std::llround((north + kHorizontalNoise * noise[0]) * kTicksPerMetre);
    const std::int64_t longitude = kReferenceLongitude + std::llround((east + kHorizontalNoise * noise[1]) *
                                                                      kTicksPerMetre / kCosReferenceLatitude);
    const double altitude = kAltitude + kVerticalNoise * noise[2];

    const std::chrono::sys_time<Nanos> time(context_.epoch + offset);
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::int64_t hundredths = (time - day).count() / kHundredthNanos;

    Writer writer(out);
    writer.Begin();
    writer.Text("$GNGGA,");
    Time(writer, hundredths);
    writer.Text(",");
    Position(writer, latitude, longitude);
    writer.Text(",1,12,0.70,");  // quality: autonomous fix; satellites; HDOP
    writer.Decimal(altitude, 1);
    writer.Text(",M,");
    writer.Decimal(kGeoidSeparation, 1);
    writer.Text(",M,,");  // no differential corrections
    writer.End();

    writer.Begin();
    writer.Text("$GNRMC,");
    Time(writer, hundredths);
    writer.Text(",A,");
    Position(writer, latitude, longitude);
    writer.Text(",");
    constexpr double kKnot = 1852.0 / 3600;  // m/s
    writer.Decimal(2 * std::numbers::pi * kRadius / kSecondsPerTurn / kKnot, 3);
    writer.Text(",");
    // Clockwise from north: the course is a quarter turn ahead of the bearing.
    const double course = std::fmod(angle * 180 / std::numbers::pi + 90, 360);
    writer.Decimal(course < 359.995 ? course : 0, 2);
    writer.Text(",");
    const std::chrono::year_month_day date(day);
    writer.Number(static_cast<unsigned>(date.day()), 2);
    writer.Number(static_cast<unsigned>(date.month()), 2);
    writer.Number(static_cast<int>(date.year()) % 100, 2);
    writer.Text(",,,A,V");  // no magnetic variation; autonomous; no navigational status
    writer.End();
    return {.size = writer.size(),
            .wire_key = static_cast<std::uint64_t>(hundredths),
            .value = kRadius * std::cos(AngleOf(frame))};
  }

 private:
  double AngleOf(std::uint64_t sequence) const {
    const Nanos offset = context_.rate.OffsetOf(sequence);
    return 2 * std::numbers::pi * static_cast<double>(offset.count()) * 1e-9 / kSecondsPerTurn;
  }

  static void Time(Writer& writer, std::int64_t hundredths) {
    writer.Number(hundredths / 360'000, 2);
    writer.Number(hundredths / 6000 % 60, 2);
    writer.Number(hundredths / 100 % 60, 2);
    writer.Text(".");
    writer.Number(hundredths % 100, 2);
  }

  static void Position(Writer& writer, std::int64_t latitude, std::int64_t longitude) {
    writer.Angle(latitude, 2, "N", "S");
    writer.Text(",");
    writer.Angle(longitude, 3, "E", "W");
  }

  SensorContext context_;
};

// Takes a sentence's fields off its front, one by one; a field that is not of the wanted form makes it not ok.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}

  std::string_view Next() {
    if (ended_) ok_ = false;
    const auto comma = rest_.find(',');
    const std::string_view field = rest_.substr(0, comma);
    ended_ = comma == std::string_view::npos;
    rest_ = ended_ ? std::string_view{} : rest_.substr(comma + 1);
    return field;
  }

  void Expect(std::string_view text) { Require(Next() == text); }

  // One character of `choices`; returns it.
  char OneOf(std::string_view choices) {
    const std::string_view field = Next();
    Require(field.size() == 1 && choices.find(field) != std::string_view::npos);
    return ok_ ? field[0] : '\0';
  }

  // A field like "hhmmss.ss": digits, with a point where `form` has one. Returns the digits as one number.
  std::int64_t Digits(std::string_view form) {
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

  // A decimal fraction within [low, high]: the receiver writes no exponent.
  void Decimal(double low, double high) {
    const std::string_view field = Next();
    Require(field.find_first_not_of("-.0123456789") == std::string_view::npos);
    const auto value = ParseNumber<double>(field);
    Require(value && *value >= low && *value <= high);
  }

  void Require(bool condition) { ok_ = ok_ && condition; }

  // Every field was of its form and none is left.
  bool Finished() const { return ok_ && ended_; }

 private:
  std::string_view rest_;
  bool ok_ = true, ended_ = false;
};

// hhmmss.ss as hundredths of a second of the day.
std::int64_t TimeOfDay(Fields& fields) {
  const std::int64_t digits = fields.Digits("hhmmss.ss");
  const std::int64_t hour = digits / 1'000'000, minute = digits / 10'000 % 100, hundredths = digits % 10'000;
  fields.Require(hour < 24 && minute < 60 && hundredths < 6000);
  return (hour * 60 + minute) * 6000 + hundredths;
}

// Degrees, minutes and hemisphere as signed 1e-5 minutes.
std::int64_t Angle(Fields& fields, std::string_view form, std::string_view hemispheres, std::int64_t most_degrees) {
  const std::int64_t digits = fields.Digits(form);
  const std::int64_t degrees = digits / 10'000'000, ticks = digits % 10'000'000;
  fields.Require(ticks < kTicksPerDegree);
  const std::int64_t angle = degrees * kTicksPerDegree + ticks;
  fields.Require(angle <= most_degrees * kTicksPerDegree);
  return fields.OneOf(hemispheres) == hemispheres[1] ? -angle : angle;
}

struct Fix {
  std::int64_t hundredths = 0;
  std::int64_t latitude = 0;
};

Fix TimeAndPosition(Fields& fields, bool with_status) {
  Fix fix;
  fix.hundredths = TimeOfDay(fields);
  if (with_status) fields.Expect("A");
  fix.latitude = Angle(fields, "ddmm.mmmmm", "NS", 90);
  Angle(fields, "dddmm.mmmmm", "EW", 180);
  return fix;
}

std::optional<Fix> ParseGga(std::string_view body) {
  Fields fields(body);
  fields.Expect("GNGGA");
  const Fix fix = TimeAndPosition(fields, false);
  fields.OneOf("1245");  // a fix: autonomous, differential, RTK fixed, RTK float
  fields.Digits("nn");
  fields.Decimal(0, 99.99);
  fields.Decimal(-1000, 100'000);
  fields.Expect("M");
  fields.Decimal(-1000, 1000);
  fields.Expect("M");
  fields.Next();  // age of corrections
  fields.Next();  // their station
  if (!fields.Finished()) return std::nullopt;
  return fix;
}

std::optional<Fix> ParseRmc(std::string_view body) {
  Fields fields(body);
  fields.Expect("GNRMC");
  const Fix fix = TimeAndPosition(fields, true);
  fields.Decimal(0, 10'000);
  fields.Decimal(0, 359.99);
  const std::int64_t date = fields.Digits("ddmmyy");
  const std::int64_t day = date / 10'000, month = date / 100 % 100;
  fields.Require(day >= 1 && day <= 31 && month >= 1 && month <= 12);
  fields.Next();  // magnetic variation
  fields.Next();  // its direction
  fields.OneOf("ADFR");
  fields.Expect("V");
  if (!fields.Finished()) return std::nullopt;
  return fix;
}

// What stands between $ and * if the sentence's envelope is right.
std::optional<std::string_view> Body(std::string_view sentence) {
  constexpr std::size_t kTail = 5;  // *hh CR LF
  if (sentence.size() < 1 + kTail || sentence[0] != '$') return std::nullopt;
  const std::string_view body = sentence.substr(1, sentence.size() - 1 - kTail);
  const std::string_view tail = sentence.substr(sentence.size() - kTail);
  const std::uint8_t sum = Checksum(body);
  const char expected[kTail] = {'*', HexDigit(sum >> 4), HexDigit(sum & 15), '\r', '\n'};
  if (tail != std::string_view(expected, kTail)) return std::nullopt;
  return body;
}

// Bytes from `open_` on are not yet accounted for: they become a frame, or corrupt, when their fate is known.
class NmeaDecoder final : public Decoder {
 public:
  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    if (offset != next_) {  // bytes are missing: what was begun cannot be finished
      GiveUp(next_, sink);
      open_ = offset;
    }
    next_ = offset;
    for (const std::byte byte : bytes) Take(static_cast<char>(byte), sink);
    // Outside a sentence nothing will make these bytes good.
    if (size_ == 0 && !gga_) GiveUp(next_, sink);
  }

 private:
  void Take(char c, FrameSink& sink) {
    const std::uint64_t at = next_++;
    if (c == '$') {
      // Starts a sentence, wherever it comes; what is open before it is broken unless it is a whole GGA and no more.
      if (size_ > 0 || !gga_) GiveUp(at, sink);
      sentence_begin_ = at;
    } else if (size_ == 0) {
      gga_.reset();  // garbage: no RMC follows
      return;
    }
    sentence_[size_++] = c;
    if (c == '\n') {
      Finish(sink);
    } else if (size_ == kLongestSentence) {
      GiveUp(next_, sink);
    }
  }

  void Finish(FrameSink& sink) {
    const auto body = Body({sentence_.data(), size_});
    size_ = 0;
    if (!body) return GiveUp(next_, sink);
    if (const auto gga = ParseGga(*body)) {
      GiveUp(sentence_begin_, sink);  // an earlier GGA whose RMC never came
      gga_ = gga;
      return;
    }
    const auto rmc = ParseRmc(*body);
    if (!rmc || !gga_ || rmc->hundredths != gga_->hundredths) return GiveUp(next_, sink);
    const double north = static_cast<double>(gga_->latitude - kReferenceLatitude) / kTicksPerMetre;
    sink.OnFrame(
        {.wire_key = static_cast<std::uint64_t>(gga_->hundredths), .value = north, .begin = open_, .end = next_});
    gga_.reset();
    open_ = next_;
  }

  // Reports what is open before `end` and starts afresh there.
  void GiveUp(std::uint64_t end, FrameSink& sink) {
    if (open_ < end) sink.OnCorrupt(open_, end);
    open_ = end;
    size_ = 0;
    gga_.reset();
  }

  std::uint64_t next_ = 0, open_ = 0, sentence_begin_ = 0;
  std::array<char, kLongestSentence> sentence_;
  std::size_t size_ = 0;  // of the sentence being received; 0 outside one
  std::optional<Fix> gga_;
};

// North of the reference: the circle, and eight standard deviations around it.
ValueLimits LimitsOf(const SensorContext&) {
  constexpr double kSigmas = 8;
  return {.lowest = -kRadius - kSigmas * kHorizontalNoise,
          .highest = kRadius + kSigmas * kHorizontalNoise,
          .noise = std::numbers::sqrt2 * kSigmas * kHorizontalNoise,
          .slope = 2 * std::numbers::pi * kRadius / kSecondsPerTurn,
          .repeats = EqualInARow(kHorizontalNoise * kTicksPerMetre)};
}

}  // namespace

SensorType ZedF9p() {
  return {
      .info = {.name = "zed-f9p",
               .about = "u-blox ZED-F9P, satellite navigation receiver: GGA and RMC per epoch, NMEA 4.11",
               .default_rate = Rate::Hertz(10),
               .highest_rate = Rate::Hertz(20),
               .channels = {ChannelKind::kPty},
               .formats = {"nmea"},
               .falsifiable = true},
      .max_frame_size = 2 * kLongestSentence,
      .value_unit = "m",  // north of 47.6 degrees
      .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
        return std::make_unique<Model>(context);
      },
      .make_decoder = [](const SensorContext&) -> std::unique_ptr<Decoder> { return std::make_unique<NmeaDecoder>(); },
      .value_limits = &LimitsOf};
}

}  // namespace corerig
