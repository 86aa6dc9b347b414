// The scenario files beside this one, read with the sensors and workloads they are written for.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "harness/plan/scenario.h"
#include "scenarios/workloads.h"
#include "sensors/sensors.h"

namespace corerig {
namespace {

Vocabulary Linked() {
  Vocabulary vocabulary;
  for (const SensorType& sensor : AllSensors()) vocabulary.sensors.push_back(sensor.info);
  for (const WorkloadType& workload : AllWorkloads()) vocabulary.workloads.push_back(workload.info);
  // The user's own commands: whether they are installed is the machine's affair.
  const auto taken = [](const CommandPlan&) -> Status { return {}; };
  vocabulary.workloads.push_back(
      {.name = "exec",
       .about = "",
       .unit = "line",
       .parameters = {},
       .check = {},
       .command = CommandChecks{.workdir = taken, .program = taken, .units_pattern = taken}});
  return vocabulary;
}

Result<Plan> Read(const std::string& file, int cores) {
  Board board;
  for (int core = 0; core < cores; ++core) board.cores.push_back(CpuId{core});
  std::ifstream in("scenarios/" + file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_FALSE(text.empty()) << file;
  return ReadScenario(text, file, {}, Linked(), board);
}

TEST(Scenarios, EveryFileIsValidOnABoardOfTwoCores) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("scenarios")) {
    if (entry.path().extension() != ".toml") continue;
    ++files;
    const auto plan = Read(entry.path().filename(), 2);
    EXPECT_TRUE(plan.has_value()) << plan.error().message;
  }
  EXPECT_GT(files, 0);
}

TEST(Gpsd, ReceivesTheOneStreamThereIs) {
  const auto plan = Read("gpsd.toml", 2);
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  ASSERT_EQ(plan->streams.size(), 1u);
  ASSERT_TRUE(plan->streams[0].endpoint);
  const auto& argv = plan->workers[0].command->argv;
  EXPECT_EQ(argv.back(), plan->streams[0].endpoint->path) << "what gpsd opens is what corerig makes";
}

TEST(Drone, FlightSensorsAreOnCoreZeroAndWorkersOnTheRest) {
  const auto plan = Read("drone.toml", 4);
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  EXPECT_EQ(plan->source->core, CpuId{0});
  ASSERT_EQ(plan->loops.size(), 1u);
  EXPECT_EQ(plan->loops[0].core, CpuId{0});
  ASSERT_EQ(plan->workers.size(), 1u);
  EXPECT_EQ(plan->workers[0].cores, (std::vector<CpuId>{CpuId{1}, CpuId{2}, CpuId{3}}));
}

// The profiles of products, of which each has a table in its header.
class Profile : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Files, Profile, testing::Values("drone", "warehouse-robot", "adas"), [](const auto& file) {
  std::string name = file.param;
  std::erase(name, '-');
  return name;
});

TEST_P(Profile, BudgetsNoPercentileThatHasTooFewSamples) {
  const auto plan = Read(GetParam() + ".toml", 2);
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  EXPECT_FALSE(plan->budgets.empty());
  for (const StreamPlan& stream : plan->streams) {
    // Ten samples beyond the percentile make a p99 of 1000.
    if (FrameRate(stream).EventsBefore(plan->duration) >= 1000) continue;
    for (const BudgetPlan& budget : plan->budgets) {
      EXPECT_EQ(budget.metric.find("stream." + stream.name + ".latency"), std::string::npos) << budget.text;
    }
  }
}

TEST(Drone, ABoardOfOneCoreIsRefusedWithTheReason) {
  const auto plan = Read("drone.toml", 1);
  ASSERT_FALSE(plan.has_value());
  EXPECT_NE(plan.error().message.find("no core is left for worker listen"), std::string::npos) << plan.error().message;
}

// Against the sensors themselves.
TEST_P(Profile, HeaderNamesTheFrameSizesOfTheSensors) {
  const auto plan = Read(GetParam() + ".toml", 2);
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  std::ifstream in("scenarios/" + GetParam() + ".toml");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  for (const StreamPlan& stream : plan->streams) {
    for (const SensorType& sensor : AllSensors()) {
      if (sensor.info.name != stream.sensor || sensor.make_model == nullptr) continue;
      std::vector<std::byte> frame(sensor.max_frame_size);
      SensorContext context;
      context.rate = stream.rate;
      context.batch = stream.batch;
      context.format = stream.format;
      context.channel = stream.channel;
      context.parameters = stream.parameters;
      // Sample 200: the course of gnss has its three digits.
      std::string size = std::to_string(sensor.make_model(context)->Encode(200, frame).size);
      if (size.size() > 4) size.insert(size.size() - 3, " ");
      const auto row = text.find("#   " + stream.name), end = text.find('\n', row);
      ASSERT_NE(row, std::string::npos) << stream.name;
      EXPECT_NE(text.substr(row, end - row).find(" " + size + " B "), std::string::npos)
          << stream.name << " has frames of " << size << " bytes: " << text.substr(row, end - row);
    }
  }
}

}  // namespace
}  // namespace corerig
