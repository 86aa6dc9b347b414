#include "harness/stream/emission.h"

#include <gtest/gtest.h>

#include "harness/stream/sensor_of.h"
#include "harness/stream/test_sensor.h"

namespace corerig {
namespace {

class ModelOfALostFile final : public SensorModel {
 public:
  EncodedFrame Encode(std::uint64_t, std::span<std::byte>) override { return {}; }
  Status Ready() const override { return Fail("drive.log is gone; bring it back"); }
};

SensorType Recorded() {
  SensorType sensor = TestSensor();
  sensor.info.name = "recorded";
  sensor.make_model = [](const SensorContext&) -> std::unique_ptr<SensorModel> {
    return std::make_unique<ModelOfALostFile>();
  };
  return sensor;
}

Plan PlanOf(const std::string& sensor) {
  Plan plan;
  StreamPlan stream;
  stream.name = "bus";
  stream.sensor = sensor;
  stream.rate = Rate::Hertz(100);
  stream.channel = ChannelKind::kSeqpacket;
  plan.streams = {stream};
  return plan;
}

TEST(Emission, IsNotMadeWhereAModelCannotBe) {
  const std::vector<SensorType> sensors = {TestSensor(), Recorded()};
  EXPECT_TRUE(Emission::Create(PlanOf("test"), sensors, {}));
  const auto lost = Emission::Create(PlanOf("recorded"), sensors, {});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().message, "stream bus: drive.log is gone; bring it back");
  EXPECT_FALSE(Emission::Create(PlanOf("other"), sensors, {}));
}

TEST(LargestFrame, IsTheRecordingsOrElseTheSensors) {
  const SensorType sensor = TestSensor();
  StreamPlan stream = PlanOf("test").streams[0];
  EXPECT_EQ(LargestFrame(sensor, stream), sensor.max_frame_size);
  stream.recording = RecordingPlan{.cycle = Nanos(1), .largest_frame = 7, .about = ""};
  EXPECT_EQ(LargestFrame(sensor, stream), 7u);
}

}  // namespace
}  // namespace corerig
