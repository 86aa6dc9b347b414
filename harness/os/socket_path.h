// The name of a Unix socket of ours in the file system: made by bind(2), and removed with this.
//
//   auto path = SocketPath::Bind(socket, "/run/answers");
//
// A socket that a killed process left, and that nobody has any more, is replaced. Anything else at that path stays. The
// socket is open to every user of the machine: who writes to it may be a daemon that gave up root.
#pragma once

#include <sys/types.h>

#include <string>

#include "harness/base/result.h"

namespace corerig {

class SocketPath {
 public:
  // `socket` is of AF_UNIX and unbound. The error does not name `path`.
  static Result<SocketPath> Bind(int socket, const std::string& path);

  SocketPath() = default;  // holds nothing
  SocketPath(SocketPath&& other) noexcept;
  SocketPath& operator=(SocketPath&& other) noexcept;
  ~SocketPath();  // removes the name, unless another socket has taken its place

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace corerig
