// A lasting name for the slave of a pseudo-terminal: "/tmp/gps" for "/dev/pts/7".
//
//   auto link = PtyLink::Make("/tmp/gps", "/dev/pts/7");   // removed when it is destroyed
//
// A link that a killed process left is replaced. Anything else at that path stays: a file, a device, a link somebody
// else made, the link of a process that lives. Ours are told from others' by the way they write the terminal's name,
// "/dev/./pts/7"; and that their maker lives by an abstract Unix socket which it holds, and which cannot be left
// behind.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/os/fd.h"

namespace corerig {

class PtyLink {
 public:
  // `slave` is what ptsname(3) says. The error does not name `path`.
  static Result<PtyLink> Make(const std::string& path, const std::string& slave);

  PtyLink() = default;  // holds nothing
  PtyLink(PtyLink&& other) noexcept = default;
  PtyLink& operator=(PtyLink&& other) noexcept;
  ~PtyLink();  // removes the link, unless another has taken its place

 private:
  std::string path_, target_;
  Fd held_;  // last: whoever comes next finds the link gone
};

}  // namespace corerig
