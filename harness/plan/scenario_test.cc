#include "harness/plan/scenario.h"

#include "harness/plan/scenario_reading.h"

namespace corerig {
namespace {

constexpr Nanos kSecond{1'000'000'000};

TEST(Scenario, TheExampleOfTheDesignIsReadInFull) {
  const Plan plan = Read(kDrone, BoardOf({0, 1}));
  EXPECT_EQ(plan.name, "drone");
  EXPECT_EQ(plan.about, "Flight sensors on core 0 while core 1 prices options by Monte Carlo");
  EXPECT_EQ(plan.duration, 20 * kSecond);
  EXPECT_EQ(plan.warmup, kSecond);
  EXPECT_EQ(plan.drain, kSecond);
  EXPECT_EQ(plan.seed, 42u);
  EXPECT_TRUE(plan.require.empty());
  EXPECT_EQ(plan.cpu_dma_latency, Nanos(0));
  EXPECT_EQ(plan.source, (SourcePlan{{0}, {Policy::Class::kFifo, 90}}));
  EXPECT_EQ(plan.loops, (std::vector<LoopPlan>{{"flight", {0}, {Policy::Class::kFifo, 80}}}));
  EXPECT_EQ(
      plan.streams,
      (std::vector<StreamPlan>{
          {.name = "imu",
           .sensor = "icm42688p",
           .format = "",
           .rate = Rate::Hertz(1000),
           .channel = ChannelKind::kSeqpacket,
           .loop = "flight",
           .faults = {},
           .parameters = {{"noise", "1"}}},
          {"gnss", "zed-f9p", "nmea", Rate::Hertz(10), ChannelKind::kPty, "flight", {{FaultKind::kDrop, 0.01, {}}}},
          {"lidar", "vlp16", "", Rate::Hertz(754), ChannelKind::kUdp, "flight", {}}}));
  EXPECT_EQ(plan.workers,
            (std::vector<WorkerPlan>{{"price",
                                      "montecarlo/option",
                                      {{1}},
                                      {},
                                      {},
                                      {},
                                      false,
                                      {{"strike", "105"}, {"interest", "0.05"}, {"assets", "1"}, {"kind", "call"}}}}));
  EXPECT_EQ(plan.budgets,
            (std::vector<BudgetPlan>{
                {"stream.imu.latency.p99 < 500us", "stream.imu.latency.p99", Comparison::kLess, 500'000},
                {"stream.imu.lost == 0", "stream.imu.lost", Comparison::kEqual, 0},
                {"worker.price.*.uss.max < 24MiB", "worker.price.*.uss.max", Comparison::kLess, 24.0 * 1024 * 1024}}));
  EXPECT_EQ(plan.rig_core, CpuId{0});
  EXPECT_EQ(plan.cores, (std::vector<CpuId>{{0}, {1}}));
}

TEST(Scenario, WhatIsLeftOutHasItsDefault) {
  const Plan plan = Read(R"(
name = "small"
duration = "2s"
[loop.a]
[stream.x]
sensor = "zed-f9p"
loop = "a"
[worker.w]
workload = "train/mlp"
)",
                         BoardOf({2, 3}));
  EXPECT_EQ(plan.about, "");
  EXPECT_EQ(plan.warmup, kSecond);
  EXPECT_EQ(plan.drain, kSecond);
  EXPECT_EQ(plan.seed, 1u);
  EXPECT_EQ(plan.cpu_dma_latency, Nanos(0));
  EXPECT_EQ(plan.source, (SourcePlan{{2}, {}}));
  EXPECT_EQ(plan.loops, (std::vector<LoopPlan>{{"a", {2}, {}}}));
  EXPECT_EQ(plan.streams,
            (std::vector<StreamPlan>{{"x", "zed-f9p", "ubx", Rate::Hertz(10), ChannelKind::kPty, "a", {}}}));
  EXPECT_EQ(plan.workers, (std::vector<WorkerPlan>{{"w", "train/mlp", {{3}}, {}, {}, {}, false, {}}}));
  EXPECT_TRUE(plan.budgets.empty());
  EXPECT_EQ(plan.rig_core, CpuId{2});
}

TEST(Scenario, WorkOfAFixedLengthAloneIsNotWarmedUp) {
  constexpr std::string_view kHead = "name = \"x\"\nduration = \"2s\"\n",
                             kWork = "[worker.a]\nworkload = \"train/mlp\"\nunits = 10\n",
                             kCommand = "[worker.b]\nworkload = \"exec\"\ncommand = [\"/bin/true\"]\nuntil = ",
                             kEndless = "[worker.c]\nworkload = \"train/mlp\"\n",
                             kStream = "[loop.a]\n[stream.x]\nsensor = \"zed-f9p\"\nloop = \"a\"\n";
  const auto warmup = [&](const std::string& rest) { return Read(StrCat(kHead, rest), BoardOf({0, 1, 2, 3})).warmup; };
  EXPECT_EQ(warmup(StrCat(kWork)), Nanos(0));
  EXPECT_EQ(warmup(StrCat(kWork, kCommand, "\"exit\"\n")), Nanos(0));
  EXPECT_EQ(warmup(StrCat(kWork, kCommand, "\"window\"\n")), kSecond);
  EXPECT_EQ(warmup(StrCat(kWork, kEndless)), kSecond);
  EXPECT_EQ(warmup(StrCat(kWork, kStream)), kSecond);
  EXPECT_EQ(warmup(StrCat("warmup = \"1s\"\n", kWork)), kSecond);
}

TEST(Scenario, EveryKeyOfTheTopIsRead) {
  const Plan plan = Read(R"(
name = "all-keys-1"
about = "every key"
duration = "1.5s"
warmup = "0s"
drain = "250ms"
seed = 9223372036854775807
require = ["fifo"]
cpu_dma_latency = "20us"
worker.w.workload = "train/mlp"
)",
                         BoardOf({0}));
  EXPECT_EQ(plan.name, "all-keys-1");
  EXPECT_EQ(plan.about, "every key");
  EXPECT_EQ(plan.duration, Nanos(1'500'000'000));
  EXPECT_EQ(plan.warmup, Nanos(0));
  EXPECT_EQ(plan.drain, Nanos(250'000'000));
  EXPECT_EQ(plan.seed, 9223372036854775807u);
  EXPECT_EQ(plan.require, std::vector<std::string>{"fifo"});
  EXPECT_EQ(plan.cpu_dma_latency, Nanos(20'000));
}

TEST(Scenario, ABreakOfTheTopIsForStreamsThatHaveNone) {
  constexpr std::string_view kTwo =
      "name = \"a\"\nduration = \"1s\"\n[loop.l]\n[stream.one]\nsensor = \"tick\"\nloop = \"l\"\n"
      "[stream.two]\nsensor = \"tick\"\nloop = \"l\"\nbreak = \"2ms\"\n";
  const Plan own = Read(kTwo, BoardOf({0, 1}));
  EXPECT_FALSE(own.streams[0].break_above);
  EXPECT_EQ(own.streams[1].break_above, Nanos(2'000'000));
  EXPECT_TRUE(HasBreak(own));
  const Plan all = Read(kTwo, BoardOf({0, 1}), {{"break", "500us"}});
  EXPECT_EQ(all.streams[0].break_above, Nanos(500'000));
  EXPECT_EQ(all.streams[1].break_above, Nanos(2'000'000));
  EXPECT_FALSE(HasBreak(Read(kDrone, BoardOf({0, 1}))));
}

TEST(Scenario, WhatOthersMayDoIsAShareInEitherForm) {
  const Plan plan = Read(kDrone, BoardOf({0, 1}), {{"max_foreign", "20%"}, {"max_steal", "0.5"}});
  EXPECT_EQ(plan.disturbance, (DisturbancePlan{.max_foreign = 0.2, .max_steal = 0.5, .max_frequency_change = 0.1}));
  EXPECT_EQ(Read(kDrone, BoardOf({0, 1})).disturbance,
            (DisturbancePlan{.max_foreign = 0.05, .max_steal = 0.01, .max_frequency_change = 0.1}));
}

TEST(Scenario, TheCpusLatencyCanBeLeftToTheSystem) {
  const Plan plan =
      Read("name='a'\nduration='1s'\ncpu_dma_latency='system'\n[worker.w]\nworkload='train/mlp'\n", BoardOf({0}));
  EXPECT_EQ(plan.cpu_dma_latency, std::nullopt);
}

TEST(Scenario, EveryKeyOfAWorkerIsRead) {
  const Plan plan = Read(R"(
name = "a"
duration = "1s"
[worker.w]
workload = "montecarlo/option"
cores = [3, 1]
as = "spawn"
policy = "fifo:5"
units = 1000
time_limit = "10s"
memory = "64MiB"
memory_counts = "address-space"
may_fail = true
kind = "put"
assets = 1e6
interest = -0.125
strike = 110
)",
                         BoardOf({0, 1, 2, 3}));
  EXPECT_EQ(
      plan.workers,
      (std::vector<WorkerPlan>{{"w",
                                "montecarlo/option",
                                {{3}, {1}},
                                {Policy::Class::kFifo, 5},
                                1000,
                                10 * kSecond,
                                true,
                                // In the order of the declaration.
                                {{"strike", "110"}, {"interest", "-0.125"}, {"assets", "1000000"}, {"kind", "put"}},
                                Bytes{64 << 20},
                                true}}));
}

TEST(Scenario, EveryKeyOfACommandIsRead) {
  const Plan plan = Read(R"(
name = "a"
duration = "1s"
[worker.w]
workload = "exec"
command = ["./prog", "", "--flag=a b"]
env = { KEY = "a value", empty = "" }
workdir = "build"
units_pattern = '^frame [0-9]+$'
until = "exit"
time_limit = "10s"
policy = "fifo:5"
may_fail = true
)",
                         BoardOf({0}));
  ASSERT_EQ(plan.workers.size(), 1u);
  EXPECT_EQ(plan.workers[0].workload, "exec");
  EXPECT_EQ(plan.workers[0].command, (CommandPlan{.argv = {"./prog", "", "--flag=a b"},
                                                  .env = {{"KEY", "a value"}, {"empty", ""}},
                                                  .workdir = "build",
                                                  .units_pattern = "^frame [0-9]+$",
                                                  .until_exit = true}));
  EXPECT_EQ(plan.workers[0].time_limit, 10 * kSecond);
  EXPECT_TRUE(plan.workers[0].parameters.empty());
}

TEST(Scenario, ACommandAloneRunsForTheWindowWhereCorerigWasCalled) {
  const Plan plan = Read("name='a'\nduration='1s'\n[worker.w]\nworkload='exec'\ncommand=['prog']\n", BoardOf({0}));
  ASSERT_EQ(plan.workers.size(), 1u);
  EXPECT_EQ(plan.workers[0].command, (CommandPlan{.argv = {"prog"}}));
}

TEST(Scenario, AParameterHasOneTextHoweverItIsWritten) {
  for (const char* strike : {"100", "100.0", "1e2", "+100", "1_00", "0x64"}) {
    const Plan plan = Read(
        StrCat("name='a'\nduration='1s'\n[worker.w]\nworkload='montecarlo/option'\nstrike = ", strike), BoardOf({0}));
    ASSERT_EQ(plan.workers.size(), 1u);
    EXPECT_EQ(plan.workers[0].parameters[0], (Parameter{"strike", "100"})) << strike;
  }
}

TEST(Scenario, ParametersWithAUnitAreReadBackByThoseWhoAsk) {
  const std::string head = "name='a'\nduration='1s'\n[worker.w]\nworkload='load/sample'\n";
  const auto parameters = [&](const std::string& more) {
    const Plan plan = Read(head + more, BoardOf({0}));
    return plan.workers.empty() ? std::vector<Parameter>() : plan.workers[0].parameters;
  };
  const auto given = parameters("period = '0.5ms'\nfootprint = '1.5KiB'\nmissed = '1%'\n");
  EXPECT_EQ(given, (std::vector<Parameter>{{"period", "500us"}, {"footprint", "1536B"}, {"missed", "0.01"}}));
  EXPECT_EQ(DurationOf(given, "period"), Nanos(500'000));
  EXPECT_EQ(SizeOf(given, "footprint"), Bytes{1536});
  EXPECT_EQ(NumberOf(given, "missed"), 0.01);
  const auto defaults = parameters("");
  EXPECT_EQ(defaults, (std::vector<Parameter>{{"period", "1ms"}, {"footprint", "8MiB"}, {"missed", "1"}}));
  EXPECT_EQ(NumberOf(defaults, "missed"), 1);
}

TEST(Scenario, FaultsAreASharePerKindOrSamplesInOrder) {
  const Plan plan = Read(R"(
name = "a"
duration = "1s"
[loop.l]
[stream.s]
sensor = "icm42688p"
loop = "l"
fault = [{ kind = "drop", share = 0.7 }, { kind = "duplicate", share = "10%" }, { kind = "reorder", share = 0.2 },
         { kind = "bit-flip", at = [17, 3, 0] }]
)",
                         BoardOf({0}));
  ASSERT_EQ(plan.streams.size(), 1u);
  EXPECT_EQ(plan.streams[0].faults, (std::vector<FaultPlan>{{FaultKind::kDrop, 0.7, {}},
                                                            {FaultKind::kDuplicate, 0.1, {}},
                                                            {FaultKind::kReorder, 0.2, {}},
                                                            {FaultKind::kBitFlip, 0, {0, 3, 17}}}));
}

TEST(Scenario, FaultsOnAScheduleHaveATimeAndWhatTheirKindNeeds) {
  const Plan plan = Read(R"(
name = "a"
duration = "20s"
[loop.l]
[stream.s]
sensor = "icm42688p"
loop = "l"
fault = [{ kind = "stuck", from = "2s", for = "500ms" }, { kind = "stuck", from = "4s", for = "100ms" },
         { kind = "delayed", share = 0.6, by = "3ms" }, { kind = "drift", from = "5s", rate = 0.1 },
         { kind = "jitter", share = 1, by = "200us" }, { kind = "off", from = "0s", for = "1s" },
         { kind = "intermittent", from = "1s", for = "5s", period = "100ms" },
         { kind = "slow", from = "8s", factor = 2 }, { kind = "burst", from = "9s", for = "1s", frames = 8 },
         { kind = "wrong", at = [7], offset = -50 }, { kind = "drop", share = 0.4 },
         { kind = "drop", from = "10s", for = "1ms" }]
)",
                         BoardOf({0}));
  using Span = FaultPlan::Span;
  constexpr Nanos kSecond = std::chrono::seconds(1), kMilli = std::chrono::milliseconds(1);
  ASSERT_EQ(plan.streams.size(), 1u);
  EXPECT_EQ(plan.streams[0].faults,
            (std::vector<FaultPlan>{
                {.kind = FaultKind::kStuck, .span = Span{2 * kSecond, 500 * kMilli}},
                {.kind = FaultKind::kStuck, .span = Span{4 * kSecond, 100 * kMilli}},
                {.kind = FaultKind::kDelayed, .share = 0.6, .by = 3 * kMilli},
                {.kind = FaultKind::kDrift, .span = Span{5 * kSecond, {}}, .amount = 0.1},
                {.kind = FaultKind::kJitter, .share = 1, .by = kMilli / 5},
                {.kind = FaultKind::kOff, .span = Span{Nanos(0), kSecond}},
                {.kind = FaultKind::kIntermittent, .span = Span{kSecond, 5 * kSecond}, .period = 100 * kMilli},
                {.kind = FaultKind::kSlow, .span = Span{8 * kSecond, {}}, .count = 2},
                {.kind = FaultKind::kBurst, .span = Span{9 * kSecond, kSecond}, .count = 8},
                {.kind = FaultKind::kWrong, .at = {7}, .amount = -50},
                {.kind = FaultKind::kDrop, .share = 0.4},
                {.kind = FaultKind::kDrop, .span = Span{10 * kSecond, kMilli}}}));
}

std::string ImuWith(std::string_view lines) {
  return StrCat("name = \"a\"\nduration = \"1s\"\n[loop.l]\n[stream.imu]\nsensor = \"icm42688p\"\nloop = \"l\"\n",
                lines, "\n");
}

TEST(Scenario, AFastSensorSendsBatchesThatKeepItsFramesFew) {
  const auto batch = [](std::string_view lines) { return Read(ImuWith(lines), BoardOf({0, 1})).streams[0].batch; };
  EXPECT_EQ(batch(""), 1u);
  EXPECT_EQ(batch("rate = \"8kHz\""), 8u);
  EXPECT_EQ(batch("rate = \"1001Hz\"\nbatch = 1"), 1u);
  EXPECT_EQ(batch("rate = \"819.2Hz\"\nbatch = 4"), 4u);
  const StreamPlan stream = Read(ImuWith("rate = \"819.2Hz\"\nbatch = 4"), BoardOf({0, 1})).streams[0];
  EXPECT_EQ(stream.rate, Rate{819'200});
  EXPECT_EQ(FrameRate(stream), Rate{204'800});
}

TEST(Scenario, ASensorWhoseFramesHoldAFixedNumberHasThatBatchAndNoOther) {
  Vocabulary vocabulary = SampleVocabulary();
  vocabulary.sensors[1].batching = {.most = 12, .frames = {}, .least = 12};
  const auto read = [&](std::string_view lines) {
    return ReadScenario(ImuWith(lines), "s.toml", {}, vocabulary, BoardOf({0, 1}));
  };
  for (const char* lines : {"rate = \"4.5kHz\"", "rate = \"450Hz\"", "rate = \"450Hz\"\nbatch = 12"}) {
    const auto plan = read(lines);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->streams[0].batch, 12u) << lines;
  }
  EXPECT_EQ(read("rate = \"450Hz\"\nbatch = 11").error().message,
            "s.toml:8:9: batch is 11; sensor \"icm42688p\" has at least 12 samples in a frame");
  EXPECT_EQ(
      read("rate = \"1kHz\"").error().message,
      "s.toml:4:1: rate 1kHz in batches of 12 makes frames of no whole number of mHz; write a rate that the batch "
      "divides");
}

TEST(Scenario, ASensorHasAClockAndParametersOfItsOwn) {
  const StreamPlan plain = Read(ImuWith(""), BoardOf({0, 1})).streams[0];
  EXPECT_EQ(plain.clock, ClockPlan{});
  EXPECT_EQ(plain.parameters, (std::vector<Parameter>{{"noise", "1"}}));
  const StreamPlan own =
      Read(ImuWith("clock_offset = \"2ms\"\nclock_ppm = -20.5\nnoise = 0.5"), BoardOf({0, 1})).streams[0];
  EXPECT_EQ(own.clock, (ClockPlan{.offset = Nanos(2'000'000), .ppb = -20'500}));
  EXPECT_EQ(own.parameters, (std::vector<Parameter>{{"noise", "0.5"}}));
}

TEST(Scenario, ASensorMaySpaceItsFramesUnevenly) {
  Vocabulary vocabulary = SampleVocabulary();
  for (auto& sensor : vocabulary.sensors) {
    if (sensor.name != "icm42688p") continue;
    sensor.pattern = [](const StreamPlan& stream) -> Result<std::vector<Nanos>> {
      if (NumberOf(stream.parameters, "noise") > 1) return Fail("too loud");
      return std::vector<Nanos>{Nanos(0), stream.rate.OffsetOf(1) / 2};
    };
  }
  const auto read = [&](std::string_view lines) {
    return ReadScenario(ImuWith(lines), "s.toml", {}, vocabulary, BoardOf({0, 1}));
  };
  EXPECT_EQ(read("rate = \"500Hz\"")->streams[0].pattern, (std::vector<Nanos>{Nanos(0), Nanos(1'000'000)}));
  EXPECT_EQ(read("noise = 2").error().message, "s.toml:4:1: stream imu: too loud");
}

TEST(Scenario, ARecordingFillsInWhatOtherStreamsAreTold) {
  Vocabulary vocabulary = SampleVocabulary();
  vocabulary.sensors.push_back(
      {.name = "recorded",
       .about = "",
       .default_rate = Rate::Hertz(1),
       .highest_rate = Rate::Hertz(9),
       .channels = {ChannelKind::kUdp, ChannelKind::kPty},
       .formats = {"pcap", "nmea"},
       .parameters = {{"file", ParameterInfo::Kind::kPath, "", ""}, {"digest", ParameterInfo::Kind::kWord, "any", ""}},
       .channels_of = {{"pcap", {ChannelKind::kUdp}}, {"nmea", {ChannelKind::kPty}}},
       .read_recording = [](StreamPlan& stream) -> Status {
         if (WordOf(stream.parameters, "file") == "bad file") return Fail("bad file:7: is bad");
         stream.rate = Rate::Hertz(200);
         stream.pattern = {Nanos(0), Nanos(1)};
         stream.recording = RecordingPlan{.cycle = Nanos(10'000'000), .largest_frame = 5, .about = "two frames"};
         stream.parameters[1].value = "0815";
         return {};
       }});
  const auto read = [&](std::string_view lines) {
    return ReadScenario(StrCat("name = \"x\"\nduration = \"1s\"\n[loop.l]\n[stream.bus]\nsensor = \"recorded\"\nloop = "
                               "\"l\"\n",
                               lines),
                        "s.toml", {}, vocabulary, BoardOf({0, 1}));
  };
  const auto plan = read("file = \"my drive.log\"\nfault = [{kind = \"burst\", from = \"0s\", frames = 150}]");
  ASSERT_TRUE(plan) << plan.error().message;
  const StreamPlan& stream = plan->streams[0];
  EXPECT_EQ(stream.rate, Rate::Hertz(200));
  EXPECT_EQ(stream.pattern, (std::vector<Nanos>{Nanos(0), Nanos(1)}));
  EXPECT_EQ(stream.recording->about, "two frames");
  EXPECT_EQ(stream.channel, ChannelKind::kUdp);
  EXPECT_EQ(stream.parameters, (std::vector<Parameter>{{"file", "my drive.log"}, {"digest", "0815"}}));
  EXPECT_EQ(read("format = \"nmea\"")->streams[0].channel, ChannelKind::kPty) << "each format has its own default";

  EXPECT_EQ(read("file = \"bad file\"").error().message, "s.toml:7:8: bad file:7: is bad");
  EXPECT_EQ(read("rate = \"1Hz\"").error().message,
            "s.toml:7:8: a recording is played with the rate it has; leave rate out; speed = 2 plays it twice as fast");
  EXPECT_EQ(
      read("batch = 2").error().message,
      "s.toml:7:9: a recording is played with the frames it has; leave batch out; speed = 2 plays it twice as fast");
  EXPECT_EQ(read("format = \"nmea\"\nchannel = \"udp\"").error().message,
            "s.toml:8:11: format \"nmea\" has no channel \"udp\"; known: pty");
  EXPECT_EQ(read("file = 3").error().message,
            "s.toml:7:8: file is not a path in quotes; write one such as \"drive.log\"");
  EXPECT_EQ(read("file = \"a\\u0007b\"").error().message,
            "s.toml:7:8: file is not a path in quotes; write one such as \"drive.log\"");
}

TEST(Scenario, WhatCannotBeBatchedOrClockedIsRefused) {
  const auto refusal = [](std::string_view text) {
    const auto plan = ReadScenario(text, "s.toml", {}, SampleVocabulary(), BoardOf({0, 1}));
    return plan ? "taken" : plan.error().message;
  };
  EXPECT_EQ(refusal(ImuWith("batch = 17")),
            "s.toml:7:9: batch is 17; sensor \"icm42688p\" has at most 16 samples in a frame");
  EXPECT_EQ(
      refusal(ImuWith("rate = \"1000.001Hz\"")),
      "s.toml:4:1: rate 1000.001Hz in batches of 2 makes frames of no whole number of mHz; write a batch that divides "
      "the rate");
  EXPECT_EQ(refusal(ImuWith("clock_ppm = 1000.5")),
            "s.toml:7:13: clock_ppm is not a number from -1000 to 1000; write one such as 20 or -3.5");
  EXPECT_EQ(refusal(ImuWith("clock_ppm = \"20\"")),
            "s.toml:7:13: clock_ppm is not a number from -1000 to 1000; write one such as 20 or -3.5");
  EXPECT_EQ(
      refusal("name = \"a\"\nduration = \"1s\"\n[loop.l]\n[stream.t]\nsensor = \"tick\"\nloop = \"l\"\nclock_ppm = 2"),
      "s.toml:7:13: a timer stream is the board's own clock; leave clock_ppm out");
  for (const char* noise : {"\"loud\"", "-1", "-0.5"}) {
    EXPECT_EQ(refusal(ImuWith(std::string("noise = ") + noise)),
              "s.toml:7:9: noise is not a number from 0 up; write one such as 1");
  }
  EXPECT_EQ(Read(ImuWith("noise = 0"), BoardOf({0, 1})).streams[0].parameters,
            (std::vector<Parameter>{{"noise", "0"}}));
}

TEST(Scenario, PartsKeepTheOrderOfTheFileAndNotOfTheAlphabet) {
  const Plan plan = Read(R"(
name = "a"
duration = "1s"
[stream.z]
sensor = "tick"
loop = "m"
[worker.y]
workload = "train/mlp"
[loop.m]
[worker.b]
workload = "train/mlp"
[loop.c]
[stream.d]
sensor = "tick"
loop = "c"
)",
                         BoardOf({0, 1}));
  ASSERT_EQ(plan.streams.size(), 2u);
  EXPECT_EQ(plan.streams[0].name, "z");
  EXPECT_EQ(plan.streams[1].name, "d");
  ASSERT_EQ(plan.loops.size(), 2u);
  EXPECT_EQ(plan.loops[0].name, "m");
  EXPECT_EQ(plan.loops[1].name, "c");
  ASSERT_EQ(plan.workers.size(), 2u);
  EXPECT_EQ(plan.workers[0].name, "y");
  EXPECT_EQ(plan.workers[1].name, "b");
}

TEST(Scenario, TimerStreamsAloneNeedNoSource) {
  const std::string text = R"(
name = "a"
duration = "1s"
[loop.l]
[stream.t]
sensor = "tick"
loop = "l"
[worker.w]
workload = "train/mlp"
)";
  Plan plan = Read(text, BoardOf({0, 1}));
  EXPECT_EQ(plan.source, std::nullopt);
  ASSERT_EQ(plan.streams.size(), 1u);
  EXPECT_EQ(plan.streams[0].channel, ChannelKind::kTimer);
  // One that nothing needs takes no core away from the workers.
  plan = Read(text + "[source]\ncores = [1]\n", BoardOf({0, 1}));
  EXPECT_EQ(plan.source, std::nullopt);
  ASSERT_EQ(plan.workers.size(), 1u);
  EXPECT_EQ(plan.workers[0].cores, std::vector<CpuId>{{1}});
}

TEST(Scenario, AStreamIsInRealTimeUnlessItIsToWaitForRoom) {
  const auto pace = [](const std::vector<Override>& overrides) {
    return Read(kDrone, BoardOf({0, 1}), overrides).streams[1].pace;
  };
  EXPECT_EQ(pace({}), Pace::kRealTime);
  EXPECT_EQ(pace({{"stream.gnss.pace", "real-time"}}), Pace::kRealTime);
  EXPECT_EQ(pace({{"stream.gnss.pace", "lossless"}}), Pace::kLossless);
  EXPECT_EQ(pace({{"stream.gnss.pace", "lossless"}, {"stream.gnss.fault", "[{ kind = \"drop\", at = [4] }]"}}),
            Pace::kLossless);
}

TEST(Scenario, ALosslessStreamMayBeFasterThanThePart) {
  const auto rate = [](const std::string& rate, const std::string& pace) {
    return ReadScenario(
        "name = \"a\"\nduration = \"1s\"\n[loop.l]\n[stream.imu]\nsensor = \"icm42688p\"\nloop = "
        "\"l\"\nbatch = 1\n",
        "s.toml", {{"stream.imu.rate", rate}, {"stream.imu.pace", pace}}, SampleVocabulary(), BoardOf({0, 1}));
  };
  EXPECT_EQ(rate("1000kHz", "lossless")->streams[0].rate, Rate::Hertz(1'000'000));
  EXPECT_FALSE(rate("1001kHz", "lossless"));
  EXPECT_TRUE(rate("8kHz", "real-time"));
  EXPECT_FALSE(rate("9kHz", "real-time"));
}

TEST(Scenario, MessagesOfAChannelThatNeverTellsMayGoToAnEndpointThatDoes) {
  const auto plan = ReadScenario(
      "name = \"a\"\nduration = \"1s\"\n[stream.lidar]\nsensor = \"vlp16\"\nreceiver = \"external\"\n"
      "endpoint = \"unix:/tmp/lidar\"\npace = \"lossless\"\n",
      "s.toml", {}, SampleVocabulary(), BoardOf({0, 1}));
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->streams[0].pace, Pace::kLossless);
  EXPECT_FALSE(WaitsForHandler(*plan));
}

TEST(Scenario, AnExternalReceiverNeedsNoLoop) {
  const auto plan = ReadScenario(
      "name = \"a\"\nduration = \"1s\"\nbreak = \"1ms\"\n[source]\ncores = [1]\n[stream.gnss]\nsensor = \"zed-f9p\"\n"
      "receiver = \"external\"\nendpoint = \"pty:/tmp/gps\"\n[stream.imu]\nsensor = \"icm42688p\"\nreceiver = "
      "\"loop\"\n"
      "loop = \"l\"\n[loop.l]\n",
      "s.toml", {}, SampleVocabulary(), BoardOf({0, 1}));
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->streams[0].endpoint, ParseEndpoint("pty:/tmp/gps").value());
  EXPECT_EQ(plan->streams[0].loop, "");
  EXPECT_FALSE(plan->streams[0].break_above) << "nobody knows when it is done";
  EXPECT_FALSE(HasReceiver(plan->streams[0]));
  EXPECT_TRUE(HasReceiver(plan->streams[1]));
  EXPECT_TRUE(plan->streams[1].break_above);
  ASSERT_TRUE(plan->source);
  EXPECT_EQ(plan->source->core, CpuId{1});
}

// --- overrides

TEST(Override, SetsAddsAndReplacesKeys) {
  const Plan plan = Read(kDrone, BoardOf({0, 1}),
                         {{"duration", "3s"},
                          {"seed", "7"},
                          {"drain", "\"0s\""},
                          {"require", "[\"fifo\"]"},
                          {"stream.imu.rate", "2kHz"},
                          {"loop.flight.policy", "other"},
                          {"worker.price.strike", "99.5"},
                          {"worker.price.kind", "put"},
                          {"worker.price.may_fail", "true"},
                          {"worker.price.cores", "[0, 1]"},
                          {"stream.gnss.fault", "[{ kind = \"drop\", at = [4] }]"},
                          {"budget.limits", "[]"}});
  EXPECT_EQ(plan.duration, 3 * kSecond);
  EXPECT_EQ(plan.seed, 7u);
  EXPECT_EQ(plan.drain, Nanos(0));
  EXPECT_EQ(plan.require, std::vector<std::string>{"fifo"});
  EXPECT_EQ(plan.streams[0].rate, Rate::Hertz(2000));
  EXPECT_EQ(plan.loops[0].policy, Policy{});
  EXPECT_EQ(plan.workers[0].parameters[0].value, "99.5");
  EXPECT_EQ(plan.workers[0].parameters[3].value, "put");
  EXPECT_TRUE(plan.workers[0].may_fail);
  EXPECT_EQ(plan.workers[0].cores, (std::vector<CpuId>{{0}, {1}}));
  EXPECT_EQ(plan.streams[1].faults, (std::vector<FaultPlan>{{FaultKind::kDrop, 0, {4}}}));
  EXPECT_TRUE(plan.budgets.empty());
}

TEST(Override, TheLastOfTwoHolds) { EXPECT_EQ(Read(kDrone, BoardOf({0, 1}), {{"seed", "7"}, {"seed", "8"}}).seed, 8u); }

TEST(Override, HealsAFaultOfTheFile) {
  EXPECT_EQ(
      Read("name='a'\nduration='20'\n[worker.w]\nworkload='train/mlp'\n", BoardOf({0}), {{"duration", "2s"}}).duration,
      2 * kSecond);
}

}  // namespace
}  // namespace corerig
