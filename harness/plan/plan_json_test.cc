#include "harness/plan/plan_json.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <type_traits>

#include "harness/base/philox.h"
#include "harness/base/text.h"

namespace corerig {
namespace {

// Random plans, the same in every run: every field takes values from all of its range.
class PlanMaker {
 public:
  explicit PlanMaker(std::uint64_t seed) : seed_(seed) {}

  Plan Make() {
    Plan plan;
    plan.name = Word();
    plan.about = Text();
    plan.duration = Duration();
    plan.warmup = Duration();
    plan.drain = Duration();
    plan.seed = Bits();
    plan.require = Many(2, [&] { return Text(); });
    if (Coin()) plan.cpu_dma_latency = Duration();
    plan.disturbance = {.max_foreign = Number(), .max_steal = Number(), .max_frequency_change = Number()};
    if (Coin()) plan.source = SourcePlan{Core(), SomePolicy()};
    plan.loops = Many(3, [&] { return LoopPlan{Word(), Core(), SomePolicy()}; });
    plan.streams = Many(4, [&] { return Stream(); });
    plan.workers = Many(3, [&] { return Worker(); });
    plan.budgets = Many(4, [&] { return BudgetPlan{Text(), Text(), static_cast<Comparison>(Below(5)), Number()}; });
    plan.rig_core = Core();
    plan.cores = Many(5, [&] { return Core(); });
    return plan;
  }

 private:
  std::uint64_t Bits() {
    const auto words = RandomWords(seed_, StreamId("plan"), next_++);
    return (std::uint64_t{words[0]} << 32) | words[1];
  }
  std::uint64_t Below(std::uint64_t end) { return Bits() % end; }
  bool Coin() { return Below(2) == 1; }
  // Of any magnitude up to `highest`.
  std::uint64_t Magnitude(std::uint64_t highest) { return std::min(Bits() >> Below(64), highest); }

  std::string Word() {
    std::string word;
    for (auto length = 1 + Below(8); length > 0; --length) word += "abcxyz019-"[Below(10)];
    return word;
  }
  std::string Text() {
    constexpr std::string_view kPieces[] = {"a", " ", "\n", "\"", "\\", "é", "{", "µs", "\t", "\x01", "*", "."};
    std::string text;
    for (auto length = Below(10); length > 0; --length) text += kPieces[Below(std::size(kPieces))];
    return text;
  }
  Nanos Duration() {
    const std::uint64_t count = Magnitude(8760ull * 3600 * 1'000'000'000);
    // Round figures take another way through the writer than odd ones.
    return Nanos(static_cast<std::int64_t>(Coin() ? count : count / 1'000'000 * 1'000'000));
  }
  Rate SomeRate() {
    const auto millihertz = static_cast<std::int64_t>(1 + Magnitude(1'000'000'000'000 - 1));
    return {Coin() ? millihertz : std::max<std::int64_t>(millihertz / 1000 * 1000, 1)};
  }
  CpuId Core() { return {static_cast<int>(Magnitude(4096))}; }
  Policy SomePolicy() { return Coin() ? Policy{} : Policy{Policy::Class::kFifo, static_cast<int>(1 + Below(99))}; }
  double Number() { return static_cast<double>(Bits()) / static_cast<double>(1 + Magnitude(~0ull)); }

  template <typename Make>
  std::vector<std::invoke_result_t<Make>> Many(std::uint64_t most, const Make& make) {
    std::vector<std::invoke_result_t<Make>> list;
    for (auto count = Below(most + 1); count > 0; --count) list.push_back(make());
    return list;
  }

  FaultPlan Fault() {
    FaultPlan fault = {.kind = AllFaultKinds()[Below(AllFaultKinds().size())].kind};
    if (Coin()) {
      fault.span = FaultPlan::Span{Duration(), Coin() ? std::optional(Duration()) : std::nullopt};
    } else {
      fault.share = static_cast<double>(Below(1'000'001)) / 1e6;
      fault.at = Many(4, [&] { return Bits(); });
    }
    switch (InfoOf(fault.kind).key) {
      case FaultKindInfo::Key::kNone:
        break;
      case FaultKindInfo::Key::kBy:
        fault.by = Duration();
        break;
      case FaultKindInfo::Key::kPeriod:
        fault.period = Duration();
        break;
      case FaultKindInfo::Key::kOffset:
      case FaultKindInfo::Key::kRate:
        fault.amount = static_cast<double>(Below(1'000'001)) / 1e3 - 500;
        break;
      case FaultKindInfo::Key::kFactor:
      case FaultKindInfo::Key::kFrames:
        fault.count = static_cast<std::uint32_t>(2 + Magnitude(1 << 20));
        break;
    }
    return fault;
  }

  std::optional<Endpoint> SomeEndpoint() {
    if (Coin()) return std::nullopt;
    if (Coin()) return Endpoint{.kind = EndpointKind::kPty, .path = "/" + Word(), .host = "", .port = 0};
    return Endpoint{.kind = EndpointKind::kTcpListen,
                    .path = "",
                    .host = Coin() ? "::1" : "127.0.0.1",
                    .port = static_cast<std::uint16_t>(1 + Below(65535))};
  }
  std::optional<Answers> SomeAnswers() {
    if (Coin()) return std::nullopt;
    if (Coin()) return Answers{};
    return Answers{.at = Endpoint{.kind = EndpointKind::kUnix, .path = "/" + Word(), .host = "", .port = 0}};
  }
  StreamPlan Stream() {
    StreamPlan stream = PlainStream();
    if (Coin()) return stream;
    stream.pattern = {Nanos(Below(1000))};
    while (Coin()) stream.pattern.push_back(stream.pattern.back() + Nanos(Magnitude(1 << 30)) * Below(2));
    stream.recording = RecordingPlan{.cycle = stream.pattern.back() + Nanos(1 + Below(1'000'000)),
                                     .largest_frame = static_cast<std::uint32_t>(1 + Below(65507)),
                                     .about = Text()};
    return stream;
  }
  StreamPlan PlainStream() {
    return {.name = Word(),
            .sensor = Word(),
            .format = Coin() ? Word() : "",
            .rate = SomeRate(),
            .channel = static_cast<ChannelKind>(Below(4)),
            .loop = Word(),
            .faults = Many(4, [&] { return Fault(); }),
            .break_above = Coin() ? std::optional(Duration()) : std::nullopt,
            .batch = static_cast<std::uint32_t>(1 + Magnitude((1 << 20) - 1)),
            .clock = {.offset = Duration(), .ppb = static_cast<std::int32_t>(Below(2'000'001)) - 1'000'000},
            .pattern = Many(4, [&] { return Duration(); }),
            .recording = std::nullopt,
            .parameters = Many(3,
                               [&] {
                                 return Parameter{Word(), Text()};
                               }),
            .endpoint = SomeEndpoint(),
            .answers = SomeAnswers(),
            .pace = Coin() ? Pace::kLossless : Pace::kRealTime};
  }
  CommandPlan Command() {
    CommandPlan command;
    command.argv = Many(4, [&] { return Text(); });
    // Each name once, as TOML has it.
    command.env = Many(4, [&] { return CommandPlan::Variable{StrCat(Word(), next_), Text()}; });
    command.workdir = Coin() ? Text() : "";
    command.units_pattern = Coin() ? Text() : "";
    command.until_exit = Coin();
    return command;
  }
  WorkerPlan Worker() {
    WorkerPlan worker;
    worker.name = Word();
    worker.workload = Word();
    worker.cores = Many(4, [&] { return Core(); });
    worker.policy = SomePolicy();
    if (Coin()) worker.units = Bits();
    if (Coin()) worker.command = Command();
    if (Coin()) worker.time_limit = Duration();
    worker.may_fail = Coin();
    if (Coin()) {
      worker.memory = Bytes{Magnitude(std::uint64_t{1} << 53)};
      worker.memory_counts_address_space = Coin();
    }
    worker.parameters = Many(3, [&] { return Parameter{Word(), Text()}; });
    worker.as = Coin() ? RunAs::kSpawn : Coin() ? RunAs::kFork : RunAs::kThread;
    worker.floats_over = Many(3, [&] { return Core(); });
    return worker;
  }

  std::uint64_t seed_;
  std::uint64_t next_ = 0;
};

TEST(PlanJson, EveryPlanIsReadBackAsItWas) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Plan plan = PlanMaker(seed).Make();
    const std::string json = PlanToJson(plan);
    const auto back = PlanFromJson(json);
    ASSERT_TRUE(back) << "seed " << seed << ": " << back.error().message << "\n" << json;
    ASSERT_EQ(*back, plan) << "seed " << seed << "\n" << json << "\n" << PlanToJson(*back);
  }
}

Plan LongestRecording() {
  Plan plan;
  StreamPlan stream;
  stream.rate = Rate::Hertz(1000);
  for (std::int64_t i = 0; i < 1'000'000; ++i) stream.pattern.emplace_back(i * 1'000'003 + i % 7);
  stream.recording = RecordingPlan{.cycle = stream.pattern.back() + Nanos(1), .largest_frame = 8, .about = "a drive"};
  plan.streams = {stream};
  return plan;
}

// A minute is what a small test has.
TEST(PlanJson, AMillionFramesOfARecordingAreHandedOnInSeconds) {
  const Plan plan = LongestRecording();
  const std::string json = PlanToJson(plan);
  EXPECT_LT(json.size(), 16u << 20);
  EXPECT_TRUE(PlanFromJson(json) == plan);
}

TEST(PlanJson, PeopleReadHowManyFramesARecordingHasAndNotWhenEachIsDue) {
  const std::string json = ScenarioToJson(LongestRecording());
  EXPECT_LT(json.size(), 4000u);
  EXPECT_NE(json.find("\"frames\": 1000000"), std::string::npos) << json;
  EXPECT_NE(json.find("\"about\": \"a drive\""), std::string::npos) << json;
}

TEST(PlanJson, ARecordingWhoseFramesAreNotInOrderOrOutlastItsCycleIsRefused) {
  StreamPlan stream;
  stream.rate = Rate::Hertz(1000);
  stream.pattern = {Nanos(5), Nanos(17)};
  stream.recording = RecordingPlan{.cycle = Nanos(20), .largest_frame = 8, .about = ""};
  Plan plan;
  plan.streams = {stream};
  const auto refusal = [json = PlanToJson(plan)](std::string_view from, std::string_view to) {
    std::string changed = json;
    changed.replace(changed.find(from), from.size(), to);
    const auto back = PlanFromJson(changed);
    return back ? "taken" : back.error().message;
  };
  EXPECT_EQ(refusal("5 17 ", "5 17 "), "taken");
  EXPECT_EQ(refusal("5 17 ", "5 4 "), "plan: streams[0].recording.due_ns is not in order");
  EXPECT_EQ(refusal("5 17 ", "-1 17 "), "plan: streams[0].recording.due_ns is not in order");
  EXPECT_EQ(refusal("5 17 ", "5 17"), "plan: streams[0].recording.due_ns is no list of whole numbers");
  EXPECT_EQ(refusal("5 17 ", "5  17 "), "plan: streams[0].recording.due_ns is no list of whole numbers");
  EXPECT_EQ(refusal("5 17 ", ""), "plan: streams[0].recording.cycle is not longer than its frames take");
  EXPECT_EQ(refusal("\"20ns\"", "\"17ns\""), "plan: streams[0].recording.cycle is not longer than its frames take");
}

Plan SmallPlan() {
  Plan plan;
  plan.name = "drone";
  plan.duration = Nanos(20'000'000'000);
  plan.warmup = Nanos(1'500'000);
  plan.cpu_dma_latency = Nanos(0);
  plan.source = SourcePlan{{0}, {Policy::Class::kFifo, 90}};
  plan.loops.push_back({"flight", {0}, {Policy::Class::kFifo, 80}});
  plan.streams.push_back({"imu", "icm42688p", "", Rate::Hertz(1000), ChannelKind::kSeqpacket, "flight", {}});
  plan.streams[0].faults.push_back({FaultKind::kBitFlip, 0, {3, 17}});
  plan.workers.push_back({"price", "montecarlo/option", {{1}}, {}, {}, {}, false, {{"strike", "105"}}});
  plan.budgets.push_back({"stream.imu.lost == 0", "stream.imu.lost", Comparison::kEqual, 0});
  plan.cores = {{0}, {1}};
  return plan;
}

TEST(PlanJson, QuantitiesCarryTheirUnit) {
  const std::string json = PlanToJson(SmallPlan());
  for (const char* part :
       {R"("duration": "20s")", R"("warmup": "1500us")", R"("cpu_dma_latency": "0s")", R"("rate": "1kHz")",
        R"("policy": "fifo:90")", R"("channel": "seqpacket")", R"("kind": "bit-flip")", R"("comparison": "==")"}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << " is not in\n" << json;
  }
}

TEST(PlanJson, WhatIsAbsentIsNotWritten) {
  Plan plan = SmallPlan();
  plan.source = std::nullopt;
  plan.cpu_dma_latency = std::nullopt;
  const std::string json = PlanToJson(plan);
  for (const char* key : {"\"source\"", "\"units\"", "\"time_limit\"", "\"memory\""}) {
    EXPECT_EQ(json.find(key), std::string::npos) << key << " is in\n" << json;
  }
  EXPECT_NE(json.find(R"("cpu_dma_latency": "system")"), std::string::npos) << json;
}

// The error after replacing `from` in the JSON of a small plan.
std::string RefusalWith(std::string_view from, std::string_view to) {
  std::string json = PlanToJson(SmallPlan());
  const auto at = json.find(from);
  EXPECT_NE(at, std::string::npos) << from << " is not in\n" << json;
  json.replace(at, from.size(), to);
  const auto plan = PlanFromJson(json);
  EXPECT_FALSE(plan) << to << " was taken";
  return plan ? "" : plan.error().message;
}

TEST(PlanJson, AMissingFieldIsNamed) {
  EXPECT_EQ(RefusalWith("\"duration\":", "\"durations\":"), "plan: duration is missing");
  EXPECT_EQ(RefusalWith("\"rate\":", "\"rat\":"), "plan: streams[0].rate is missing");
  EXPECT_EQ(RefusalWith("\"core\": 0", "\"corn\": 0"), "plan: source.core is missing");
  EXPECT_EQ(RefusalWith("\"strike\"", "1"), "plan: workers[0].parameters[0].name is not a text");
  EXPECT_EQ(RefusalWith("\"budgets\":", "\"budget\":"), "plan: budgets is missing");
}

TEST(PlanJson, AFieldOfAnotherTypeIsNamed) {
  EXPECT_EQ(RefusalWith("\"drone\"", "null"), "plan: name is not a text");
  EXPECT_EQ(RefusalWith("\"20s\"", "20"), "plan: duration is not a text");
  EXPECT_EQ(RefusalWith("\"seed\": 0", "\"seed\": -1"), "plan: seed is not a whole number from 0");
  EXPECT_EQ(RefusalWith("\"seed\": 0", "\"seed\": 1.5"), "plan: seed is not a whole number from 0");
  EXPECT_EQ(RefusalWith("\"require\": []", "\"require\": {}"), "plan: require is not an array");
  EXPECT_EQ(RefusalWith("\"may_fail\": false", "\"may_fail\": 0"), "plan: workers[0].may_fail is not a boolean");
  EXPECT_EQ(RefusalWith("\"limit\": 0.0", "\"limit\": \"0\""), "plan: budgets[0].limit is not a number");
  EXPECT_EQ(RefusalWith("\"rig_core\": 0", "\"rig_core\": 2147483648"), "plan: rig_core is too large for a core");
  EXPECT_EQ(RefusalWith("\"parameters\": []", "\"parameters\": [7]"),
            "plan: streams[0].parameters[0] is not an object");
  EXPECT_EQ(RefusalWith("\"batch\": 1", "\"batch\": 0"),
            "plan: streams[0].batch is not a whole number from 1 to 1048576");
  EXPECT_EQ(RefusalWith("\"clock_ppb\": 0", "\"clock_ppb\": -1000001"),
            "plan: streams[0].clock_ppb is not a whole number from -1000000 to 1000000");
}

TEST(PlanJson, WhatIsWrongInACommandIsNamed) {
  const auto refusal = [](std::string_view from, std::string_view to) {
    Plan plan = SmallPlan();
    plan.workers[0].command = CommandPlan{.argv = {"./prog"}, .env = {{"KEY", "value"}}};
    std::string json = PlanToJson(plan);
    const auto at = json.find(from);
    EXPECT_NE(at, std::string::npos) << from << " is not in\n" << json;
    json.replace(at, from.size(), to);
    const auto back = PlanFromJson(json);
    return back ? std::string("taken") : back.error().message;
  };
  EXPECT_EQ(refusal("\"argv\":", "\"args\":"), "plan: workers[0].command.argv is missing");
  EXPECT_EQ(refusal("\"value\"", "1"), "plan: workers[0].command.env.KEY is not a text");
  EXPECT_EQ(refusal("\"window\"", "\"ever\""), "plan: workers[0].command.until is not an end: \"ever\"");
}

TEST(PlanJson, AWordThatMeansNothingIsNamed) {
  EXPECT_EQ(RefusalWith("\"20s\"", "\"20\""), "plan: duration is not a duration: \"20\"");
  EXPECT_EQ(RefusalWith("\"1kHz\"", "\"1k\""), "plan: streams[0].rate is not a rate: \"1k\"");
  EXPECT_EQ(RefusalWith("\"fifo:80\"", "\"fifo\""), "plan: loops[0].policy is not a policy: \"fifo\"");
  EXPECT_EQ(RefusalWith("\"seqpacket\"", "\"spi\""), "plan: streams[0].channel is not a channel: \"spi\"");
  EXPECT_EQ(RefusalWith("\"bit-flip\"", "\"flip\""), "plan: streams[0].fault[0].kind is not a kind of fault: \"flip\"");
  EXPECT_EQ(RefusalWith("\"==\"", "\"=\""), "plan: budgets[0].comparison is not a comparison: \"=\"");
}

TEST(PlanJson, TextThatIsNotAnObjectIsRefused) {
  for (const char* text : {"", "{", "{]", "nul", "{\"name\": \"a\"} {}"}) {
    const auto plan = PlanFromJson(text);
    ASSERT_FALSE(plan) << text;
    EXPECT_EQ(plan.error().message, "plan: it is not JSON") << text;
  }
  for (const char* text : {"[]", "null", "7", "\"drone\""}) {
    const auto plan = PlanFromJson(text);
    ASSERT_FALSE(plan) << text;
    EXPECT_EQ(plan.error().message, "plan: it is not an object") << text;
  }
}

TEST(PlanJson, EveryCutOfTheTextIsRefused) {
  const std::string json = PlanToJson(SmallPlan());
  for (std::size_t length = 0; length < json.size(); ++length) {
    EXPECT_FALSE(PlanFromJson(json.substr(0, length))) << json.substr(0, length);
  }
}

TEST(PlanJson, TextThatIsNotUtf8DoesNotBreakTheWriter) {
  Plan plan = SmallPlan();
  plan.about = "\xff";
  const auto back = PlanFromJson(PlanToJson(plan));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->about, "\xEF\xBF\xBD");  // U+FFFD, the replacement character
}

}  // namespace
}  // namespace corerig
