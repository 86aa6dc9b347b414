// One event of the kernel's scheduling trace, as everyone sees it who reads the trace: the figures folded from it, the
// explanation of late samples, the exported file.
//
// Events arrive in batches, ordered by time; those of one CPU are exactly in order, those of different CPUs but for
// what a CPU was kept from writing in time. A batch is valid during the call that hands it over.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "harness/base/units.h"

namespace corerig {

// What a task writes into the trace before the name of the part of the run that it is.
inline constexpr std::string_view kTraceMarkerPrefix = "corerig:";

struct TraceEvent {
  enum class Kind : std::uint8_t {
    kSwitch,     // `tid` is given the CPU, `other` leaves it; `state` says how `other` leaves; tid 0 is the idle task
    kWaking,     // `tid` is being woken by `other`; `value` is the CPU it last ran on, not the one it will run on
    kWakeupNew,  // `tid` was just forked and is put into the run queue of CPU `value`, by `other`
    kMigrate,    // `tid` moves from the run queue of CPU `value` >> 32 to that of CPU `value` & 0xffffffff
    kFork,       // `other` has forked (or cloned) `tid`
    kExec,       // `tid` has become another program; its name follows with its next switch
    kExit,       // `tid` is ending
    kIrqEntry,   // interrupt `value` (a line of /proc/interrupts) is being served; on what ran, `tid`
    kIrqExit,    //
    kSoftirqEntry,  // soft interrupt `value`
    kSoftirqExit,   //
    kVectorEntry,   // an interrupt of the architecture (local timer, reschedule IPI, …): `value` is TraceNames' index
    kVectorExit,    //
    kTimerExpire,   // a high-resolution timer fires now; it was set to fire at `value` ns (0: its start was not seen)
    kPageFault,     // `tid` had a page fault in user mode
    kIdleEnter,     // the CPU enters idle state `value`
    kIdleExit,      //
    kFrequency,     // the CPU runs at `value` kHz from now on
    kPart,          // `tid` is part `value` of the run from now on (TraceNames), and so is what it forks
    kLost,          // before this event, `value` events of this CPU were lost; at least 1 where the number is unknown
  };
  // How a task leaves its CPU.
  enum class State : std::uint8_t {
    kPreempted,        // it could run on: involuntary
    kSleeping,         // interruptible
    kUninterruptible,  // disk sleep
    kStopped,          // stopped or traced
    kDead,             // exited; there is no later event of this task
    kOther,            // idle kernel thread, parked
  };

  Nanos at{0};             // CLOCK_MONOTONIC
  std::int64_t value = 0;  // see Kind
  std::int32_t tid = 0;
  std::int32_t other = 0;
  std::int16_t cpu = 0;       // where the event was recorded
  std::int16_t priority = 0;  // of `tid` in the kernel's numbers: 0 to 98 real-time (99 - rtprio), 120 nice 0
  Kind kind = Kind::kSwitch;
  State state = State::kPreempted;
};
static_assert(sizeof(TraceEvent) == 32);

// The names that events refer to, as of the events handed over so far. One thread.
class TraceNames {
 public:
  using Comm = std::array<char, 16>;  // as the kernel has it: cut to 15 bytes, zero-filled

  void SetTask(std::int32_t tid, const Comm& comm) {
    Comm& name = tasks_[tid];
    if (name != comm) name = comm;
  }
  void ForgetTask(std::int32_t tid) {
    tasks_.erase(tid);
    part_of_.erase(tid);
  }
  // The command name; empty if no event has told it.
  std::string_view Task(std::int32_t tid) const;

  // Parts of the run are numbered as they are added: "rig", "source", "loop flight", "worker price.0".
  void AddPart(std::string name) {
    parts_.push_back(std::move(name));
    first_of_.push_back(-1);
  }
  void SetPart(std::int32_t tid, std::int64_t part) {
    part_of_[tid] = part;
    const auto index = static_cast<std::size_t>(part);
    if (index < first_of_.size() && first_of_[index] < 0) first_of_[index] = tid;
  }
  // The task that said first that it is this part; -1 while none has.
  std::int32_t FirstOf(std::string_view part) const;
  // A forked task is of its parent's part, whatever task had its number before.
  void InheritPart(std::int32_t tid, std::int32_t parent) {
    const std::int64_t part = PartNumber(parent);
    if (part < 0) {
      part_of_.erase(tid);
    } else {
      part_of_[tid] = part;
    }
  }
  // Its part's number, -1 for a task that is not of this run.
  std::int64_t PartNumber(std::int32_t tid) const {
    const auto at = part_of_.find(tid);
    return at == part_of_.end() ? -1 : at->second;
  }
  // Its part's name; empty for a task that is not of this run.
  std::string_view Part(std::int32_t tid) const;

  // Vectors are numbered as they are added: "local_timer", "reschedule".
  void AddVector(std::string name) { vectors_.push_back(std::move(name)); }
  void SetIrq(std::int64_t number, std::string name) { irqs_[number] = std::move(name); }
  // "local_timer", "irq 24 virtio0", "softirq TIMER", for an event of one of the six kinds of interrupts; "" for
  // others.
  std::string Interrupt(const TraceEvent& event) const;

 private:
  std::unordered_map<std::int32_t, Comm> tasks_;
  std::unordered_map<std::int32_t, std::int64_t> part_of_;
  std::vector<std::string> parts_, vectors_;
  std::vector<std::int32_t> first_of_;  // by part
  std::unordered_map<std::int64_t, std::string> irqs_;
};

}  // namespace corerig
