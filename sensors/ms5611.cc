#include "sensors/ms5611.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "harness/base/philox.h"
#include "harness/plan/parameter.h"
#include "sensors/byte_order.h"
#include "sensors/fixed_frames.h"

namespace corerig {
namespace {

constexpr std::size_t kImageSize = 22, kPressureAt = 16, kTemperatureAt = 19, kAdcSize = 3;
constexpr double kPressureNoise = 1.2, kTemperatureNoise = 0.2;  // Pa, 0.01 degC
constexpr std::string_view kDelivers = "delivers";

enum Lane : std::uint32_t { kNoiseLane, kPromLane, kGapLane };

double PhaseOf(Nanos offset, std::int64_t seconds) {
  const std::int64_t period = seconds * 1'000'000'000;
  return 2 * std::numbers::pi * static_cast<double>(offset.count() % period) / static_cast<double>(period);
}

constexpr double kRise = 20;  // m
constexpr std::int64_t kRiseSeconds = 60;

double PressureAt(Nanos offset) {
  const double altitude = 450 + kRise * (1 - std::cos(PhaseOf(offset, kRiseSeconds)));
  return 101'325 * std::pow(1 - 2.25577e-5 * altitude, 5.25588);  // Pa; ISA, below 11 km
}

double CentidegreesAt(Nanos offset) { return 2000 + 500 * std::sin(PhaseOf(offset, 600)); }

// The calibration of one part: near the data sheet's typical values.
Ms5611Prom DrawProm(const SensorContext& context) {
  constexpr std::uint16_t kTypical[] = {40127, 36924, 23317, 23282, 33464, 28312};
  constexpr double kSpread = 0.02;
  const auto first = RandomWords(context.seed, context.stream_id, 0, kPromLane);
  const auto second = RandomWords(context.seed, context.stream_id, 1, kPromLane);
  Ms5611Prom prom = {};
  prom[0] = static_cast<std::uint16_t>(second[2]);
  for (std::size_t i = 0; i < 6; ++i) {
    const double u = 2 * UniformOpen(i < 4 ? first[i] : second[i - 4]) - 1;
    prom[i + 1] = static_cast<std::uint16_t>(std::lround(kTypical[i] * (1 + kSpread * u)));
  }
  prom[7] = static_cast<std::uint16_t>(second[3] & 0xFF00);
  prom[7] = static_cast<std::uint16_t>(prom[7] | Ms5611Crc4(prom));
  return prom;
}

struct Conversions {
  std::uint32_t d1, d2;
};

// What the ADC must have shown for a receiver to compute this: the data sheet's formulas solved for D1 and D2. Of the
// second order only what holds above -15 degC, where the model stays.
Conversions Uncompensated(const Ms5611Prom& prom, double pascals, double centidegrees) {
  const double slope = prom[6] * 0x1p-23, colder = std::min(0.0, centidegrees - 2000);
  // TEMP - dT^2 / 2^31 below 20 degC: a quadratic equation for dT.
  const double dt =
      colder < 0 ? (slope - std::sqrt(slope * slope - colder * 0x1p-29)) * 0x1p30 : (centidegrees - 2000) / slope;
  const double first_order = std::min(0.0, dt * slope);
  const double offset = prom[2] * 0x1p16 + prom[4] * dt * 0x1p-7 - 2.5 * first_order * first_order;
  const double sensitivity = prom[1] * 0x1p15 + prom[3] * dt * 0x1p-8 - 1.25 * first_order * first_order;
  return {.d1 = static_cast<std::uint32_t>(std::lround((pascals * 0x1p15 + offset) * 0x1p21 / sensitivity)),
          .d2 = static_cast<std::uint32_t>(std::lround(dt + prom[5] * 0x1p8))};
}

std::uint64_t KeyOf(std::uint32_t d1, std::uint32_t d2) { return std::uint64_t{d1} << 24 | d2; }

class Model final : public SensorModel {
 public:
  explicit Model(const SensorContext& context) : context_(context), prom_(DrawProm(context)) {
    const double delivers = NumberOf(context.parameters, kDelivers);
    missing_ = delivers > 0 ? 1 - delivers / context.rate.hertz() : 0;
  }

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    if (missing_ > 0 && UniformOpen(RandomWords(context_.seed, context_.stream_id, sequence, kGapLane)[0]) < missing_) {
      return {};
    }
    const std::uint64_t measured_at = falsified.measurement_of.value_or(sequence);
    const Nanos offset = context_.rate.OffsetOf(measured_at);
    const auto noise = RandomNormals(context_.seed, context_.stream_id, measured_at, kNoiseLane);
    const double pascals = std::max(0.0, PressureAt(offset) + falsified.bias);
    const auto adc = Uncompensated(prom_, pascals + kPressureNoise * noise[0],
                                   CentidegreesAt(offset) + kTemperatureNoise * noise[1]);
    for (std::size_t i = 0; i < prom_.size(); ++i) PutBigEndian(out, 2 * i, prom_[i], 2);
    PutBigEndian(out, kPressureAt, adc.d1, kAdcSize);
    PutBigEndian(out, kTemperatureAt, adc.d2, kAdcSize);
    return {
        .size = kImageSize, .wire_key = KeyOf(adc.d1, adc.d2), .value = PressureAt(context_.rate.OffsetOf(sequence))};
  }

 private:
  const SensorContext context_;
  const Ms5611Prom prom_;
  double missing_ = 0;  // probability that a sample is not delivered
};

class Check {
 public:
  static constexpr std::size_t kSize = kImageSize;

  bool MayBegin(std::span<const std::byte> bytes) const {
    const std::size_t compared = known_ ? std::min(bytes.size(), kPressureAt) : 0;
    return std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(compared), latest_.begin());
  }

  std::optional<FrameContent> Read(std::span<const std::byte> image) {
    Ms5611Prom prom;
    for (std::size_t i = 0; i < prom.size(); ++i) prom[i] = static_cast<std::uint16_t>(BigEndian(image, 2 * i, 2));
    if (Ms5611Crc4(prom) != (prom[7] & 0xF)) return std::nullopt;
    const auto d1 = static_cast<std::uint32_t>(BigEndian(image, kPressureAt, kAdcSize));
    const auto d2 = static_cast<std::uint32_t>(BigEndian(image, kTemperatureAt, kAdcSize));
    if (d1 == 0 || d2 == 0) return std::nullopt;
    const Ms5611Reading reading = Ms5611Compensated(prom, d1, d2);
    if (reading.pascals < 1000 || reading.pascals > 120'000) return std::nullopt;
    if (reading.centidegrees < -4000 || reading.centidegrees > 8500) return std::nullopt;
    Learn(image.first(kPressureAt));
    return FrameContent{.wire_key = KeyOf(d1, d2), .value = static_cast<double>(reading.pascals)};
  }

 private:
  void Learn(std::span<const std::byte> prom) {
    known_ = std::equal(prom.begin(), prom.end(), latest_.begin());
    std::copy(prom.begin(), prom.end(), latest_.begin());
  }

  std::array<std::byte, kPressureAt> latest_ = {};  // the PROM of the latest image that passed
  bool known_ = false;                              // and of the one before
};

// The pressure at the highest and the lowest place, which falls by less than 12 Pa a metre; read in whole pascals.
ValueLimits LimitsOf(const SensorContext&) {
  constexpr double kSigmas = 8, kPascalsPerMetre = 12;
  return {.lowest = PressureAt(std::chrono::seconds(kRiseSeconds) / 2) - kSigmas * kPressureNoise - 2,
          .highest = PressureAt(Nanos(0)) + kSigmas * kPressureNoise + 2,
          .noise = std::numbers::sqrt2 * kSigmas * kPressureNoise + 2,
          .slope = kPascalsPerMetre * kRise * 2 * std::numbers::pi / kRiseSeconds,
          .repeats = EqualInARow(kPressureNoise)};
}

}  // namespace

std::uint8_t Ms5611Crc4(const Ms5611Prom& prom) {
  unsigned remainder = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    const unsigned word = i / 2 == 7 ? prom[7] & 0xFF00u : prom[i / 2];
    remainder ^= i % 2 == 0 ? word >> 8 : word & 0xFF;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = ((remainder & 0x8000) != 0 ? remainder << 1 ^ 0x3000 : remainder << 1) & 0xFFFF;
    }
  }
  return static_cast<std::uint8_t>(remainder >> 12);
}

Ms5611Reading Ms5611Compensated(const Ms5611Prom& prom, std::uint32_t d1, std::uint32_t d2) {
  const auto c = [&](std::size_t i) { return std::int64_t{prom[i]}; };
  const std::int64_t dt = std::int64_t{d2} - (c(5) << 8);
  std::int64_t temperature = 2000 + ((dt * c(6)) >> 23);
  std::int64_t offset = (c(2) << 16) + ((c(4) * dt) >> 7);
  std::int64_t sensitivity = (c(1) << 15) + ((c(3) * dt) >> 8);
  if (temperature < 2000) {
    const std::int64_t low = (temperature - 2000) * (temperature - 2000);
    std::int64_t offset2 = (5 * low) >> 1, sensitivity2 = (5 * low) >> 2;
    if (temperature < -1500) {
      const std::int64_t very_low = (temperature + 1500) * (temperature + 1500);
      offset2 += 7 * very_low;
      sensitivity2 += (11 * very_low) >> 1;
    }
    temperature -= (dt * dt) >> 31;
    offset -= offset2;
    sensitivity -= sensitivity2;
  }
  return {.centidegrees = temperature, .pascals = (((d1 * sensitivity) >> 21) - offset) >> 15};
}

SensorType Ms5611() {
  return {.info = {.name = "ms5611",
                   .about = "TE MS5611-01BA03, barometer: calibration PROM and raw conversions, OSR 4096",
                   .default_rate = Rate::Hertz(75),
                   .highest_rate = Rate::Hertz(100),
                   .channels = {ChannelKind::kSeqpacket, ChannelKind::kPipe},
                   .formats = {},
                   .batching = {},
                   .parameters = {{kDelivers, ParameterInfo::Kind::kNumber, "0",
                                   "samples per second it really delivers, the others are gaps; 0: all"}},
                   .falsifiable = true},
          .max_frame_size = kImageSize,
          .value_unit = "Pa",
          .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
            return std::make_unique<Model>(context);
          },
          .make_decoder = [](const SensorContext& context) -> std::unique_ptr<Decoder> {
            return std::make_unique<FixedFrames<Check>>(context.channel);
          },
          .value_limits = &LimitsOf};
}

}  // namespace corerig
