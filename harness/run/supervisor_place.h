// Where the supervisor runs and how urgently, so that it disturbs nothing and nothing keeps it from ending a run.
#pragma once

#include <sched.h>

#include <optional>

#include "harness/base/policy.h"
#include "harness/plan/plan.h"

namespace corerig {

// For as long as it lives the calling thread stays off the cores that are measured, and its process adopts what a dead
// keeper would leave behind. Then affinity and subreaper are as before and the policy is the ordinary one.
class SupervisorPlace {
 public:
  explicit SupervisorPlace(CpuId core);
  SupervisorPlace(const SupervisorPlace&) = delete;
  ~SupervisorPlace();

 private:
  cpu_set_t before_;
  int was_subreaper_ = 0;
};

// A real-time worker on the rig's core would keep us from ever ending it: then we are more urgent than it. Nothing if
// there is none.
std::optional<Policy> PolicyAboveWorkers(const Plan& plan);

}  // namespace corerig
