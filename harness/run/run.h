// Runs a plan: starts its children, measures them over the window, sees them end, judges.
//
//   auto record = Run(plan, rig, {.program = ProgramPath(), ...});
//   if (record) return ExitCode(record->verdict);
//
// Single-threaded, on the calling thread. SIGINT, SIGTERM and SIGHUP end the run within two seconds, with what was
// measured so far. When it returns nothing that it started is left: no process, no shared memory.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "harness/base/live_state.h"
#include "harness/base/record.h"
#include "harness/base/result.h"
#include "harness/base/trace_event.h"
#include "harness/plan/plan.h"
#include "harness/run/rig.h"

namespace corerig {

struct RunOptions {
  std::string program;        // of this rig; children are exec'ed from it
  std::string folder;         // of the run, there already: the output of commands goes there; "": it is not kept
  std::string scenario_file;  // for the report, as are the next three
  std::vector<std::string> command;
  std::string version;
  std::string build;
  std::function<void(const LiveState&)> on_live;  // a few times per second
  std::function<void(const RunRecord&)>
      on_record;  // what is known so far: at the start, as children end, and at the end
  // The events of the scheduling trace, in a thread of their own; see trace_event.h.
  std::function<void(std::span<const TraceEvent>, const TraceNames&)> on_trace;
  std::function<void(const std::string&)> on_message;  // one line for the user: warnings, children that died
};

// What Run refuses before it starts anything: a budget that this board cannot resolve (resolution.h), an address space
// that does not hold this program (address_space.h).
Status CheckHere(const Plan& plan);

// The finished record, its verdict in it. An error is a fault of the system or of corerig, never of a child; or what
// CheckHere says.
Result<RunRecord> Run(const Plan& plan, const Rig& rig, const RunOptions& options);

}  // namespace corerig
