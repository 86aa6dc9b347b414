#include "harness/stream/test_sensor.h"

#include <algorithm>
#include <vector>

namespace corerig {
namespace {

// sync A5 5A, size of the whole frame, counter (2), value (4), padding of 0..4 bytes, CRC (2); all little endian.
constexpr std::byte kSync0{0xA5}, kSync1{0x5A};
constexpr std::size_t kLeast = 11;

// CRC-16/CCITT-FALSE: polynomial 0x1021, initial value 0xFFFF.
std::uint16_t Crc(std::span<const std::byte> bytes) {
  std::uint16_t crc = 0xFFFF;
  for (const std::byte byte : bytes) {
    crc = static_cast<std::uint16_t>(crc ^ (std::to_integer<unsigned>(byte) << 8));
    for (int i = 0; i < 8; ++i) {
      crc = static_cast<std::uint16_t>((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
  }
  return crc;
}

void PutNumber(std::span<std::byte> out, std::uint64_t value) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(value >> (8 * i));
}

std::uint64_t GetNumber(std::span<const std::byte> in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < in.size(); ++i) value |= std::to_integer<std::uint64_t>(in[i]) << (8 * i);
  return value;
}

// Of 24 bits in a field of 32, so that a receiver can tell that a value cannot be; neighbours are far apart.
constexpr std::uint32_t kHighest = 0xFF'FFFF;
std::uint32_t RawValue(std::uint64_t sequence) { return static_cast<std::uint32_t>(sequence * 2654435761u) >> 8; }

class TestModel final : public SensorModel {
 public:
  explicit TestModel(const SensorContext& context)
      : mask_(context.format == "message8"   ? 0xFF
              : context.format == "message0" ? 0
                                             : 0xFFFF) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }

  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    const std::uint32_t measured = RawValue(falsified.measurement_of.value_or(sequence));
    const std::size_t size = kLeast + sequence % 5;
    const auto frame = out.first(size);
    std::fill(frame.begin(), frame.end(), kSync0);  // padding that looks like a sync word
    frame[1] = kSync1;
    frame[2] = static_cast<std::byte>(size);
    PutNumber(frame.subspan(3, 2), sequence & mask_);
    PutNumber(frame.subspan(5, 4), static_cast<std::uint64_t>(measured + falsified.bias));
    PutNumber(frame.last(2), Crc(frame.first(size - 2)));
    return {.size = size, .wire_key = sequence & mask_, .value = TestValue(sequence)};
  }

 private:
  const std::uint64_t mask_;
};

// What a frame at the start of `bytes` looks like.
enum class Look { kWhole, kIncomplete, kBad };
Look LookAt(std::span<const std::byte> bytes, bool checked) {
  if (bytes[0] != kSync0 || (bytes.size() > 1 && bytes[1] != kSync1)) return Look::kBad;
  if (bytes.size() < 3) return Look::kIncomplete;
  const auto size = std::to_integer<std::size_t>(bytes[2]);
  if (size < kLeast || size > kLeast + 4) return Look::kBad;
  if (bytes.size() < size) return Look::kIncomplete;
  return !checked || GetNumber(bytes.subspan(size - 2, 2)) == Crc(bytes.first(size - 2)) ? Look::kWhole : Look::kBad;
}

DecodedFrame Decode(std::span<const std::byte> frame, std::uint64_t offset) {
  return {.wire_key = GetNumber(frame.subspan(3, 2)),
          .value = static_cast<double>(GetNumber(frame.subspan(5, 4))),
          .begin = offset,
          .end = offset + std::to_integer<std::size_t>(frame[2])};
}

class MessageDecoder final : public Decoder {
 public:
  explicit MessageDecoder(bool checked) : checked_(checked) {}
  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    if (bytes.empty()) return;
    const bool whole = bytes.size() >= kLeast && (LookAt(bytes, checked_) == Look::kWhole || !checked_);
    if (whole) {
      sink.OnFrame(Decode(bytes, offset));
    } else {
      sink.OnCorrupt(offset, offset + bytes.size());
    }
  }

 private:
  const bool checked_;
};

class ByteDecoder final : public Decoder {
 public:
  ByteDecoder() { kept_.reserve(4096); }
  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    std::uint64_t at = offset - kept_.size();
    kept_.insert(kept_.end(), bytes.begin(), bytes.end());
    std::span<const std::byte> rest = kept_;
    while (!rest.empty()) {
      const Look look = LookAt(rest, true);
      if (look == Look::kIncomplete) break;
      std::size_t used = 1;
      if (look == Look::kWhole) {
        const DecodedFrame frame = Decode(rest, at);
        used = static_cast<std::size_t>(frame.end - frame.begin);
        sink.OnFrame(frame);
      } else {
        sink.OnCorrupt(at, at + 1);
      }
      rest = rest.subspan(used);
      at += used;
    }
    kept_.erase(kept_.begin(), kept_.end() - static_cast<std::ptrdiff_t>(rest.size()));
  }

 private:
  std::vector<std::byte> kept_;
};

}  // namespace

ValueLimits TestLimits(const SensorContext&) { return {.lowest = 0, .highest = kHighest, .repeats = 4}; }

double TestValue(std::uint64_t sequence) { return RawValue(sequence); }

std::unique_ptr<SensorModel> MakeTestModel(const SensorContext& context) {
  return std::make_unique<TestModel>(context);
}

std::unique_ptr<Decoder> MakeTestDecoder(const SensorContext& context) {
  if (context.format == "bytes") return std::make_unique<ByteDecoder>();
  return std::make_unique<MessageDecoder>(context.format != "bare");
}

SensorType TestSensor() {
  return {.info = {.name = "test",
                   .about = "a counter, a value and a CRC",
                   .default_rate = Rate::Hertz(1000),
                   .highest_rate = Rate::Hertz(10'000),
                   .channels = {ChannelKind::kSeqpacket, ChannelKind::kUdp, ChannelKind::kPty, ChannelKind::kPipe,
                                ChannelKind::kStream, ChannelKind::kTcp, ChannelKind::kShm},
                   .formats = {"message", "message8", "message0", "bare", "bytes"},
                   .falsifiable = true},
          .max_frame_size = kTestFrameSize,
          .value_unit = "1",
          .make_model = &MakeTestModel,
          .make_decoder = &MakeTestDecoder,
          .value_limits = &TestLimits};
}

SensorType TestTick() {
  return {.info = {.name = "tick",
                   .about = "the loop's own timer",
                   .default_rate = Rate::Hertz(1000),
                   .highest_rate = Rate::Hertz(10'000),
                   .channels = {ChannelKind::kTimer},
                   .formats = {}},
          .max_frame_size = 0,
          .value_unit = "",
          .make_model = nullptr,
          .make_decoder = nullptr};
}

}  // namespace corerig
