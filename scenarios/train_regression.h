// A battery model: the state of charge of a cell from voltage, current, temperature and their history
// (scenarios/train/battery.h).
#pragma once

#include "harness/child/workload.h"

namespace corerig {

WorkloadType TrainRegression();

}  // namespace corerig
