// Anomaly detection: an autoencoder that has seen healthy machines alone reproduces faulty ones badly. Judged by the
// area under the curve over healthy and faulty windows that it has not seen (scenarios/train/bearing.h).
#pragma once

#include "harness/child/workload.h"

namespace corerig {

WorkloadType TrainAutoencoder();

}  // namespace corerig
