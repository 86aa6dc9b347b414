#include "harness/os/detached_mount.h"

#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace corerig {

Result<Fd> MountDetached(const char* filesystem) {
  const Fd context(static_cast<int>(syscall(SYS_fsopen, filesystem, FSOPEN_CLOEXEC)));
  if (!context.valid()) return Fail("fsopen: ", ErrnoText(errno));
  if (syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return Fail("fsconfig: ", ErrnoText(errno));
  }
  Fd mount(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
  if (!mount.valid()) return Fail("fsmount: ", ErrnoText(errno));
  return mount;
}

}  // namespace corerig
