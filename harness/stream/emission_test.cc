#include "harness/stream/emission.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <atomic>
#include <utility>
#include <vector>

#include "harness/os/clock.h"
#include "harness/os/fd.h"
#include "harness/os/shared_memory.h"
#include "harness/stream/sensor_of.h"
#include "harness/stream/slabs.h"
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

// The test sensor, which notes whether a frame was encoded before it was due.
std::atomic<Nanos::rep> noted_start{0};
std::atomic<int> in_time{0}, too_late{0};

class NotingModel final : public SensorModel {
 public:
  explicit NotingModel(const SensorContext& context) : model_(MakeTestModel(context)), rate_(context.rate) {}
  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    // Its phase comes on top: what is told to be in time is so for certain.
    ++(MonotonicNow() < Nanos(noted_start) + rate_.OffsetOf(sequence) ? in_time : too_late);
    return model_->Encode(sequence, out);
  }

 private:
  const std::unique_ptr<SensorModel> model_;
  const Rate rate_;
};

SensorType Noting() {
  SensorType sensor = TestSensor();
  sensor.info.name = "noting";
  sensor.make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
    return std::make_unique<NotingModel>(context);
  };
  return sensor;
}

StreamPlan StreamOf(std::string name, std::string sensor, Rate rate, Pace pace) {
  StreamPlan stream = PlanOf(sensor).streams[0];
  stream.name = std::move(name);
  stream.rate = rate;
  stream.pace = pace;
  return stream;
}

// Streams emitted for a third of a second into outlets of the test's.
class Emitted : public testing::Test {
 protected:
  void Run(std::vector<StreamPlan> streams, std::vector<Emission::Outlet> outlets) {
    plan_.streams = std::move(streams);
    plan_.duration = std::chrono::milliseconds(333);
    const std::size_t size = SourceSlabLayout(plan_).size;
    const auto memory = CreateSharedMemory("emission_test", size);
    ASSERT_TRUE(memory) << memory.error().message;
    slab_ = *Mapping::Map(memory->get(), size, Mapping::Access::kReadWrite);
    const std::vector<SensorType> sensors = {TestSensor(), Noting()};
    auto emission = Emission::Create(plan_, sensors, {.fd = never_.get(), .on_readable = [] {}});
    ASSERT_TRUE(emission) << emission.error().message;
    const Nanos start = MonotonicNow() + std::chrono::milliseconds(5);
    noted_start = start.count();
    control_.window_begin = start.count();
    control_.window_end = control_.drain_end = (start + plan_.duration).count();
    emission->Begin(start, control_, slab_, std::move(outlets));
    rusage before = {}, after = {};
    getrusage(RUSAGE_THREAD, &before);
    emission->Run();
    getrusage(RUSAGE_THREAD, &after);
    slept_ = after.ru_nvcsw - before.ru_nvcsw;
  }
  std::uint64_t Sent(std::size_t stream) const {
    return slab_.At<SourceStream>(SourceSlabLayout(plan_).streams[stream].figures)->sent.Get();
  }
  static Result<std::size_t> TakeAll(std::span<const std::byte> frame) { return frame.size(); }

  const Fd never_{eventfd(0, EFD_CLOEXEC)};
  Plan plan_;
  ControlPage control_;
  Mapping slab_;
  long slept_ = 0;  // how often the thread gave up its core by itself
};

TEST_F(Emitted, ALosslessStreamWhoseReceiverNeverLetsItWaitLeavesItsCoreNowAndThen) {
  Run({StreamOf("fast", "test", Rate::Hertz(1'000'000), Pace::kLossless)}, {{.send = &TakeAll}});
  EXPECT_GT(Sent(0), 1'000u);
  // Six times on a core of its own; where others are on it, it is late for some.
  EXPECT_GE(slept_, 2);
}

TEST_F(Emitted, ADescriptorThatIsAlwaysReadyIsNoSleep) {
  const Fd ready(eventfd(1, EFD_CLOEXEC));
  bool takes = false;
  const auto every_other = [&](std::span<const std::byte> frame) -> Result<std::size_t> {
    return std::exchange(takes, !takes) ? frame.size() : 0;
  };
  Run({StreamOf("full", "test", Rate::Hertz(1'000'000), Pace::kLossless)},
      {{.send = every_other, .room = [&] { return pollfd{.fd = ready.get(), .events = POLLIN, .revents = 0}; }}});
  EXPECT_GT(Sent(0), 1'000u);
  EXPECT_GE(slept_, 2);
}

TEST_F(Emitted, ARealTimeFrameBesideAStreamThatIsAlwaysBehindIsEncodedBeforeItIsDue) {
  in_time = too_late = 0;
  Run({StreamOf("steady", "noting", Rate::Hertz(200), Pace::kRealTime),
       StreamOf("fast", "test", Rate::Hertz(1'000'000), Pace::kLossless)},
      {{.send = &TakeAll}, {.send = &TakeAll}});
  EXPECT_GE(Sent(0), 30u);
  EXPECT_GT(in_time, too_late);
}

}  // namespace
}  // namespace corerig
