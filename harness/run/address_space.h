// Refuses a worker's address space that does not hold this program, which every worker begins as, a command's as well:
// the kernel ends it in its exec, without a word.
#pragma once

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/plan/plan.h"

namespace corerig {

// What this program takes until it works. Of one that is not static it is too little by its libraries.
Bytes LeastAddressSpace();

// Pure. The message names the worker, and what would be right.
Status CheckAddressSpaces(const Plan& plan, Bytes least);

}  // namespace corerig
