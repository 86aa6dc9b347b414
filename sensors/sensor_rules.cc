#include "sensors/sensor_rules.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>
#include <set>

#include "harness/base/allocation_count.h"
#include "harness/base/philox.h"
#include "sensors/received.h"

namespace corerig {

std::vector<Way> WaysOf(std::span<const SensorType> sensors, Wire (*wire_of)(const SensorType&, std::string_view)) {
  std::vector<Way> ways;
  for (const SensorType& sensor : sensors) {
    if (sensor.make_model == nullptr) continue;
    const auto& batching = sensor.info.batching;
    const std::set<std::uint32_t> batches = {batching.least, std::clamp(5u, batching.least, batching.most),
                                             batching.most};
    auto formats = sensor.info.formats;
    if (formats.empty()) formats.push_back("");
    for (const std::string_view format : formats) {
      const Wire wire = wire_of == nullptr ? Wire{} : wire_of(sensor, format);
      for (const ChannelKind channel : ChannelsOf(sensor.info, format)) {
        for (const std::uint32_t batch : batches) ways.push_back({&sensor, format, channel, batch, wire});
      }
    }
  }
  return ways;
}

void PrintTo(const Way& way, std::ostream* out) { *out << NameOfWay({way, 0}); }

std::string NameOfWay(const testing::TestParamInfo<Way>& info) {
  const Way& way = info.param;
  std::string name = std::string(way.sensor->info.name) + "_" + std::string(way.format) + "_" +
                     std::string(ToText(way.channel)) + "_" + std::to_string(way.batch);
  std::erase(name, '-');
  return name;
}

std::uint64_t EverySensor::Frames(std::uint64_t samples, std::uint64_t least) const {
  const std::uint64_t frames = std::max<std::uint64_t>(samples / GetParam().batch, least);
  return large() ? std::max<std::uint64_t>(frames / 40, 4) : frames;
}

SensorContext EverySensor::ContextFor(Rate rate) const {
  SensorContext context = ContextOf(sensor(), rate);
  context.format = GetParam().format;
  context.channel = GetParam().channel;
  context.batch = GetParam().batch;
  for (const auto& parameter : wire().parameters) Set(context, parameter.name, parameter.value);
  return context;
}

namespace {

TEST_P(EverySensor, SaysOfItselfWhatAScenarioNeeds) {
  const SensorInfo& info = sensor().info;
  EXPECT_FALSE(info.name.empty());
  EXPECT_EQ(info.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string_view::npos);
  EXPECT_FALSE(info.about.empty());
  EXPECT_FALSE(sensor().value_unit.empty());
  EXPECT_GT(info.default_rate.millihertz, 0);
  EXPECT_LE(info.default_rate, info.highest_rate);
  EXPECT_NE(sensor().make_decoder, nullptr);
  for (const ChannelKind channel : info.channels) EXPECT_NE(channel, ChannelKind::kTimer);
}

TEST_P(EverySensor, WhatIsSentIsReceivedWithItsKeyAndItsBytes) {
  const auto context = Context();
  const auto model = sensor().make_model(context);
  const auto decoder = sensor().make_decoder(context);
  std::uint64_t offset = 0;
  for (std::uint64_t sequence = 0; sequence < Frames(2000, 20); ++sequence) {
    const Encoded sent = Encode(sensor(), *model, sequence);
    Received received;
    decoder->Feed(sent.bytes, offset, received);
    ASSERT_EQ(received.frames.size(), 1u) << sequence;
    ASSERT_TRUE(received.corrupt.empty()) << sequence;
    ASSERT_EQ(received.frames[0].wire_key, sent.frame.wire_key) << sequence;
    ASSERT_EQ(received.frames[0].begin, offset);
    offset += sent.bytes.size();
    ASSERT_EQ(received.frames[0].end, offset);
  }
}

TEST_P(EverySensor, AFrameIsAFunctionOfContextAndSequenceAlone) {
  const auto context = Context();
  const auto forwards = sensor().make_model(context), backwards = sensor().make_model(context);
  const std::uint64_t frames = Frames(50, 8);
  std::vector<Encoded> expected;
  for (std::uint64_t sequence = 0; sequence < frames; ++sequence) {
    expected.push_back(Encode(sensor(), *forwards, sequence));
  }
  for (std::uint64_t sequence = frames; sequence-- > 0;) {
    const Encoded again = Encode(sensor(), *backwards, sequence);
    EXPECT_EQ(again.bytes, expected[sequence].bytes) << sequence;
    EXPECT_EQ(again.frame.value, expected[sequence].frame.value) << sequence;
    EXPECT_EQ(again.frame.wire_key, expected[sequence].frame.wire_key) << sequence;
  }
}

TEST_P(EverySensor, AnotherSeedOrStreamHasOtherNoise) {
  if (sensor().info.read_recording) GTEST_SKIP() << "a recording is what it is";
  const auto context = Context();
  auto other_seed = context, other_stream = context;
  other_seed.seed += 1;
  other_stream.stream_id += 1;
  const auto bytes = Encode(sensor(), *sensor().make_model(context), 5).bytes;
  EXPECT_NE(Encode(sensor(), *sensor().make_model(other_seed), 5).bytes, bytes);
  EXPECT_NE(Encode(sensor(), *sensor().make_model(other_stream), 5).bytes, bytes);
}

TEST_P(EverySensor, NeighboursHaveDistinctKeysAtTheHighestRateAlsoWhenTheyWrap) {
  if (wire().key == Wire::Key::kNone) {
    // Then they are found by their place in the bytes alone, which messages do not have.
    EXPECT_FALSE(IsDatagram(GetParam().channel));
    return;
  }
  if (wire().key == Wire::Key::kRepeatingMeasurement) GTEST_SKIP() << "see SamplesOfOneKeyAreSamplesOfTheSameBytes";
  constexpr std::uint64_t kNeighbours = 100;
  const std::uint64_t frames = Frames(20'000, 2 * kNeighbours);
  const auto model = sensor().make_model(ContextFor(sensor().info.highest_rate));
  std::vector<std::uint64_t> keys;
  for (std::uint64_t sequence = 0; sequence < frames; ++sequence) {
    keys.push_back(Encode(sensor(), *model, sequence).frame.wire_key);
  }
  const std::uint64_t together = std::min(kNeighbours, frames);
  for (std::uint64_t first = 0; first + together <= frames; first += (together + 1) / 2) {
    const std::set<std::uint64_t> distinct(keys.begin() + first, keys.begin() + first + together);
    ASSERT_EQ(distinct.size(), together) << "from sample " << first;
  }
}

// Then no receiver can tell them apart either, and which of them was meant makes no difference to what was received.
TEST_P(EverySensor, SamplesOfOneKeyAreSamplesOfTheSameBytes) {
  if (wire().key != Wire::Key::kRepeatingMeasurement)
    GTEST_SKIP() << "the wire has a counter, a stamp or never repeats itself";
  const auto model = sensor().make_model(ContextFor(sensor().info.highest_rate));
  std::map<std::uint64_t, std::vector<std::byte>> seen;
  for (std::uint64_t sequence = 0; sequence < 20'000; ++sequence) {
    const Encoded sent = Encode(sensor(), *model, sequence);
    ASSERT_EQ(seen.emplace(sent.frame.wire_key, sent.bytes).first->second, sent.bytes) << sequence;
  }
}

// Frames with every kind of damage between them.
std::vector<std::byte> DamagedStream(const SensorType& sensor, SensorModel& model, std::uint64_t frames) {
  std::vector<std::byte> stream;
  for (std::uint64_t sequence = 0; sequence < frames; ++sequence) {
    auto bytes = Encode(sensor, model, sequence).bytes;
    const auto draw = RandomWords(3, StreamId("damage"), sequence);
    switch (draw[0] % 10) {
      case 0:
        bytes[draw[1] % bytes.size()] ^= std::byte(1 << draw[2] % 8);
        break;
      case 1:
        bytes.resize(draw[1] % bytes.size());
        break;
      case 2:
        for (std::uint32_t i = 0; i < draw[1] % 40; ++i) {
          bytes.push_back(static_cast<std::byte>(RandomWords(4, StreamId("damage"), sequence, i)[0]));
        }
        break;
      case 3:
        bytes.insert(bytes.begin(), bytes.begin(), bytes.end());
        break;
      default:
        break;
    }
    stream.insert(stream.end(), bytes.begin(), bytes.end());
  }
  return stream;
}

TEST_P(EverySensor, BytesInPiecesOfAnySizeGiveTheFramesOfTheWhole) {
  if (IsDatagram(GetParam().channel)) GTEST_SKIP() << "messages come whole";
  const auto model = sensor().make_model(Context());
  const auto stream = DamagedStream(sensor(), *model, large() ? 40 : Frames(200, 60));
  const auto feed = [&](const auto& size_of_piece) {
    Received received;
    const auto decoder = sensor().make_decoder(Context());
    for (std::size_t at = 0, piece = 0; at < stream.size(); ++piece) {
      const std::size_t size = std::min<std::size_t>(size_of_piece(piece), stream.size() - at);
      decoder->Feed(std::vector<std::byte>(stream.begin() + at, stream.begin() + at + size), at, received);
      at += size;
    }
    return received;
  };
  const Received whole = feed([&](std::size_t) { return stream.size(); });
  EXPECT_GT(whole.frames.size(), 10u);
  EXPECT_GT(whole.corrupt.size(), 3u);
  const auto expect_same = [&](const Received& received, const std::string& pieces) {
    ASSERT_EQ(received.frames.size(), whole.frames.size()) << pieces;
    for (std::size_t i = 0; i < whole.frames.size(); ++i) {
      ASSERT_EQ(received.frames[i].begin, whole.frames[i].begin) << pieces;
      ASSERT_EQ(received.frames[i].end, whole.frames[i].end) << pieces;
      ASSERT_EQ(received.frames[i].wire_key, whole.frames[i].wire_key) << pieces;
      ASSERT_EQ(received.frames[i].value, whole.frames[i].value) << pieces;
    }
    EXPECT_EQ(received.corrupt, whole.corrupt) << pieces;
    EXPECT_TRUE(received.in_order) << pieces;
  };
  // Of large frames pieces of a few bytes would take minutes.
  const std::size_t scale = large() ? 1021 : 1;
  for (std::size_t size = 1; size <= 40; size += GetParam().batch > 5 || large() ? 13 : 1) {
    expect_same(feed([&](std::size_t) { return size * scale; }), std::to_string(size * scale));
  }
  const auto any = [&](std::size_t piece) { return 1 + RandomWords(5, StreamId("piece"), piece)[0] % (300 * scale); };
  expect_same(feed(any), "any");
}

// A model and what a receiver reads of its frames, one after the other.
class Shown {
 public:
  Shown(const SensorType& sensor, const SensorContext& context)
      : model_(sensor.make_model(context)), decoder_(sensor.make_decoder(context)), bytes_(sensor.max_frame_size) {}

  // The value that is read of a frame; `encoded` then says what the model said of it.
  double At(std::uint64_t sequence, const Falsification& falsified = {}) {
    encoded = model_->EncodeFalsified(sequence, falsified, bytes_);
    Received received;
    decoder_->Feed(std::span(bytes_).first(encoded.size), offset_, received);
    offset_ += encoded.size;
    EXPECT_EQ(received.frames.size(), 1u) << sequence;
    if (received.frames.size() != 1) return 0;
    EXPECT_EQ(received.frames[0].wire_key, encoded.wire_key) << sequence;
    return received.frames[0].value;
  }
  EncodedFrame encoded;

 private:
  const std::unique_ptr<SensorModel> model_;
  const std::unique_ptr<Decoder> decoder_;
  std::vector<std::byte> bytes_;
  std::uint64_t offset_ = 0;
};

TEST_P(EverySensor, AFalsifiedMeasurementIsAnEarlierOneOrBiasedAndAllElseIsTheFramesOwn) {
  if (!sensor().info.falsifiable) GTEST_SKIP() << "its measurement cannot be falsified";
  const auto context = Context();
  const auto model = sensor().make_model(context), same = sensor().make_model(context);
  Shown clean(sensor(), context), stuck(sensor(), context), biased(sensor(), context);
  constexpr std::uint64_t kStuckAt = 9;
  double last = 0;
  for (std::uint64_t n = 0; n <= kStuckAt; ++n) {
    clean.At(n);
    biased.At(n);
    last = stuck.At(n);
  }
  for (std::uint64_t n = kStuckAt + 1; n < kStuckAt + 30; ++n) {
    const Encoded plain = Encode(sensor(), *model, n);
    std::vector<std::byte> bytes(sensor().max_frame_size);
    bytes.resize(same->EncodeFalsified(n, {}, bytes).size);
    ASSERT_EQ(bytes, plain.bytes) << "with nothing falsified it is Encode";
    EXPECT_EQ(stuck.At(n, {.measurement_of = kStuckAt}), last) << n;
    EXPECT_NEAR(biased.At(n, {.bias = wire().bias}) - clean.At(n), wire().bias, wire().tolerance) << n;
    for (const Shown* shown : {&stuck, &biased}) {
      EXPECT_EQ(shown->encoded.value, plain.frame.value) << "the truth stays that of the sample, " << n;
      if (key_is_measurement()) continue;
      EXPECT_EQ(shown->encoded.wire_key, plain.frame.wire_key) << n;
    }
  }
  EXPECT_NEAR(stuck.At(kStuckAt + 30), clean.At(kStuckAt + 30), 1e-9) << "afterwards it measures as before";
}

TEST_P(EverySensor, NoCleanValueIsImplausibleOrTakenForStuckAndAFalseOneIs) {
  if (sensor().value_limits == nullptr) GTEST_SKIP() << "nothing is taken for granted about its values";
  if (GetParam().channel != sensor().info.channels[0]) GTEST_SKIP() << "values are the same on every channel";
  const Rate highest = sensor().info.highest_rate;
  const std::uint64_t frames = Frames(2000, 100);
  for (const Rate rate : {Rate{highest.millihertz / 20}, Rate{highest.millihertz / 4}, highest}) {
    const auto context = ContextFor(rate);
    const ValueLimits limits = sensor().value_limits(context);
    Shown shown(sensor(), context);
    ValueWatch watch(limits);
    const auto due = [&](std::uint64_t n) { return rate.OffsetOf(n * context.batch); };
    for (std::uint64_t n = 0; n < frames; ++n) {
      const double value = shown.At(n);
      const auto found = watch.Look(value, due(n));
      ASSERT_FALSE(found.implausible) << "sample " << n << " at " << rate.hertz() << " Hz: " << value;
      ASSERT_EQ(found.repeating, 0u) << "sample " << n << " at " << rate.hertz() << " Hz";
    }
    if (!sensor().info.falsifiable) continue;
    // A way has no end: there only a jump tells, of less than half of what its counter holds.
    const double range = limits.highest - limits.lowest, bias = std::isfinite(range) ? range : 3;
    EXPECT_TRUE(watch.Look(shown.At(frames, {.bias = bias}), due(frames)).implausible) << rate.hertz() << " Hz";
    std::uint32_t repeating = 0;
    for (std::uint64_t n = frames + 1; n <= frames + kMostRepeats; ++n) {
      repeating += watch.Look(shown.At(n, {.measurement_of = frames - 1}), due(n)).repeating;
    }
    EXPECT_EQ(repeating, limits.repeats > 0 ? kMostRepeats - 1 : 0) << rate.hertz() << " Hz";
  }
}

// Counts; takes no memory.
struct Counted final : FrameSink {
  std::uint64_t frames = 0, corrupt = 0;
  void OnFrame(const DecodedFrame&) override { ++frames; }
  void OnCorrupt(std::uint64_t, std::uint64_t) override { ++corrupt; }
};

TEST_P(EverySensor, TakesNoMemoryPerFrame) {
  const auto context = Context();
  const std::uint64_t frames = Frames(300, 100);
  std::vector<std::byte> bytes(sensor().max_frame_size);
  const auto damage = [](std::uint64_t n) { return n % 7 == 3; };
  Counted sink;
  const auto model = sensor().make_model(context);
  const auto decoder = sensor().make_decoder(context);
  std::uint64_t offset = 0;
  const long before = AllocationCount();
  for (std::uint64_t n = 0; n < frames; ++n) {
    const std::size_t size = model->Encode(n, bytes).size;
    if (sensor().info.falsifiable) model->EncodeFalsified(n, {.measurement_of = n / 2, .bias = wire().bias}, bytes);
    if (damage(n)) bytes[size / 2] ^= std::byte{0x10};
    // On a stream of bytes also in pieces.
    const std::size_t first = IsDatagram(context.channel) || n % 2 == 0 ? size : size / 3 + 1;
    decoder->Feed(std::span(bytes).first(std::min(first, size)), offset, sink);
    if (first < size) decoder->Feed(std::span(bytes).subspan(first, size - first), offset + first, sink);
    offset += size;
  }
  EXPECT_EQ(AllocationCount(), before);
  EXPECT_GE(sink.frames, frames / 4);
}

TEST_P(EverySensor, DecoderOutlivesAnyBytesAndAccountsForThemInOrder) {
  const auto context = Context();
  const auto model = sensor().make_model(context);
  const auto decoder = sensor().make_decoder(context);
  Received received;
  std::uint64_t offset = 0;
  for (std::uint64_t round = 0; round < Frames(3000, 600); ++round) {
    const auto draw = RandomWords(1, StreamId("fuzz"), round);
    auto bytes = Encode(sensor(), *model, round).bytes;
    for (std::uint32_t i = 0; i < draw[0] % 4; ++i) {
      const auto where = RandomWords(2, StreamId("fuzz"), round, i);
      bytes[where[0] % bytes.size()] = static_cast<std::byte>(where[1]);
    }
    if (draw[1] % 4 == 0) bytes.resize(1 + draw[2] % bytes.size());
    if (draw[1] % 4 == 1) bytes.insert(bytes.end(), bytes.begin(), bytes.begin() + draw[2] % bytes.size());
    // From the heap, of the exact size: reading past the end is seen by the address sanitizer.
    decoder->Feed(std::vector<std::byte>(bytes), offset, received);
    offset += bytes.size();
    ASSERT_TRUE(received.in_order) << "round " << round;
    ASSERT_LE(received.reported, offset);
  }
  EXPECT_GT(received.frames.size(), large() ? 3u : 50u);
  if (wire().checked) {
    EXPECT_GT(received.corrupt.size(), large() ? 3u : 25u);
  } else {
    EXPECT_TRUE(received.corrupt.empty());
  }
}

}  // namespace
}  // namespace corerig
