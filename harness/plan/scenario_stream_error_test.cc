// Faults of a scenario's streams, with their place and their words.
#include "harness/plan/scenario_reading.h"

namespace corerig {
namespace {

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

// --- the break and the pace

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

}  // namespace
}  // namespace corerig
