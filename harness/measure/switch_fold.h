// Figures of tasks from the records of their own switches, in bounded memory.
//
//   SwitchFold fold({"loop flight", "worker price.0"});
//   fold.SetWindow(begin, end);
//   fold.OnEvent({.at = at, .part = 1, .tid = 4711, .cpu = 0, .kind = SwitchEvent::Kind::kIn});   // in order of time
//   fold.Take(until).parts[1].slice
//
// A task's records tell when it came to a CPU and left it, and whether it was ready to run when it left: its slices,
// its switches, how long it was kept away by others. They do not tell when it was woken.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/base/record.h"
#include "harness/base/units.h"

namespace corerig {

struct SwitchEvent {
  enum class Kind : std::uint8_t {
    kIn,         // it runs from now on
    kOut,        // it left the CPU to wait
    kPreempted,  // it left the CPU though ready to run
    kExit,       // it ended
    kLost        // records of this CPU were lost before this one: what any task does is not known
  };
  Nanos at{0};  // CLOCK_MONOTONIC
  std::size_t part = 0;
  int tid = 0;
  int cpu = 0;
  Kind kind = Kind::kIn;
};

class SwitchFold {
 public:
  explicit SwitchFold(const std::vector<std::string>& parts);

  // The end may be drawn nearer later, as long as it lies ahead of the events.
  void SetWindow(Nanos begin, Nanos end);
  void OnEvent(const SwitchEvent& event);
  // What the window has had; who runs or waits is taken to have done so until `until`. Fills in `gap` and `parts`.
  SwitchesRecord Take(Nanos until) const;

 private:
  // A task that was not seen yet was doing all the time what its first record ends.
  struct Task {
    enum class State : std::uint8_t { kNew, kUnknown, kAsleep, kPreempted, kRunning } state = State::kNew;
    std::size_t part = 0;
    int cpu = -1;
    Nanos since = Nanos::min();  // of the state
  };
  Nanos InWindow(Nanos from, Nanos to) const;
  bool Contains(Nanos at) const { return at >= begin_ && at < end_; }

  std::vector<TracePartRecord> parts_;
  std::unordered_map<int, Task> tasks_;
  Nanos begin_ = Nanos::max(), end_ = Nanos::max();
  bool gap_ = false;
};

}  // namespace corerig
