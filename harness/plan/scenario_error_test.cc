// Every fault of a scenario, with its place and its words.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/base/text.h"
#include "harness/plan/sample_vocabulary.h"
#include "harness/plan/scenario.h"

namespace corerig {
namespace {

std::string Refusal(std::string_view text, const std::vector<Override>& overrides = {},
                    const Board& board = BoardOf({0, 1})) {
  const auto plan = ReadScenario(text, "s.toml", overrides, SampleVocabulary(), board);
  if (plan) {
    ADD_FAILURE() << "taken:\n" << text;
    return "";
  }
  for (const char c : plan.error().message) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << plan.error().message;
  return plan.error().message;
}

// Lines 1 and 2 of most cases, and a worker at the end.
std::string AtTop(std::string_view lines) {
  return StrCat("name = \"a\"\nduration = \"1s\"\n", lines, "\n[worker.w]\nworkload = \"train/mlp\"\n");
}

// The stream's table is in line 4; `lines` begin in line 7.
std::string InStream(std::string_view sensor, std::string_view lines) {
  return StrCat("name = \"a\"\nduration = \"1s\"\n[loop.l]\n[stream.s]\nsensor = \"", sensor, "\"\nloop = \"l\"\n",
                lines, "\n");
}

// The worker's table is in line 3; `lines` begin in line 5.
std::string InCommand(std::string_view lines) {
  return StrCat("name = \"a\"\nduration = \"1s\"\n[worker.w]\nworkload = \"exec\"\n", lines, "\n");
}

// The worker's table is in line 3; `lines` begin in line 5.
std::string InWorker(std::string_view lines) {
  return StrCat("name = \"a\"\nduration = \"1s\"\n[worker.w]\nworkload = \"montecarlo/option\"\n", lines, "\n");
}

// --- receivers that are not ours

TEST(ScenarioError, AnExternalReceiver) {
  const auto external = [](std::string_view sensor, std::string_view lines) {
    return StrCat("name = \"a\"\nduration = \"1s\"\n[stream.s]\nsensor = \"", sensor, "\"\nreceiver = \"external\"\n",
                  lines, "\n");
  };
  EXPECT_EQ(Refusal(external("zed-f9p", "")),
            "s.toml:3:1: key \"endpoint\" is missing in [stream.s]; write one such as endpoint = "
            "\"udp:127.0.0.1:5000\"");
  EXPECT_EQ(Refusal(external("zed-f9p", "endpoint = \"udp:127.0.0.1\"")),
            "s.toml:6:12: endpoint \"udp:127.0.0.1\" has no port from 1 to 65535; write one such as "
            "\"udp:127.0.0.1:5000\"");
  EXPECT_EQ(Refusal(external("vlp16", "endpoint = \"pty:/tmp/x\"")),
            "s.toml:6:12: endpoint \"pty:/tmp/x\" carries bytes, and channel udp has messages; write udp:HOST:PORT, "
            "unix:PATH or file:PATH, or a channel of bytes where the sensor has one");
  EXPECT_EQ(Refusal(external("zed-f9p", "endpoint = \"pty:/tmp/x\"\nloop = \"l\"\n[loop.l]")),
            "s.toml:7:8: loop is for streams that a loop receives; leave it out where the receiver is external");
  EXPECT_EQ(Refusal(external("zed-f9p", "endpoint = \"pty:/tmp/x\"\nbreak = \"1ms\"")),
            "s.toml:7:9: break is for streams that a loop receives; leave it out where the receiver is external");
  EXPECT_EQ(Refusal(external("tick", "")),
            "s.toml:5:12: a timer stream sends nothing to a receiver; leave receiver out");
  EXPECT_EQ(
      Refusal(InStream("zed-f9p", "endpoint = \"pty:/tmp/x\"")),
      "s.toml:7:12: endpoint is for an external receiver; write receiver = \"external\" and no loop, or leave it out");
  EXPECT_EQ(Refusal(external("zed-f9p", "endpoint = \"pty:/tmp/x\"\nanswers = \"tcp:127.0.0.1:6000\"")),
            "s.toml:7:11: answers \"tcp:127.0.0.1:6000\" come as datagrams, or on the endpoint itself; write one of "
            "udp:HOST:PORT, unix:PATH or endpoint");
  EXPECT_EQ(Refusal(external("vlp16", "endpoint = \"udp:127.0.0.1:5000\"\nanswers = \"endpoint\"")),
            "s.toml:7:11: answers are not read from endpoint \"udp:127.0.0.1:5000\"; write udp:HOST:PORT or unix:PATH");
  EXPECT_EQ(
      Refusal(external("vlp16", "endpoint = \"can:vcan0\"")),
      "s.toml:6:12: endpoint \"can:vcan0\" is a CAN bus, and channel udp has no CAN frames; write another endpoint, "
      "or take a sensor of channel can");
  EXPECT_EQ(
      Refusal(external("zed-f9p",
                       "endpoint = \"pty:/tmp/x\"\nanswers = \"udp:127.0.0.1:6000\"\nfault = [{ kind = \"drop\", "
                       "share = 0.5 }]")),
      "s.toml:7:11: answers belong to frames by their order, which a fault may spoil; leave out answers, or fault");
  EXPECT_EQ(Refusal(InStream("zed-f9p", "receiver = \"extern\"")),
            "s.toml:7:12: unknown receiver \"extern\"; did you mean \"external\"? known: external, loop");
}

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

TEST(ScenarioError, ABreakThatStopsNothing) {
  EXPECT_EQ(Refusal(InStream("tick", "break = \"0us\"")),
            "s.toml:7:9: break is zero, and every sample is later; write one such as \"500us\"");
  EXPECT_EQ(Refusal(InStream("tick", "break = \"500\"")), "s.toml:7:9: duration \"500\" has no unit; write \"500s\"");
  EXPECT_EQ(Refusal(AtTop("break = \"500us\"")),
            "s.toml:3:9: break stops the run at a late sample, and there is no stream; leave it out, or add a table "
            "[stream.NAME]");
  EXPECT_EQ(Refusal(InStream("tick", ""), {{"break", "0us"}}),
            "--set break=0us: break is zero, and every sample is later; write one such as \"500us\"");
}

TEST(ScenarioError, WhatCannotWaitForRoom) {
  EXPECT_EQ(Refusal(InStream("tick", "pace = \"lossless\"")),
            "s.toml:7:8: a timer stream sends nothing that could wait; write pace = \"real-time\", or leave it out");
  EXPECT_EQ(Refusal(InStream("vlp16", "pace = \"lossless\"")),
            "s.toml:7:8: channel udp loses frames without telling, so a stream through it cannot be lossless; choose "
            "another channel, or leave pace out");
  EXPECT_EQ(Refusal(InStream("icm42688p", "pace = \"lossles\"")),
            "s.toml:7:8: unknown pace \"lossles\"; did you mean \"lossless\"? known: real-time, lossless");
  EXPECT_EQ(
      Refusal(InStream("icm42688p", "pace = \"lossless\"\nfault = [{ kind = \"jitter\", share = 1, by = \"1ms\" }]")),
      "s.toml:7:8: fault jitter holds frames back, and those of a lossless stream go as soon as they can; leave out "
      "that fault, or pace");
  EXPECT_EQ(Refusal(InStream("icm42688p", "pace = \"lossless\"\nfault = [{ kind = \"reorder\", at = [1] }]")),
            "s.toml:7:8: fault reorder holds frames back, and those of a lossless stream go as soon as they can; leave "
            "out that fault, or pace");
  EXPECT_EQ(Refusal("name = \"a\"\nduration = \"1s\"\n[stream.s]\nsensor = \"icm42688p\"\nreceiver = \"external\"\n"
                    "endpoint = \"udp:127.0.0.1:5000\"\npace = \"lossless\"\n"),
            "s.toml:7:8: udp:127.0.0.1:5000 loses frames without telling, so a stream through it cannot be lossless; "
            "choose another endpoint, or leave pace out");
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

// --- streams

TEST(ScenarioError, AStreamWithoutItsKeys) {
  EXPECT_EQ(Refusal("name = \"a\"\nduration = \"1s\"\n[loop.l]\n  [stream.s]\nloop = \"l\"\n"),
            "s.toml:4:3: key \"sensor\" is missing in [stream.s]; write one such as sensor = \"tick\"");
  EXPECT_EQ(Refusal("name = \"a\"\nduration = \"1s\"\n[loop.l]\n[stream.s]\nsensor = \"tick\"\n"),
            "s.toml:4:1: key \"loop\" is missing in [stream.s]; write one such as loop = \"l\"");
  EXPECT_EQ(Refusal("name = \"a\"\nduration = \"1s\"\n[stream.s]\nsensor = \"tick\"\n"),
            "s.toml:3:1: key \"loop\" is missing in [stream.s]; write one such as loop = \"flight\"");
}

TEST(ScenarioError, AnUnknownSensor) {
  EXPECT_EQ(
      Refusal(InStream("icm42688", "")),
      "s.toml:5:10: unknown sensor \"icm42688\"; did you mean \"icm42688p\"? known: tick, icm42688p, zed-f9p, vlp16");
  EXPECT_EQ(Refusal(InStream("bmi270", "rate = \"1kHz\"\nformat = \"x\"\nchannel = \"y\"")),
            "s.toml:5:10: unknown sensor \"bmi270\"; known: tick, icm42688p, zed-f9p, vlp16");
}

TEST(ScenarioError, AMissingLoop) {
  EXPECT_EQ(
      Refusal("name = \"a\"\nduration = \"1s\"\n[stream.s]\nsensor = \"tick\"\nloop = \"flght\"\n[loop.flight]\n"),
      "s.toml:5:8: loop \"flght\" is missing; did you mean \"flight\"? known: flight");
  EXPECT_EQ(
      Refusal("name = \"a\"\nduration = \"1s\"\n[stream.s]\nsensor = \"tick\"\nloop = \"main\"\n[loop.a]\n[loop.b]\n"),
      "s.toml:5:8: loop \"main\" is missing; known: a, b");
  EXPECT_EQ(Refusal("name = \"a\"\nduration = \"1s\"\n[stream.s]\nsensor = \"tick\"\nloop = \"main\"\n"),
            "s.toml:5:8: loop \"main\" is missing; add a table [loop.main]");
}

TEST(ScenarioError, ARateThatIsNone) {
  EXPECT_EQ(Refusal(InStream("tick", "rate = \"1k\"")),
            "s.toml:7:8: rate \"1k\" has no unit; write \"1kHz\" or \"1000Hz\"");
  EXPECT_EQ(Refusal(InStream("tick", "rate = 1000")), "s.toml:7:8: rate is a number; write a text such as \"1kHz\"");
  EXPECT_EQ(Refusal(InStream("tick", "rate = \"0Hz\"")), "s.toml:7:8: rate \"0Hz\" is zero; write at least \"1mHz\"");
  EXPECT_EQ(Refusal(InStream("icm42688p", "rate = \"8001Hz\"")),
            "s.toml:7:8: rate 8001Hz is above the highest of sensor \"icm42688p\"; write at most \"8kHz\"");
}

TEST(ScenarioError, AChannelTheSensorDoesNotHave) {
  EXPECT_EQ(Refusal(InStream("icm42688p", "channel = \"pty\"")),
            "s.toml:7:11: sensor \"icm42688p\" has no channel \"pty\"; known: seqpacket, udp");
  EXPECT_EQ(Refusal(InStream("icm42688p", "channel = \"seqpaket\"")),
            "s.toml:7:11: sensor \"icm42688p\" has no channel \"seqpaket\"; did you mean \"seqpacket\"? "
            "known: seqpacket, udp");
  EXPECT_EQ(Refusal(InStream("tick", "channel = \"udp\"")),
            "s.toml:7:11: sensor \"tick\" has no channel \"udp\"; known: timer");
  EXPECT_EQ(Refusal(InStream("tick", "channel = 1")),
            "s.toml:7:11: channel is a number; write a text such as \"timer\"");
}

TEST(ScenarioError, AFormatTheSensorDoesNotHave) {
  EXPECT_EQ(Refusal(InStream("zed-f9p", "format = \"nema\"")),
            "s.toml:7:10: sensor \"zed-f9p\" has no format \"nema\"; did you mean \"nmea\"? known: ubx, nmea");
  EXPECT_EQ(Refusal(InStream("vlp16", "format = \"nmea\"")),
            "s.toml:7:10: sensor \"vlp16\" has one format; leave format out");
}

TEST(ScenarioError, AnUnknownKeyOfAStream) {
  EXPECT_EQ(Refusal(InStream("tick", "ratee = \"1kHz\"")),
            "s.toml:7:1: unknown key \"ratee\" in [stream.s]; did you mean \"rate\"? "
            "known: sensor, rate, pace, format, channel, receiver, loop, endpoint, answers, break, clock_offset, "
            "clock_ppm, batch, fault");
}

TEST(ScenarioError, AFaultThatIsNone) {
  const auto fault = [](std::string_view entries) { return InStream("icm42688p", StrCat("fault = [", entries, "]")); };
  EXPECT_EQ(Refusal(InStream("icm42688p", "fault = \"drop\"")),
            "s.toml:7:9: fault is a text; write an array such as [{ kind = \"drop\", share = 0.01 }]");
  EXPECT_EQ(Refusal(fault("\"drop\"")),
            "s.toml:7:10: fault is a text; write a table such as { kind = \"drop\", share = 0.01 }");
  EXPECT_EQ(Refusal(fault("{ share = 0.1 }")),
            "s.toml:7:10: key \"kind\" is missing in [fault]; write one such as kind = \"drop\"");
  EXPECT_EQ(Refusal(fault("{ kind = \"bitflip\", share = 0.1 }")),
            "s.toml:7:19: unknown fault \"bitflip\"; did you mean \"bit-flip\"? known: off, intermittent, slow, drop, "
            "duplicate, reorder, bit-flip, truncate, garbage, stuck, wrong, delayed, burst, drift, jitter");
  EXPECT_EQ(
      Refusal(fault("{ kind = \"drop\" }")),
      "s.toml:7:10: a fault has none of share, at and from; write one of them, as in share = 0.01, at = [3, 17] or "
      "from = \"2s\"");
  EXPECT_EQ(Refusal(fault("{ kind = \"drop\", share = 0.1, at = [1] }")),
            "s.toml:7:10: a fault has more than one of share, at and from; write one of them, as in share = 0.01, at = "
            "[3, 17] "
            "or from = \"2s\"");
  EXPECT_EQ(Refusal(fault("{ kind = \"drop\", share = 0.1, rate = 1 }")),
            "s.toml:7:40: unknown key \"rate\" in [fault]; did you mean \"at\"? known: kind, share, at, from, for");
  EXPECT_EQ(Refusal(fault("{ kind = \"drop\", share = 0.1 },\n  { kind = \"drop\", at = [1] }")),
            "s.toml:8:3: fault \"drop\" is there twice without from; make one of them");
}

TEST(ScenarioError, AFaultAtATimeThatIsNone) {
  const auto fault = [](std::string_view entry) { return InStream("icm42688p", StrCat("fault = [{ ", entry, " }]")); };
  EXPECT_EQ(Refusal(fault("kind = \"off\", share = 0.1")),
            "s.toml:7:34: fault \"off\" has no meaning for single samples; write a time, as in from = \"2s\", for = "
            "\"500ms\"");
  EXPECT_EQ(Refusal(fault("kind = \"drop\", share = 0.1, from = \"1s\"")),
            "s.toml:7:10: a fault has more than one of share, at and from; write one of them, as in share = 0.01, at = "
            "[3, 17] "
            "or from = \"2s\"");
  EXPECT_EQ(Refusal(fault("kind = \"drop\", share = 0.1, for = \"1s\"")),
            "s.toml:7:46: for goes with from; write from = \"2s\" beside it");
  EXPECT_EQ(Refusal(fault("kind = \"drop\", from = \"1s\", for = \"0s\"")),
            "s.toml:7:46: for is zero, and no sample is hit; write a time");
  EXPECT_EQ(Refusal(fault("kind = \"drop\", from = 1")), "s.toml:7:34: from is a number; write a text such as \"2s\"");
}

TEST(ScenarioError, WhatAKindOfFaultNeeds) {
  const auto fault = [](std::string_view entry) { return InStream("icm42688p", StrCat("fault = [{ ", entry, " }]")); };
  EXPECT_EQ(Refusal(fault("kind = \"delayed\", share = 0.1")),
            "s.toml:7:10: key \"by\" is missing in [fault]; write one such as by = \"3ms\"");
  EXPECT_EQ(Refusal(fault("kind = \"delayed\", share = 0.1, by = \"0s\"")),
            "s.toml:7:48: by is zero; write a time such as \"3ms\"");
  EXPECT_EQ(Refusal(fault("kind = \"jitter\", share = 0.1, by = \"2s\"")),
            "s.toml:7:47: by is 2s; write at most \"1s\"");
  EXPECT_EQ(Refusal(fault("kind = \"intermittent\", from = \"1s\", period = \"1ms\"")),
            "s.toml:7:57: period is 1ms, shorter than two frames; write at least \"2ms\"");
  EXPECT_EQ(
      Refusal(fault("kind = \"wrong\", share = 0.1, offset = 0")),
      "s.toml:7:50: offset is not a number other than 0, in the unit of the sensor's value; write one such as 50");
  EXPECT_EQ(Refusal(fault("kind = \"drift\", from = \"1s\", rate = \"1kHz\"")),
            "s.toml:7:48: rate is not a number other than 0, in the unit of the sensor's value; write one such as 0.1");
  EXPECT_EQ(Refusal(fault("kind = \"slow\", from = \"1s\", factor = 1")),
            "s.toml:7:49: factor is 1; write a whole number from 2");
  EXPECT_EQ(Refusal(fault("kind = \"burst\", from = \"1s\", frames = 1001")),
            "s.toml:7:50: frames is 1001; at this rate write at most 1000");
  EXPECT_EQ(
      Refusal(InStream("vlp16", "fault = [{ kind = \"stuck\", from = \"1s\" }]")),
      "s.toml:7:19: fault \"stuck\" is not available for sensor \"vlp16\", whose measurement cannot be falsified; its "
      "frames can be dropped, damaged or held back");
}

TEST(ScenarioError, MoreFaultsThanThereIsRoomFor) {
  std::string many;
  for (int i = 0; i < 33; ++i) many += StrCat("  { kind = \"off\", from = \"", i, "s\", for = \"1ms\" },\n");
  EXPECT_EQ(Refusal(InStream("icm42688p", StrCat("fault = [\n", many, "]"))),
            "s.toml:40:3: a stream has at most 32 faults; leave some out");
}

TEST(ScenarioError, AShareThatIsNone) {
  const auto share = [](std::string_view value) {
    return InStream("icm42688p", StrCat("fault = [{ kind = \"drop\", share = ", value, " }]"));
  };
  EXPECT_EQ(Refusal(share("1.5")), "s.toml:7:35: share 1.5 is not from 0 to 1; write one such as 0.01 or \"1%\"");
  EXPECT_EQ(Refusal(share("-0.1")), "s.toml:7:35: share -0.1 is not from 0 to 1; write one such as 0.01 or \"1%\"");
  EXPECT_EQ(Refusal(share("nan")), "s.toml:7:35: share nan is not from 0 to 1; write one such as 0.01 or \"1%\"");
  EXPECT_EQ(Refusal(share("2")), "s.toml:7:35: share 2 is not from 0 to 1; write one such as 0.01 or \"1%\"");
  EXPECT_EQ(Refusal(share("\"101%\"")), "s.toml:7:35: share \"101%\" is above 1; write \"0%\" to \"100%\", or 0 to 1");
  EXPECT_EQ(Refusal(share("true")),
            "s.toml:7:35: share is a boolean; write a text such as \"1%\", or a number such as 0.01");
  EXPECT_EQ(Refusal(InStream("icm42688p",
                             "fault = [{ kind = \"drop\", share = 0.6 },\n"
                             "         { kind = \"reorder\", share = 0.5 }]")),
            "s.toml:8:10: the shares of all faults come to 1.1; together write at most 1");
}

TEST(ScenarioError, SamplesThatAreNone) {
  const auto at = [](std::string_view value) {
    return InStream("icm42688p", StrCat("fault = [{ kind = \"drop\", at = ", value, " }]"));
  };
  EXPECT_EQ(Refusal(at("3")), "s.toml:7:32: at is a number; write an array such as [3, 17]");
  EXPECT_EQ(Refusal(at("[]")), "s.toml:7:32: at is empty; name samples, as in [3, 17]");
  EXPECT_EQ(Refusal(at("[-1]")), "s.toml:7:33: sample is -1; write a whole number from 0");
  EXPECT_EQ(Refusal(at("[1.5]")), "s.toml:7:33: sample is not a whole number; write one such as 17");
  EXPECT_EQ(Refusal(at("[3, 1, 3]")), "s.toml:7:39: sample 3 is there twice; name each once");
}

TEST(ScenarioError, AFaultOfATimer) {
  EXPECT_EQ(Refusal(InStream("tick", "fault = [{ kind = \"drop\", share = 0.1 }]")),
            "s.toml:7:9: a timer stream sends nothing that a fault could hit; leave fault out");
}

// --- workers

TEST(ScenarioError, AnUnknownWorkload) {
  EXPECT_EQ(
      Refusal("name = \"a\"\nduration = \"1s\"\n[worker.w]\n"),
      "s.toml:3:1: key \"workload\" is missing in [worker.w]; write one such as workload = \"montecarlo/option\"");
  // Its parameters are not blamed.
  EXPECT_EQ(Refusal("name = \"a\"\nduration = \"1s\"\n[worker.w]\npaths = 5\nworkload = \"train/mpl\"\n"),
            "s.toml:5:12: unknown workload \"train/mpl\"; did you mean \"train/mlp\"? known: montecarlo/option, "
            "load/sample, exec, train/mlp");
}

TEST(ScenarioError, CoresThatAreNone) {
  EXPECT_EQ(Refusal(InWorker("cores = \"some\"")),
            "s.toml:5:9: unknown cores \"some\"; write \"rest\", \"all\" or a list such as [1]");
  EXPECT_EQ(Refusal(InWorker("cores = 1")),
            "s.toml:5:9: cores is a number; write a text such as \"rest\" or \"all\", or a list such as [1]");
  EXPECT_EQ(Refusal(InWorker("cores = []")), "s.toml:5:9: cores is empty; write cores = \"rest\", \"all\" or a list");
  EXPECT_EQ(Refusal(InWorker("cores = [1, 1]")),
            "s.toml:5:13: core 1 is there twice; for several workers on a core write workers = 2 beside the cores");
}

TEST(ScenarioError, NoCoreIsLeftForTheRest) {
  const std::string loop = "[loop.l]\n[stream.s]\nsensor = \"vlp16\"\nloop = \"l\"\n";
  EXPECT_EQ(Refusal(InWorker("cores = \"rest\"\n" + loop), {}, BoardOf({0})),
            "s.toml:5:9: no core is left for worker w: source and loops use core 0; write cores = [0]");
  EXPECT_EQ(Refusal(InWorker("[source]\ncores = [3]\n" + loop), {}, BoardOf({2, 3})),
            "s.toml:3:1: no core is left for worker w: source and loops use cores 2-3; write cores = [3]");
}

TEST(ScenarioError, AModelOfRunningThatIsNone) {
  EXPECT_EQ(Refusal(InWorker("as = \"exec\"")),
            "s.toml:5:6: unknown as \"exec\"; write \"spawn\" (a process each, executed), \"fork\" (a process each, "
            "forked) or \"thread\"");
  const std::string command =
      "name = \"a\"\nduration = \"1s\"\n[worker.w]\nworkload = \"exec\"\ncommand = [\"true\"]\n";
  EXPECT_EQ(Refusal(command + "as = \"fork\""), "s.toml:6:6: a command is executed, not forked; leave \"as\" out");
  EXPECT_EQ(Refusal(command + "as = \"thread\""),
            "s.toml:6:6: a command is executed, not run in a thread; leave \"as\" out");
  EXPECT_EQ(Refusal(InWorker("as = \"thread\"\nmemory = \"64MiB\"")),
            "s.toml:6:10: memory limits a process, and threads share theirs; leave it out, or write as = \"spawn\"");
}

TEST(ScenarioError, PlacesOfWorkersThatAreNone) {
  EXPECT_EQ(Refusal(InWorker("workers = 0")), "s.toml:5:11: workers is 0; write a whole number from 1");
  EXPECT_EQ(Refusal(InWorker("workers = 1025")), "s.toml:5:11: workers is 1025; a group has at most 1024");
  EXPECT_EQ(Refusal(InWorker("floating = 1")), "s.toml:5:12: floating is a number; write a boolean such as true");
  EXPECT_EQ(Refusal(InWorker("nice = 20")), "s.toml:5:8: nice is 20; write a whole number from -20 to 19");
  EXPECT_EQ(Refusal(InWorker("nice = -21")), "s.toml:5:8: nice is -21; write a whole number from -20");
  EXPECT_EQ(Refusal(InWorker("policy = \"fifo:5\"\nnice = 5")),
            "s.toml:6:8: nice has no effect under policy \"fifo:5\"; leave it out, or write policy = \"other\"");
}

TEST(ScenarioError, AWorkersOwnKeys) {
  EXPECT_EQ(Refusal(InWorker("units = 0")), "s.toml:5:9: units is 0; write a whole number from 1");
  EXPECT_EQ(Refusal(InWorker("units = \"many\"")), "s.toml:5:9: units is a text; write a number such as 1000");
  EXPECT_EQ(Refusal(InWorker("time_limit = \"0s\"")),
            "s.toml:5:14: time_limit is zero; write one such as \"20s\", or leave it out");
  EXPECT_EQ(Refusal(InWorker("memory = \"4KiB\"")),
            "s.toml:5:10: memory is 4KiB; a worker needs at least \"1MiB\" to start");
  EXPECT_EQ(Refusal(InWorker("memory = 64")), "s.toml:5:10: memory is a number; write a text such as \"64MiB\"");
  EXPECT_EQ(Refusal(InWorker("memory = \"64MiB\"\nmemory_counts = \"virtual\"")),
            "s.toml:6:17: unknown memory_counts \"virtual\"; write \"used\" or \"address-space\"");
  EXPECT_EQ(
      Refusal(InWorker("memory_counts = \"address-space\"")),
      "s.toml:5:17: memory_counts says how memory counts, and there is no memory; write memory = \"64MiB\" beside "
      "it");
  EXPECT_EQ(Refusal(InWorker("time_limit = \"20\"")), "s.toml:5:14: duration \"20\" has no unit; write \"20s\"");
  EXPECT_EQ(Refusal(InWorker("may_fail = \"yes\"")), "s.toml:5:12: may_fail is a text; write a boolean such as true");
  EXPECT_EQ(Refusal(InWorker("policy = \"rr:1\"")),
            "s.toml:5:10: unknown policy \"rr:1\"; write \"other\", \"batch\", \"idle\", or \"fifo:1\" to \"fifo:99\"");
}

TEST(ScenarioError, AParameterOfAnotherKind) {
  EXPECT_EQ(Refusal(InWorker("strike = \"105\"")),
            "s.toml:5:10: strike is not a number above 0; write one such as 105");
  for (const char* strike : {"0", "0.0", "-5", "-0.5", "nan", "inf"}) {
    EXPECT_EQ(Refusal(InWorker(StrCat("strike = ", strike))),
              "s.toml:5:10: strike is not a number above 0; write one such as 105");
  }
  EXPECT_EQ(Refusal(InWorker("interest = true")), "s.toml:5:12: interest is not a number; write one such as 0.05");
  EXPECT_EQ(Refusal(InWorker("assets = 1.5")), "s.toml:5:10: assets is not a whole number; write one such as 1");
  EXPECT_EQ(Refusal(InWorker("assets = 1e300")), "s.toml:5:10: assets is not a whole number; write one such as 1");
  for (const char* kind : {"1", "\"\"", "\"two words\"", "[\"call\"]"}) {
    EXPECT_EQ(Refusal(InWorker(StrCat("kind = ", kind))),
              "s.toml:5:8: kind is not a word in quotes; write one such as \"call\"");
  }
}

TEST(ScenarioError, AParameterWhoseUnitIsWrong) {
  const auto refusal = [](const std::string& line) {
    return Refusal("name = \"a\"\nduration = \"1s\"\n[worker.w]\nworkload = \"load/sample\"\n" + line);
  };
  EXPECT_EQ(refusal("period = 1"), "s.toml:5:10: period is a number; write a text such as \"1ms\"");
  EXPECT_EQ(refusal("period = \"1\""), "s.toml:5:10: duration \"1\" has no unit; write \"1s\"");
  EXPECT_EQ(refusal("footprint = 8"), "s.toml:5:13: footprint is a number; write a text such as \"8MiB\"");
  EXPECT_EQ(refusal("missed = 2"), "s.toml:5:10: missed 2 is not from 0 to 1; write one such as 0.01 or \"1%\"");
}

TEST(ScenarioError, AnUnknownKeyOfAWorker) {
  EXPECT_EQ(Refusal(InWorker("strick = 5")),
            "s.toml:5:1: unknown key \"strick\" in [worker.w]; did you mean \"strike\"? known: workload, cores, "
            "floating, workers, as, policy, nice, units, time_limit, may_fail, memory, memory_counts, strike, "
            "interest, assets, kind");
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

// --- the user's own command

TEST(ScenarioError, ACommandThatNamesNoProgram) {
  EXPECT_EQ(
      Refusal(InCommand("")),
      "s.toml:3:1: key \"command\" is missing in [worker.w]; write one such as command = [\"./prog\", \"--flag\"]");
  EXPECT_EQ(Refusal(InCommand("command = []")),
            "s.toml:5:11: command names no program; write it as in [\"./prog\", \"--flag\"]");
  EXPECT_EQ(Refusal(InCommand("command = [\"\", \"x\"]")),
            "s.toml:5:11: command names no program; write it as in [\"./prog\", \"--flag\"]");
  EXPECT_EQ(Refusal(InCommand("command = \"./prog --flag\"")),
            "s.toml:5:11: command is a text; write an array such as [\"./prog\", \"--flag\"]");
  EXPECT_EQ(Refusal(InCommand("command = [\"./prog\", 1]")),
            "s.toml:5:22: an argument of command is a number; write a text such as \"--flag\"");
  EXPECT_EQ(Refusal(InCommand("command = [\"./prog\", \"a\\u0000b\"]")),
            "s.toml:5:22: an argument of command holds a NUL character, which no program can be handed; leave it out");
}

TEST(ScenarioError, AnEnvironmentThatIsNone) {
  const auto with = [](std::string_view env) {
    return Refusal(InCommand(StrCat("command = [\"prog\"]\nenv = ", env)));
  };
  EXPECT_EQ(with("\"KEY=value\""), "s.toml:6:7: env is a text; write a table such as { KEY = \"value\" }");
  EXPECT_EQ(with("{ KEY = 1 }"), "s.toml:6:15: env.KEY is a number; write a text such as \"value\"");
  EXPECT_EQ(with("{ \"A=B\" = \"x\" }"), "s.toml:6:9: a variable's name is not empty and holds neither \"=\" nor NUL");
  EXPECT_EQ(with("{ CORERIG_CORE = \"1\" }"),
            "s.toml:6:9: the variables CORERIG_… are set by corerig itself; choose another name");
}

TEST(ScenarioError, KeysThatDoNotGoWithACommand) {
  const auto with = [](std::string_view line) { return Refusal(InCommand(StrCat("command = [\"prog\"]\n", line))); };
  EXPECT_EQ(with("units = 5"),
            "s.toml:6:9: units are not handed out to a command; leave it out, and write until = \"exit\" for a program "
            "that ends by itself");
  EXPECT_EQ(
      with("until = \"never\""),
      "s.toml:6:9: unknown until \"never\"; write \"window\" (it is told to end with the window) or \"exit\" (it ends "
      "by itself)");
  EXPECT_EQ(with("units_pattern = \"\""),
            "s.toml:6:17: units_pattern is empty; write one such as \"^frame [0-9]+ done\", or \".\" for any line");
  EXPECT_EQ(with("workdir = \"\""), "s.toml:6:11: workdir is empty; name a folder, or leave it out");
  EXPECT_EQ(with("comand = 1").substr(0, 47), "s.toml:6:1: unknown key \"comand\" in [worker.w];");
  EXPECT_EQ(Refusal(InWorker("command = [\"prog\"]")).substr(0, 47),
            "s.toml:5:1: unknown key \"command\" in [worker.w]");
}

TEST(ScenarioError, WhatTheMachineSaysOfACommandPointsToItsKey) {
  EXPECT_EQ(Refusal(InCommand("command = [\"./gone\"]")), "s.toml:5:11: no program ./gone");
  EXPECT_EQ(Refusal(InCommand("command = [\"./gone\"]\nworkdir = \"gone\"")), "s.toml:6:11: no folder gone")
      << "what is looked for in it says nothing";
  EXPECT_EQ(Refusal(InCommand("command = [\"prog\"]\nunits_pattern = \"(\"")), "s.toml:6:17: no pattern (");
}

}  // namespace
}  // namespace corerig
