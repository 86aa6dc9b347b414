#include "scenarios/train/bearing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sensors/icm42688p.h"

namespace corerig {
namespace {

double RootMeanSquare(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

// Of the drive end bearing (6205-2RS JEM SKF) of Case Western Reserve University's test stand, as its bearing data
// center publishes them: multiples of the shaft's speed.
TEST(PassingFrequency, IsThatPublishedForThe6205) {
  EXPECT_NEAR(PassingFrequency(Bearing::kInnerRace), 5.4152, 5e-4);
  EXPECT_NEAR(PassingFrequency(Bearing::kOuterRace), 3.5848, 5e-4);
  EXPECT_NEAR(PassingFrequency(Bearing::kCage), 0.39828, 5e-4);
  EXPECT_NEAR(PassingFrequency(Bearing::kBall), 4.7135, 1e-3);
  EXPECT_EQ(PassingFrequency(Bearing::kHealthy), 0);
}

// Against the sensor's own model: what it shows of no motion, from its frames.
TEST(BearingRig, HasTheNoiseAndTheResolutionOfTheSensor) {
  const SensorType sensor = Icm42688p();
  SensorContext context{.seed = 42, .stream_id = 7, .rate = Rate::Hertz(8000), .batch = 1, .format = "fifo"};
  for (const ParameterInfo& parameter : sensor.info.parameters) {
    context.parameters.push_back({std::string(parameter.name), std::string(parameter.default_value)});
    if (parameter.name == "motion" || parameter.name == "errors") context.parameters.back().value = "0";
  }
  const auto model = sensor.make_model(context);
  std::vector<std::byte> frame(sensor.max_frame_size);
  const BearingRig rig = BearingRigOfIcm42688p();
  std::vector<float> shown;
  for (std::uint64_t n = 0; n < 20'000; ++n) {
    model->Encode(n, frame);
    // Bytes 1 and 2: the acceleration along x, big-endian, in units of its least bit.
    const auto high = std::to_integer<unsigned>(frame[1]), low = std::to_integer<unsigned>(frame[2]);
    shown.push_back(static_cast<float>(rig.lsb * static_cast<std::int16_t>(high << 8 | low)));
  }
  EXPECT_NEAR(RootMeanSquare(shown) / rig.noise, 1, 0.03);
  EXPECT_NEAR(rig.lsb, 9.80665 * 16 / 32768, 1e-12);
}

TEST(SimulateWindow, IsAFunctionOfItsArgumentsInStepsOfTheSensor) {
  const BearingRig rig = BearingRigOfIcm42688p();
  BearingWindow window, same, other;
  SimulateWindow(rig, 42, 3, Bearing::kBall, window);
  SimulateWindow(rig, 42, 4, Bearing::kBall, other);
  SimulateWindow(rig, 42, 3, Bearing::kBall, same);
  EXPECT_EQ(window.samples, same.samples);
  EXPECT_EQ(window.shaft_hertz, same.shaft_hertz);
  EXPECT_NE(window.samples, other.samples);
  EXPECT_NE(window.shaft_hertz, other.shaft_hertz);
  for (const float sample : window.samples) {
    const double counts = static_cast<double>(sample) / rig.lsb;
    ASSERT_NEAR(counts, std::round(counts), 1e-3);
  }
}

TEST(SimulateWindow, FaultsRingAndHealthOnlyHums) {
  const BearingRig rig = BearingRigOfIcm42688p();
  BearingWindow window;
  // Differences take out the hum, which is the same for all.
  const auto harshness = [&](Bearing state) {
    double sum = 0;
    for (std::uint64_t index = 0; index < 20; ++index) {
      SimulateWindow(rig, 42, index, state, window);
      std::vector<float> difference;
      for (std::size_t i = 2; i < window.samples.size(); ++i) {
        difference.push_back(window.samples[i] - 2 * window.samples[i - 1] + window.samples[i - 2]);
      }
      sum += RootMeanSquare(difference);
    }
    return sum / 20;
  };
  const double healthy = harshness(Bearing::kHealthy);
  // White noise twice differenced has six times its variance.
  EXPECT_GT(healthy, 2 * rig.noise);
  EXPECT_LT(healthy, 6 * (rig.noise + rig.machine));
  for (const auto fault : {Bearing::kOuterRace, Bearing::kInnerRace, Bearing::kBall}) {
    EXPECT_GT(harshness(fault), 2 * healthy);
  }
  EXPECT_GT(harshness(Bearing::kCage), 1.2 * healthy);  // a tenth as many blows
}

// Feature k against the discrete Fourier sum written down.
TEST(BearingFeatures, AreTheEnvelopesAmplitudesByOrder) {
  BearingWindow window;
  SimulateWindow(BearingRigOfIcm42688p(), 42, 11, Bearing::kInnerRace, window);
  std::vector<float> features(BearingRig::kFeatures);
  BearingFeatures(window, features);
  std::vector<double> envelope(256);
  double mean = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    int count = 0;
    for (std::size_t j = std::max<std::size_t>(2, 8 * i); j < 8 * i + 8; ++j, ++count) {
      envelope[i] += std::abs(window.samples[j] - 2 * window.samples[j - 1] + window.samples[j - 2]);
    }
    envelope[i] /= count;
    mean += envelope[i] / 256;
  }
  for (std::size_t k = 0; k < features.size(); ++k) {
    const double order = (static_cast<double>(k) + 1) / 8;
    double real = 0, imaginary = 0;
    for (std::size_t i = 0; i < 256; ++i) {
      const double hann = std::pow(std::sin(std::numbers::pi * (static_cast<double>(i) + 0.5) / 256), 2);
      const double angle = 2 * std::numbers::pi * order * window.shaft_hertz * static_cast<double>(i) / 1000;
      real += hann * (envelope[i] / mean - 1) * std::cos(angle);
      imaginary += hann * (envelope[i] / mean - 1) * std::sin(angle);
    }
    EXPECT_NEAR(features[k], std::sqrt(std::hypot(real, imaginary) / 64), 2e-3) << "order " << order;
  }
}

TEST(BearingFeatures, PeakAtTheFaultsFrequency) {
  BearingRig rig = BearingRigOfIcm42688p();
  rig.machine = 0.01;  // a quiet machine: its own modulations are no peak
  for (const auto fault : {Bearing::kOuterRace, Bearing::kInnerRace, Bearing::kBall}) {
    std::vector<double> mean(BearingRig::kFeatures);
    std::vector<float> features(BearingRig::kFeatures);
    BearingWindow window;
    for (std::uint64_t index = 0; index < 20; ++index) {
      SimulateWindow(rig, 42, index, fault, window);
      BearingFeatures(window, features);
      for (std::size_t k = 0; k < features.size(); ++k) mean[k] += features[k];
    }
    const auto peak = std::max_element(mean.begin(), mean.end()) - mean.begin();
    EXPECT_NEAR((static_cast<double>(peak) + 1) / 8, PassingFrequency(fault), 0.13);
  }
}

TEST(BearingFeatures, OfSilenceAreZero) {
  BearingWindow silent{.shaft_hertz = 30};
  std::vector<float> features(BearingRig::kFeatures, 1);
  BearingFeatures(silent, features);
  for (const float feature : features) EXPECT_EQ(feature, 0);
}

TEST(BearingTable, HasStatesInTheirShares) {
  const Examples states = BearingTable(100, 42, Goal::kClassify);
  EXPECT_EQ(states.rows(), 100u);
  EXPECT_EQ(states.classes, (std::vector<std::string>{"healthy", "outer", "inner", "ball", "cage"}));
  for (std::int32_t state = 0; state < 5; ++state) {
    EXPECT_EQ(std::count(states.labels.begin(), states.labels.end(), state), 20);
  }
  const Examples health = BearingTable(100, 42, Goal::kReconstruct);
  EXPECT_EQ(std::count(health.labels.begin(), health.labels.end(), 0), 50);
  EXPECT_EQ(std::count(health.labels.begin(), health.labels.end(), 1), 50);
}

}  // namespace
}  // namespace corerig
