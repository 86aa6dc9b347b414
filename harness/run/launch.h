// Turns a plan into running, armed-to-be children: channels, slabs, jobs, spawning.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/child/control.h"
#include "harness/child/keeper.h"
#include "harness/loop/endpoint_sender.h"
#include "harness/os/cgroup.h"
#include "harness/os/shared_memory.h"
#include "harness/plan/plan.h"
#include "harness/run/command_output.h"
#include "harness/run/rig.h"

namespace corerig {

// The page through which all children of a run are spoken to; only the supervisor can write it.
class ControlMemory {
 public:
  static Result<ControlMemory> Create();
  ControlPage& page() const { return *mapping_.At<ControlPage>(0); }
  int fd() const { return fd_.get(); }
  // Publishes the start; the other instants of the page are set. Wakes the children that wait for it.
  void Publish(Nanos start_at) const;

 private:
  Fd fd_;
  Mapping mapping_;
};

// kGroup is the process whose threads the workers of a group are.
enum class Role { kSource, kHandler, kGroup, kWorker };

// The failure of one that was not started because the run was interrupted before.
inline constexpr std::string_view kInterruptedStart = "interrupted";

// A child as launched; `process` is empty if it could not be started, and `failure` says why.
struct LaunchedChild {
  Role role = Role::kWorker;
  std::size_t group = 0;     // of plan.workers, for workers and groups
  int index = 0;             // in its group
  std::string name;          // for people: "worker price.0"
  std::vector<CpuId> cores;  // those it may run on
  Policy policy = {};
  Mapping slab = {};                // the child's, read-only
  std::size_t result_capacity = 0;  // workers
  std::optional<ChildProcess> process = std::nullopt;
  std::string failure = {};
  // Of a worker that is a thread: whose, among the children, and that process's pid.
  std::optional<std::size_t> host = std::nullopt;
  pid_t host_pid = 0;
  std::optional<MemoryGroup> memory_group = std::nullopt;  // workers with a limit that it enforces
  // The one it is pinned to; -1: it floats over several.
  int core() const { return cores.size() == 1 ? cores.front().value : -1; }

  // Of the process it is, or is a thread of; 0: it was not started.
  pid_t pid() const { return process ? process->pid : host_pid; }

  // Commands only.
  std::string mark = {};                           // "CORERIG_ID=…": in the environment of all it starts
  std::unique_ptr<CommandOutput> output = {};      // if its lines are counted
  std::string stdout_file = {}, stderr_file = {};  // in the run's folder; empty if they are not kept
};

// What children are started with; all of it outlives the call.
struct LaunchContext {
  const std::string& program;  // of this rig
  const std::string& folder;   // where the output of commands is kept; nowhere if it is empty
  const ControlMemory& control;
  int marker = -1;                                 // goes to every child (part_marker.h)
  const MemoryGroups* memory_groups = nullptr;     // null where there are none: then nobody gets one
  int interrupts = -1;                             // readable once the run is to end
  int break_event = -1;                            // these two go to the handler if a stream has a break:
  int trace_switch = -1;                           // an eventfd; the trace's, or /dev/null (sample_break.h)
  std::span<const OpenedEndpoint> endpoints = {};  // of the streams whose receiver is external, in the plan's order
};

// Opens the endpoints of those streams. The error is one line: what the user named cannot be had. Their descriptors are
// the source's once it is launched; their links are to live as long as the run.
Result<std::vector<OpenedEndpoint>> OpenEndpoints(const Plan& plan);

// Opens what the plan needs and spawns source, handler and workers, in this order. An error here is ours or the
// system's (no memory, no descriptors); a child that cannot be spawned is not one: it is in the list with its failure.
Result<std::vector<LaunchedChild>> Launch(const Plan& plan, const Rig& rig, const LaunchContext& context,
                                          Keeper& keeper);

}  // namespace corerig
