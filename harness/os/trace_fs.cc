#include "harness/os/trace_fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "harness/os/detached_mount.h"

namespace corerig {
namespace {

constexpr char kSystemsMount[] = "/sys/kernel/tracing";

}  // namespace

Result<TraceFs> TraceFs::Open() {
  auto own = MountDetached("tracefs");
  if (own) return TraceFs(std::move(*own));
  auto mounted = At(kSystemsMount);
  if (mounted && mounted->Has("events/sched")) return mounted;
  return Fail("the kernel's tracefs cannot be read (", own.error().message, "; nothing to read in ", kSystemsMount,
              "); run as root, on a kernel with CONFIG_FTRACE and CONFIG_ENABLE_DEFAULT_TRACERS");
}

Result<TraceFs> TraceFs::At(const std::string& folder) {
  Fd root(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return Fail(folder, ": ", ErrnoText(errno));
  return TraceFs(std::move(root));
}

Result<Fd> TraceFs::OpenFile(const std::string& path, int flags) const {
  Fd fd(openat(root_.get(), path.c_str(), flags | O_CLOEXEC));
  if (!fd.valid()) return Fail("tracefs ", path, ": ", ErrnoText(errno));
  return fd;
}

Result<std::string> TraceFs::Read(const std::string& path) const {
  auto fd = OpenFile(path, O_RDONLY);
  if (!fd) return Forward(fd);
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(fd->get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail("tracefs ", path, ": ", ErrnoText(errno));
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

Status TraceFs::Write(const std::string& path, std::string_view text) const {
  auto fd = OpenFile(path, O_WRONLY | O_TRUNC);
  if (!fd) return Forward(fd);
  ssize_t written;
  while ((written = write(fd->get(), text.data(), text.size())) < 0 && errno == EINTR) {
  }
  if (written == static_cast<ssize_t>(text.size())) return {};
  return Fail("tracefs ", path, ": cannot write \"", text, "\": ", ErrnoText(errno));
}

bool TraceFs::Has(const std::string& path) const { return faccessat(root_.get(), path.c_str(), F_OK, 0) == 0; }

std::vector<std::string> TraceFs::List(const std::string& path) const {
  std::vector<std::string> names;
  auto fd = OpenFile(path, O_RDONLY | O_DIRECTORY);
  if (!fd) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(fdopendir(fd->get()), closedir);
  if (!folder) return names;
  fd->Release();  // the folder's now
  while (const dirent* entry = readdir(folder.get())) {
    if (const std::string_view name = entry->d_name; name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status TraceFs::MakeFolder(const std::string& path) const {
  if (mkdirat(root_.get(), path.c_str(), 0700) == 0) return {};
  return Fail("tracefs: cannot make ", path, ": ", ErrnoText(errno));
}

Status TraceFs::RemoveFolder(const std::string& path) const {
  if (unlinkat(root_.get(), path.c_str(), AT_REMOVEDIR) == 0) return {};
  return Fail("tracefs: cannot remove ", path, ": ", ErrnoText(errno));
}

}  // namespace corerig
