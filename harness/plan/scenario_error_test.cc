// Faults of a scenario, with their place and their words: the text, the top, source and loops, budgets, overrides.
#include "harness/plan/scenario_reading.h"

namespace corerig {
namespace {

// --- limits closer than a figure is known

TEST(ScenarioError, ALimitThatAHistogramCannotTell) {
  const auto limits = [](std::string_view list) { return InStream("tick", StrCat("[budget]\nlimits = [", list, "]")); };
  EXPECT_EQ(Refusal(limits("\"stream.s.latency.p99 == 500us\"")),
            "s.toml:8:11: \"stream.s.latency.p99\" is known to 1 %, and never exactly; write < or >");
  EXPECT_EQ(
      Refusal(limits("\"stream.s.latency.p99 > 498us\", \"stream.s.latency.p99 < 500us\"")),
      "s.toml:8:43: \"stream.s.latency.p99 > 498us\" and \"stream.s.latency.p99 < 500us\" are closer than the 1 % "
      "to which a percentile is known; move them apart");
  const auto taken = [&](std::string_view list) {
    return ReadScenario(limits(list), "s.toml", {}, SampleVocabulary(), BoardOf({0, 1})).has_value();
  };
  EXPECT_TRUE(taken("\"stream.s.latency.p99 > 490us\", \"stream.s.latency.p99 < 500us\""));
  EXPECT_TRUE(taken("\"stream.s.latency.p99 > 499us\", \"stream.s.latency.p50 < 500us\""));
  EXPECT_TRUE(taken("\"stream.s.latency.max == 500us\"")) << "the largest is known exactly";
  EXPECT_TRUE(taken("\"stream.s.lost == 0\""));
}

// --- what others may do, and the break

TEST(ScenarioError, AShareOfOthersThatIsNone) {
  EXPECT_EQ(Refusal(AtTop("max_foreign = 1.5")),
            "s.toml:3:15: max_foreign 1.5 is not from 0 to 1; write one such as 0.01 or \"1%\"");
  EXPECT_EQ(Refusal(AtTop("max_steal = true")),
            "s.toml:3:13: max_steal is a boolean; write a text such as \"1%\", or a number such as 0.01");
  EXPECT_NE(Refusal(AtTop("max_frequency_change = \"2GHz\"")).find("s.toml:3:24: "), std::string::npos);
}

// --- the text itself

TEST(ScenarioError, AFileThatIsNotText) {
  using std::string_literals::operator""s;
  EXPECT_EQ(Refusal("name = \"a\"\nabout = \"\0\"\n"s),
            "s.toml:2:10: byte 0x00 is not text; a scenario is a text in UTF-8");
  EXPECT_EQ(Refusal("\x7f"
                    "ELF\x02\x01\x01\0\0"s),
            "s.toml:1:8: byte 0x00 is not text; a scenario is a text in UTF-8");
  EXPECT_EQ(Refusal("# é, which is one column\n# é \xff\n"),
            "s.toml:2:5: byte 0xff is not text; a scenario is a text in UTF-8");
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                          "\xf4\x90\x80\x80", "\xf5", "\xe2\x82"}) {
    EXPECT_EQ(Refusal(StrCat("#", bad)).substr(0, 21), "s.toml:1:2: byte 0x" + Refusal(StrCat("#", bad)).substr(19, 2));
  }
}

TEST(ScenarioError, AFileThatIsTooLong) {
  EXPECT_EQ(Refusal(std::string(32769, '\n')), "s.toml:1:1: the file has 32769 bytes; a scenario has at most 32768");
}

TEST(ScenarioError, TextThatNestsAsDeepAsTheFileIsLong) {
  std::string dotted = "a";
  while (dotted.size() < 20000) dotted += ".a";
  EXPECT_EQ(Refusal(dotted + " = 1\n"), "s.toml:1:1: key \"name\" is missing; write one such as name = \"drone\"");
  EXPECT_EQ(Refusal("x = " + std::string(30000, '[')).substr(0, 12), "s.toml:1:261");
}

TEST(ScenarioError, WhatIsNotToml) {
  EXPECT_EQ(Refusal("name \"a\"\n"), "s.toml:1:6: Error while parsing key-value pair: expected '=', saw '\"'");
  EXPECT_EQ(Refusal("name = \"a\nduration = \"1s\"\n").substr(0, 12), "s.toml:1:10:");
  for (const char* value : {"20s", "1.5kHz", "1kHz", "fifo", "tick", "other", "icm42688p", "nmea", "1%", "[rest]"}) {
    const std::string message = Refusal(StrCat("x = ", value, "\n"));
    EXPECT_EQ(message.substr(0, 10), "s.toml:1:" + message.substr(9, 1)) << message;
    EXPECT_NE(message.find(": this is not a value; texts and quantities stand in quotes, as in \"20s\""),
              std::string::npos)
        << message;
  }
  EXPECT_EQ(Refusal("[worker.price\n"), "s.toml:1:14: Error while parsing table header: expected ']', saw '\\n'");
  EXPECT_EQ(Refusal("[=]\n"),
            "s.toml:1:2: Error while parsing key: expected bare key starting character or string delimiter, saw '='");
  EXPECT_EQ(Refusal("seed = 9223372036854775808\n"),
            "s.toml:1:27: this number is out of range; "
            "write one from -9223372036854775808 to 9223372036854775807");
}

TEST(ScenarioError, ACharacterOutsideOfTexts) {
  // One of each range that the parser's table of blanks has; U+3000 is a blank to it.
  EXPECT_EQ(Refusal("x = 5 µs\n"),
            "s.toml:1:7: Error while parsing key-value pair: expected a comment or whitespace, saw 'µ'");
  for (const char* letter : {"é", "\u1681", "\u2010", "\u3042", "\ufee0", "\U0001f600"}) {
    EXPECT_EQ(Refusal(StrCat("x = 5 ", letter, "\n")).substr(0, 53),
              "s.toml:1:7: Error while parsing key-value pair: expec");
    EXPECT_EQ(Refusal(StrCat("x = [", letter, "]\n")).substr(0, 10), "s.toml:1:6");
    // After a line's end that the text continues over.
    EXPECT_EQ(Refusal(StrCat("x = \"\"\"\\\n", letter, "\"\"\"\n")),
              "s.toml:1:1: key \"name\" is missing; write one such as name = \"drone\"");
  }
}

TEST(ScenarioError, TwoOfOneName) {
  EXPECT_EQ(Refusal("[worker.price]\nunits = 1\n[worker.price]\nunits = 2\n"),
            "s.toml:3:1: worker \"price\" is defined twice; give one of them another name");
  EXPECT_EQ(Refusal("[stream.imu]\n[stream.imu]\n"),
            "s.toml:2:1: stream \"imu\" is defined twice; give one of them another name");
  EXPECT_EQ(Refusal("[loop.a]\n[loop.a] # again\n"),
            "s.toml:2:1: loop \"a\" is defined twice; give one of them another name");
  EXPECT_EQ(Refusal("[source]\n[source]\n"), "s.toml:2:1: [source] is defined twice; write it once");
  EXPECT_EQ(Refusal("seed = 1\nseed = 2\n"), "s.toml:2:8: \"seed\" is set twice; keep one");
}

// --- the top

TEST(ScenarioError, AnEmptyFile) {
  EXPECT_EQ(Refusal(""), "s.toml:1:1: key \"name\" is missing; write one such as name = \"drone\"");
  EXPECT_EQ(Refusal("# nothing\n"), "s.toml:1:1: key \"name\" is missing; write one such as name = \"drone\"");
}

TEST(ScenarioError, AMissingDuration) {
  EXPECT_EQ(Refusal("name = \"a\"\n"), "s.toml:1:1: key \"duration\" is missing; write one such as duration = \"20s\"");
}

TEST(ScenarioError, NeitherStreamNorWorker) {
  EXPECT_EQ(Refusal("name = \"a\"\nduration = \"1s\"\n[loop.l]\n"),
            "s.toml:1:1: there is neither a stream nor a worker; add a table [stream.NAME] or [worker.NAME]");
}

TEST(ScenarioError, ATableSpeltWronglyIsToldBeforeWhatThenIsMissing) {
  EXPECT_EQ(Refusal("name = \"a\"\nduration = \"1s\"\n[steam.imu]\nsensor = \"vlp16\"\n").substr(0, 55),
            "s.toml:3:2: unknown key \"steam\"; did you mean \"stream\"?");
}

TEST(ScenarioError, ANameOfOtherLetters) {
  EXPECT_EQ(Refusal("name = \"My drone\"\nduration = \"1s\"\n[worker.w]\nworkload = \"train/mlp\"\n"),
            "s.toml:1:8: name \"My drone\" is not made of a-z, 0-9 and -; write one such as \"drone\"");
  EXPECT_EQ(Refusal("name = \"\"\nduration = \"1s\"\n[worker.w]\nworkload = \"train/mlp\"\n"),
            "s.toml:1:8: name \"\" is not made of a-z, 0-9 and -; write one such as \"drone\"");
  EXPECT_EQ(Refusal(AtTop("[loop.Flight]")),
            "s.toml:3:7: loop name \"Flight\" is not made of a-z, 0-9 and -; write one such as [loop.flight]");
  EXPECT_EQ(Refusal(AtTop("[worker.\"a.b\"]\nworkload = \"train/mlp\"")),
            "s.toml:3:9: worker name \"a.b\" is not made of a-z, 0-9 and -; write one such as [worker.price]");
}

TEST(ScenarioError, AValueOfAnotherType) {
  EXPECT_EQ(Refusal("name = 5\nduration = \"1s\"\n[worker.w]\nworkload = \"train/mlp\"\n"),
            "s.toml:1:8: name is a number; write a text such as \"drone\"");
  EXPECT_EQ(Refusal("name = \"a\"\nduration = 20\n[worker.w]\nworkload = \"train/mlp\"\n"),
            "s.toml:2:12: duration is a number; write a text such as \"20s\"");
  EXPECT_EQ(Refusal(AtTop("about = true")),
            "s.toml:3:9: about is a boolean; write a text such as \"what this scenario shows\"");
  EXPECT_EQ(Refusal(AtTop("warmup = 1.5")), "s.toml:3:10: warmup is a number; write a text such as \"1s\"");
  EXPECT_EQ(Refusal(AtTop("drain = 00:00:01")), "s.toml:3:9: drain is a date or time; write a text such as \"1s\"");
  EXPECT_EQ(Refusal(AtTop("seed = \"42\"")), "s.toml:3:8: seed is a text; write a number such as 42");
  EXPECT_EQ(Refusal(AtTop("seed = 1.5")), "s.toml:3:8: seed is not a whole number; write one such as 42");
  EXPECT_EQ(Refusal(AtTop("seed = -1")), "s.toml:3:8: seed is -1; write a whole number from 0");
  EXPECT_EQ(Refusal(AtTop("require = \"fifo\"")), "s.toml:3:11: require is a text; write an array such as [\"fifo\"]");
  EXPECT_EQ(Refusal(AtTop("cpu_dma_latency = 0")),
            "s.toml:3:19: cpu_dma_latency is a number; write a text such as \"0us\", or \"system\"");
  EXPECT_EQ(Refusal(AtTop("loop = 5")), "s.toml:3:8: loop is a number; write a table such as [loop.flight]");
  EXPECT_EQ(Refusal(AtTop("[stream]\nimu = \"tick\"")),
            "s.toml:4:7: stream.imu is a text; write a table such as [stream.imu]");
  EXPECT_EQ(Refusal(AtTop("[[loop.l]]\n[[loop.l]]")), "s.toml:3:1: loop.l is an array; write a table such as [loop.l]");
  EXPECT_EQ(Refusal(AtTop("source = 0")), "s.toml:3:10: source is a number; write a table such as [source]");
  EXPECT_EQ(Refusal(AtTop("budget = []")), "s.toml:3:10: budget is an array; write a table such as [budget]");
}

TEST(ScenarioError, ADurationThatIsNone) {
  EXPECT_EQ(Refusal("name = \"a\"\nduration = \"20\"\n[worker.w]\nworkload = \"train/mlp\"\n"),
            "s.toml:2:12: duration \"20\" has no unit; write \"20s\"");
  EXPECT_EQ(Refusal("name = \"a\"\nduration = \"0s\"\n[worker.w]\nworkload = \"train/mlp\"\n"),
            "s.toml:2:12: duration is zero; write one such as \"20s\"");
  EXPECT_EQ(Refusal(AtTop("warmup = \"-1s\"")), "s.toml:3:10: duration \"-1s\" is negative; write one like \"500us\"");
  EXPECT_EQ(Refusal(AtTop("cpu_dma_latency = \"auto\"")),
            "s.toml:3:19: duration \"auto\" does not begin with a digit; write one like \"500us\"");
}

TEST(ScenarioError, AnUnknownKeyOfTheTop) {
  EXPECT_EQ(Refusal(AtTop("warmpu = \"1s\"")),
            "s.toml:3:1: unknown key \"warmpu\"; did you mean \"warmup\"? known: name, about, duration, warmup, drain, "
            "seed, trace, max_foreign, max_steal, max_frequency_change, require, cpu_dma_latency, loop, stream, "
            "worker, break, source, budget");
  EXPECT_EQ(Refusal(AtTop("[strem.imu]")).substr(0, 55), "s.toml:3:2: unknown key \"strem\"; did you mean \"stream\"?");
  EXPECT_EQ(Refusal(AtTop("colour = \"red\"")).substr(0, 46), "s.toml:3:1: unknown key \"colour\"; known: name,");
}

TEST(ScenarioError, AnUnknownRequirement) {
  EXPECT_EQ(Refusal(AtTop("require = [\"fifo\",\n  \"cgroup\"]")),
            "s.toml:4:3: unknown requirement \"cgroup\"; known: fifo");
  EXPECT_EQ(Refusal(AtTop("require = [\"fifo\", \"fifo\"]")), "s.toml:3:20: \"fifo\" is there twice; write it once");
  EXPECT_EQ(Refusal(AtTop("require = [1]")), "s.toml:3:12: require is a number; write a text such as \"fifo\"");
}

// --- source and loops

TEST(ScenarioError, ACoreTheBoardLacks) {
  EXPECT_EQ(Refusal(AtTop("[loop.l]\ncores = [3]")), "s.toml:4:10: core 3 is not on this board (cores 0-1)");
  EXPECT_EQ(Refusal(AtTop("[source]\ncores = [-1]")), "s.toml:4:10: core -1 is not on this board (cores 0-1)");
  EXPECT_EQ(Refusal(AtTop("[source]\ncores = [4294967296]")),
            "s.toml:4:10: core 4294967296 is not on this board (cores 0-1)");
  EXPECT_EQ(Refusal(AtTop("[loop.l]\ncores = [0]"), {}, BoardOf({2, 3, 5})),
            "s.toml:4:10: core 0 is not on this board (cores 2-3, 5)");
  EXPECT_EQ(Refusal(InWorker("cores = [0, 3]")),
            "s.toml:5:13: core 3 is not on this board (cores 0-1); use cores = \"rest\"");
  EXPECT_EQ(Refusal(InWorker("cores = [1]"), {}, BoardOf({0})),
            "s.toml:5:10: core 1 is not on this board (core 0); use cores = \"rest\"");
}

TEST(ScenarioError, AThreadOnOtherThanOneCore) {
  EXPECT_EQ(Refusal(AtTop("[loop.l]\ncores = [0, 1]")),
            "s.toml:4:9: cores has 2 entries and a loop is one thread; write one core, as in [0]");
  EXPECT_EQ(Refusal(AtTop("[source]\ncores = []")),
            "s.toml:4:9: cores has 0 entries and the source is one thread; write one core, as in [0]");
  EXPECT_EQ(Refusal(AtTop("[loop.l]\ncores = 0")), "s.toml:4:9: cores is a number; write an array such as [0]");
  EXPECT_EQ(Refusal(AtTop("[loop.l]\ncores = \"rest\"")), "s.toml:4:9: cores is a text; write an array such as [0]");
  EXPECT_EQ(Refusal(AtTop("[loop.l]\ncores = [\"0\"]")), "s.toml:4:10: core is a text; write a number such as 0");
  EXPECT_EQ(Refusal(AtTop("[loop.l]\ncores = [0.5]")), "s.toml:4:10: core is not a whole number; write one such as 0");
}

TEST(ScenarioError, AnUnknownPolicy) {
  for (const char* policy : {"fifo", "fifo:0", "fifo:100", "rr:5", ""}) {
    EXPECT_EQ(Refusal(AtTop(StrCat("[loop.l]\npolicy = \"", policy, "\""))),
              StrCat("s.toml:4:10: unknown policy \"", policy,
                     "\"; write \"other\", \"batch\", \"idle\", or \"fifo:1\" to \"fifo:99\""));
  }
}

TEST(ScenarioError, AnUnknownKeyOfSourceOrLoop) {
  EXPECT_EQ(Refusal(AtTop("[source]\ncore = [0]")),
            "s.toml:4:1: unknown key \"core\" in [source]; did you mean \"cores\"? known: cores, policy");
  EXPECT_EQ(Refusal(AtTop("[loop.l]\nrate = 1")), "s.toml:4:1: unknown key \"rate\" in [loop.l]; known: cores, policy");
}

// --- budgets

TEST(ScenarioError, ABudgetThatIsNone) {
  EXPECT_EQ(Refusal(AtTop("[budget]\nlimits = \"rig.cpu < 1%\"")),
            "s.toml:4:10: limits is a text; write an array such as [\"stream.imu.latency.p99 < 500us\"]");
  EXPECT_EQ(Refusal(AtTop("[budget]\nlimits = [5]")),
            "s.toml:4:11: limit is a number; write a text such as \"stream.imu.latency.p99 < 500us\"");
  EXPECT_EQ(Refusal(AtTop("[budget]\nlimit = []")),
            "s.toml:4:1: unknown key \"limit\" in [budget]; did you mean \"limits\"? known: limits");
}

TEST(ScenarioError, ABudgetStandsWhereItsTextStands) {
  EXPECT_EQ(Refusal(AtTop("[budget]\nlimits = [\n  \"rig.cpu < 5%\",\n    \"rig.cpuu < 5%\",\n]")),
            "s.toml:6:5: there is no metric \"rig.cpuu\" in this scenario; did you mean \"rig.cpu\"?");
  EXPECT_EQ(Refusal(AtTop("[budget]\nlimits = [\"rig.cpu < 5s\"]")),
            "s.toml:4:11: share \"5s\" is not a number; write one like \"1%\" or \"0.01\"");
  EXPECT_EQ(Refusal(AtTop("[budget]\nlimits = [\"worker.w.3.rate > 1\"]")),
            "s.toml:4:11: there is no metric \"worker.w.3.rate\" in this scenario; did you mean \"worker.w.0.rate\"?");
}

TEST(ScenarioError, ABudgetIsNotBlamedForAFaultElsewhere) {
  EXPECT_EQ(Refusal("name = \"a\"\nduration = \"1s\"\n[budget]\nlimits = [\"worker.w.1.rate > 1\"]\n[worker.w]\n"
                    "workload = \"train/mlp\"\ncores = [0, 7]\n"),
            "s.toml:7:13: core 7 is not on this board (cores 0-1); use cores = \"rest\"");
  EXPECT_EQ(
      Refusal("name = \"a\"\nduration = \"1s\"\n[budget]\nlimits = [\"stream.s.lost == 0\"]\n[loop.l]\n[stream.s]\n"
              "sensor = \"x\"\nloop = \"l\"\n"),
      "s.toml:7:10: unknown sensor \"x\"; known: tick, icm42688p, zed-f9p, vlp16");
}

// --- which fault is the first

TEST(ScenarioError, TheFirstOfTheFileIsReportedWhateverItsKind) {
  const std::string text =
      "name = \"a\"\n"
      "duration = \"1s\"\n"
      "[budget]\n"
      "limits = [\"rig.cpuu < 5%\"]\n"
      "[stream.s]\n"
      "loop = \"missing\"\n"
      "sensor = \"x\"\n"
      "colour = 1\n"
      "[loop.l]\n"
      "cores = [9]\n"
      "[worker.w]\n"
      "workload = \"nothing\"\n";
  std::string rest = text;
  const std::pair<const char*, const char*> faults[] = {
      {"s.toml:4:11:", "\"rig.cpuu < 5%\""}, {"s.toml:6:8:", "loop = \"missing\""}, {"s.toml:7:10:", "sensor = \"x\""},
      {"s.toml:8:1:", "colour = 1"},         {"s.toml:10:10:", "cores = [9]"},      {"s.toml:12:12:", "\"nothing\""}};
  const char* const right[] = {"", "loop = \"l\"", "sensor = \"tick\"", "", "", "\"train/mlp\""};
  for (std::size_t i = 0; i < std::size(faults); ++i) {
    EXPECT_EQ(Refusal(rest).substr(0, std::string_view(faults[i].first).size()), faults[i].first) << rest;
    rest.replace(rest.find(faults[i].second), std::string_view(faults[i].second).size(), right[i]);
  }
  EXPECT_TRUE(ReadScenario(rest, "s.toml", {}, SampleVocabulary(), BoardOf({0, 1}))) << rest;
}

TEST(ScenarioError, ABoardWithoutCores) {
  EXPECT_EQ(Refusal(kDrone, {}, Board{}), "s.toml:1:1: there is no core that this process may run on");
}

// --- overrides

TEST(OverrideError, AFaultInAnOverrideSaysWhich) {
  EXPECT_EQ(Refusal(kDrone, {{"seed", "3"}, {"stream.imu.rate", "2k"}}),
            "--set stream.imu.rate=2k: rate \"2k\" has no unit; write \"2kHz\" or \"2000Hz\"");
  EXPECT_EQ(
      Refusal(kDrone, {{"stream.imu.rate", "9kHz"}}),
      "--set stream.imu.rate=9kHz: rate 9kHz is above the highest of sensor \"icm42688p\"; write at most \"8kHz\"");
  EXPECT_EQ(Refusal(kDrone, {{"duration", "10"}}),
            "--set duration=10: duration is a number; write a text such as \"20s\"");
  EXPECT_EQ(Refusal(kDrone, {{"seed", "x"}}), "--set seed=x: seed is a text; write a number such as 42");
  EXPECT_EQ(Refusal(kDrone, {{"worker.price.cores", "[0, 5]"}}),
            "--set worker.price.cores=[0, 5]: core 5 is not on this board (cores 0-1); use cores = \"rest\"");
  EXPECT_EQ(Refusal(kDrone, {{"budget.limits", "[\"rig.cpu < 5\"]"}}),
            "--set budget.limits=[\"rig.cpu < 5\"]: share \"5\" is above 1; write \"5%\" or \"0.05\"");
}

TEST(OverrideError, AnUnknownKey) {
  EXPECT_EQ(Refusal(kDrone, {{"stream.imu.ratee", "2kHz"}}),
            "--set stream.imu.ratee=2kHz: unknown key \"ratee\" in [stream.imu]; did you mean \"rate\"? "
            "known: sensor, rate, pace, format, channel, receiver, loop, endpoint, answers, break, clock_offset, "
            "clock_ppm, batch, fault, noise");
  EXPECT_EQ(Refusal(kDrone, {{"sed", "1"}}).substr(0, 52), "--set sed=1: unknown key \"sed\"; did you mean \"seed\"?");
}

TEST(OverrideError, AnUnknownTable) {
  EXPECT_EQ(Refusal(kDrone, {{"stream.imo.rate", "2kHz"}}),
            "--set stream.imo.rate=2kHz: there is no table [stream.imo] in the scenario; did you mean \"imu\"? "
            "known: imu, gnss, lidar");
  EXPECT_EQ(Refusal(kDrone, {{"strm.imu.rate", "2kHz"}}),
            "--set strm.imu.rate=2kHz: there is no table [strm] in the scenario; did you mean \"stream\"? "
            "known: source, loop, stream, worker, budget");
}

TEST(OverrideError, AKeyThatLeadsNowhere) {
  EXPECT_EQ(Refusal(kDrone, {{"seed.x", "1"}}),
            "--set seed.x=1: seed is not a table; set it as a whole, as in --set seed=VALUE");
  EXPECT_EQ(Refusal(kDrone, {{"stream.imu", "1"}}),
            "--set stream.imu=1: stream.imu is a table; set one of its keys, as in --set stream.imu.KEY=VALUE");
  EXPECT_EQ(Refusal(kDrone, {{"", "1"}}),
            "--set =1: the key is empty; write KEY=VALUE, as in --set stream.imu.rate=2kHz");
  EXPECT_EQ(Refusal(kDrone, {{"stream.imu.", "1"}}),
            "--set stream.imu.=1: the key is empty; write KEY=VALUE, as in --set stream.imu.rate=2kHz");
}

TEST(OverrideError, AValueThatIsMoreThanOne) {
  // No second key is smuggled in: what is not one TOML value is a text.
  EXPECT_EQ(Refusal(kDrone, {{"seed", "1\nname = \"b\""}}),
            "--set seed=1\\nname = \"b\": seed is a text; write a number such as 42");
  EXPECT_EQ(Refusal(kDrone, {{"about", "\xff"}}),
            "--set about=\xff: byte 0xff is not text; a scenario is a text in UTF-8");
}

TEST(OverrideError, AFaultOfTheFileComesFirst) {
  EXPECT_EQ(Refusal(AtTop("seed = -1"), {{"duration", "x"}}), "s.toml:3:8: seed is -1; write a whole number from 0");
}

}  // namespace
}  // namespace corerig
