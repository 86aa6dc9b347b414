// The state of a run from one moment to the next, for the display.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/base/live_state.h"
#include "harness/measure/memory_sampler.h"
#include "harness/os/procfs.h"
#include "harness/plan/plan.h"
#include "harness/run/collect.h"

namespace corerig {

// A task whose use of a core is shown.
struct LiveTask {
  enum class Kind { kWorker, kLoop, kSource, kRig } kind;
  int cpu = 0;
  pid_t pid = 0;
  pid_t tid = 0;
};

class LiveView {
 public:
  LiveView(const Plan& plan, const ProcFs& procfs) : plan_(plan), procfs_(procfs) {}

  // Rates and shares are those since the last call.
  LiveState Look(Nanos now, const Timeline& timeline, const StreamSides& sides,
                 const std::vector<const SupervisedChild*>& workers, const std::vector<int>& keys,
                 const MemorySampler& memory, const std::vector<LiveTask>& tasks);

 private:
  double RateOf(const std::string& what, std::uint64_t count, Nanos now);

  struct Earlier {
    std::uint64_t count;
    Nanos at;
  };
  const Plan& plan_;
  const ProcFs& procfs_;
  std::map<std::string, Earlier> earlier_;
};

}  // namespace corerig
