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
  constexpr std::uint64_t kSamples = 20'000, kNeighbours = 100;
  const auto model = sensor().make_model(ContextAt(sensor().info.highest_rate));
  std::vector<std::uint64_t> keys;
  for (std::uint64_t sequence = 0; sequence < kSamples; ++sequence) {
    keys.push_back(Encode(sensor(), *model, sequence).frame.wire_key);
  }
  for (std::uint64_t first = 0; first + kNeighbours <= kSamples; first += kNeighbours / 2) {
    const std::set<std::uint64_t> distinct(keys.begin() + first, keys.begin() + first + kNeighbours);
    ASSERT_EQ(distinct.size(), kNeighbours) << "from sample " << first;
  }
}

// What a frame shows, false or not.
struct Shown {
  EncodedFrame frame;
  double value;
};
Shown Show(const SensorType& sensor, SensorModel& model, std::uint64_t sequence, const Falsification& falsified) {
  std::vector<std::byte> bytes(sensor.max_frame_size);
  const EncodedFrame frame = model.EncodeFalsified(sequence, falsified, bytes);
  const Received received = Decode(sensor, std::span(bytes).first(frame.size));
  EXPECT_EQ(received.frames.size(), 1u) << sequence;
  if (received.frames.empty()) return {frame, 0};
  EXPECT_EQ(received.frames[0].wire_key, frame.wire_key) << sequence;
  return {frame, received.frames[0].value};
}

TEST_P(EverySensor, AFalsifiedMeasurementIsAnEarlierOneOrBiasedAndAllElseIsTheFramesOwn) {
  if (!sensor().info.falsifiable) GTEST_SKIP() << "its measurement cannot be falsified";
  const auto context = ContextAt(sensor().info.default_rate);
  const auto model = sensor().make_model(context);
  for (std::uint64_t n = 100; n < 150; ++n) {
    const Encoded plain = Encode(sensor(), *model, n);
    std::vector<std::byte> bytes(sensor().max_frame_size);
    const EncodedFrame same = model->EncodeFalsified(n, {}, bytes);
    bytes.resize(same.size);
    ASSERT_EQ(bytes, plain.bytes) << "with nothing falsified it is Encode";
    const Shown clean = Show(sensor(), *model, n, {}), stuck = Show(sensor(), *model, n, {.measurement_of = 99}),
                earlier = Show(sensor(), *model, 99, {}), biased = Show(sensor(), *model, n, {.bias = 0.5});
    EXPECT_EQ(stuck.value, earlier.value);
    EXPECT_NEAR(biased.value - clean.value, 0.5, 0.05);
    for (const Shown& shown : {stuck, biased}) {
      EXPECT_EQ(shown.frame.wire_key, plain.frame.wire_key) << n;
      EXPECT_EQ(shown.frame.value, plain.frame.value) << "the truth stays that of the sample, " << n;
    }
  }
}

TEST_P(EverySensor, NoCleanValueIsImplausibleOrTakenForStuckAndAFalseOneIs) {
  if (sensor().value_limits == nullptr) GTEST_SKIP() << "nothing is taken for granted about its values";
  const Rate highest = sensor().info.highest_rate;
  for (const Rate rate : {Rate{highest.millihertz / 20}, Rate{highest.millihertz / 4}, highest}) {
    for (const std::uint64_t seed : {1u, 2u}) {
      const auto context = ContextAt(rate, seed);
      const ValueLimits limits = sensor().value_limits(context);
      const auto model = sensor().make_model(context);
      ValueWatch watch(limits);
      for (std::uint64_t n = 0; n < 5000; ++n) {
        const Received received = Decode(sensor(), Encode(sensor(), *model, n).bytes);
        ASSERT_EQ(received.frames.size(), 1u);
        const auto found = watch.Look(received.frames[0].value, rate.OffsetOf(n));
        ASSERT_FALSE(found.implausible) << "sample " << n << " at " << rate.hertz()
                                        << " Hz: " << received.frames[0].value;
        ASSERT_EQ(found.repeating, 0u) << "sample " << n << " at " << rate.hertz() << " Hz";
      }
      if (!sensor().info.falsifiable) continue;
      const double range = limits.highest - limits.lowest;
      EXPECT_TRUE(watch.Look(Show(sensor(), *model, 5000, {.bias = range}).value, rate.OffsetOf(5000)).implausible);
      std::uint32_t repeating = 0;
      for (std::uint64_t n = 5001; n < 5001 + kMostRepeats; ++n) {
        repeating += watch.Look(Show(sensor(), *model, n, {.measurement_of = 5001}).value, rate.OffsetOf(n)).repeating;
      }
      EXPECT_EQ(repeating, limits.repeats > 0 ? kMostRepeats - 1 : 0);
    }
  }
}

TEST_P(EverySensor, DecoderOutlivesAnyBytesAndAccountsForThemInOrder) {
  const auto context = ContextAt(sensor().info.default_rate);
  const auto model = sensor().make_model(context);
  const auto decoder = sensor().make_decoder(context);
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
