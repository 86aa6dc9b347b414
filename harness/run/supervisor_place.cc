#include "harness/run/supervisor_place.h"

#include <sys/prctl.h>

#include <algorithm>

#include "harness/os/cpu_list.h"
#include "harness/os/scheduling.h"

namespace corerig {

SupervisorPlace::SupervisorPlace(CpuId core) {
  sched_getaffinity(0, sizeof before_, &before_);
  // A refusal costs precision, not truth: core.N.rig tells where the rig ran only if it was pinned.
  (void)SetAffinity(0, core);
  prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper_, 0, 0, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

SupervisorPlace::~SupervisorPlace() {
  (void)SetPolicy(0, Policy{});
  prctl(PR_SET_CHILD_SUBREAPER, was_subreaper_, 0, 0, 0);
  sched_setaffinity(0, sizeof before_, &before_);
}

std::optional<Policy> PolicyAboveWorkers(const Plan& plan) {
  int highest = 0;
  for (const auto& group : plan.workers) {
    if (HasCpu(group.cores, plan.rig_core) || HasCpu(group.floats_over, plan.rig_core))
      highest = std::max(highest, group.policy.priority);
  }
  if (highest == 0) return std::nullopt;
  return Policy{Policy::Class::kFifo, std::min(highest + 1, 99)};
}

}  // namespace corerig
