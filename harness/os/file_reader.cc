#include "harness/os/file_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace corerig {

Result<FileReader> FileReader::Open(const std::string& path) {
  // A FIFO without a writer would hold an open that waits.
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return Fail("cannot read ", path, ": ", ErrnoText(errno));
  struct stat status = {};
  if (fstat(fd.get(), &status) != 0) return Fail("cannot read ", path, ": ", ErrnoText(errno));
  if (!S_ISREG(status.st_mode)) return Fail("cannot read ", path, ": it is no regular file");
  return FileReader(std::move(fd), path, static_cast<std::uint64_t>(status.st_size));
}

Result<std::size_t> FileReader::ReadAt(std::uint64_t offset, std::span<char> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail("cannot read ", path_, ": ", ErrnoText(errno));
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace corerig
