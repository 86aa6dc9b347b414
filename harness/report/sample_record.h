// Records for tests: one with something in every field, one of a run that did not come far.
#pragma once

#include "harness/base/record.h"

namespace corerig {

// A failed run of two streams, a loop and two workers, one of which crashed.
RunRecord FullRecord();

// Interrupted before anything was measured: every figure that can be absent is.
RunRecord EarlyRecord();

}  // namespace corerig
