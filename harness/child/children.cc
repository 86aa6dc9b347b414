#include "harness/child/children.h"

#include <dirent.h>
#include <unistd.h>

#include <memory>

#include "harness/os/fd.h"

namespace corerig {

Result<pid_t> ParseParent(std::string_view stat) {
  // The command's name (field 2) may hold anything: the fields are counted from the last ')'.
  const auto name_end = stat.rfind(')');
  const auto parts = name_end == std::string_view::npos ? std::vector<std::string_view>()
                                                        : Split(Trim(stat.substr(name_end + 1)), ' ');
  const auto parent = parts.size() < 2 ? std::nullopt : ParseNumber<pid_t>(parts[1]);
  if (!parent) return Fail("stat has no whole number as field 4");
  return *parent;
}

Result<std::vector<pid_t>> ListedChildren() {
  // Of the one thread, so its id is the process's.
  const auto text = ReadFile(StrCat("/proc/self/task/", getpid(), "/children"));
  if (!text) return Forward(text);
  std::vector<pid_t> children;
  for (const std::string_view part : Split(Trim(*text), ' ')) {
    if (const auto pid = ParseNumber<pid_t>(part)) children.push_back(*pid);
  }
  return children;
}

std::vector<pid_t> ScannedChildren() {
  std::vector<pid_t> children;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (!proc) return children;
  while (const dirent* entry = readdir(proc.get())) {
    const auto pid = ParseNumber<pid_t>(std::string_view(entry->d_name));
    if (!pid) continue;
    const auto stat = ReadFile(StrCat("/proc/", *pid, "/stat"));
    if (!stat) continue;  // gone in the meantime
    const auto parent = ParseParent(*stat);
    if (parent && *parent == getpid()) children.push_back(*pid);
  }
  return children;
}

std::vector<pid_t> Children() {
  auto listed = ListedChildren();
  return listed ? std::move(*listed) : ScannedChildren();
}

}  // namespace corerig
