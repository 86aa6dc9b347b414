#include "sensors/sensors.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "harness/base/philox.h"
#include "sensors/received.h"

namespace corerig {
namespace {

// What every sensor must keep to, by name, so that a failure says whose it is.
class EverySensor : public testing::TestWithParam<std::size_t> {
 protected:
  const SensorType& sensor() const { return AllSensors()[GetParam()]; }
  // Of frames of half a megabyte fewer do, and take as long.
  std::uint64_t Frames(std::uint64_t of_small_ones) const {
    return sensor().max_frame_size > 100'000 ? of_small_ones / 20 : of_small_ones;
  }
};

INSTANTIATE_TEST_SUITE_P(Sensors, EverySensor, testing::Range<std::size_t>(1, AllSensors().size()),
                         [](const auto& index) {
                           std::string name(AllSensors()[index.param].info.name);
                           std::erase(name, '-');
                           return name;
                         });

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
  EXPECT_EQ(AllSensors()[0].info.name, "tick");  // the parametrised tests start after it
}

TEST_P(EverySensor, WhatIsSentIsReceivedWithItsKeyAndItsBytes) {
  const auto context = ContextAt(sensor().info.default_rate);
  const auto model = sensor().make_model(context);
  const auto decoder = sensor().make_decoder(context);
  std::uint64_t offset = 0;
  for (std::uint64_t sequence = 0; sequence < Frames(2000); ++sequence) {
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
  const auto context = ContextAt(sensor().info.default_rate);
  const auto forwards = sensor().make_model(context), backwards = sensor().make_model(context);
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
  const auto context = ContextAt(sensor().info.default_rate);
  auto other_seed = context, other_stream = context;
  other_seed.seed += 1;
  other_stream.stream_id += 1;
  const auto bytes = Encode(sensor(), *sensor().make_model(context), 5).bytes;
  EXPECT_NE(Encode(sensor(), *sensor().make_model(other_seed), 5).bytes, bytes);
  EXPECT_NE(Encode(sensor(), *sensor().make_model(other_stream), 5).bytes, bytes);
}

TEST_P(EverySensor, NeighboursHaveDistinctKeysAtTheHighestRateAlsoWhenTheyWrap) {
  constexpr std::uint64_t kNeighbours = 100;
  const std::uint64_t samples = Frames(20'000);
  const auto model = sensor().make_model(ContextAt(sensor().info.highest_rate));
  std::vector<std::uint64_t> keys;
  for (std::uint64_t sequence = 0; sequence < samples; ++sequence) {
    keys.push_back(Encode(sensor(), *model, sequence).frame.wire_key);
  }
  if (std::set<std::uint64_t>(keys.begin(), keys.end()) == std::set<std::uint64_t>{0}) {
    for (const ChannelKind channel : sensor().info.channels) {
      EXPECT_FALSE(IsDatagram(channel)) << "without a key a frame is found by its place in the bytes alone";
    }
    GTEST_SKIP() << "this wire has nothing that tells frames apart";
  }
  for (std::uint64_t first = 0; first + kNeighbours <= samples; first += kNeighbours / 2) {
    const std::set<std::uint64_t> distinct(keys.begin() + first, keys.begin() + first + kNeighbours);
    ASSERT_EQ(distinct.size(), kNeighbours) << "from sample " << first;
  }
}

TEST_P(EverySensor, DecoderOutlivesAnyBytesAndAccountsForThemInOrder) {
  const auto context = ContextAt(sensor().info.default_rate);
  const auto model = sensor().make_model(context);
  const auto decoder = sensor().make_decoder(context);
  Received received;
  std::uint64_t offset = 0;
  for (std::uint64_t round = 0; round < Frames(3000); ++round) {
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
  EXPECT_GT(received.frames.size(), Frames(3000) / 30);
  EXPECT_GT(received.corrupt.size(), Frames(3000) / 30);
}

}  // namespace
}  // namespace corerig
