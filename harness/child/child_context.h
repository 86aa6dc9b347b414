// The child's side of the contract, alike for every role: what it was handed, arming, the common start, being told to
// stop.
//
//   auto context = ChildContext::Open();          // reads the job, maps slab and control page
//   ... prepare everything ...
//   context->Arm();                               // "ready"
//   const Nanos start = context->WaitForStart();  // sleeps to the common instant
//   ... work until context->stop_level() says so ...
//   context->Finish();
//
// What a worker runs through before it is armed is marked [[gnu::hot]]: linkers lay such functions side by side, and
// each other 64 KiB of the program that a new process touches is a page fault of 3 µs (tests/bench/spawn_bench).
//
// A child is exec'ed with these descriptors; see keeper.h for what else is set before exec (core, policy,
// limits).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/child/control.h"
#include "harness/child/slab.h"
#include "harness/os/shared_memory.h"

namespace corerig {

// What every child finds open.
inline constexpr int kJobFd = 3;      // memfd: the job, as its role writes it
inline constexpr int kSlabFd = 4;     // memfd: its own slab
inline constexpr int kControlFd = 5;  // memfd: the control page, not writable
inline constexpr int kFirstRoleFd =
    7;  // behind kMarkerFd (part_marker.h): channel ends and others' slabs, as the job says

class ChildContext {
 public:
  // Maps what was inherited, then seals the slab against any other writer. Closes kJobFd.
  static Result<ChildContext> Open();

  // Of a worker that is a thread of this process: maps its slab from `slab_fd`, and the control page. It has no job of
  // its own.
  static Result<ChildContext> OpenThread(int slab_fd);

  const std::string& job() const { return job_; }
  const Mapping& slab() const { return slab_; }
  SlabHeader& header() const { return *slab_.At<SlabHeader>(0); }
  const ControlPage& control() const { return *control_.At<ControlPage>(0); }

  void Arm();
  // Sleeps on the futex until the start is published. Returns it: an instant still to come.
  Nanos WaitForSchedule();
  // Sets timer slack to 1 ns, waits for the schedule and sleeps absolutely until the start. Returns it.
  Nanos WaitForStart();
  StopLevel stop_level() const { return StopLevel(control().stop.load(std::memory_order_relaxed)); }

  // Stamps begun_at and sets the state; stamps ended_at.
  void MarkBegun();
  void MarkEnded();
  // Reports the last memory figures (they stay 0 where the kernel has no smaps_rollup) and sets the state; the process
  // may exit after it.
  void Finish();
  // Of a worker that is a thread, on that thread: publishes its number; its last scheduling figures and its end.
  void MarkThread();
  void FinishThread();
  // Publishes why the child cannot go on; the caller then exits with status 1.
  void ReportError(std::string_view message);

 private:
  std::string job_;
  Mapping slab_;
  Mapping control_;
};

// The main function of a child of any role: opens its context, does `work`, finishes; an error is published in the slab
// (on stderr if there is no slab). Returns the exit status. `role` is for messages: "worker".
int RunChild(std::string_view role, const std::function<Status(ChildContext&)>& work);

}  // namespace corerig
