#include "tests/oracle/perf_sched.h"

#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "tests/oracle/command.h"

namespace corerig {
namespace {

// Two stamps of one event, taken by two traces in turn, are well under a microsecond apart; an interrupt may come
// between them.
constexpr std::int64_t kBorder = 20'000;

PerfRecording RecordingOf(const std::string& command) {
  ProgramOutput output = OutputOf(command);
  PerfRecording recording{.lines = std::move(output.lines), .lost = 0, .error = std::move(output.error)};
  for (const std::string& line : recording.lines) {
    // "PERF_RECORD_LOST lost 17"; samples that were lost are told by another record at the end.
    const auto lost = line.find("PERF_RECORD_LOST");
    if (lost == std::string::npos) continue;
    const auto number = line.find("lost ", lost);
    recording.lost += number == std::string::npos ? 1 : std::strtoull(line.c_str() + number + 5, nullptr, 10);
  }
  return recording;
}

// "5740.725162143" or "5740.725162" → ns.
std::optional<std::int64_t> Time(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  std::int64_t seconds = 0, fraction = 0, unit = 1'000'000'000;
  for (const char c : text.substr(0, dot)) {
    if (c < '0' || c > '9') return std::nullopt;
    seconds = seconds * 10 + (c - '0');
  }
  for (const char c : text.substr(dot + 1)) {
    if (c < '0' || c > '9') break;
    fraction = fraction * 10 + (c - '0');
    unit /= 10;
  }
  return seconds * 1'000'000'000 + fraction * unit;
}

// The text behind `key`, up to the next blank.
std::string_view Behind(std::string_view line, std::string_view key) {
  const auto at = line.rfind(key);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + key.size());
  return line.substr(0, line.find(' '));
}

int Number(std::string_view text) { return std::atoi(std::string(text).c_str()); }

struct Window {
  std::int64_t begin, end;
  bool Holds(std::int64_t at) const { return begin <= at && at < end; }
  bool IsNear(std::int64_t at) const { return std::abs(at - begin) < kBorder || std::abs(at - end) < kBorder; }
};

}  // namespace

PerfRecording PerfScript(const std::string& file) {
  return RecordingOf("perf script --ns --show-lost-events -F tid,cpu,time,event,trace -i " + file);
}

PerfRecording PerfTimehist(const std::string& file) {
  return RecordingOf("perf sched timehist --state --next -i " + file);
}

PerfTasks RawTasks(const PerfRecording& script, std::int64_t begin, std::int64_t end) {
  enum class Doing { kUnknown, kSleeping, kWoken, kPreempted, kRunning };
  struct State {
    Doing doing = Doing::kUnknown;
    std::int64_t since = 0;
  };
  struct Event {
    std::int64_t at;
    std::string_view name, line;
  };
  const Window window{begin, end};
  std::vector<Event> events;
  for (const std::string& line : script.lines) {
    const auto name = line.find(": sched:") == std::string::npos ? line.find(":       sched:") : line.find(": sched:");
    const auto bracket = line.find("] ");
    if (name == std::string::npos || bracket == std::string::npos || bracket > name) continue;
    const auto first = line.find_first_not_of(' ', bracket + 1);
    const auto at = Time(std::string_view(line).substr(first, name - first));
    const auto colon = line.find("sched:", name) + 6;
    if (at) events.push_back({*at, std::string_view(line).substr(colon, line.find(':', colon) - colon), line});
  }
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.at < b.at; });

  PerfTasks all;
  auto& tasks = all.by_tid;
  std::map<int, State> states;
  std::map<int, int> running;  // by CPU
  for (const auto& [at, name, line] : events) {
    const bool inside = window.Holds(at);
    if (name == "sched_waking" || name == "sched_wakeup_new") {
      State& state = states[Number(Behind(line, " pid="))];
      if (state.doing == Doing::kUnknown || state.doing == Doing::kSleeping) state = {Doing::kWoken, at};
    } else if (name == "sched_migrate_task") {
      if (inside) ++tasks[Number(Behind(line, " pid="))].migrations;
    } else if (name == "sched_switch") {
      const int from = Number(Behind(line, " prev_pid=")), to = Number(Behind(line, " next_pid="));
      const bool preempted = Behind(line, " prev_state=").substr(0, 1) == "R";
      const int cpu = Number(line.substr(line.find('[') + 1));
      const auto known = running.find(cpu);
      if (inside && known != running.end() && known->second != from) ++all.unseen[cpu];
      running[cpu] = to;
      State& left = states[from];
      PerfTask& of_left = tasks[from];
      if (window.IsNear(at)) ++of_left.at_the_border;
      if (inside) {
        ++(preempted ? of_left.involuntary : of_left.voluntary);
        if (left.doing == Doing::kRunning) of_left.slice.push_back(at - left.since);
        if (left.doing == Doing::kPreempted) of_left.preempted_or_ran += at - std::max(left.since, begin);
      }
      left = {preempted ? Doing::kPreempted : Doing::kSleeping, at};
      State& next = states[to];
      PerfTask& of_next = tasks[to];
      const bool waited = next.doing == Doing::kWoken || next.doing == Doing::kPreempted;
      if (window.IsNear(at) && waited) ++of_next.at_the_border;
      if (inside && waited) {
        of_next.runqueue.push_back(at - next.since);
        if (next.doing == Doing::kWoken) of_next.wake.push_back(at - next.since);
        if (next.doing == Doing::kPreempted) of_next.preempted += at - std::max(next.since, begin);
      }
      next = {Doing::kRunning, at};
    }
  }
  return all;
}

PerfTasks TimehistTasks(const PerfRecording& timehist, std::int64_t begin, std::int64_t end) {
  const Window window{begin, end};
  PerfTasks all;
  std::map<int, bool> was_preempted;
  std::map<std::string, int> next_on;  // by CPU
  for (const std::string& line : timehist.lines) {
    // "  5708.367342 [0001]  loop flight[23514/23513]   0.000   0.018   0.013      S  next: worker a.0[24332]"
    const auto first = line.find_first_not_of(' ');
    if (first == std::string::npos) continue;
    const auto out = Time(std::string_view(line).substr(first, line.find(' ', first) - first));
    const auto next = line.rfind("  next: ");
    if (!out || next == std::string::npos) continue;
    const auto bracket = line.rfind('[', next), close = line.rfind(']', next), next_bracket = line.rfind('[');
    if (bracket == std::string::npos || close == std::string::npos || close < bracket) continue;
    // The idle task stands without brackets, and that of the CPU is found instead.
    const int tid = bracket < 24 ? 0 : std::atoi(line.c_str() + bracket + 1);
    const std::string cpu = line.substr(line.find('['), 6);
    const auto expected = next_on.find(cpu);
    const bool seen = expected != next_on.end() && expected->second == tid;
    next_on[cpu] = next_bracket < next ? 0 : std::atoi(line.c_str() + next_bracket + 1);
    if (tid == 0) continue;
    double wait = 0, delay = 0, run = 0;
    char state[8] = "";
    if (sscanf(line.c_str() + close + 1, "%lf %lf %lf %7s", &wait, &delay, &run, state) != 4) continue;
    const auto nanos = [](double ms) { return std::llround(ms * 1e6); };
    // A task that is preempted on its way to sleep is "R+" to the kernel, and a state of old kernels (K, W, ?) to perf.
    const bool preempted = std::string_view("SDTtXZI").find(state[0]) == std::string_view::npos;
    PerfTask& task = all.by_tid[tid];
    if (window.IsNear(*out)) ++task.at_the_border;
    if (window.Holds(*out)) {
      ++(preempted ? task.involuntary : task.voluntary);
      if (seen) task.slice.push_back(nanos(run));
    }
    const auto before = was_preempted.find(tid);
    if (seen && before != was_preempted.end() && window.Holds(*out - nanos(run))) {
      if (!before->second) task.wake.push_back(nanos(delay));
      task.runqueue.push_back(nanos(before->second ? wait : delay));
    }
    was_preempted[tid] = preempted;
  }
  return all;
}

std::int64_t NearestRank(std::vector<std::int64_t> values, double p, std::int64_t ranks) {
  if (values.empty()) return -1;
  std::sort(values.begin(), values.end());
  const auto size = static_cast<std::int64_t>(values.size());
  const auto rank = static_cast<std::int64_t>(std::ceil(p * static_cast<double>(size))) + ranks;
  return values[static_cast<std::size_t>(std::clamp<std::int64_t>(rank, 1, size) - 1)];
}

}  // namespace corerig
