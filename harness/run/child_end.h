// How a child ended: as planned, by itself, or because of us or the kernel, and in whose words.
#pragma once

#include "harness/base/record.h"
#include "harness/plan/plan.h"
#include "harness/run/supervised_child.h"

namespace corerig {

// `seen` is what the kernel said of the process; the rest is known from the child's slab, from what the supervisor did
// to it, and from the account of its memory group. `early`: the run was ended before its time.
EndRecord EndOf(const Plan& plan, const SupervisedChild& child, const EndRecord& seen, bool early);

}  // namespace corerig
