#include "sensors/sensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "harness/base/philox.h"
#include "sensors/received.h"

namespace corerig {
namespace {

// What every sensor must keep to on each of its channels, by name, so that a failure says whose it is.
struct Wire {
  std::size_t sensor;
  ChannelKind channel;
};

std::vector<Wire> AllWires() {
  std::vector<Wire> wires;
  for (std::size_t i = 0; i < AllSensors().size(); ++i) {
    for (const ChannelKind channel : AllSensors()[i].info.channels) {
      if (channel != ChannelKind::kTimer) wires.push_back({i, channel});
    }
  }
  return wires;
}

class EverySensor : public testing::TestWithParam<Wire> {
 protected:
  const SensorType& sensor() const { return AllSensors()[GetParam().sensor]; }
  bool messages() const { return IsDatagram(GetParam().channel); }
  SensorContext context() const { return ContextFor(sensor(), sensor().info.default_rate, GetParam().channel); }
  SensorContext fastest() const { return ContextFor(sensor(), sensor().info.highest_rate, GetParam().channel); }
};

INSTANTIATE_TEST_SUITE_P(Sensors, EverySensor, testing::ValuesIn(AllWires()), [](const auto& wire) {
  std::string name(AllSensors()[wire.param.sensor].info.name);
  std::erase(name, '-');
  return name + "_" + std::string(ToText(wire.param.channel));
});

// No counter and no stamp on these wires, and a measurement that may be the same twice in a row.
bool RepeatsItself(const SensorType& sensor) { return sensor.info.name == "ms5611" || sensor.info.name == "tmp117"; }

TEST(Sensors, NamesAreDistinctAndOfTheFormOfScenarios) {
  std::set<std::string_view> names;
  for (const SensorType& sensor : AllSensors()) {
    EXPECT_TRUE(names.insert(sensor.info.name).second) << sensor.info.name;
    EXPECT_EQ(sensor.info.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string_view::npos)
        << sensor.info.name;
    EXPECT_FALSE(sensor.info.about.empty()) << sensor.info.name;
    EXPECT_GT(sensor.info.default_rate.millihertz, 0) << sensor.info.name;
    EXPECT_LE(sensor.info.default_rate, sensor.info.highest_rate) << sensor.info.name;
  }
}

TEST(Sensors, OnlyTickHasNoWire) {
  for (const SensorType& sensor : AllSensors()) {
    const bool tick = sensor.info.name == "tick";
    EXPECT_EQ(sensor.make_model == nullptr, tick) << sensor.info.name;
    EXPECT_EQ(sensor.make_decoder == nullptr, tick) << sensor.info.name;
    EXPECT_EQ(sensor.info.channels.at(0) == ChannelKind::kTimer, tick) << sensor.info.name;
  }
}

TEST_P(EverySensor, WhatIsSentIsReceivedWithItsKeyAndItsBytes) {
  const auto model = sensor().make_model(context());
  const auto decoder = sensor().make_decoder(context());
  std::uint64_t offset = 0;
  for (std::uint64_t sequence = 0; sequence < 2000; ++sequence) {
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
  const auto forwards = sensor().make_model(context()), backwards = sensor().make_model(context());
  constexpr std::uint64_t kSamples = 50;
  std::vector<Encoded> expected;
  for (std::uint64_t sequence = 0; sequence < kSamples; ++sequence) {
    expected.push_back(Encode(sensor(), *forwards, sequence));
  }
  for (std::uint64_t sequence = kSamples; sequence-- > 0;) {
    const Encoded again = Encode(sensor(), *backwards, sequence);
    EXPECT_EQ(again.bytes, expected[sequence].bytes) << sequence;
    EXPECT_EQ(again.frame.value, expected[sequence].frame.value) << sequence;
    EXPECT_EQ(again.frame.wire_key, expected[sequence].frame.wire_key) << sequence;
  }
}

TEST_P(EverySensor, AnotherSeedOrStreamHasOtherNoise) {
  auto other_seed = context(), other_stream = context();
  other_seed.seed += 1;
  other_stream.stream_id += 1;
  const auto bytes = Encode(sensor(), *sensor().make_model(context()), 5).bytes;
  EXPECT_NE(Encode(sensor(), *sensor().make_model(other_seed), 5).bytes, bytes);
  EXPECT_NE(Encode(sensor(), *sensor().make_model(other_stream), 5).bytes, bytes);
}

TEST_P(EverySensor, NeighboursHaveDistinctKeysAtTheHighestRateAlsoWhenTheyWrap) {
  if (RepeatsItself(sensor())) GTEST_SKIP() << "see SamplesOfOneKeyAreSamplesOfTheSameBytes";
  constexpr std::uint64_t kSamples = 20'000, kNeighbours = 100;
  const auto model = sensor().make_model(fastest());
  std::vector<std::uint64_t> keys;
  for (std::uint64_t sequence = 0; sequence < kSamples; ++sequence) {
    keys.push_back(Encode(sensor(), *model, sequence).frame.wire_key);
  }
  for (std::uint64_t first = 0; first + kNeighbours <= kSamples; first += kNeighbours / 2) {
    const std::set<std::uint64_t> distinct(keys.begin() + first, keys.begin() + first + kNeighbours);
    ASSERT_EQ(distinct.size(), kNeighbours) << "from sample " << first;
  }
}

// Then no receiver can tell them apart either, and which of them was meant makes no difference to what was received.
TEST_P(EverySensor, SamplesOfOneKeyAreSamplesOfTheSameBytes) {
  if (!RepeatsItself(sensor())) GTEST_SKIP() << "the wire has a counter, a stamp or never repeats itself";
  const auto model = sensor().make_model(fastest());
  std::map<std::uint64_t, std::vector<std::byte>> seen;
  for (std::uint64_t sequence = 0; sequence < 20'000; ++sequence) {
    const Encoded sent = Encode(sensor(), *model, sequence);
    ASSERT_EQ(seen.emplace(sent.frame.wire_key, sent.bytes).first->second, sent.bytes) << sequence;
  }
}

TEST_P(EverySensor, BytesFedInPiecesOfAnySizeAreTheSameFrames) {
  if (messages()) GTEST_SKIP() << "a message comes whole";
  const auto model = sensor().make_model(context());
  std::vector<std::byte> bytes;
  for (std::uint64_t sequence = 0; sequence < 40; ++sequence) {
    const auto frame = Encode(sensor(), *model, sequence).bytes;
    bytes.insert(bytes.end(), frame.begin(), frame.end());
    if (sequence % 7 == 3) bytes.resize(bytes.size() - 3);                               // cut short
    if (sequence % 7 == 5) bytes.insert(bytes.end(), frame.begin(), frame.begin() + 5);  // begun again
  }
  Received whole;
  sensor().make_decoder(context())->Feed(bytes, 0, whole);
  EXPECT_GE(whole.frames.size(), 25u);
  for (std::size_t piece = 1; piece <= sensor().max_frame_size + 1; ++piece) {
    const auto decoder = sensor().make_decoder(context());
    Received received;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      decoder->Feed(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)), at, received);
    }
    ASSERT_EQ(received.corrupt, whole.corrupt) << "in pieces of " << piece;
    ASSERT_EQ(received.frames.size(), whole.frames.size()) << "in pieces of " << piece;
    for (std::size_t i = 0; i < whole.frames.size(); ++i) {
      ASSERT_EQ(received.frames[i].begin, whole.frames[i].begin) << "in pieces of " << piece;
      ASSERT_EQ(received.frames[i].end, whole.frames[i].end) << "in pieces of " << piece;
      ASSERT_EQ(received.frames[i].wire_key, whole.frames[i].wire_key) << "in pieces of " << piece;
      ASSERT_EQ(received.frames[i].value, whole.frames[i].value) << "in pieces of " << piece;
    }
  }
}

TEST_P(EverySensor, DecoderOutlivesAnyBytesAndAccountsForThemInOrder) {
  const auto model = sensor().make_model(context());
  const auto decoder = sensor().make_decoder(context());
  Received received;
  std::uint64_t offset = 0;
  for (std::uint64_t round = 0; round < 3000; ++round) {
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
  EXPECT_GT(received.frames.size(), 100u);
  EXPECT_GT(received.corrupt.size(), 100u);
}

}  // namespace
}  // namespace corerig
