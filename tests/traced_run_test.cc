// What a traced run leaves: the file against the report, decoded by protoc; losses that the kernel counts; and nothing
// in the kernel, however the run ended.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness/base/text.h"
#include "harness/os/fd.h"
#include "harness/os/scheduling.h"
#include "harness/os/trace_fs.h"
#include "tests/perfetto/decoded.h"
#include "tests/support/rig_run.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string Scenario(const std::string& duration) {
  const std::string first = std::to_string(TestCores().front()), last = std::to_string(TestCores().back());
  return "name = \"traced\"\nduration = \"" + duration +
         "\"\nwarmup = \"200ms\"\ndrain = \"300ms\"\n[source]\ncores = [" + first + "]\n[loop.flight]\ncores = [" +
         first +
         "]\n[stream.imu]\nsensor = \"icm42688p\"\nrate = \"1kHz\"\nloop = \"flight\"\n"
         "[stream.tick]\nsensor = \"tick\"\nrate = \"200Hz\"\nloop = \"flight\"\n"
         "[worker.price]\nworkload = \"montecarlo/option\"\ncores = [" +
         last + "]\n";
}

// What anyone else who traces on this board sees, but for the instances of others.
std::map<std::string, std::string> StateOfTracing() {
  std::map<std::string, std::string> state;
  const auto tracefs = TraceFs::Open();
  if (!tracefs) return state;
  for (const std::string file : {"tracing_on", "current_tracer", "set_event", "events/enable", "trace_clock",
                                 "buffer_size_kb", "events/sched/enable", "set_event_pid", "tracing_cpumask"}) {
    if (const auto text = tracefs->Read(file)) state[file] = *text;
  }
  const auto mounts = ReadFile("/proc/self/mounts");
  for (const auto line : Split(mounts ? *mounts : "", '\n')) {
    if (line.find("tracefs") != std::string_view::npos) state["mounts"] += StrCat(line, "\n");
  }
  return state;
}

// Folders of the traces that this run has made in the kernel.
std::vector<std::string> TracesOf(pid_t supervisor) {
  std::vector<std::string> ours;
  const auto tracefs = TraceFs::Open();
  if (!tracefs) return ours;
  for (const auto& name : tracefs->List("instances")) {
    if (name.starts_with(StrCat("corerig-", supervisor, "-"))) ours.push_back(name);
  }
  return ours;
}

// Waits for the run to come to its window.
bool AwaitTrace(const RigRun& rig) {
  if (rig.Find("handler") == 0) return false;
  std::this_thread::sleep_for(milliseconds(600));
  return !TracesOf(rig.pid()).empty();
}

TEST(TracedRun, LeavesNothingInTheKernelWhenTheSupervisorIsKilled) {
  if (!TraceFs::Open()) GTEST_SKIP() << TraceFs::Open().error().message;
  const auto before = StateOfTracing();
  ASSERT_GE(before.size(), 6u);
  RigRun rig(Scenario("60s"));
  if (!AwaitTrace(rig)) GTEST_SKIP() << "no run here is traced";
  ASSERT_EQ(TracesOf(rig.pid()).size(), 1u);
  const pid_t supervisor = rig.pid();
  kill(supervisor, SIGKILL);
  EXPECT_EQ(rig.Wait().exit_status, -SIGKILL);
  EXPECT_EQ(rig.LivingAfter(seconds(5)), std::vector<pid_t>{});
  EXPECT_EQ(TracesOf(supervisor), std::vector<std::string>{});
  EXPECT_EQ(StateOfTracing(), before);
}

TEST(TracedRun, LeavesNothingInTheKernelWhenItsKeeperIsKilled) {
  if (!TraceFs::Open()) GTEST_SKIP() << TraceFs::Open().error().message;
  const auto before = StateOfTracing();
  RigRun rig(Scenario("60s"));
  if (!AwaitTrace(rig)) GTEST_SKIP() << "no run here is traced";
  const pid_t supervisor = rig.pid(), keeper = rig.Find("__keeper");
  ASSERT_NE(keeper, 0);
  kill(keeper, SIGKILL);
  EXPECT_EQ(rig.Wait().exit_status, 2);
  EXPECT_EQ(TracesOf(supervisor), std::vector<std::string>{});
  EXPECT_EQ(StateOfTracing(), before);
}

TEST(TracedRun, WhatTwoKilledProcessesLeftTheNextRunRemoves) {
  if (!TraceFs::Open()) GTEST_SKIP() << TraceFs::Open().error().message;
  pid_t supervisor = 0;
  {
    RigRun rig(Scenario("60s"));
    if (!AwaitTrace(rig)) GTEST_SKIP() << "no run here is traced";
    supervisor = rig.pid();
    const pid_t keeper = rig.Find("__keeper");
    ASSERT_NE(keeper, 0);
    kill(supervisor, SIGSTOP);
    kill(keeper, SIGKILL);
    kill(supervisor, SIGKILL);
    rig.Wait();
    for (const pid_t left : rig.Living()) kill(left, SIGKILL);
    EXPECT_EQ(rig.LivingAfter(seconds(5)), std::vector<pid_t>{});
  }
  EXPECT_EQ(TracesOf(supervisor).size(), 1u) << "then this shows nothing";
  RigRun(Scenario("100ms")).Wait();
  EXPECT_EQ(TracesOf(supervisor), std::vector<std::string>{});
}

TEST(TracedRun, OverEventsThatTheKernelLostFiguresAreAbsentWithTheirNumber) {
  const auto tracefs = TraceFs::Open();
  if (!tracefs) GTEST_SKIP() << tracefs.error().message;
  RigRun rig(Scenario("2s"));
  if (!AwaitTrace(rig)) GTEST_SKIP() << "no run here is traced";
  // Its buffer of one core is made too small for what comes while its reader, in the supervisor, is stopped.
  const int core = TestCores().front();
  const std::string folder = StrCat("instances/", TracesOf(rig.pid()).at(0), "/per_cpu/cpu", core);
  const auto shrunk = tracefs->Write(folder + "/buffer_size_kb", "8");
  ASSERT_TRUE(shrunk) << shrunk.error().message;
  std::this_thread::sleep_for(milliseconds(700));
  kill(rig.pid(), SIGSTOP);
  std::this_thread::sleep_for(milliseconds(500));
  kill(rig.pid(), SIGCONT);
  const FinishedRun run = rig.Wait();
  ASSERT_TRUE(run.report.is_object()) << run.err;
  const auto& trace = run.report["trace"];
  EXPECT_EQ(trace["gap"], true);
  EXPECT_GT(trace["lost"], 100);
  EXPECT_EQ(run.Metric("rig.trace.lost"), trace["lost"].get<double>());
  std::uint64_t lost = 0;
  for (const auto& each : trace["cores"]) {
    if (each["cpu"] == core) lost = each["lost"];
  }
  EXPECT_GT(lost, 100u);
  const std::string here = StrCat(lost, " events of core ", core);
  for (const std::string metric : {"core.0.idle", "core.0.foreign", "core.0.irq", "core.0.switches",
                                   "loop.flight.wake.p50", "worker.price.0.slice.p50"}) {
    const auto name = metric.starts_with("core.0") ? StrCat("core.", core, metric.substr(6)) : metric;
    const auto& one = run.report["metrics"][name];
    ASSERT_TRUE(one.contains("absent")) << name << " " << one;
    EXPECT_NE(one["absent"].get<std::string>().find(here), std::string::npos) << one;
  }
  // The file says so too, on that core.
  bool told = false;
  const Decoded decoded = Decoded::File(rig.folder() + "/trace.perfetto-trace");
  for (const Decoded* bundle : decoded.All("packet.ftrace_events")) {
    told = told || (bundle->Number("cpu") == core && bundle->Has("lost_events"));
  }
  EXPECT_TRUE(told);
  EXPECT_EQ(CheckReport(run), std::vector<std::string>{});
}

// A run whose handler stood still for a while, so that samples were late and its channel filled.
class FileOfARun : public testing::Test {
 protected:
  static constexpr auto kStall = milliseconds(400);

  static void SetUpTestSuite() {
    // Other load may make the trace lose events, or the disk too slow.
    for (int attempt = 0; attempt < 3; ++attempt) {
      RigRun rig(Scenario("2s"));
      const pid_t handler = rig.Find("handler");
      std::this_thread::sleep_for(milliseconds(1000));
      kill(handler, SIGSTOP);
      std::this_thread::sleep_for(kStall);
      kill(handler, SIGCONT);
      run_ = rig.Wait();
      trace_ = {};
      if (!run_.report.is_object() || !run_.report["trace"]["absent"].is_null()) return;
      trace_ = Decoded::File(rig.folder() + "/trace.perfetto-trace");
      if (run_.report["trace"]["lost"] == 0 && run_.err.find("missing from the trace") == std::string::npos) return;
    }
  }
  void SetUp() override {
    ASSERT_TRUE(run_.report.is_object()) << run_.err;
    if (!run_.report["trace"]["absent"].is_null()) GTEST_SKIP() << run_.report["trace"]["absent"];
    ASSERT_EQ(run_.report["trace"]["lost"], 0) << "events were lost in each of three runs";
    begin_ = run_.report["window"]["begin"];
    end_ = run_.report["window"]["end"];
  }

  // By how much CLOCK_BOOTTIME, that of the events of cores, is ahead.
  static std::int64_t Suspended() {
    std::map<std::int64_t, std::int64_t> at;
    for (const Decoded* clock : trace_.All("packet.clock_snapshot.clocks")) {
      at[clock->Number("clock_id")] = clock->Number("timestamp");
    }
    return at[6] - at[3];
  }
  // Values of the counter of that name, with their times.
  static std::vector<std::pair<std::int64_t, std::int64_t>> Counter(const std::string& name) {
    std::int64_t track = -1;
    for (const Decoded* descriptor : trace_.All("packet.track_descriptor")) {
      if (descriptor->Text("name") == name) track = descriptor->Number("uuid");
    }
    std::vector<std::pair<std::int64_t, std::int64_t>> values;
    for (const Decoded* packet : trace_.All("packet")) {
      for (const Decoded* event : packet->All("track_event")) {
        if (event->Number("track_uuid") != track || event->Text("type") != "TYPE_COUNTER") continue;
        values.emplace_back(packet->Number("timestamp"), event->Number("counter_value"));
      }
    }
    return values;
  }

  static FinishedRun run_;
  static Decoded trace_;
  std::int64_t begin_ = 0, end_ = 0;
};
FinishedRun FileOfARun::run_;
Decoded FileOfARun::trace_;

TEST_F(FileOfARun, HasTheSwitchesThatTheMetricsCount) {
  std::map<std::int64_t, std::int64_t> switches;
  for (const Decoded* bundle : trace_.All("packet.ftrace_events")) {
    for (const Decoded* compact : bundle->All("compact_sched")) {
      std::int64_t at = -Suspended();
      const auto steps = compact->Numbers("switch_timestamp"), states = compact->Numbers("switch_prev_state");
      ASSERT_EQ(steps.size(), states.size());
      for (std::size_t i = 0; i < steps.size(); ++i) {
        at += steps[i];
        // State 0: no event, but put in where a task was found running that nothing had been switched to.
        if (at >= begin_ && at < end_ && states[i] != 0) ++switches[bundle->Number("cpu")];
      }
    }
  }
  std::int64_t all = 0;
  for (const int core : TestCores()) {
    all += switches[core];  // a core that only computes has hardly any
    EXPECT_EQ(run_.Metric(StrCat("core.", core, ".switches")), static_cast<double>(switches[core])) << "core " << core;
  }
  EXPECT_GT(all, 100);
}

TEST_F(FileOfARun, TimeOfACoreIsThatOfThePartsThatArePinnedToIt) {
  const auto& trace = run_.report["trace"];
  std::map<std::string, std::int64_t> run;
  for (const auto& part : trace["parts"]) run[part["part"]] = part["run"];
  std::map<std::string, std::int64_t> of_cores;
  for (const auto& core : trace["cores"]) {
    for (const char* role : {"loop", "source", "worker", "rig"}) of_cores[role] += core[role].get<std::int64_t>();
  }
  EXPECT_GT(run["loop flight"], 0);
  EXPECT_GT(run["source"], 0);
  EXPECT_GT(run["worker price.0"], 0);
  EXPECT_EQ(of_cores["loop"], run["loop flight"]);
  EXPECT_EQ(of_cores["source"], run["source"]);
  EXPECT_EQ(of_cores["worker"], run["worker price.0"]);
  EXPECT_EQ(of_cores["rig"], run["rig"] + run["handler"]);
  std::int64_t events = 0;
  for (const Decoded* bundle : trace_.All("packet.ftrace_events")) {
    events += static_cast<std::int64_t>(bundle->All("event").size());
    for (const Decoded* compact : bundle->All("compact_sched")) {
      for (const std::int64_t state : compact->Numbers("switch_prev_state")) events += state != 0;
      events += static_cast<std::int64_t>(compact->Numbers("waking_timestamp").size());
    }
  }
  // Those of tracks, and what tells a part, are more.
  EXPECT_GE(trace["events"], events);
}

TEST_F(FileOfARun, HasTheMemoryOfWorkersAsTheReportHasIt) {
  const auto counter = Counter("price.0 USS");
  std::size_t inside = 0;
  for (const auto& [at, value] : counter) {
    EXPECT_GT(value, 10'000) << at;
    if (at < begin_ || at >= end_) continue;
    ++inside;
    EXPECT_LE(static_cast<double>(value), run_.Metric("worker.price.0.uss.max")) << at;
  }
  EXPECT_GE(inside, 5u);
  std::set<std::int64_t> reported;
  const auto worker = run_.Part("workers", "price", 0);
  for (const auto& sample : worker["memory"]) reported.insert(sample["uss"].get<std::int64_t>());
  EXPECT_TRUE(
      std::any_of(counter.begin(), counter.end(), [&](const auto& each) { return reported.contains(each.second); }));
}

TEST_F(FileOfARun, HasTheBytesThatWaitedWhileTheHandlerStoodStill) {
  // A message of the sensor; the wire carries nothing else.
  const double message = run_.Metric("stream.imu.bytes_per_s") * 2 / run_.Metric("stream.imu.sent");
  std::int64_t most = 0;
  const auto counter = Counter("imu queued");
  ASSERT_GE(counter.size(), 5u);
  for (const auto& [at, value] : counter) {
    EXPECT_EQ(value % static_cast<std::int64_t>(message), 0) << value << " are no whole messages of " << message;
    if (at < end_) most = std::max(most, value);
  }
  // It stood for 400 ms at 1 kHz, of which a look between two of the display may have missed a part.
  EXPECT_GT(static_cast<double>(most), 150 * message);
  EXPECT_LT(static_cast<double>(most), 2000 * message);
  EXPECT_LT(static_cast<double>(counter.back().second), 20 * message) << "all was read in the end";
}

TEST_F(FileOfARun, HasTheLateSamplesOfTheReport) {
  std::map<std::int64_t, std::string> streams;
  for (const Decoded* descriptor : trace_.All("packet.track_descriptor")) {
    streams[descriptor->Number("uuid")] = descriptor->Text("name");
  }
  using Late = std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t, std::string>;
  std::multiset<Late> found, expected;
  for (const Decoded* packet : trace_.All("packet")) {
    for (const Decoded* event : packet->All("track_event")) {
      std::map<std::string, std::string> notes;
      for (const Decoded* note : event->All("debug_annotations")) {
        notes[note->Text("name")] = note->Has("int_value") ? note->Text("int_value") : note->Text("string_value");
      }
      if (!notes.contains("sample") || event->Text("type") != "TYPE_SLICE_BEGIN") continue;
      std::string reason = notes["reason"];
      for (std::size_t at; (at = reason.find("\\'")) != std::string::npos;) reason.erase(at, 1);
      found.emplace(streams[event->Number("track_uuid")], std::stoll(notes["sample"]), packet->Number("timestamp"),
                    std::stoll(notes["latency ns"]), reason.substr(0, 20));
    }
  }
  for (const auto& spike : run_.report["spikes"]) {
    const std::string part = spike["part"];
    if (!part.starts_with("stream.")) continue;
    expected.emplace(part.substr(7), spike["sample"], spike["at"], spike["delay"],
                     spike["text"].get<std::string>().substr(0, 20));
  }
  EXPECT_EQ(found, expected);
  EXPECT_GE(expected.size(), 4u);
  EXPECT_GT(
      std::get<3>(*std::max_element(expected.begin(), expected.end(),
                                    [](const Late& a, const Late& b) { return std::get<3>(a) < std::get<3>(b); })),
      300'000'000);
}

TEST_F(FileOfARun, ItsSpikesAreTheSamplesOfTheWindowWorstFirstAndExplainedByItsEvents) {
  const auto& spikes = run_.report["spikes"];
  std::int64_t before = INT64_MAX;
  std::set<std::string> parts;
  for (const auto& spike : spikes) {
    const std::int64_t at = spike["at"], delay = spike["delay"];
    const std::string part = spike["part"];
    parts.insert(part);
    EXPECT_GE(at, begin_) << spike["text"];
    EXPECT_LT(at, end_) << spike["text"];
    EXPECT_LE(delay, before) << spike["text"];
    before = delay;
    EXPECT_EQ(spike["text"].get<std::string>().find("why is unknown"), std::string::npos) << spike["text"];
    // Due at multiples of the period from the start, of which the window's begin is one.
    const std::int64_t period = part == "stream.imu" ? 1'000'000 : 5'000'000;
    if (part.starts_with("stream.")) {
      EXPECT_EQ(spike["sample"], (at - begin_) / period) << spike["text"];
    }
    // Whoever a loop waited for on its core ran there. Only of a timer the source has no part.
    for (const auto& cause : spike["causes"]) {
      if (part == "stream.tick" || part == "loop.flight") {
        EXPECT_EQ(cause["text"].get<std::string>().find("the source ("), std::string::npos) << cause;
      }
    }
  }
  EXPECT_EQ(parts, (std::set<std::string>{"loop.flight", "stream.imu", "stream.tick"}));
}

TEST_F(FileOfARun, NamesTheProcessesOfTheRun) {
  std::map<std::string, std::int64_t> pids;
  for (const Decoded* process : trace_.All("packet.process_tree.processes")) {
    pids[process->Values("cmdline").at(0)] = process->Number("pid");
  }
  for (const std::string name : {"rig", "source", "handler", "loop flight", "worker price.0"}) {
    EXPECT_TRUE(pids.contains(name)) << name;
  }
  if (!InFirstPidNamespace()) return;
  EXPECT_EQ(pids["worker price.0"], run_.Part("workers", "price", 0)["pid"]);
  EXPECT_EQ(pids["source"], run_.report["source"]["pid"]);
  EXPECT_EQ(pids["handler"], run_.report["handler"]["pid"]);
  EXPECT_EQ(pids["loop flight"], run_.Part("loops", "flight")["tid"]);
}

}  // namespace
}  // namespace corerig
