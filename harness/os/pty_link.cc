#include "harness/os/pty_link.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <functional>
#include <string_view>

namespace corerig {
namespace {

constexpr std::string_view kDevices = "/dev/", kOurs = "/dev/./";

// Empty if it is no link.
std::string TargetOf(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t size = readlink(path.c_str(), target, sizeof target);
  return size < 0 ? "" : std::string(target, static_cast<std::size_t>(size));
}

// Held by one process at a time, for as long as it lives: the place, by whatever path it is reached.
Result<Fd> Hold(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  struct stat where = {};
  if (stat(folder.c_str(), &where) != 0) return Fail("cannot make a link in ", folder, ": ", ErrnoText(errno));
  const std::string place = StrCat(where.st_dev, " ", where.st_ino, " ", path.substr(slash + 1));
  const std::string name = StrCat("corerig-pty-", std::hash<std::string>()(place));
  Fd held(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), address.sun_path + 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(held.get(), reinterpret_cast<sockaddr*>(&address), size) == 0) return held;
  if (errno == EADDRINUSE) return Fail("another corerig has its terminal there now; choose another path");
  return Fail("cannot hold its place: ", ErrnoText(errno));
}

}  // namespace

Result<PtyLink> PtyLink::Make(const std::string& path, const std::string& slave) {
  auto held = Hold(path);
  if (!held) return Forward(held);
  struct stat there = {};
  if (lstat(path.c_str(), &there) == 0) {
    if (!TargetOf(path).starts_with(kOurs)) {
      return Fail("it is there, and no link that corerig made; choose another path, or remove it");
    }
    unlink(path.c_str());
  }
  PtyLink link;
  link.target_ = StrCat(kOurs, slave.starts_with(kDevices) ? slave.substr(kDevices.size()) : slave);
  if (symlink(link.target_.c_str(), path.c_str()) != 0) {
    return Fail("cannot make a link to ", slave, ": ", ErrnoText(errno));
  }
  link.path_ = path;
  link.held_ = std::move(*held);
  return link;
}

PtyLink& PtyLink::operator=(PtyLink&& other) noexcept {
  PtyLink taken(std::move(other));
  std::swap(path_, taken.path_);
  std::swap(target_, taken.target_);
  std::swap(held_, taken.held_);
  return *this;
}

PtyLink::~PtyLink() {
  if (held_.valid() && TargetOf(path_) == target_) unlink(path_.c_str());
}

}  // namespace corerig
