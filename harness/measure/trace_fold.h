// Figures of the window, folded from the events of the scheduling trace as they come: memory does not grow with the
// run.
//
//   TraceFold fold({{"rig", Role::kRig}, {"worker price.0", Role::kWorker}}, cores);
//   fold.SetWindow(begin, end);                          // any thread, before the events of the window come
//   fold.OnEvents(events, names, complete_until);        // the reader's thread
//   record = fold.Take();                                // when no more events come
//
// A task is ready to run from the event that wakes it (sched_waking, which is what perf sched takes) or preempts it,
// and runs from the switch to it to the switch from it. Time in interrupts counts as theirs, not as the interrupted
// task's.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/base/record.h"
#include "harness/base/trace_event.h"
#include "harness/base/units.h"

namespace corerig {

class TraceFold {
 public:
  enum class Role { kWorker, kLoop, kSource, kRig };
  struct Part {
    std::string name;
    Role role = Role::kRig;
  };

  // `parts` in the order of their numbers in the trace; figures are kept for `cores`.
  TraceFold(std::vector<Part> parts, const std::vector<CpuId>& cores);
  ~TraceFold();

  // The end may be drawn nearer later, as long as it lies ahead of the events.
  void SetWindow(Nanos begin, Nanos end);
  void OnEvents(std::span<const TraceEvent> events, const TraceNames& names, Nanos complete_until);

  // What the window had, or has had so far. `events` and the like of the reader are left to the caller.
  TraceRecord Take() const;

 private:
  struct Task {
    enum class State : std::uint8_t { kUnknown, kSleeping, kWoken, kPreempted, kRunning } state = State::kUnknown;
    int part = -1;
    int cpu = -1;
    Nanos since{0};  // of the state
    bool waiting() const { return state == State::kWoken || state == State::kPreempted; }
  };
  struct Held {
    Nanos time{0};
    std::uint64_t times = 0;
    std::string task;
    int part = -1;
  };
  struct PartFigures;
  struct Core;

  void OnEvent(const TraceEvent& event, const TraceNames& names);
  void OnSwitch(Core& core, const TraceEvent& event, const TraceNames& names);
  void OnReady(std::int32_t tid, Task::State state, int cpu, Nanos at, const TraceNames& names);
  void OnMigrate(const TraceEvent& event);
  void OnInterrupt(Core& core, Nanos at, bool entry);
  void OnLost(Core& core, const TraceEvent& event);
  // Opens and closes the window as time comes to them.
  void AdvanceTo(Nanos at);
  // Books what the core did since it was last booked.
  void Book(Core& core, Nanos at);
  void BookAll(Nanos at);
  void ForgetFigures();
  Task& TaskOf(std::int32_t tid, const TraceNames& names);
  Core* CoreOf(int cpu);
  PartFigures* FiguresOf(const Task& task);
  void StopWaiting(std::int32_t tid, const Task& task);

  const std::vector<Part> parts_;
  std::vector<std::unique_ptr<PartFigures>> figures_;
  std::vector<std::unique_ptr<Core>> cores_;
  std::vector<int> core_index_;  // by CPU; -1: not kept
  std::unordered_map<std::int32_t, Task> tasks_;
  const TraceNames* names_ = nullptr;  // during OnEvents
  std::atomic<std::int64_t> begin_{INT64_MAX}, end_{INT64_MAX};
  bool opened_ = false, closed_ = false;
  Nanos booked_{0};  // up to here
  bool gap_ = false;
};

}  // namespace corerig
