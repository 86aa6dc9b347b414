// A classifier of bearing faults: which part of a rolling bearing is damaged, from windows of an accelerometer's signal
// (scenarios/train/bearing.h).
#pragma once

#include "harness/child/workload.h"

namespace corerig {

WorkloadType TrainVibration();

}  // namespace corerig
