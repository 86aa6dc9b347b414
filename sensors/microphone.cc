#include "sensors/microphone.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

#include "harness/base/philox.h"

namespace corerig {
namespace {

constexpr std::size_t kSampleBytes = 4;
constexpr std::uint32_t kMostSamples = 4800;  // in a frame: 100 ms at the usual rate
constexpr double kHighest = (1 << 23) - 1;    // of 24 bits

// Full scale is a sine's whose peaks are the highest number; 94 dB SPL, -26 dB of it, are 20 uPa * 10^(94 / 20).
constexpr double kReferencePressure = 1.002374;  // Pa, RMS
constexpr double kReferenceLevel = 0.0501187;    // 10^(-26 / 20)
constexpr double kLsbPerPascal = kReferenceLevel * kHighest / std::numbers::sqrt2 / kReferencePressure;  // RMS both

// 65 dB below the reference, A-weighted. A-weighting leaves 0.5343 of the power of white noise from 0 to 24 kHz (the
// integral of IEC 61672-1, formula E.6, by the rectangle rule in steps of 0.12 Hz), so the noise itself is stronger.
constexpr double kNoiseWeighted = kReferencePressure * 5.623413e-4;  // 10^(-65 / 20)
constexpr double kNoiseAt48kHz = kNoiseWeighted / 0.7309506;         // Pa, RMS; 0.7309506 = sqrt(0.5342888)

// The sound: amplitude 1 + 0.5 sin(2 pi t / 2 s), times 1 Pa RMS.
constexpr double kToneHertz = 1000, kPressure = 1, kSwing = 0.5, kSwingSeconds = 2;

double SoundAt(double seconds) {
  constexpr double kTwoPi = 2 * std::numbers::pi;
  const double amplitude = kPressure * std::numbers::sqrt2 * (1 + kSwing * std::sin(kTwoPi / kSwingSeconds * seconds));
  return amplitude * std::sin(kTwoPi * kToneHertz * seconds);
}

class Model final : public SensorModel {
 public:
  explicit Model(const SensorContext& context)
      : context_(context), noise_(kNoiseAt48kHz * std::sqrt(context.rate.hertz() / 48'000)) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    double squares = 0;
    std::array<double, 4> normals = {};
    std::uint64_t drawn = ~std::uint64_t{0};  // which four samples `normals` are of
    const std::uint64_t first = sequence * context_.batch;
    for (std::uint32_t i = 0; i < context_.batch; ++i) {
      const std::uint64_t n = first + i;
      const double sound = SoundAt(static_cast<double>(context_.rate.OffsetOf(n).count()) * 1e-9);
      squares += sound * sound;
      if (n / 4 != drawn) {
        drawn = n / 4;
        normals = RandomNormals(context_.seed, context_.stream_id, drawn);
      }
      const double lsb = (sound + noise_ * normals[n % 4]) * kLsbPerPascal;
      const auto sample = static_cast<std::int32_t>(std::lround(std::clamp(lsb, -kHighest - 1, kHighest)));
      const std::uint32_t word = static_cast<std::uint32_t>(sample) << 8;
      for (std::size_t byte = 0; byte < kSampleBytes; ++byte) {
        out[kSampleBytes * i + byte] = static_cast<std::byte>(word >> (8 * byte));
      }
    }
    return {.size = kSampleBytes * context_.batch, .wire_key = 0, .value = std::sqrt(squares / context_.batch)};
  }

 private:
  const SensorContext context_;
  const double noise_;  // Pa, RMS
};

class PeriodDecoder final : public Decoder {
 public:
  explicit PeriodDecoder(const SensorContext& context) : kept_(kSampleBytes * context.batch) {}

  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    if (offset != next_) {  // bytes are missing: what was begun cannot be finished
      if (size_ > 0) sink.OnCorrupt(next_ - size_, next_);
      size_ = skip_ = 0;
    }
    next_ = offset + bytes.size();
    while (!bytes.empty()) {
      const std::uint64_t at = next_ - bytes.size();
      if (skip_ > 0) {
        const std::size_t skipped = std::min(skip_, bytes.size());
        sink.OnCorrupt(at, at + skipped);
        skip_ -= skipped;
        bytes = bytes.subspan(skipped);
      } else if (size_ == 0 && bytes.size() >= kept_.size()) {
        TakePeriod(bytes.first(kept_.size()), at, sink);
        bytes = bytes.subspan(kept_.size());
      } else {
        const std::size_t more = std::min(kept_.size() - size_, bytes.size());
        std::memcpy(kept_.data() + size_, bytes.data(), more);
        size_ += more;
        bytes = bytes.subspan(more);
        if (size_ < kept_.size()) return;
        size_ = 0;
        TakePeriod(kept_, at + more - kept_.size(), sink);
      }
    }
  }

 private:
  // More samples in a row than a byte other than the lowest is zero for: 24 are half an oscillation of the tone.
  static constexpr std::uint32_t kEvidence = 64;
  static constexpr std::uint32_t kRecently = 8;

  void TakePeriod(std::span<const std::byte> period, std::uint64_t offset, FrameSink& sink) {
    bool good = true;
    double squares = 0;
    for (std::size_t at = 0; at < period.size(); at += kSampleBytes) {
      std::uint32_t word = 0;
      for (std::size_t place = 0; place < kSampleBytes; ++place) {
        const auto byte = std::to_integer<std::uint32_t>(period[at + place]);
        zeros_[place] = byte == 0 ? zeros_[place] + 1 : 0;
        word |= byte << (8 * place);
      }
      good = good && (word & 0xFF) == 0;
      const double sample = static_cast<std::int32_t>(word) >> 8;
      squares += sample * sample;
    }
    const std::uint64_t end = offset + period.size();
    if (good) {
      const auto samples = static_cast<double>(period.size()) / kSampleBytes;
      return sink.OnFrame(
          {.wire_key = 0, .value = std::sqrt(squares / samples) / kLsbPerPascal, .begin = offset, .end = end});
    }
    sink.OnCorrupt(offset, end);
    const auto lowest = std::max_element(zeros_.begin(), zeros_.end());
    if (*lowest < kEvidence || zeros_[0] >= kRecently) return;
    skip_ = static_cast<std::size_t>(lowest - zeros_.begin());
    zeros_ = {};
  }

  std::vector<std::byte> kept_;  // the beginning of a period whose end is still to come
  std::size_t size_ = 0;
  std::size_t skip_ = 0;  // bytes until the next sample begins
  std::uint64_t next_ = 0;
  std::array<std::uint32_t, kSampleBytes> zeros_ = {};  // by byte of a sample: in how many of the latest it was zero
};

}  // namespace

SensorType Microphone() {
  return {.info = {.name = "microphone",
                   .about = "TDK ICS-43434, digital microphone: raw S32_LE, 24 bits left-justified, no header",
                   .default_rate = Rate::Hertz(48'000),
                   .highest_rate = Rate::Hertz(51'600),
                   .channels = {ChannelKind::kPipe},
                   .formats = {},
                   .batching = {.most = kMostSamples, .frames = Rate::Hertz(100)}},
          .max_frame_size = kSampleBytes * kMostSamples,
          .value_unit = "Pa",  // RMS of the period
          .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
            return std::make_unique<Model>(context);
          },
          .make_decoder = [](const SensorContext& context) -> std::unique_ptr<Decoder> {
            return std::make_unique<PeriodDecoder>(context);
          }};
}

}  // namespace corerig
