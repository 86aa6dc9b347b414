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

class LiveView {
 public:
  LiveView(const Plan& plan, const ProcFs& procfs) : plan_(plan), procfs_(procfs) {}

  // Rates and shares are those since the last call.
  // `memory` knows the children by their index.
  LiveState Look(Nanos now, const Timeline& timeline, const std::vector<SupervisedChild>& children,
                 const MemorySampler& memory, pid_t keeper);

 private:
  std::vector<LiveStream> Streams(Nanos now, const StreamSides& sides);
  LiveWorker Worker(Nanos now, const SupervisedChild& child);
  std::vector<LiveCore> Cores(const std::vector<SupervisedChild>& children, pid_t keeper);
  int LastCpuOf(pid_t pid, pid_t tid) const;
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
