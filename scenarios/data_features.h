// Workload "data/features": the features of a large file of numbers, per column: mean, variance, rms, extremes,
// skewness, kurtosis, zero crossings, quantiles.
//
// One unit of work is a chunk of the file (column_file.h), so workers share the file out among them, and what they add
// up to has the same bits for any number of them. Zero crossings are changes of sign from one row to the next, 0
// counting as positive; the row before a chunk's first is read for them. A run without `units` goes through the file
// again and again, as load; the answer is that of the first time through.
//
// The check: every byte of the file's data belongs to just one row of one chunk, and each column's figures hold
// together.
#pragma once

#include "harness/child/workload.h"

namespace corerig {

WorkloadType DataFeatures();

}  // namespace corerig
