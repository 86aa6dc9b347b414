#include "harness/os/fd.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>

namespace corerig {

void Fd::Close() {
  // Not retried on EINTR: Linux has released the number by then.
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

std::string ErrnoText(int error) {
  const char* const name = strerrorname_np(error);
  if (name == nullptr) return StrCat("unknown error (", error, ")");
  return StrCat(strerrordesc_np(error), " (", name, ")");
}

Result<std::string> ReadFile(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Fail("cannot read ", path, ": ", ErrnoText(errno));
  std::string text;
  char buffer[16384];
  for (;;) {
    const ssize_t n = read(fd.get(), buffer, sizeof buffer);
    if (n == 0) return text;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail("cannot read ", path, ": ", ErrnoText(errno));
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

Status WriteExisting(const std::string& path, std::string_view text) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return Fail("cannot write ", path, ": ", ErrnoText(errno));
  const ssize_t n = write(fd.get(), text.data(), text.size());
  if (n < 0) return Fail("cannot write ", path, ": ", ErrnoText(errno));
  if (static_cast<std::size_t>(n) != text.size()) {
    return Fail("cannot write ", path, ": only ", n, " of ", text.size(), " bytes were taken");
  }
  return {};
}

}  // namespace corerig
