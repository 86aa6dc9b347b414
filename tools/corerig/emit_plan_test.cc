#include <gtest/gtest.h>

#include "tools/corerig/emit_command.h"

namespace corerig {
namespace {

StreamPlan Stream(const std::string& name, ChannelKind channel, const std::string& endpoint = "") {
  StreamPlan stream;
  stream.name = name;
  stream.rate = Rate::Hertz(10);
  stream.channel = channel;
  if (!endpoint.empty()) stream.endpoint = *ParseEndpoint(endpoint);
  return stream;
}

Plan Drone() {
  Plan plan;
  plan.warmup = plan.drain = std::chrono::seconds(1);
  plan.streams = {Stream("tick", ChannelKind::kTimer), Stream("gnss", ChannelKind::kPty),
                  Stream("imu", ChannelKind::kSeqpacket), Stream("lidar", ChannelKind::kUdp, "udp:127.0.0.1:2368")};
  return plan;
}

// "gnss pty:/tmp/gps, lidar udp:…", or the error.
std::string Emitted(const std::vector<std::string>& streams, const std::vector<std::string>& to) {
  const auto plan = PlanToEmit(Drone(), {.scenario = {}, .streams = streams, .to = to});
  if (!plan) return plan.error().message;
  std::vector<std::string> texts;
  for (const auto& stream : plan->streams) texts.push_back(stream.name + " " + ToText(*stream.endpoint));
  return Join(texts, ", ");
}

TEST(PlanToEmit, HasTheStreamsThatHaveAnEndpoint) {
  EXPECT_EQ(Emitted({}, {}), "lidar udp:127.0.0.1:2368");
  EXPECT_EQ(Emitted({}, {"gnss=pty:/tmp/a=b"}), "gnss pty:/tmp/a=b, lidar udp:127.0.0.1:2368");
  EXPECT_EQ(Emitted({"gnss"}, {"gnss=pty:/tmp/gps"}), "gnss pty:/tmp/gps");
  EXPECT_EQ(Emitted({"gnss"}, {"file:/tmp/a=b"}), "gnss file:/tmp/a=b") << "the one that is asked for";
  EXPECT_EQ(Emitted({"lidar", "imu"}, {"imu=unix:/x", "lidar=udp:127.0.0.1:1"}), "imu unix:/x, lidar udp:127.0.0.1:1");
}

TEST(PlanToEmit, CountsFromTheFirstSample) {
  const auto plan = PlanToEmit(Drone(), {});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->warmup, Nanos(0));
  EXPECT_EQ(plan->drain, Nanos(0));
}

TEST(PlanToEmit, SaysWhatIsWrong) {
  EXPECT_EQ(Emitted({}, {"pty:/tmp/gps"}), "--to pty:/tmp/gps: 3 streams may be meant; write --to NAME=pty:/tmp/gps");
  EXPECT_EQ(
      Emitted({}, {"gps=pty:/tmp/gps"}),
      "--to gps=pty:/tmp/gps: the scenario has no stream \"gps\"; those that can be emitted are gnss, imu, lidar");
  EXPECT_EQ(Emitted({}, {"tick=file:x"}),
            "--to tick=file:x: a timer stream sends nothing; those that can be emitted are gnss, imu, lidar");
  EXPECT_EQ(Emitted({"gps"}, {}),
            "--stream gps: the scenario has no stream \"gps\"; those that can be emitted are gnss, imu, lidar");
  EXPECT_EQ(Emitted({"imu"}, {}), "stream imu has no endpoint; write --to imu=udp:127.0.0.1:5000");
  EXPECT_TRUE(
      Emitted({}, {"gnss=can:vcan0"})
          .starts_with("--to gnss=can:vcan0: stream gnss: endpoint \"can:vcan0\" is a CAN bus, and channel pty"));
  EXPECT_TRUE(
      Emitted({}, {"imu=pty:/x"}).starts_with("--to imu=pty:/x: stream imu: endpoint \"pty:/x\" carries bytes"));
  EXPECT_EQ(Emitted({}, {"imu=file:/x", "imu=file:/y"}),
            "--to imu=file:/y: stream imu has an endpoint already; give each one");
  Plan silent = Drone();
  silent.streams.pop_back();
  const auto plan = PlanToEmit(silent, {});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().message, "no stream has an endpoint; write --to NAME=udp:127.0.0.1:5000");
}

}  // namespace
}  // namespace corerig
