// The kernels compiled for x86-64-v3. Whoever calls one has made sure that the CPU is one.
#pragma once

#include "scenarios/train/kernels.h"

namespace corerig {

const TrainKernels& TrainKernelsV3();

}  // namespace corerig
