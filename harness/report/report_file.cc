#include "harness/report/report_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "harness/base/text.h"

namespace corerig {
namespace {

// "cause; what would be right"
std::string Explain(int error) {
  const char* remedy = "choose a folder that can be written";
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) remedy = "make room, or choose a folder with room";
  if (error == ENOTDIR || error == EEXIST) remedy = "a file stands where a folder is to be; choose another path";
  if (error == EISDIR) remedy = "a folder stands where the file is to be; remove it";
  return StrCat(std::strerror(error), "; ", remedy);
}

// The text of `file` on disk, whole, or the errno why not.
int WriteWhole(const std::string& file, std::string_view text) {
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  int error = 0;
  while (!text.empty() && error == 0) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && fsync(fd) != 0) error = errno;
  // A network file system may report a full disk only here.
  if (close(fd) != 0 && error == 0 && errno != EINTR) error = errno;
  return error;
}

// Beside the report, so that the rename stays within one file system; hidden, and one per process.
std::string TemporaryIn(const std::string& folder) { return StrCat(folder, "/.report.json.", getpid()); }

// Writes the temporary file anew; on failure none is left.
int WriteTemporary(const std::string& file, std::string_view text) {
  unlink(file.c_str());  // left by an earlier process of the same number that was killed
  const int error = WriteWhole(file, text);
  if (error != 0) unlink(file.c_str());
  return error;
}

}  // namespace

Status PrepareFolder(const std::string& folder) {
  if (folder.empty()) return Fail("the output folder has no name; write --out DIR");
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return Fail(folder, ": cannot be created: ", Explain(failed.value()));
  const std::string probe = TemporaryIn(folder);
  // Some bytes, not none: an empty file can be made on a full disk.
  if (const int error = WriteTemporary(probe, "can this folder be written?\n")) {
    return Fail(folder, ": cannot be written: ", Explain(error));
  }
  unlink(probe.c_str());
  return {};
}

Status WriteReport(const std::string& folder, std::string_view json) {
  const std::string file = StrCat(folder, "/report.json");
  const std::string temporary = TemporaryIn(folder);
  if (const int error = WriteTemporary(temporary, json)) {
    return Fail(file, ": cannot be written: ", Explain(error));
  }
  if (rename(temporary.c_str(), file.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    return Fail(file, ": cannot be replaced: ", Explain(error));
  }
  return {};
}

}  // namespace corerig
