#include "sensors/camera.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

#include "harness/base/philox.h"
#include "sensors/byte_order.h"

namespace corerig {
namespace {

constexpr int kWidth = 640, kHeight = 480;
constexpr std::size_t kHeaderSize = 64;
constexpr std::array<std::byte, 4> kMagic = {std::byte{0x89}, std::byte{0x43}, std::byte{0x41}, std::byte{0x4D}};
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kExposureMicros = 10'000;
// Where in the header.
constexpr std::size_t kVersionAt = 4, kHeaderSizeAt = 6, kFormatAt = 8, kWidthAt = 12, kHeightAt = 14, kSequenceAt = 16,
                      kPayloadAt = 20, kStampAt = 24, kExposureAt = 32, kChecksumAt = 48, kCrcAt = 60;

constexpr std::uint32_t FourCharacters(const char (&code)[5]) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(static_cast<unsigned char>(code[i])) << (8 * i);
  return value;
}

// What a format is on the wire.
struct PixelFormat {
  std::uint32_t code;
  std::size_t pixel_bytes;
  std::size_t row_bytes() const { return kWidth * pixel_bytes; }
  std::size_t payload() const { return kHeight * row_bytes(); }
  std::size_t frame() const { return kHeaderSize + payload(); }
  bool gray() const { return pixel_bytes == 1; }
};
constexpr PixelFormat kGray8 = {.code = FourCharacters("GREY"), .pixel_bytes = 1};
constexpr PixelFormat kRaw16 = {.code = FourCharacters("RG12"), .pixel_bytes = 2};

const PixelFormat& FormatOf(const SensorContext& context) { return context.format == "raw16" ? kRaw16 : kGray8; }

// CRC-32C (RFC 3720, appendix B.4): polynomial 1EDC6F41 reflected, initial value and final XOR all ones.
std::uint32_t Crc32c(std::span<const std::byte> bytes) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table = {};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
      table[i] = crc;
    }
    return table;
  }();
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::byte byte : bytes) crc = crc >> 8 ^ kTable[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
  return ~crc;
}

// The payload's checksum. Loops of fixed length over separate lanes: the compiler makes vectors of them.
class Checksum {
 public:
  static constexpr std::size_t kLanes = 16, kBlock = kLanes * sizeof(std::uint32_t);

  // A whole number of blocks.
  void Add(std::span<const std::byte> bytes) {
    std::array<std::uint32_t, kLanes> a = a_, b = b_;
    for (std::size_t at = 0; at + kBlock <= bytes.size(); at += kBlock) {
      std::uint32_t words[kLanes];
      std::memcpy(words, bytes.data() + at, kBlock);
      for (std::size_t i = 0; i < kLanes; ++i) {
        a[i] += LittleEndian(words[i]);
        b[i] += a[i];
      }
    }
    a_ = a;
    b_ = b;
  }

  std::uint64_t value() const {
    std::uint64_t h = 0;
    for (std::size_t i = 0; i < kLanes; ++i) {
      for (const std::uint32_t x : {a_[i], b_[i]}) {
        h = (h ^ x) * 0x9E3779B97F4A7C15u;
        h ^= h >> 32;
      }
    }
    return h;
  }

 private:
  static std::uint32_t LittleEndian(std::uint32_t word) {
    return std::endian::native == std::endian::little ? word : __builtin_bswap32(word);
  }
  std::array<std::uint32_t, kLanes> a_ = {}, b_ = {};
};
static_assert(kWidth % Checksum::kBlock == 0, "a row is a whole number of blocks in every format");

// The part. Electrons at saturation, noise of reading in electrons; both from the two ratios of the data sheet.
constexpr double kFullWell = 25'119;                          // 44 dB = 20 lg sqrt(full well)
constexpr double kReadNoise = 1.995;                          // 82 dB = 20 lg (full well / read noise)
constexpr double kHighest = 4095;                             // of 12 bits
constexpr double kPedestal = 168;                             // what no light reads
constexpr double kGain = (kHighest - kPedestal) / kFullWell;  // per electron

// The light, as shares of the full well, and how much of it the filters of the mosaic let through.
constexpr double kDark = 0.1, kBright = 0.4, kDisc = 0.8;  // the gradient from left to right, the disc
constexpr double kRed = 0.6, kGreen = 1, kBlue = 0.7;

// The disc's way: an ellipse, so that its position and its neighbours' differ.
constexpr double kRadius = 40, kSpanX = 220, kSpanY = 140, kSecondsPerTurn = 4;

// Pixels are computed in 16-bit fixed point: of the mean 3 bits after the point, of noise (standard normal) 11; the
// product of a standard deviation with 8 and a noise with 11, its low 16 bits dropped, has 3.
constexpr int kMeanBits = 3, kNoiseBits = 11, kDeviationBits = 16 + kMeanBits - kNoiseBits;
// What every row can differ by: nine standard deviations of the disc still fit into 15 bits.
static_assert((kPedestal + kGain * kFullWell * kDisc) * (1 << kMeanBits) + 9 * 23 * (1 << kMeanBits) < 32767);

// How a pixel of the mean `light` is: EMVA 1288, (3): the variance of the electrons is their mean, and the read
// noise's.
struct Pixels {
  alignas(64) std::array<std::int16_t, kWidth> mean = {}, deviation = {};
  void Set(int x, double light) {
    const double electrons = light * kFullWell;
    mean[x] = static_cast<std::int16_t>(std::lround((kPedestal + kGain * electrons) * (1 << kMeanBits)));
    deviation[x] = static_cast<std::int16_t>(
        std::lround(kGain * std::sqrt(electrons + kReadNoise * kReadNoise) * (1 << kDeviationBits)));
  }
};

// One pixel, 12 bits.
inline std::int16_t Expose(std::int16_t mean, std::int16_t deviation, std::int16_t noise) {
  const auto product = static_cast<std::int16_t>((std::int32_t{deviation} * noise) >> 16);
  const auto value = static_cast<std::int16_t>((mean + product) >> kMeanBits);
  return std::clamp<std::int16_t>(value, 0, static_cast<std::int16_t>(kHighest));
}

void ExposeRow(const Pixels& pixels, const std::int16_t* __restrict noise, std::uint8_t* __restrict out) {
  for (int x = 0; x < kWidth; ++x) {
    out[x] = static_cast<std::uint8_t>(Expose(pixels.mean[x], pixels.deviation[x], noise[x]) >> 4);
  }
}

void ExposeRow(const Pixels& pixels, const std::int16_t* __restrict noise, std::uint16_t* __restrict out) {
  for (int x = 0; x < kWidth; ++x) {
    const auto value = static_cast<std::uint16_t>(Expose(pixels.mean[x], pixels.deviation[x], noise[x]));
    out[x] = std::endian::native == std::endian::little ? value : __builtin_bswap16(value);
  }
}

struct Disc {
  double x, y;  // in pixels from the corner of the image: pixel 0 covers 0 to 1
};

Disc DiscAt(double seconds) {
  const double angle = 2 * std::numbers::pi * seconds / kSecondsPerTurn;
  return {.x = kWidth / 2. + kSpanX * std::cos(angle), .y = kHeight / 2. + kSpanY * std::sin(angle)};
}

enum Lane : std::uint32_t { kTileLane, kRowLane };

class Model final : public SensorModel {
 public:
  explicit Model(const SensorContext& context) : context_(context), format_(FormatOf(context)), tile_(kTile + kWidth) {
    for (std::size_t i = 0; i < kTile; i += 4) {
      const auto normals = RandomNormals(context.seed, context.stream_id, i / 4, kTileLane);
      for (std::size_t k = 0; k < 4; ++k) {
        tile_[i + k] = static_cast<std::int16_t>(std::lround(normals[k] * (1 << kNoiseBits)));
      }
    }
    std::copy_n(tile_.begin(), kWidth, tile_.begin() + kTile);
    for (int x = 0; x < kWidth; ++x) {
      const double light = kDark + (kBright - kDark) * x / (kWidth - 1);
      for (int parity = 0; parity < 2; ++parity) {
        background_[parity].Set(x, light * Filter(x, parity));
        disc_[parity].Set(x, kDisc * Filter(x, parity));
      }
    }
  }

  // Noise is drawn once, for a tile of pixels, and every row of every frame takes it from another place of the tile
  // (Philox, by frame and row). So it is normal, and white within a row; two rows have a piece in common as often as
  // two places in the tile are near each other, one in fifty.
  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    const Nanos offset = context_.rate.OffsetOf(sequence);
    const Disc disc = DiscAt(static_cast<double>(offset.count()) * 1e-9);
    std::fill_n(out.begin(), kHeaderSize, std::byte{0});
    std::copy(kMagic.begin(), kMagic.end(), out.begin());
    PutLittleEndian(out, kVersionAt, kVersion, 2);
    PutLittleEndian(out, kHeaderSizeAt, kHeaderSize, 2);
    PutLittleEndian(out, kFormatAt, format_.code, 4);
    PutLittleEndian(out, kWidthAt, kWidth, 2);
    PutLittleEndian(out, kHeightAt, kHeight, 2);
    PutLittleEndian(out, kSequenceAt, sequence, 4);
    PutLittleEndian(out, kPayloadAt, format_.payload(), 4);
    PutLittleEndian(out, kStampAt, static_cast<std::uint64_t>((context_.clock_offset + offset).count()), 8);
    PutLittleEndian(out, kExposureAt, kExposureMicros, 4);

    Checksum checksum;
    PhiloxCounter places = {};
    for (int y = 0; y < kHeight; ++y) {
      if (y % 4 == 0) {
        places = RandomWords(context_.seed, context_.stream_id, sequence * (kHeight / 4) + static_cast<unsigned>(y / 4),
                             kRowLane);
      }
      const std::int16_t* const noise = tile_.data() + places[static_cast<std::size_t>(y % 4)] % kTile;
      std::byte* const row = out.data() + kHeaderSize + static_cast<std::size_t>(y) * format_.row_bytes();
      const Pixels& pixels = RowOf(y, disc);
      if (format_.gray()) {
        ExposeRow(pixels, noise, reinterpret_cast<std::uint8_t*>(row));
      } else {
        ExposeRow(pixels, noise, reinterpret_cast<std::uint16_t*>(row));
      }
      checksum.Add({row, format_.row_bytes()});  // while it is in the cache
    }
    PutLittleEndian(out, kChecksumAt, checksum.value(), 8);
    PutLittleEndian(out, kCrcAt, Crc32c(out.first(kCrcAt)), 4);
    return {.size = format_.frame(), .wire_key = sequence & 0xFFFFFFFF, .value = disc.x};
  }

 private:
  static constexpr std::size_t kTile = 1 << 16;

  double Filter(int x, int y) const {
    if (format_.gray() || (x + y) % 2 != 0) return kGreen;
    return y % 2 == 0 ? kRed : kBlue;
  }

  // The background, and the disc where the row meets it; a pixel on its border is lit in proportion.
  const Pixels& RowOf(int y, const Disc& disc) {
    const Pixels& background = background_[y % 2];
    const double above = y + 0.5 - disc.y, half_square = kRadius * kRadius - above * above;
    if (half_square <= 0) return background;
    const double half = std::sqrt(half_square), left = disc.x - half, right = disc.x + half;
    row_ = background;
    const int first = std::max(0, static_cast<int>(left)), last = std::min(kWidth - 1, static_cast<int>(right));
    const Pixels& lit = disc_[y % 2];
    std::copy(lit.mean.begin() + first, lit.mean.begin() + last + 1, row_.mean.begin() + first);
    std::copy(lit.deviation.begin() + first, lit.deviation.begin() + last + 1, row_.deviation.begin() + first);
    for (const int x : {first, last}) {
      const double covered = std::min<double>(right, x + 1) - std::max<double>(left, x);
      const double behind = kDark + (kBright - kDark) * x / (kWidth - 1);
      row_.Set(x, (behind + (kDisc - behind) * covered) * Filter(x, y));
    }
    return row_;
  }

  const SensorContext context_;
  const PixelFormat format_;
  std::vector<std::int16_t> tile_;  // of standard normals; its beginning once more at its end
  Pixels background_[2], disc_[2];  // of even and of odd rows
  Pixels row_;
};

// Where the disc is: the mean place of the pixels, of every fourth row (of a mosaic the green ones), that are brighter
// than the middle between disc and background; 0 if there is none.
double FindDisc(std::span<const std::byte> payload, const PixelFormat& format) {
  constexpr double kMiddle = kPedestal + kGain * kFullWell * (kBright + kDisc) / 2;
  std::int64_t count = 0, sum = 0;
  for (int y = 0; y < kHeight; y += 4) {
    const std::byte* const row = payload.data() + static_cast<std::size_t>(y) * format.row_bytes();
    std::int32_t row_count = 0, row_sum = 0;
    if (format.gray()) {
      constexpr int kThreshold = static_cast<int>(kMiddle) >> 4;
      for (int x = 0; x < kWidth; ++x) {
        const int bright = std::to_integer<int>(row[x]) > kThreshold ? 1 : 0;
        row_count += bright;
        row_sum += bright * x;
      }
    } else {
      constexpr int kThreshold = static_cast<int>(kMiddle);
      for (int x = 1; x < kWidth; x += 2) {
        const int value = std::to_integer<int>(row[2 * x]) | std::to_integer<int>(row[2 * x + 1]) << 8;
        const int bright = value > kThreshold ? 1 : 0;
        row_count += bright;
        row_sum += bright * x;
      }
    }
    count += row_count;
    sum += row_sum;
  }
  return count == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(count) + 0.5;
}

class FrameDecoder final : public Decoder {
 public:
  explicit FrameDecoder(const SensorContext& context)
      : format_(FormatOf(context)), messages_(IsDatagram(context.channel)), kept_(messages_ ? 0 : format_.frame()) {}

  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    if (messages_) {
      if (bytes.size() != format_.frame() || !TakeFrame(bytes, offset, sink)) {
        sink.OnCorrupt(offset, offset + bytes.size());
      }
      return;
    }
    if (offset != next_) {  // bytes are missing: what was begun cannot be finished
      if (size_ > 0) sink.OnCorrupt(next_ - size_, next_);
      size_ = 0;
    }
    next_ = offset + bytes.size();
    while (!bytes.empty()) {
      if (size_ == 0) {
        TakeInPlace(bytes, offset, sink);
        continue;
      }
      // A header is looked at as soon as it is whole, so that a wrong one does not swallow a frame's worth of bytes.
      const std::size_t goal = size_ < kHeaderSize ? kHeaderSize : format_.frame();
      const std::size_t more = std::min(goal - size_, bytes.size());
      std::memcpy(kept_.data() + size_, bytes.data(), more);
      size_ += more;
      offset += more;
      bytes = bytes.subspan(more);
      const std::uint64_t begin = offset - size_;
      if (size_ == format_.frame() && TakeFrame(kept_, begin, sink)) {
        size_ = 0;
      } else if (size_ == format_.frame() || !MayBegin(std::span(kept_).first(size_))) {
        Restart(begin, sink);
      }
    }
  }

 private:
  // Frames that lie in `bytes` whole are taken where they are; the beginning of one at their end is kept.
  void TakeInPlace(std::span<const std::byte>& bytes, std::uint64_t& offset, FrameSink& sink) {
    const auto advance = [&](std::size_t n) { bytes = bytes.subspan(n), offset += n; };
    if (const std::size_t garbage = FindBeginning(bytes, 0); garbage > 0) {
      sink.OnCorrupt(offset, offset + garbage);
      return advance(garbage);
    }
    if (bytes.size() < format_.frame()) {
      std::memcpy(kept_.data(), bytes.data(), size_ = bytes.size());
      return advance(size_);
    }
    if (TakeFrame(bytes.first(format_.frame()), offset, sink)) return advance(format_.frame());
    sink.OnCorrupt(offset, offset + 1);
    advance(1);
  }

  // What is kept is no frame: goes on behind its first byte. There may be the next frame's beginning in it.
  void Restart(std::uint64_t begin, FrameSink& sink) {
    const std::size_t from = FindBeginning(std::span(kept_).first(size_), 1);
    sink.OnCorrupt(begin, begin + from);
    size_ -= from;
    std::memmove(kept_.data(), kept_.data() + from, size_);
  }

  // The first place not before `from` where a frame may begin; the end if there is none.
  std::size_t FindBeginning(std::span<const std::byte> bytes, std::size_t from) const {
    while (from < bytes.size()) {
      const void* const found = std::memchr(bytes.data() + from, std::to_integer<int>(kMagic[0]), bytes.size() - from);
      if (found == nullptr) return bytes.size();
      from = static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes.data());
      if (MayBegin(bytes.subspan(from))) return from;
      ++from;
    }
    return from;
  }

  // Whether `bytes` are a frame's, as far as its header goes.
  bool MayBegin(std::span<const std::byte> bytes) const {
    if (bytes.size() < kHeaderSize) {
      return std::equal(kMagic.begin(), kMagic.begin() + std::min(kMagic.size(), bytes.size()), bytes.begin());
    }
    std::array<std::byte, kHeaderSize> header;
    std::copy_n(bytes.begin(), kHeaderSize, header.begin());
    return Valid(header);
  }

  bool Valid(const std::array<std::byte, kHeaderSize>& header) const {
    const auto has = [&](std::size_t at, std::size_t size, std::uint64_t value) {
      return LittleEndian(header, at, size) == value;
    };
    return std::equal(kMagic.begin(), kMagic.end(), header.begin()) && has(kVersionAt, 2, kVersion) &&
           has(kHeaderSizeAt, 2, kHeaderSize) && has(kFormatAt, 4, format_.code) && has(kWidthAt, 2, kWidth) &&
           has(kHeightAt, 2, kHeight) && has(kPayloadAt, 4, format_.payload()) && has(36, 8, 0) && has(44, 4, 0) &&
           has(56, 4, 0) && has(kCrcAt, 4, Crc32c(std::span(header).first(kCrcAt)));
  }

  // `bytes` have a frame's size. They may lie in another process's memory: the header is copied and then read.
  bool TakeFrame(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) const {
    std::array<std::byte, kHeaderSize> header;
    std::copy_n(bytes.begin(), kHeaderSize, header.begin());
    if (!Valid(header)) return false;
    const auto payload = bytes.subspan(kHeaderSize);
    Checksum checksum;
    checksum.Add(payload);
    if (checksum.value() != LittleEndian(header, kChecksumAt, 8)) return false;
    sink.OnFrame({.wire_key = LittleEndian(header, kSequenceAt, 4),
                  .value = FindDisc(payload, format_),
                  .begin = offset,
                  .end = offset + bytes.size()});
    return true;
  }

  const PixelFormat format_;
  const bool messages_;
  std::vector<std::byte> kept_;  // the beginning of a frame whose end is still to come
  std::size_t size_ = 0;
  std::uint64_t next_ = 0;
};

}  // namespace

SensorType Camera() {
  return {.info = {.name = "camera",
                   .about = "Camera 640 x 480 of a 1/3-inch sensor (AR0130CS): grey 8 bit, or raw RGGB 12 bit in 16",
                   .default_rate = Rate::Hertz(30),
                   .highest_rate = Rate::Hertz(60),
                   .channels = {ChannelKind::kShm, ChannelKind::kStream},
                   .formats = {"gray8", "raw16"}},
          .max_frame_size = kRaw16.frame(),
          .value_unit = "pixel",  // the disc's centre, from the left
          .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
            return std::make_unique<Model>(context);
          },
          .make_decoder = [](const SensorContext& context) -> std::unique_ptr<Decoder> {
            return std::make_unique<FrameDecoder>(context);
          }};
}

}  // namespace corerig
