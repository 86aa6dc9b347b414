// Workload "load/periodic": a job of a fixed amount of CPU work every period, and how often it met its deadline. It
// stands for a task that cannot be brought along: what rt-app users write as run, period and deadline.
//
// A unit of work is one job. Job k of a worker is due at first + k * period, where `first` is the instant at which its
// first job begins, on CLOCK_MONOTONIC; none is left out, so a worker that was kept from running catches up (rt-app's
// timer mode "absolute"; with timer = "relative" the due times begin anew after a job that was released late).
//
//   response = end − due        missed: response > deadline
//   lateness = woken − due      of jobs that were slept for; the others were due before their predecessor had ended
//
// The work is iterations of known_work.h: `work` of them, or as many as take `run` of this core's CPU time when nothing
// disturbs it, measured before the first job. Its result is known, and one that differs fails the run.
#pragma once

#include "harness/child/workload.h"

namespace corerig {

WorkloadType LoadPeriodic();

}  // namespace corerig
