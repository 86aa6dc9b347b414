#include "sensors/zed_f9p.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "harness/plan/parameter.h"
#include "sensors/gnss_fix.h"
#include "sensors/nmea.h"
#include "sensors/ubx.h"

namespace corerig {
namespace {

constexpr std::string_view kUbx = "ubx";
constexpr std::size_t kSentences = 3;

// What the receiver says of its satellites; it says the same always.
constexpr std::uint8_t kSatellites = 12;
constexpr double kHorizontalDop = 0.7, kPositionDop = 1.2;

// Until a leap second is announced, GPS time is 18 s ahead of UTC (since 2017-01-01); its weeks begin with 1980-01-06.
constexpr auto kGpsAhead = std::chrono::seconds(18);
constexpr std::chrono::sys_days kGpsEpoch = std::chrono::year(1980) / 1 / 6;
constexpr std::int64_t kWeekMillis = 7 * 86'400'000;

std::int64_t Scaled(double value, double unit) { return std::llround(value * unit); }

// The epochs of one stream: when, where, and what was measured.
class Epochs {
 public:
  explicit Epochs(const SensorContext& context)
      : context_(context),
        accuracy_{.position = NumberOf(context.parameters, "noise"),
                  .velocity = NumberOf(context.parameters, "velocity_noise")},
        path_(context.seed, context.stream_id, context.rate, accuracy_) {}

  // A bias is one of the position northwards.
  GnssFix FixAt(std::uint64_t sample, const Falsification& falsified) {
    GnssFix fix = path_.At(falsified.measurement_of.value_or(sample));
    if (falsified.measurement_of) fix.truth = GnssTruthAt(context_.rate.OffsetOf(sample));
    fix.measured.north += falsified.bias;
    return fix;
  }
  CivilTime TimeOf(std::uint64_t sample) const {
    return CivilTime(context_.epoch + context_.clock_offset + context_.rate.OffsetOf(sample));
  }
  const GnssAccuracy& accuracy() const { return accuracy_; }

 private:
  SensorContext context_;
  GnssAccuracy accuracy_;
  GnssPath path_;
};

class NmeaModel final : public SensorModel {
 public:
  explicit NmeaModel(const SensorContext& context) : epochs_(context) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    const GnssFix fix = epochs_.FixAt(sequence, falsified);
    const CivilTime time = epochs_.TimeOf(sequence);
    constexpr double kTicks = kNmeaTicksPerDegree;
    const NmeaPosition position{.latitude = Scaled(LatitudeOf(fix.measured.north), kTicks),
                                .longitude = Scaled(LongitudeOf(fix.measured.east), kTicks)};
    constexpr double kKnot = 1852.0 / 3600, kKilometrePerHour = 1 / 3.6;  // m/s
    const double speed = fix.measured.speed();
    double course = fix.measured.course();
    if (course >= 359.995) course = 0;  // it would be rounded to 360.00

    NmeaWriter writer(out);
    writer.Begin("GNRMC");
    writer.Field();
    writer.Time(time, 2);
    writer.Text(",A,");
    writer.Position(position, 5);
    writer.Field();
    writer.Decimal(speed / kKnot, 3);
    writer.Field();
    writer.Decimal(course, 2);
    writer.Field();
    writer.Date(time);
    writer.Text(",,,A,V");  // no magnetic variation; autonomous; no navigational status
    writer.End();

    writer.Begin("GNVTG");
    writer.Field();
    writer.Decimal(course, 2);
    writer.Text(",T,,M,");
    writer.Decimal(speed / kKnot, 3);
    writer.Text(",N,");
    writer.Decimal(speed / kKilometrePerHour, 3);
    writer.Text(",K,A");
    writer.End();

    writer.Begin("GNGGA");
    writer.Field();
    writer.Time(time, 2);
    writer.Field();
    writer.Position(position, 5);
    writer.Text(",1,");  // quality: autonomous fix
    writer.Number(kSatellites, 2);
    writer.Field();
    writer.Decimal(kHorizontalDop, 2);
    writer.Field();
    writer.Decimal(fix.measured.up, 1);
    writer.Text(",M,");
    writer.Decimal(kGeoidSeparation, 1);
    writer.Text(",M,,");  // no differential corrections
    writer.End();
    return {
        .size = writer.size(), .wire_key = static_cast<std::uint64_t>(NmeaHundredths(time)), .value = fix.truth.north};
  }

 private:
  Epochs epochs_;
};

class UbxModel final : public SensorModel {
 public:
  explicit UbxModel(const SensorContext& context) : epochs_(context) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    const GnssFix fix = epochs_.FixAt(sequence, falsified);
    const GnssMotion& measured = fix.measured;
    const CivilTime time = epochs_.TimeOf(sequence);
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss<Nanos> clock(time - day);
    const auto millis = std::chrono::round<std::chrono::milliseconds>(time - kGpsEpoch + kGpsAhead).count();
    const double sigma = SigmaOfCep(epochs_.accuracy().position), speed_sigma = SigmaOfCep(epochs_.accuracy().velocity);
    const double speed = measured.speed(), degree = 180 / 3.14159265358979;
    const auto word = [](double value, double unit) { return static_cast<std::int32_t>(Scaled(value, unit)); };
    const NavPvt pvt{
        .itow = static_cast<std::uint32_t>(millis % kWeekMillis),
        .year = static_cast<std::uint16_t>(static_cast<int>(date.year())),
        .month = static_cast<std::uint8_t>(static_cast<unsigned>(date.month())),
        .day = static_cast<std::uint8_t>(static_cast<unsigned>(date.day())),
        .hour = static_cast<std::uint8_t>(clock.hours().count()),
        .minute = static_cast<std::uint8_t>(clock.minutes().count()),
        .second = static_cast<std::uint8_t>(clock.seconds().count()),
        .valid = 0x07,
        .time_accuracy = 30,
        .nano = static_cast<std::int32_t>(clock.subseconds().count()),
        .fix_type = 3,
        .flags = 0x01,
        .flags2 = 0xE0,
        .satellites = kSatellites,
        .longitude = word(LongitudeOf(measured.east), 1e7),
        .latitude = word(LatitudeOf(measured.north), 1e7),
        .height = word(measured.up + kGeoidSeparation, 1e3),
        .height_above_sea = word(measured.up, 1e3),
        .horizontal_accuracy = static_cast<std::uint32_t>(word(sigma * std::sqrt(2), 1e3)),  // of the two axes together
        .vertical_accuracy = static_cast<std::uint32_t>(word(2 * sigma, 1e3)),
        .velocity_north = word(measured.velocity_north, 1e3),
        .velocity_east = word(measured.velocity_east, 1e3),
        .velocity_down = word(-measured.velocity_up, 1e3),
        .ground_speed = word(speed, 1e3),
        .heading = word(measured.course(), 1e5) % 36'000'000,
        .speed_accuracy = static_cast<std::uint32_t>(word(speed_sigma, 1e3)),
        .heading_accuracy = static_cast<std::uint32_t>(word(std::min(180.0, speed_sigma / speed * degree), 1e5)),
        .position_dop = static_cast<std::uint16_t>(word(kPositionDop, 100))};
    PutNavPvt(pvt, out);
    return {.size = kNavPvtFrameSize, .wire_key = pvt.itow, .value = fix.truth.north};
  }

 private:
  Epochs epochs_;
};

struct Rmc {
  std::int64_t hundredths = 0;
  NmeaPosition position;
  double speed = 0, course = 0;  // knots, degrees
};

std::optional<Rmc> ParseRmc(std::string_view body) {
  NmeaFields fields(body);
  Rmc rmc;
  fields.Expect("GNRMC");
  rmc.hundredths = fields.Time("hhmmss.ss");
  fields.Expect("A");
  rmc.position = fields.Position("mm.mmmmm");
  rmc.speed = fields.Decimal(0, 10'000);
  rmc.course = fields.Decimal(0, 359.99);
  fields.Date();
  fields.Next();  // magnetic variation
  fields.Next();  // its direction
  fields.OneOf("ADFR");
  fields.Expect("V");
  if (!fields.Finished()) return std::nullopt;
  return rmc;
}

bool IsVtgOf(const Rmc& rmc, std::string_view body) {
  NmeaFields fields(body);
  fields.Expect("GNVTG");
  fields.Decimal(rmc.course, rmc.course);
  fields.Expect("T");
  fields.Next();  // magnetic course
  fields.Expect("M");
  fields.Decimal(rmc.speed, rmc.speed);
  fields.Expect("N");
  // 1.852 km/h are a knot; both are rounded to thousandths.
  fields.Decimal(rmc.speed * 1.852 - 0.0015, rmc.speed * 1.852 + 0.0015);
  fields.Expect("K");
  fields.OneOf("ADFR");
  return fields.Finished();
}

bool IsGgaOf(const Rmc& rmc, std::string_view body) {
  NmeaFields fields(body);
  fields.Expect("GNGGA");
  fields.Require(fields.Time("hhmmss.ss") == rmc.hundredths);
  fields.Require(fields.Position("mm.mmmmm") == rmc.position);
  fields.OneOf("1245");  // a fix: autonomous, differential, RTK fixed, RTK float
  fields.Digits("nn");
  fields.Decimal(0, 99.99);
  fields.Decimal(-1000, 100'000);
  fields.Expect("M");
  fields.Decimal(-1000, 1000);
  fields.Expect("M");
  fields.Next();  // age of corrections
  fields.Next();  // their station
  return fields.Finished();
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
    if (size_ == 0 && awaited_ == Awaited::kRmc) GiveUp(next_, sink);
  }

 private:
  enum class Awaited { kRmc, kVtg, kGga };

  void Take(char c, FrameSink& sink) {
    const std::uint64_t at = next_++;
    if (c == '$') {
      // Starts a sentence, wherever it comes; what is open before it is broken unless it is whole sentences.
      if (size_ > 0 || awaited_ == Awaited::kRmc) GiveUp(at, sink);
      sentence_begin_ = at;
    } else if (size_ == 0) {
      awaited_ = Awaited::kRmc;  // garbage: what follows it is of no epoch
      return;
    }
    sentence_[size_++] = c;
    if (c == '\n') {
      Finish(sink);
    } else if (size_ == kLongestNmeaSentence) {
      GiveUp(next_, sink);
    }
  }

  void Finish(FrameSink& sink) {
    const auto body = NmeaBody({sentence_.data(), size_});
    size_ = 0;
    if (!body) return GiveUp(next_, sink);
    if (const auto rmc = ParseRmc(*body)) {
      GiveUp(sentence_begin_, sink);  // an earlier epoch that was not finished
      rmc_ = *rmc;
      awaited_ = Awaited::kVtg;
    } else if (awaited_ == Awaited::kVtg && IsVtgOf(rmc_, *body)) {
      awaited_ = Awaited::kGga;
    } else if (awaited_ == Awaited::kGga && IsGgaOf(rmc_, *body)) {
      const double latitude = static_cast<double>(rmc_.position.latitude) / kNmeaTicksPerDegree;
      sink.OnFrame({.wire_key = static_cast<std::uint64_t>(rmc_.hundredths),
                    .value = NorthOf(latitude),
                    .begin = open_,
                    .end = next_});
      open_ = next_;
      awaited_ = Awaited::kRmc;
    } else {
      GiveUp(next_, sink);
    }
  }

  // Reports what is open before `end` and starts afresh there.
  void GiveUp(std::uint64_t end, FrameSink& sink) {
    if (open_ < end) sink.OnCorrupt(open_, end);
    open_ = end;
    size_ = 0;
    awaited_ = Awaited::kRmc;
  }

  std::uint64_t next_ = 0, open_ = 0, sentence_begin_ = 0;
  std::array<char, kLongestNmeaSentence> sentence_;
  std::size_t size_ = 0;  // of the sentence being received; 0 outside one
  Awaited awaited_ = Awaited::kRmc;
  Rmc rmc_;
};

// A fix with everything in its range.
bool IsFix(const NavPvt& pvt) {
  const std::chrono::year_month_day date(std::chrono::year(pvt.year), std::chrono::month(pvt.month),
                                         std::chrono::day(pvt.day));
  // Both name the same moment and GPS and UTC differ by whole seconds: so do the parts of a second, but for rounding.
  const std::int64_t apart = (pvt.itow % 1000 - std::llround(pvt.nano * 1e-6) + 3000) % 1000;
  constexpr std::uint8_t kDateTimeResolved = 0x07, kFixOk = 0x01;
  constexpr std::uint16_t kPositionInvalid = 0x0001;
  return (pvt.valid & kDateTimeResolved) == kDateTimeResolved && (pvt.flags & kFixOk) != 0 && pvt.fix_type >= 2 &&
         pvt.fix_type <= 4 && (pvt.flags3 & kPositionInvalid) == 0 && pvt.itow < kWeekMillis && date.ok() &&
         pvt.hour < 24 && pvt.minute < 60 && pvt.second <= 60 && std::abs(pvt.nano) <= 1'000'000'000 &&
         (apart <= 1 || apart == 999) && std::abs(std::int64_t{pvt.latitude}) <= 900'000'000 &&
         std::abs(std::int64_t{pvt.longitude}) <= 1'800'000'000;
}

// Keeps what may yet become a frame: always a beginning of a NAV-PVT, its header right as far as it has come.
class UbxDecoder final : public Decoder {
 public:
  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    if (offset != begin_ + size_) {  // bytes are missing: what was begun cannot be finished
      GiveUp(size_, sink);
      begin_ = offset;
    }
    for (const std::byte byte : bytes) {
      frame_[size_++] = byte;
      if (size_ <= kUbxHeaderSize) {
        if (!IsBeginning(0)) Resynchronise(sink);
      } else if (size_ == kNavPvtFrameSize) {
        Finish(sink);
      }
    }
  }

 private:
  // What is held from byte `first` on is a header as far as it goes.
  bool IsBeginning(std::size_t first) const {
    for (std::size_t i = 0; i < kUbxHeaderSize && first + i < size_; ++i) {
      if (frame_[first + i] != std::byte{kNavPvtHeader[i]}) return false;
    }
    return true;
  }

  void Finish(FrameSink& sink) {
    const NavPvt pvt = NavPvtOf(frame_);
    if (!UbxFrameFits(frame_) || !IsFix(pvt)) return Resynchronise(sink);
    sink.OnFrame({.wire_key = pvt.itow, .value = NorthOf(pvt.latitude * 1e-7), .begin = begin_, .end = begin_ + size_});
    begin_ += size_;
    size_ = 0;
  }

  // The first byte begins no frame: gives it up with all before the next that may begin one.
  void Resynchronise(FrameSink& sink) {
    std::size_t next = 1;
    while (next < size_ && !IsBeginning(next)) ++next;
    GiveUp(next, sink);
  }

  void GiveUp(std::size_t count, FrameSink& sink) {
    if (count > 0) sink.OnCorrupt(begin_, begin_ + count);
    std::copy(frame_.begin() + count, frame_.begin() + size_, frame_.begin());
    begin_ += count;
    size_ -= count;
  }

  std::array<std::byte, kNavPvtFrameSize> frame_;
  std::size_t size_ = 0;
  std::uint64_t begin_ = 0;  // where frame_[0] lies in the stream
};

// North of the reference: the circle, and errors of which eight standard deviations do not happen. Those of neighbours
// differ by sigma sqrt(2 dt / 60 s) at most, as gnss_fix.h has it, which is no line: the tangent at one period is.
ValueLimits LimitsOf(const SensorContext& context) {
  constexpr double kSigmas = 8;
  const double sigma = SigmaOfCep(NumberOf(context.parameters, "noise")), period = 1 / context.rate.hertz();
  const double step = NorthOf(kGnssLatitude + (context.format == kUbx ? 1e-7 : 1 / double{kNmeaTicksPerDegree}));
  const double fresh = sigma * std::sqrt(2 * period / kGnssWanderSeconds);  // between neighbours
  const double reach = kGnssRadius + kSigmas * sigma + step;
  return {.lowest = -reach,
          .highest = reach,
          .noise = kSigmas * fresh / 2 + step,
          .slope = kGnssHighestSpeed + kSigmas * fresh / 2 / period,
          .repeats = EqualInARow(fresh / step)};
}

}  // namespace

SensorType ZedF9p() {
  return {
      .info = {.name = "zed-f9p",
               .about = "u-blox ZED-F9P, satellite navigation receiver: RMC, VTG and GGA per epoch, or UBX-NAV-PVT",
               .default_rate = Rate::Hertz(10),
               .highest_rate = Rate::Hertz(20),
               .channels = {ChannelKind::kPty, ChannelKind::kTcp},
               .formats = {"nmea", kUbx},
               .batching = {},
               // Data sheet: position accuracy without corrections 1.5 m CEP, velocity accuracy 0.05 m/s.
               .parameters = {{"noise", ParameterInfo::Kind::kPositiveNumber, "1.5",
                               "m: the circle that holds half of all positions; the data sheet's without corrections"},
                              {"velocity_noise", ParameterInfo::Kind::kPositiveNumber, "0.05",
                               "m/s: the circle that holds half of all velocities"}},
               .falsifiable = true},
      .max_frame_size = kSentences * kLongestNmeaSentence,
      .value_unit = "m",  // north of 47.6 degrees
      .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
        if (context.format == kUbx) return std::make_unique<UbxModel>(context);
        return std::make_unique<NmeaModel>(context);
      },
      .make_decoder = [](const SensorContext& context) -> std::unique_ptr<Decoder> {
        if (context.format == kUbx) return std::make_unique<UbxDecoder>();
        return std::make_unique<NmeaDecoder>();
      },
      .value_limits = &LimitsOf};
}

}  // namespace corerig
