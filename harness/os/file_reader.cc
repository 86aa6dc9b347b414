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
  FileReader reader;
  reader.fd_ = std::move(fd);
  reader.path_ = path;
  reader.size_ = static_cast<std::uint64_t>(status.st_size);
  reader.inode_ = status.st_ino;
  reader.device_ = status.st_dev;
  return reader;
}

Result<FileReader> FileReader::OpenAgain() const {
  auto again = Open(path_);
  if (!again) return again;
  if (again->inode_ != inode_ || again->device_ != device_ || again->size_ != size_) {
    return Fail("cannot read ", path_, ": it is not the file that it was when the run began");
  }
  return again;
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

Result<std::string> FileReader::ReadWhole(std::uint64_t most) const {
  if (size_ > most) return Fail("cannot read ", path_, ": it has ", size_, " bytes; at most ", most, " are taken");
  std::string text(size_, '\0');
  const auto size = ReadAt(0, text);
  if (!size) return Forward(size);
  text.resize(*size);
  return text;
}

}  // namespace corerig
