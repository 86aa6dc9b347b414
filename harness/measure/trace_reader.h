// Reads the kernel's scheduling trace while a run goes on, in a thread of its own.
//
//   auto reader = TraceReader::Start({.parts = {"rig", "loop flight"}, .cpus = ..., .core = rig_core, ...}, sink);
//   ... children write "corerig:loop flight" to reader->marker() ...
//   reader->Stop();                       // everything up to now was handed to the sink
//   if (reader->total_lost() > 0) ...     // events; each gap itself is an event of its own to the sink
//
// The thread runs real-time below everything that asks for a priority, so that it costs the measured tasks nothing, and
// above all time-sharing tasks. It looks when a buffer is a quarter full, or else five times a second: the less often,
// the less each event costs. Should it be kept from running for long (a real-time loop that never sleeps), a guard of
// the highest priority, which looks four times a second, lifts it above all until it has caught up: that is well before
// the buffers, which hold two seconds, overflow.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "harness/base/policy.h"
#include "harness/base/result.h"
#include "harness/base/trace_event.h"
#include "harness/base/units.h"
#include "harness/measure/missing_switches.h"
#include "harness/measure/trace_decoder.h"
#include "harness/measure/trace_instance.h"
#include "harness/measure/trace_merge.h"
#include "harness/os/fd.h"

namespace corerig {

class TraceReader {
 public:
  struct Buffer {
    CpuId cpu;
    std::size_t bytes = 0;
  };
  struct Options {
    std::vector<std::string> parts;      // of the run, numbered in this order; part 0 is the caller
    std::vector<std::string> faults_of;  // parts whose page faults are traced: each costs a fraction of a fault
    std::vector<Buffer> buffers;         // the CPUs to trace
    CpuId core;                          // where the reader stays
  };
  // Called by the reader's thread with events in the order of time; all before `complete_until` have been handed over
  // once it returns.
  using Sink = std::function<void(std::span<const TraceEvent>, const TraceNames&, Nanos complete_until)>;

  // The error says why there is no trace on this board, and what would help.
  static Result<std::unique_ptr<TraceReader>> Start(const Options& options, Sink sink);

  TraceReader(const TraceReader&) = delete;
  ~TraceReader();

  // A descriptor that children inherit and write their part's name to.
  int marker() const { return instance_.marker(); }
  // "0" written to this one ends the trace at once; what was recorded is still read and handed over.
  int trace_switch() const { return instance_.trace_switch(); }
  // Where the kernel's trace is made and its name there: for whoever is to remove it should we be killed.
  int traces_fd() const { return instance_.traces_fd(); }
  std::string name() const { return instance_.name(); }
  // Ends the trace, hands over the rest of it, joins. A second call does nothing.
  void Stop();

  // Events lost so far; from any thread.
  std::uint64_t total_lost() const { return total_lost_.load(std::memory_order_relaxed); }
  std::uint64_t events() const { return events_.load(std::memory_order_relaxed); }
  // Switches that the kernel did not trace and that were put in (missing_switches.h); after Stop.
  std::uint64_t inferred() const { return inferred_; }
  // The kernel has irq, softirq or vector events: without, interrupts' time is that of the tasks they interrupt.
  bool sees_interrupts() const { return sees_interrupts_; }

 private:
  TraceReader(TraceDecoder decoder, TraceInstance instance, const Options& options, Sink sink);

  void Body();
  void Guard();
  // Until then, or until Stop, or until one of `filled` buffers is a quarter full.
  void Wait(Nanos time, std::size_t filled = 0) const;
  // Reads what is there, as much of each CPU as one look may. Returns the instant up to which nothing is left in a
  // buffer: that of the last event read of a CPU that has more, or else far in the future.
  Nanos ReadAll();
  void HandOver(Nanos horizon);
  void Follow(const TraceEvent& event);

  TraceDecoder decoder_;
  TraceInstance instance_;
  std::vector<CpuId> cpus_;
  CpuId core_;
  Sink sink_;
  Fd wake_;  // readable once it is to stop
  bool sees_interrupts_ = false;
  bool woken_when_filled_ = false;
  Nanos latest_part_{0};  // when a task last said what it is
  TraceNames names_;
  TraceMerge merge_;
  std::vector<MissingSwitches> missing_switches_;  // per CPU
  std::uint64_t inferred_ = 0;
  std::vector<TraceEvent> batch_;
  std::vector<std::int32_t> ended_;  // tasks whose names are still of use for a while
  std::vector<std::byte> page_;
  std::vector<std::uint64_t> lost_;  // of each CPU
  std::atomic<std::uint64_t> total_lost_{0}, events_{0};
  std::atomic<std::int64_t> last_look_{0};  // CLOCK_MONOTONIC ns of the reader's last complete round
  std::atomic<int> tid_{0};                 // of the reader's thread
  std::atomic<bool> stop_{false};
  std::vector<std::string> faults_of_;
  std::vector<std::int32_t> watched_;  // tasks whose page faults are traced
  bool watched_changed_ = false;
  std::thread thread_, guard_;
};

}  // namespace corerig
