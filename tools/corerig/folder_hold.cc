#include "tools/corerig/folder_hold.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace corerig {

Result<Fd> HoldFolder(const std::string& folder) {
  Fd held(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (held.valid() && flock(held.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Fail(folder, ": another run writes there; wait for its end, or write --out DIR");
  }
  return held;
}

}  // namespace corerig
