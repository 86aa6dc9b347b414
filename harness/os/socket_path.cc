#include "harness/os/socket_path.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "harness/base/text.h"
#include "harness/os/fd.h"

namespace corerig {
namespace {

const sockaddr* Plain(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

// Whether a socket of any type is bound there: a connection is refused only if none is.
bool SomebodyHas(const sockaddr_un& address) {
  const Fd probe(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return connect(probe.get(), Plain(address), sizeof address) == 0 || errno != ECONNREFUSED;
}

}  // namespace

Result<SocketPath> SocketPath::Bind(int socket, const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Fail("a socket's path has at most ", sizeof address.sun_path - 1, " bytes, and this one has ", path.size(),
                "; choose a shorter one");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  int bound = bind(socket, Plain(address), sizeof address);
  if (bound != 0 && errno == EADDRINUSE) {
    struct stat there = {};
    if (lstat(path.c_str(), &there) == 0 && !S_ISSOCK(there.st_mode)) {
      return Fail("it is there, and no socket; choose another path, or remove it");
    }
    if (SomebodyHas(address)) return Fail("a program has a socket there; end it, or choose another path");
    unlink(path.c_str());
    bound = bind(socket, Plain(address), sizeof address);
  }
  struct stat made = {};
  if (bound != 0 || lstat(path.c_str(), &made) != 0) return Fail("cannot bind a socket there: ", ErrnoText(errno));
  chmod(path.c_str(), 0666);
  SocketPath held;
  held.path_ = path;
  held.device_ = made.st_dev;
  held.inode_ = made.st_ino;
  return held;
}

SocketPath::SocketPath(SocketPath&& other) noexcept
    : path_(std::exchange(other.path_, "")), device_(other.device_), inode_(other.inode_) {}

SocketPath& SocketPath::operator=(SocketPath&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

SocketPath::~SocketPath() {
  struct stat there = {};
  if (path_.empty() || lstat(path_.c_str(), &there) != 0) return;
  if (there.st_dev == device_ && there.st_ino == inode_) unlink(path_.c_str());
}

}  // namespace corerig
