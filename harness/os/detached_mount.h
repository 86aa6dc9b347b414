// A filesystem of the kernel's, mounted for this process alone.
//
//   auto debugfs = MountDetached("debugfs");
//   openat(debugfs->get(), "sched/preempt", O_RDONLY);
//
// A detached mount (fsmount(2), Linux 5.2) appears in no path and in nobody's mount table, and is gone with the last
// descriptor into it. It takes CAP_SYS_ADMIN.
#pragma once

#include "harness/base/result.h"
#include "harness/os/fd.h"

namespace corerig {

// The descriptor of its root folder.
Result<Fd> MountDetached(const char* filesystem);

}  // namespace corerig
