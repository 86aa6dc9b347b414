// A trace of our own in the kernel (Documentation/trace/ftrace.rst, "Instances"): its own ring buffer per CPU, its own
// choice of events, apart from whatever else is being traced on the board.
//
//   auto instance = TraceInstance::Create(std::move(*tracefs), decoder.events());
//   instance->SetBuffer(cpu, bytes);
//   instance->Begin();
//   ... read(instance->pipe(cpu), page, size) ...
//
// Raw per-CPU pipes instead of perf's rings: of two tasks that wake each other through a pipe on one core, a round trip
// of 5.0 µs takes 6.2 µs under this trace and 7.0 µs with the same events through perf_event_open (6.18, virtual x86).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/os/fd.h"
#include "harness/os/trace_fs.h"

namespace corerig {

class TraceInstance {
 public:
  // Also removes what runs of corerig that were killed have left. Stamps are CLOCK_MONOTONIC. Fails without permission.
  static Result<TraceInstance> Create(TraceFs tracefs, const std::vector<std::string>& events);

  TraceInstance(TraceInstance&& other) noexcept
      : tracefs_(std::move(other.tracefs_)),
        folder_(std::exchange(other.folder_, {})),
        pipes_(std::move(other.pipes_)),
        marker_(std::move(other.marker_)),
        traces_(std::move(other.traces_)),
        switch_(std::move(other.switch_)) {}
  TraceInstance& operator=(TraceInstance&&) = delete;
  // Closes the pipes and removes the trace.
  ~TraceInstance();

  // At least this many bytes for the events of one CPU; before Begin.
  Status SetBuffer(CpuId cpu, std::size_t bytes) const;
  // Only page faults of these tasks (numbered as in our pid namespace's root: as the trace has them) are traced; before
  // it is called, none.
  Status WatchPageFaults(const std::vector<std::int32_t>& tids) const;
  // poll() finds a pipe readable once its buffer is a quarter full. Where this fails (before Linux 5.0), it does so
  // from the first event on.
  Status WakeWhenFilled() const;
  // Opens the pipes of `cpus`, not blocking, and starts.
  Status Begin(const std::vector<CpuId>& cpus);
  // How many events of a CPU the kernel has overwritten before they were read.
  Result<std::uint64_t> Overwritten(CpuId cpu) const;
  // No more events; what is in the buffers can still be read.
  Status End() const;

  // Where the trace is made and what it is called there: for whoever is to remove it after us.
  int traces_fd() const { return traces_.get(); }
  std::string name() const { return folder_.substr(folder_.rfind('/') + 1); }

  // In the order of Begin's cpus.
  int pipe(std::size_t index) const { return pipes_[index].get(); }
  // What is written here stands in the trace, with the task that wrote it.
  int marker() const { return marker_.get(); }
  // "0" written here ends the trace, as End does, from any process that has the descriptor.
  int trace_switch() const { return switch_.get(); }

 private:
  TraceInstance(TraceFs tracefs, std::string folder) : tracefs_(std::move(tracefs)), folder_(std::move(folder)) {}

  TraceFs tracefs_;
  std::string folder_;  // "instances/corerig-4711"; empty after a move
  std::vector<Fd> pipes_;
  Fd marker_, traces_, switch_;
};

}  // namespace corerig
