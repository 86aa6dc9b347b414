// Faults of a scenario's workers and commands, with their place and their words.
#include "harness/plan/scenario_reading.h"

namespace corerig {
namespace {

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

TEST(ScenarioError, WhatTheWorkloadRefusesIsShownAtItsKey) {
  const auto refusal = [](const std::string& lines) {
    return Refusal("name = \"a\"\nduration = \"1s\"\n[worker.w]\nworkload = \"load/sample\"\n" + lines);
  };
  EXPECT_EQ(refusal("missed = 0.5\nperiod = \"2h\""), "s.toml:6:10: worker w: period is 2h");
  EXPECT_EQ(refusal("units = 1001"), "s.toml:5:9: worker w: units are too many");
  EXPECT_EQ(refusal("footprint = \"0B\""), "s.toml:3:1: worker w: this sample is empty");
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
