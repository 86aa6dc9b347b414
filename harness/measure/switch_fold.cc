#include "harness/measure/switch_fold.h"

#include <algorithm>

namespace corerig {

SwitchFold::SwitchFold(const std::vector<std::string>& parts) {
  for (const auto& part : parts) parts_.push_back({.part = part, .runqueue = {}, .wake = {}, .slice = {}});
}

void SwitchFold::SetWindow(Nanos begin, Nanos end) {
  begin_ = begin;
  end_ = end;
}

Nanos SwitchFold::InWindow(Nanos from, Nanos to) const {
  const Nanos first = std::max(from, begin_), last = std::min(to, end_);
  return last > first ? last - first : Nanos(0);
}

void SwitchFold::OnEvent(const SwitchEvent& event) {
  using Kind = SwitchEvent::Kind;
  using State = Task::State;
  if (event.kind == Kind::kLost) {
    gap_ = gap_ || event.at < end_;
    for (auto& [tid, task] : tasks_) task.state = State::kUnknown;
    return;
  }
  if (event.part >= parts_.size()) return;
  Task& task = tasks_[event.tid];
  task.part = event.part;
  TracePartRecord& figures = parts_[event.part];
  if (event.kind == Kind::kIn) {
    if (task.state == State::kPreempted) figures.preempted += InWindow(task.since, event.at);
    if (task.cpu >= 0 && task.cpu != event.cpu && Contains(event.at)) ++figures.migrations;
    task.state = State::kRunning;
  } else {
    if (task.state == State::kRunning || task.state == State::kNew) figures.run += InWindow(task.since, event.at);
    if (event.kind == Kind::kExit) {
      tasks_.erase(event.tid);
      return;
    }
    if (Contains(event.at)) {
      ++(event.kind == Kind::kPreempted ? figures.involuntary : figures.voluntary);
      if (task.state == State::kRunning) figures.slice.Add((event.at - task.since).count());
    }
    task.state = event.kind == Kind::kPreempted ? State::kPreempted : State::kAsleep;
  }
  task.cpu = event.cpu;
  task.since = event.at;
}

SwitchesRecord SwitchFold::Take(Nanos until) const {
  SwitchesRecord record;
  record.gap = gap_;
  record.parts = parts_;
  for (const auto& [tid, task] : tasks_) {
    TracePartRecord& figures = record.parts[task.part];
    if (task.state == Task::State::kRunning) figures.run += InWindow(task.since, until);
    if (task.state == Task::State::kPreempted) figures.preempted += InWindow(task.since, until);
  }
  return record;
}

}  // namespace corerig
