// The exported trace, decoded by protoc: everything that was put in is found in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <new>
#include <set>
#include <thread>
#include <utility>

#include "harness/base/text.h"
#include "harness/report/perfetto_trace.h"
#include "tests/perfetto/decoded.h"

namespace {
thread_local std::uint64_t allocations = 0;
}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace corerig {
namespace {

using namespace std::chrono_literals;
using Kind = TraceEvent::Kind;
using State = TraceEvent::State;

constexpr Nanos kSuspended = 1000s;  // CLOCK_BOOTTIME is that much ahead
constexpr Nanos kStart = 50s;

TraceNames::Comm Comm(std::string_view name) {
  TraceNames::Comm comm{};
  std::memcpy(comm.data(), name.data(), std::min<std::size_t>(name.size(), 15));
  return comm;
}

std::string TemporaryFile(std::string_view name) { return StrCat(std::getenv("TEST_TMPDIR"), "/", name); }

PerfettoTrace::Options OptionsFor(const std::string& file) {
  return {.file = file,
          .anchor = {.monotonic = kStart, .realtime = 1'700'000'000s, .boottime = kStart + kSuspended},
          .kernel = "6.1.0-18-arm64 #1 SMP Debian",
          .machine = "aarch64",
          .cpus = 2};
}

// sched_switch and sched_waking of all bundles, with names and times put back.
struct Switch {
  int cpu = 0;
  std::int64_t at = 0, state = 0, tid = 0, priority = 0;
  std::string name;
  auto operator<=>(const Switch&) const = default;
};
struct Waking {
  int cpu = 0;
  std::int64_t at = 0, tid = 0, target = 0, priority = 0, flags = 0;
  std::string name;
  auto operator<=>(const Waking&) const = default;
};
void PrintTo(const Switch& s, std::ostream* out) {
  *out << StrCat("cpu ", s.cpu, " at ", s.at, " state ", s.state, " to ", s.tid, " ", s.name, " prio ", s.priority);
}
void PrintTo(const Waking& w, std::ostream* out) {
  *out << StrCat("cpu ", w.cpu, " at ", w.at, " wakes ", w.tid, " ", w.name, " on ", w.target, " flags ", w.flags);
}

// Times of a bundle as CLOCK_MONOTONIC since kStart.
std::vector<std::int64_t> Times(const Decoded& compact, std::string_view name) {
  std::vector<std::int64_t> times = compact.Numbers(name);
  for (std::size_t i = 1; i < times.size(); ++i) times[i] += times[i - 1];
  for (std::int64_t& at : times) at -= (kSuspended + kStart).count();
  return times;
}

std::vector<Switch> Switches(const Decoded& trace) {
  std::vector<Switch> all;
  for (const Decoded* bundle : trace.All("packet.ftrace_events")) {
    for (const Decoded* compact : bundle->All("compact_sched")) {
      const auto names = compact->Values("intern_table");
      const auto at = Times(*compact, "switch_timestamp");
      const auto state = compact->Numbers("switch_prev_state"), tid = compact->Numbers("switch_next_pid"),
                 priority = compact->Numbers("switch_next_prio"), name = compact->Numbers("switch_next_comm_index");
      for (std::size_t i = 0; i < at.size(); ++i) {
        all.push_back({static_cast<int>(bundle->Number("cpu")), at[i], state.at(i), tid.at(i), priority.at(i),
                       names.at(static_cast<std::size_t>(name.at(i)))});
      }
    }
  }
  return all;
}

std::vector<Waking> Wakings(const Decoded& trace) {
  std::vector<Waking> all;
  for (const Decoded* bundle : trace.All("packet.ftrace_events")) {
    for (const Decoded* compact : bundle->All("compact_sched")) {
      const auto names = compact->Values("intern_table");
      const auto at = Times(*compact, "waking_timestamp");
      const auto tid = compact->Numbers("waking_pid"), target = compact->Numbers("waking_target_cpu"),
                 priority = compact->Numbers("waking_prio"), name = compact->Numbers("waking_comm_index"),
                 flags = compact->Numbers("waking_common_flags");
      for (std::size_t i = 0; i < at.size(); ++i) {
        all.push_back({static_cast<int>(bundle->Number("cpu")), at[i], tid.at(i), target.at(i), priority.at(i),
                       flags.at(i), names.at(static_cast<std::size_t>(name.at(i)))});
      }
    }
  }
  return all;
}

// "10 pid 3 irq=24 name=virtio0" for each event of that name, of all bundles of `cpu`.
std::vector<std::string> Events(const Decoded& trace, int cpu, std::string_view name,
                                const std::vector<std::string_view>& fields) {
  std::vector<std::string> all;
  for (const Decoded* bundle : trace.All("packet.ftrace_events")) {
    if (bundle->Number("cpu") != cpu) continue;
    for (const Decoded* event : bundle->All("event")) {
      for (const Decoded* content : event->All(name)) {
        std::string text =
            StrCat(event->Number("timestamp") - (kSuspended + kStart).count(), " pid ", event->Text("pid"));
        for (const std::string_view field : fields) text += StrCat(" ", field, "=", content->Text(field));
        all.push_back(text);
      }
    }
  }
  return all;
}

// "5 BEGIN reschedule tid=4" for each event of the tracks of that name.
std::vector<std::string> TrackEvents(const Decoded& trace, std::string_view track) {
  std::set<std::int64_t> uuids;
  for (const Decoded* descriptor : trace.All("packet.track_descriptor")) {
    if (descriptor->Text("name") == track) uuids.insert(descriptor->Number("uuid"));
  }
  std::vector<std::string> all;
  for (const Decoded* packet : trace.All("packet")) {
    for (const Decoded* event : packet->All("track_event")) {
      if (!uuids.contains(event->Number("track_uuid"))) continue;
      EXPECT_EQ(packet->Number("timestamp_clock_id"), 3);
      std::string text = StrCat(packet->Number("timestamp") - kStart.count(), " ", event->Text("type").substr(5));
      if (event->Has("name")) text += StrCat(" ", event->Text("name"));
      if (event->Has("counter_value")) text += StrCat(" ", event->Text("counter_value"));
      for (const Decoded* annotation : event->All("debug_annotations")) {
        text += StrCat(" ", annotation->Text("name"), "=",
                       annotation->Has("int_value") ? annotation->Text("int_value") : annotation->Text("string_value"));
      }
      all.push_back(text);
    }
  }
  return all;
}

const Decoded* Descriptor(const Decoded& trace, std::string_view name) {
  for (const Decoded* descriptor : trace.All("packet.track_descriptor")) {
    if (descriptor->Text("name") == name) return descriptor;
  }
  ADD_FAILURE() << "no track is called " << name;
  static const Decoded kNone;
  return &kNone;
}

using Texts = std::vector<std::string>;

// A trace of two cores with an event of each kind.
class Perfetto : public ::testing::Test {
 protected:
  Perfetto() {
    names_.SetTask(7, Comm("price"));
    names_.SetTask(8, Comm("flight loop"));
    names_.SetTask(9, Comm("a comm of 15 by"));
    names_.AddVector("local_timer");
    names_.AddVector("reschedule");
    names_.SetIrq(24, "virtio0");
  }
  void Start(std::string_view name) {
    file_ = TemporaryFile(name);
    auto created = PerfettoTrace::Create(OptionsFor(file_));
    ASSERT_TRUE(created) << created.error().message;
    trace_ = std::move(*created);
  }
  // Times are since kStart.
  void Send(std::vector<TraceEvent> events) {
    for (TraceEvent& event : events) event.at += kStart;
    trace_->OnEvents(events, names_);
  }
  Decoded Decode() {
    const Status finished = trace_->Finish(10s);
    EXPECT_TRUE(finished) << finished.error().message;
    EXPECT_EQ(trace_->dropped(), 0u);
    Decoded decoded = Decoded::File(file_);
    EXPECT_EQ(decoded.Unknown(), Texts{}) << "the schema lacks fields";
    return decoded;
  }

  TraceNames names_;
  std::string file_;
  std::unique_ptr<PerfettoTrace> trace_;
};

TEST_F(Perfetto, TheHeadTellsClocksAndSystem) {
  Start("head");
  const Decoded trace = Decode();
  const auto snapshots = trace.All("packet.clock_snapshot");
  ASSERT_EQ(snapshots.size(), 1u);
  std::map<std::int64_t, std::int64_t> clocks;
  for (const Decoded* clock : snapshots[0]->All("clocks"))
    clocks[clock->Number("clock_id")] = clock->Number("timestamp");
  EXPECT_EQ(clocks, (std::map<std::int64_t, std::int64_t>{
                        {1, Nanos(1'700'000'000s).count()}, {3, kStart.count()}, {6, (kStart + kSuspended).count()}}));
  EXPECT_EQ(snapshots[0]->Number("primary_trace_clock"), 3);
  const auto utsname = trace.All("packet.system_info.utsname");
  ASSERT_EQ(utsname.size(), 1u);
  EXPECT_EQ(utsname[0]->Text("release"), "6.1.0-18-arm64");
  EXPECT_EQ(utsname[0]->Text("version"), "#1 SMP Debian");
  EXPECT_EQ(utsname[0]->Text("machine"), "aarch64");
  // The first packet of each sequence says so, and no other.
  std::map<std::int64_t, int> first;
  std::set<std::int64_t> seen;
  for (const Decoded* packet : trace.All("packet")) {
    const std::int64_t sequence = packet->Number("trusted_packet_sequence_id");
    EXPECT_EQ(packet->Has("first_packet_on_sequence"), seen.insert(sequence).second);
    EXPECT_EQ(packet->Number("sequence_flags"), packet->Has("first_packet_on_sequence") ? 1 : 0);
  }
  EXPECT_EQ(seen, (std::set<std::int64_t>{1, 2}));
}

TEST_F(Perfetto, SwitchesAndWakingsAreFoundWithTheirCoresTimesNamesAndStates) {
  Start("switches");
  Send(
      {{.at = 10ns, .tid = 7, .other = 0, .cpu = 0, .priority = 120, .kind = Kind::kSwitch, .state = State::kPreempted},
       {.at = 12ns, .value = 1, .tid = 8, .other = 7, .cpu = 0, .priority = 19, .kind = Kind::kWaking},
       {.at = 13ns, .tid = 8, .other = 0, .cpu = 1, .priority = 19, .kind = Kind::kSwitch, .state = State::kOther},
       {.at = 15ns, .tid = 9, .other = 7, .cpu = 0, .priority = 120, .kind = Kind::kSwitch, .state = State::kSleeping},
       {.at = 16ns, .tid = 0, .other = 8, .cpu = 1, .kind = Kind::kSwitch, .state = State::kUninterruptible},
       {.at = 20ns, .tid = 7, .other = 9, .cpu = 0, .priority = 120, .kind = Kind::kSwitch, .state = State::kStopped}});
  // Of a later batch, and after a rename.
  names_.SetTask(7, Comm("renamed"));
  Send({{.at = 2s, .tid = 0, .other = 7, .cpu = 0, .priority = 120, .kind = Kind::kSwitch, .state = State::kDead},
        {.at = 2s + 5ns, .tid = 7, .other = 0, .cpu = 0, .priority = 98, .kind = Kind::kSwitch}});
  const Decoded trace = Decode();
  const std::vector<Switch> expected = {
      {0, 10, 0, 0, -1, "idle"},  // who turned out to have been running
      {0, 10, 0x100, 7, 120, "price"},
      {0, 15, 0x01, 9, 120, "a comm of 15 by"},
      {0, 20, 0x04, 7, 120, "price"},
      {0, 2'000'000'000, 0x10, 0, 120, "idle"},
      {0, 2'000'000'005, 0x100, 7, 98, "renamed"},
  };
  std::vector<Switch> core0, core1;
  for (const Switch& one : Switches(trace)) (one.cpu == 0 ? core0 : core1).push_back(one);
  EXPECT_EQ(core0, expected);
  EXPECT_EQ(core1, (std::vector<Switch>{
                       {1, 13, 0, 0, -1, "idle"},
                       {1, 13, 0x80, 8, 19, "flight loop"},
                       {1, 16, 0x02, 0, 0, "idle"},
                   }));
  EXPECT_EQ(Wakings(trace), (std::vector<Waking>{{0, 12, 8, 1, 19, 0, "flight loop"}}));
  // The dead task's number is free for another.
  EXPECT_EQ(Events(trace, 0, "sched_process_free", {"pid"}), Texts{"2000000000 pid 0 pid=7"});
  for (const Decoded* bundle : trace.All("packet.ftrace_events")) EXPECT_FALSE(bundle->Has("lost_events"));
}

TEST_F(Perfetto, ARenameShowsFromTheNextBatchOnAlsoWithinABundle) {
  Start("rename");
  const auto to_and_fro = [&](Nanos at) {
    Send({{.at = at, .tid = 7, .other = 0, .priority = 120, .kind = Kind::kSwitch},
          {.at = at + 1ns, .tid = 0, .other = 7, .priority = 120, .kind = Kind::kSwitch}});
  };
  to_and_fro(0ns);
  to_and_fro(10ns);
  names_.SetTask(7, Comm("renamed"));
  to_and_fro(20ns);
  to_and_fro(30ns);
  const Decoded trace = Decode();
  EXPECT_EQ(trace.All("packet.ftrace_events").size(), 2u) << "or the second has no rename within";
  Texts names;
  for (const Switch& one : Switches(trace)) {
    if (one.tid == 7) names.push_back(one.name);
  }
  EXPECT_EQ(names, (Texts{"price", "price", "renamed", "renamed"}));
}

TEST_F(Perfetto, ABundleHasRoomForEveryNameOfItsEvents) {
  Start("forks");
  std::vector<TraceEvent> events;
  Texts expected;
  for (int i = 0; i < 1000; ++i) {
    const std::int32_t parent = 10'000 + 2 * i, child = parent + 1;
    names_.SetTask(parent, Comm(StrCat("parent ", i)));
    names_.SetTask(child, Comm(StrCat("child ", i)));
    events.push_back({.at = Nanos(i), .tid = child, .other = parent, .kind = Kind::kFork});
    expected.push_back(StrCat(i, " pid 0 parent_comm=parent ", i, " child_comm=child ", i));
  }
  Send(events);
  EXPECT_EQ(Events(Decode(), 0, "sched_process_fork", {"parent_comm", "child_comm"}), expected);
}

TEST_F(Perfetto, EveryOtherKindIsFoundWithItsFields) {
  Start("kinds");
  Send({{.at = 1ns, .tid = 7, .other = 0, .cpu = 1, .priority = 120, .kind = Kind::kSwitch},
        {.at = 2ns, .tid = 8, .other = 7, .cpu = 1, .priority = 120, .kind = Kind::kFork},
        {.at = 3ns, .value = 0, .tid = 8, .other = 7, .cpu = 1, .priority = 120, .kind = Kind::kWakeupNew},
        {.at = 4ns, .value = (1ll << 32) | 0, .tid = 9, .cpu = 1, .priority = 110, .kind = Kind::kMigrate},
        {.at = 5ns, .tid = 7, .cpu = 1, .kind = Kind::kExec},
        {.at = 6ns, .value = 24, .tid = 7, .cpu = 1, .kind = Kind::kIrqEntry},
        {.at = 7ns, .value = 0, .tid = 9, .other = 7, .cpu = 1, .priority = 110, .kind = Kind::kWaking},
        {.at = 8ns, .value = 24, .tid = 7, .cpu = 1, .kind = Kind::kIrqExit},
        {.at = 9ns, .value = 1, .tid = 7, .cpu = 1, .kind = Kind::kSoftirqEntry},
        {.at = 10ns, .value = 0, .tid = 9, .other = 7, .cpu = 1, .priority = 110, .kind = Kind::kWaking},
        {.at = 11ns, .value = 1, .tid = 7, .cpu = 1, .kind = Kind::kSoftirqExit},
        {.at = 12ns, .value = 0, .tid = 7, .cpu = 1, .kind = Kind::kVectorEntry},
        {.at = 13ns, .value = 0, .tid = 7, .cpu = 1, .kind = Kind::kVectorExit},
        {.at = 14ns, .value = 1, .tid = 7, .cpu = 1, .kind = Kind::kVectorEntry},
        {.at = 15ns, .value = 1, .tid = 7, .cpu = 1, .kind = Kind::kVectorExit},
        {.at = 16ns, .value = kStart.count() + 11, .tid = 7, .cpu = 1, .kind = Kind::kTimerExpire},
        {.at = 17ns, .value = 0, .tid = 7, .cpu = 1, .kind = Kind::kTimerExpire},
        {.at = 18ns, .tid = 7, .cpu = 1, .kind = Kind::kPageFault},
        {.at = 19ns, .value = 2, .cpu = 1, .kind = Kind::kIdleEnter},
        {.at = 20ns, .cpu = 1, .kind = Kind::kIdleExit},
        {.at = 21ns, .value = 1'500'000, .cpu = 1, .kind = Kind::kFrequency},
        {.at = 22ns, .tid = 7, .cpu = 1, .priority = 120, .kind = Kind::kExit}});
  const Decoded trace = Decode();
  EXPECT_EQ(Events(trace, 1, "sched_process_fork", {"parent_comm", "parent_pid", "child_comm", "child_pid"}),
            Texts{"2 pid 7 parent_comm=price parent_pid=7 child_comm=flight loop child_pid=8"});
  EXPECT_EQ(Events(trace, 1, "sched_wakeup_new", {"comm", "pid", "prio", "target_cpu"}),
            Texts{"3 pid 7 comm=flight loop pid=8 prio=120 target_cpu=0"});
  EXPECT_EQ(Events(trace, 1, "sched_migrate_task", {"comm", "pid", "prio", "orig_cpu", "dest_cpu"}),
            Texts{"4 pid 7 comm=a comm of 15 by pid=9 prio=110 orig_cpu=1 dest_cpu=0"});
  EXPECT_EQ(Events(trace, 1, "sched_process_exec", {"pid"}), Texts{"5 pid 7 pid=7"});
  EXPECT_EQ(Events(trace, 1, "irq_handler_entry", {"irq", "name"}), Texts{"6 pid 7 irq=24 name=virtio0"});
  EXPECT_EQ(Events(trace, 1, "irq_handler_exit", {"irq"}), Texts{"8 pid 7 irq=24"});
  EXPECT_EQ(Events(trace, 1, "softirq_entry", {"vec"}), Texts{"9 pid 7 vec=1"});
  EXPECT_EQ(Events(trace, 1, "softirq_exit", {"vec"}), Texts{"11 pid 7 vec=1"});
  EXPECT_EQ(Events(trace, 1, "local_timer_entry", {}), Texts{"12 pid 7"});
  EXPECT_EQ(Events(trace, 1, "local_timer_exit", {}), Texts{"13 pid 7"});
  EXPECT_EQ(Events(trace, 1, "cpu_idle", {"state", "cpu_id"}),
            (Texts{"19 pid 7 state=2 cpu_id=1", "20 pid 7 state=4294967295 cpu_id=1"}));
  EXPECT_EQ(Events(trace, 1, "cpu_frequency", {"state", "cpu_id"}), Texts{"21 pid 7 state=1500000 cpu_id=1"});
  EXPECT_EQ(Events(trace, 1, "sched_process_exit", {"comm", "pid", "prio"}),
            Texts{"22 pid 7 comm=price pid=7 prio=120"});
  // What the format has no event for.
  EXPECT_EQ(TrackEvents(trace, "cpu 1 vectors"), (Texts{"14 SLICE_BEGIN reschedule", "15 SLICE_END"}));
  EXPECT_EQ(TrackEvents(trace, "cpu 1 timers"),
            (Texts{StrCat("16 INSTANT timer set to=", kStart.count() + 11, " late ns=5"), "17 INSTANT timer"}));
  EXPECT_EQ(TrackEvents(trace, "cpu 1 page faults"), Texts{"18 INSTANT page fault tid=7"});
  EXPECT_EQ(Descriptor(trace, "cpu 1 vectors")->Number("parent_uuid"), Descriptor(trace, "cores")->Number("uuid"));
  // Wakings say from where they were: hard interrupt 8, soft interrupt 16.
  EXPECT_EQ(Wakings(trace),
            (std::vector<Waking>{{1, 7, 9, 0, 110, 8, "a comm of 15 by"}, {1, 10, 9, 0, 110, 16, "a comm of 15 by"}}));
}

TEST_F(Perfetto, LostEventsAreSaidAndTheCoreIsTakenUpAgainWhereItIsKnown) {
  Start("lost");
  Send({{.at = 1ns, .tid = 7, .other = 0, .priority = 120, .kind = Kind::kSwitch},
        {.at = 30ns, .value = 12, .kind = Kind::kLost},
        {.at = 40ns, .tid = 9, .other = 8, .priority = 120, .kind = Kind::kSwitch, .state = State::kSleeping}});
  const Decoded trace = Decode();
  const auto bundles = trace.All("packet.ftrace_events");
  ASSERT_EQ(bundles.size(), 2u);
  EXPECT_FALSE(bundles[0]->Has("lost_events"));
  EXPECT_EQ(bundles[1]->Text("lost_events"), "true");
  EXPECT_EQ(TrackEvents(trace, "cpu 0 lost events"), (Texts{"1 SLICE_BEGIN lost events at least=12", "30 SLICE_END"}));
  EXPECT_EQ(Switches(trace), (std::vector<Switch>{{0, 1, 0, 0, -1, "idle"},
                                                  {0, 1, 0x100, 7, 120, "price"},
                                                  {0, 30, 0, 8, -1, "flight loop"},
                                                  {0, 40, 0x01, 9, 120, "a comm of 15 by"}}));
}

TEST_F(Perfetto, AfterALossNoInterruptIsKnownToBeServed) {
  Start("lost interrupt");
  Send({{.at = 1ns, .value = 24, .tid = 7, .kind = Kind::kIrqEntry},
        {.at = 2ns, .value = 1, .tid = 7, .kind = Kind::kSoftirqEntry},
        {.at = 3ns, .value = 1, .tid = 8, .priority = 110, .kind = Kind::kWaking},
        {.at = 30ns, .value = 12, .kind = Kind::kLost},
        {.at = 40ns, .value = 1, .tid = 8, .priority = 110, .kind = Kind::kWaking}});
  const Decoded trace = Decode();
  EXPECT_EQ(TrackEvents(trace, "cpu 0 lost events"), (Texts{"3 SLICE_BEGIN lost events at least=12", "30 SLICE_END"}))
      << "from the last that was seen";
  EXPECT_EQ(Wakings(trace),
            (std::vector<Waking>{{0, 3, 8, 1, 110, 8 | 16, "flight loop"}, {0, 40, 8, 1, 110, 0, "flight loop"}}));
}

TEST_F(Perfetto, StatesAreSaidAsTheKernelsOwnVersionSaysThem) {
  const std::pair<std::string, std::pair<std::int64_t, std::int64_t>> kernels[] = {
      {"4.4.302", {0x800, 0x402}},  {"4.7.10", {0x800, 0x402}},          {"4.8.17", {0x1000, 0x402}},
      {"4.13.16", {0x1000, 0x402}}, {"4.9.0-12-amd64", {0x1000, 0x402}}, {"4.14.1 #1", {0x100, 0x80}},
      {"5.3", {0x100, 0x80}},       {"strange", {0x100, 0x80}}};
  for (const auto& [kernel, states] : kernels) {
    auto options = OptionsFor(TemporaryFile("kernel"));
    options.kernel = kernel;
    auto created = PerfettoTrace::Create(options);
    ASSERT_TRUE(created);
    trace_ = std::move(*created);
    Send({{.at = 1ns, .tid = 7, .other = 0, .kind = Kind::kSwitch, .state = State::kPreempted},
          {.at = 2ns, .tid = 8, .other = 7, .kind = Kind::kSwitch, .state = State::kOther}});
    ASSERT_TRUE(trace_->Finish(10s));
    const auto found = Switches(Decoded::File(options.file));
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(std::pair(found[1].state, found[2].state), states) << kernel;
  }
}

TEST_F(Perfetto, TheReadersThreadAllocatesNothingOnceInterruptsAreKnown) {
  Start("allocations");
  std::vector<TraceEvent> events;
  for (int i = 0; i < 300; ++i) {
    for (int kind = 0; kind <= static_cast<int>(Kind::kLost); ++kind) {
      events.push_back({.at = kStart + Nanos(i * 100 + kind),
                        .value = kind == static_cast<int>(Kind::kIrqEntry) ? 24 : 0,
                        .tid = 7,
                        .other = 8,
                        .kind = static_cast<Kind>(kind)});
    }
  }
  trace_->OnEvents(events, names_);
  const std::uint64_t before = allocations;
  for (TraceEvent& event : events) event.at += 3s;
  trace_->OnEvents(events, names_);
  EXPECT_EQ(allocations, before);
  EXPECT_GT(allocations, 0u);
}

TEST_F(Perfetto, ALongTraceKeepsEveryEventInOrder) {
  Start("long");
  std::vector<Switch> expected;
  std::int32_t running[2] = {0, 0};
  bool seen[2] = {false, false};
  std::int64_t at = 0;
  for (int batch = 0; batch < 50; ++batch) {
    std::vector<TraceEvent> events;
    for (int i = 0; i < 997; ++i) {
      const auto cpu = static_cast<std::int16_t>((i / 3) % 2);
      const std::int32_t next = running[cpu] == 0 ? 1000 + i % 300 : 0;
      names_.SetTask(next, Comm(StrCat("task ", next)));
      at += 1 + i * 1000;
      if (!std::exchange(seen[cpu], true)) expected.push_back({cpu, at, 0, 0, -1, "idle"});
      events.push_back({.at = Nanos(at),
                        .tid = next,
                        .other = running[cpu],
                        .cpu = cpu,
                        .priority = 100,
                        .kind = Kind::kSwitch,
                        .state = State::kSleeping});
      expected.push_back({cpu, at, 1, next, 100, next == 0 ? "idle" : StrCat("task ", next)});
      running[cpu] = next;
    }
    Send(events);
    // More than all chunks hold: what a loaded machine has not written yet would be dropped.
    ASSERT_TRUE(trace_->Drain(10s));
  }
  std::vector<Switch> found = Switches(Decode());
  const auto by_core = [](const Switch& a, const Switch& b) { return a.cpu < b.cpu; };
  std::stable_sort(expected.begin(), expected.end(), by_core);
  std::stable_sort(found.begin(), found.end(), by_core);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], expected[i]) << i;
}

TEST_F(Perfetto, StreamsShowTheirLateSamplesAndOverlappingOnesInRowsOfTheirOwn) {
  Start("streams");
  const auto imu = trace_->AddStream("imu");
  const auto gnss = trace_->AddStream("gnss");
  trace_->LateSample(imu, {.number = 41, .due = kStart + 10ns, .done = kStart + 100ns, .reason = "preempted by \"x\""});
  trace_->LateSample(imu, {.number = 42, .due = kStart + 60ns, .done = kStart + 110ns});
  trace_->LateSample(gnss, {.number = 1, .due = kStart + 20ns, .done = kStart + 120ns});
  trace_->LateSample(imu, {.number = 43, .due = kStart + 105ns, .done = kStart + 130ns});
  const Decoded trace = Decode();
  EXPECT_EQ(TrackEvents(trace, "imu"),
            (Texts{"10 SLICE_BEGIN late sample sample=41 latency ns=90 reason=preempted by \\\"x\\\"", "100 SLICE_END",
                   "60 SLICE_BEGIN late sample sample=42 latency ns=50", "110 SLICE_END",
                   "105 SLICE_BEGIN late sample sample=43 latency ns=25", "130 SLICE_END"}));
  EXPECT_EQ(TrackEvents(trace, "gnss"), (Texts{"20 SLICE_BEGIN late sample sample=1 latency ns=100", "120 SLICE_END"}));
  // Two rows for three samples: the third fits behind the first.
  std::map<std::int64_t, std::vector<std::int64_t>> rows;
  for (const Decoded* packet : trace.All("packet")) {
    for (const Decoded* event : packet->All("track_event")) {
      rows[event->Number("track_uuid")].push_back(packet->Number("timestamp") - kStart.count());
    }
  }
  EXPECT_EQ(rows[static_cast<std::int64_t>(imu.uuid)], (std::vector<std::int64_t>{10, 100, 105, 130}));
  EXPECT_EQ(rows[static_cast<std::int64_t>(imu.uuid) + 1], (std::vector<std::int64_t>{60, 110}));
  EXPECT_EQ(Descriptor(trace, "imu")->Number("parent_uuid"), Descriptor(trace, "streams")->Number("uuid"));
}

TEST_F(Perfetto, WhenEveryRowIsTakenALateSampleIsAnInstant) {
  Start("rows");
  const auto imu = trace_->AddStream("imu");
  for (int i = 0; i < 40; ++i) {
    trace_->LateSample(imu, {.number = static_cast<std::uint64_t>(i), .due = kStart + Nanos(i), .done = kStart + 1us});
  }
  const Decoded trace = Decode();
  int begins = 0, instants = 0;
  for (const std::string& event : TrackEvents(trace, "imu")) {
    begins += event.find("SLICE_BEGIN") != std::string::npos;
    instants += event.find("1000 INSTANT late sample") != std::string::npos;
  }
  EXPECT_EQ(begins, 16);
  EXPECT_EQ(instants, 24);
}

TEST_F(Perfetto, CountersHaveTheirUnitsAndValues) {
  Start("counters");
  const auto memory = trace_->AddGroup("memory");
  const auto pss = trace_->AddCounter(memory, "worker price.0 PSS", PerfettoTrace::Unit::kBytes);
  const auto imu = trace_->AddStream("imu");
  const auto queue = trace_->AddCounter(imu, "imu queue", PerfettoTrace::Unit::kCount, "frames");
  trace_->Counter(pss, kStart + 1s, 64 << 20);
  trace_->Counter(queue, kStart + 1s, 3);
  trace_->Counter(queue, kStart + 2s, -1);
  const Decoded trace = Decode();
  EXPECT_EQ(TrackEvents(trace, "worker price.0 PSS"), Texts{"1000000000 COUNTER 67108864"});
  EXPECT_EQ(TrackEvents(trace, "imu queue"), (Texts{"1000000000 COUNTER 3", "2000000000 COUNTER -1"}));
  const Decoded& in_bytes = *Descriptor(trace, "worker price.0 PSS");
  ASSERT_EQ(in_bytes.All("counter").size(), 1u);
  EXPECT_EQ(in_bytes.All("counter")[0]->Text("unit"), "UNIT_SIZE_BYTES");
  EXPECT_EQ(in_bytes.Number("parent_uuid"), Descriptor(trace, "memory")->Number("uuid"));
  const Decoded& in_frames = *Descriptor(trace, "imu queue");
  ASSERT_EQ(in_frames.All("counter").size(), 1u);
  EXPECT_EQ(in_frames.All("counter")[0]->Text("unit"), "UNIT_COUNT");
  EXPECT_EQ(in_frames.All("counter")[0]->Text("unit_name"), "frames");
  EXPECT_EQ(in_frames.Number("parent_uuid"), Descriptor(trace, "imu")->Number("uuid"));
}

TEST_F(Perfetto, ProcessesAndThreadsHaveTheNamesOfTheirRoles) {
  Start("processes");
  trace_->NameProcess(kStart + 1ns, 7, "worker price.0", {{7, "worker price.0"}, {70, "loop flight"}});
  const Decoded trace = Decode();
  const auto processes = trace.All("packet.process_tree.processes");
  ASSERT_EQ(processes.size(), 1u);
  EXPECT_EQ(processes[0]->Number("pid"), 7);
  // Two words, or Perfetto cuts the first at its blank.
  EXPECT_EQ(processes[0]->Values("cmdline"), (Texts{"worker price.0", ""}));
  const auto found = trace.All("packet.process_tree.threads");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1]->Number("tid"), 70);
  EXPECT_EQ(found[1]->Number("tgid"), 7);
  EXPECT_EQ(found[1]->Text("name"), "loop flight");
}

TEST_F(Perfetto, AnEventOfACoreThatTheBoardLacksIsDroppedAndCounted) {
  Start("cpus");
  Send({{.at = 1ns, .tid = 7, .cpu = 2}, {.at = 2ns, .tid = 7, .cpu = -1}, {.at = 3ns, .tid = 7, .cpu = 1}});
  Send({{.at = 4ns, .tid = 8, .other = 7, .cpu = 1}});
  const Status finished = trace_->Finish(10s);
  EXPECT_EQ(trace_->dropped(), 2u);
  // The others are there.
  const Decoded trace = Decoded::File(file_);
  EXPECT_EQ(Switches(trace).size(), 3u);
  EXPECT_FALSE(trace.All("packet.ftrace_events").front()->Has("lost_events"));
  ASSERT_FALSE(finished);
  EXPECT_NE(finished.error().message.find("2 events are missing from the trace"), std::string::npos)
      << finished.error().message;
}

// A sink into a file that can be held up.
struct Gate {
  std::atomic<bool> open{false};
  ChunkSink Before(ChunkSink sink, int free_chunks) {
    return [this, sink = std::move(sink), free_chunks](std::span<const std::uint8_t> chunk) mutable {
      while (free_chunks <= 0 && !open) std::this_thread::sleep_for(1ms);
      --free_chunks;
      return sink(chunk);
    };
  }
};

TEST_F(Perfetto, ADiskThatDoesNotKeepUpCostsEventsThatAreCountedAndTheRestIsWhole) {
  file_ = TemporaryFile("slow");
  Gate gate;
  auto sink = ChunkFile(file_);
  ASSERT_TRUE(sink);
  auto created = PerfettoTrace::Create(OptionsFor(file_), gate.Before(*sink, 1));
  ASSERT_TRUE(created) << created.error().message;
  trace_ = std::move(*created);
  const auto imu = trace_->AddStream("imu");

  std::uint64_t sent = 0;
  std::int32_t running = 0;
  std::int64_t at = 0;
  std::set<std::pair<std::int64_t, std::int64_t>> switches;  // time, task
  const auto send = [&](int count) {
    std::vector<TraceEvent> events;
    for (int i = 0; i < count; ++i) {
      const std::int32_t next = running == 7 ? 8 : 7;
      events.push_back(
          {.at = Nanos(at += 1'000), .tid = next, .other = running, .priority = 120, .kind = Kind::kSwitch});
      switches.emplace(at, next);
      running = next;
      ++sent;
    }
    Send(events);
  };
  // More than all chunks hold, and none is taken: the call returns all the same.
  send(200'000);
  const std::uint64_t dropped = trace_->dropped();
  EXPECT_GT(dropped, 50'000u);
  gate.open = true;
  // Room comes back some time; what is sent then is in the file.
  while (trace_->dropped() != dropped || sent < 200'010) {
    const std::uint64_t before = trace_->dropped();
    send(1000);
    if (trace_->dropped() == before) break;
    std::this_thread::sleep_for(1ms);
  }
  trace_->LateSample(imu, {.number = 1, .due = kStart + 10ns, .done = kStart + 100ns});
  const Status finished = trace_->Finish(10s);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().message,
            StrCat(file_, ": the disk was too slow; ", trace_->dropped(), " events are missing from the trace"));

  const Decoded trace = Decoded::File(file_);
  EXPECT_EQ(trace.Unknown(), Texts{});
  std::uint64_t found = 0;
  int put_in = 0;
  std::int64_t before = 0;
  for (const Switch& one : Switches(trace)) {
    EXPECT_GE(one.at, before);
    before = one.at;
    if (one.state == 0) {
      // Put in: the task that the last switch before it gave the core to, at that time.
      EXPECT_TRUE(one.tid == 0 || switches.contains({one.at, one.tid})) << one.at;
      put_in += one.tid != 0;
      continue;
    }
    EXPECT_TRUE(switches.contains({one.at, one.tid})) << one.at;
    ++found;
  }
  EXPECT_EQ(found + trace_->dropped(), sent);
  EXPECT_GE(put_in, 1);
  int lost = 0;
  for (const Decoded* bundle : trace.All("packet.ftrace_events")) lost += bundle->Has("lost_events");
  EXPECT_GE(lost, 1);
  EXPECT_EQ(TrackEvents(trace, "imu").size(), 2u);
}

TEST_F(Perfetto, AFullDiskIsSaidAtTheStart) {
  const auto created = PerfettoTrace::Create(OptionsFor("/dev/full"));
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().message,
            "/dev/full: cannot be written: No space left on device; make room, or choose a folder with room");
}

// Refuses one call of those that a sink gets; the head is the first.
ChunkSink Refusing(int refused, ChunkSink sink) {
  return [sink = std::move(sink), refused, calls = 0](std::span<const std::uint8_t> chunk) mutable {
    return !chunk.empty() && ++calls == refused ? ENOSPC : sink(chunk);
  };
}

TEST_F(Perfetto, WhatADiskRefusesIsMissingButForDescriptionsAndTheCauseIsTold) {
  file_ = TemporaryFile("refused");
  auto created = PerfettoTrace::Create(OptionsFor(file_), Refusing(2, *ChunkFile(file_)));
  ASSERT_TRUE(created);
  const auto imu = (*created)->AddStream("imu");
  (*created)->LateSample(imu, {.number = 1, .due = kStart + 10ns, .done = kStart + 100ns});
  const Status finished = (*created)->Finish(10s);
  ASSERT_FALSE(finished);
  EXPECT_EQ((*created)->dropped(), 1u);
  EXPECT_EQ(finished.error().message, StrCat(file_, ": No space left on device; 1 events are missing from the trace"));
  const Decoded trace = Decoded::File(file_);
  EXPECT_TRUE(TrackEvents(trace, "imu").empty());
  EXPECT_EQ(Descriptor(trace, "imu")->Number("uuid"), static_cast<std::int64_t>(imu.uuid));
}

TEST_F(Perfetto, AfterADiskRefusedAChunkEachCoreIsTakenUpAgain) {
  file_ = TemporaryFile("gap");
  auto created = PerfettoTrace::Create(OptionsFor(file_), Refusing(2, *ChunkFile(file_)));
  ASSERT_TRUE(created);
  trace_ = std::move(*created);
  Send({{.at = 1ns, .value = 1, .tid = 7, .other = 0, .kind = Kind::kVectorEntry},
        {.at = 2ns, .value = 1, .tid = 7, .other = 0, .kind = Kind::kVectorExit},
        {.at = 3ns, .tid = 7, .other = 0, .priority = 110, .kind = Kind::kSwitch}});
  while (trace_->dropped() == 0) std::this_thread::sleep_for(1ms);
  Send({{.at = 10ns, .tid = 8, .other = 7, .priority = 120, .kind = Kind::kSwitch},
        {.at = 11ns, .value = 1, .tid = 8, .other = 0, .kind = Kind::kVectorEntry}});
  EXPECT_FALSE(trace_->Finish(10s));
  EXPECT_EQ(trace_->dropped(), 3u);
  const Decoded trace = Decoded::File(file_);
  EXPECT_EQ(Switches(trace), (std::vector<Switch>{{0, 3, 0, 7, 110, "price"}, {0, 10, 0x100, 8, 120, "flight loop"}}));
  ASSERT_EQ(trace.All("packet.ftrace_events").size(), 1u);
  EXPECT_TRUE(trace.All("packet.ftrace_events")[0]->Has("lost_events"));
  // Its description was lost with the first chunk.
  EXPECT_EQ(TrackEvents(trace, "cpu 0 vectors"), Texts{"11 SLICE_BEGIN reschedule"});
}

}  // namespace
}  // namespace corerig
