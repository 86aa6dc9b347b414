// The kernel's tracefs, through which events are traced.
//
//   auto tracefs = TraceFs::Open();
//   auto format = tracefs->Read("events/sched/sched_switch/format");
//
// Often it is not mounted, and then this mounts it for itself alone (detached_mount.h). The system stays as it was.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/os/fd.h"

namespace corerig {

class TraceFs {
 public:
  // A mount of our own, else the system's at /sys/kernel/tracing. The error says what is missing and what would help.
  static Result<TraceFs> Open();
  // Any folder with the files of a tracefs: for tests.
  static Result<TraceFs> At(const std::string& folder);

  // Paths are relative to the root of the tracefs.
  Result<std::string> Read(const std::string& path) const;
  Status Write(const std::string& path, std::string_view text) const;
  Result<Fd> OpenFile(const std::string& path, int flags) const;
  bool Has(const std::string& path) const;
  // Names in a folder, sorted; empty if there is none.
  std::vector<std::string> List(const std::string& path) const;
  Status MakeFolder(const std::string& path) const;
  Status RemoveFolder(const std::string& path) const;

  int fd() const { return root_.get(); }

 private:
  explicit TraceFs(Fd root) : root_(std::move(root)) {}
  Fd root_;
};

}  // namespace corerig
