#include "harness/os/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "harness/base/text.h"
#include "harness/os/process.h"

namespace corerig {
namespace {

constexpr std::string_view kPrefix = "corerig-";
constexpr int kTrial = -1;  // its number

bool Contains(const std::vector<std::string_view>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Blanks and backslashes of a path stand in mountinfo as \040 and the like.
std::string Unescaped(std::string_view text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) && octal(text[i + 3])) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// The last mount of the wanted hierarchy, which covers earlier ones, and which of its groups is its root.
struct Mount {
  std::string root, point;
};
std::optional<Mount> FindMount(std::string_view mountinfo, CgroupVersion version) {
  std::optional<Mount> found;
  for (const auto line : Split(mountinfo, '\n')) {
    // "36 35 98:0 /root /point rw,noatime optional... - type source super-options"
    const auto fields = Split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 10 || fields.end() - dash < 4 || dash - fields.begin() < 6) continue;
    const bool wanted = version == CgroupVersion::kV2 ? dash[1] == "cgroup2"
                                                      : dash[1] == "cgroup" && Contains(Split(dash[3], ','), "memory");
    if (wanted) found = Mount{Unescaped(fields[3]), Unescaped(fields[4])};
  }
  return found;
}

// Until it ends, this process shares our memory and we stand still. Its exit status is 0 or what was wrong.
int JoinAndEnd(void* procs) { _exit(write(*static_cast<int*>(procs), "0", 1) == 1 ? 0 : errno); }

// That a directory could be made does not mean that processes may be moved into it: tried with one.
Status TryToJoin(const MemoryGroup& group) {
  int procs = group.procs();
  std::vector<std::byte> stack(64 * 1024);
  const pid_t child = clone(JoinAndEnd, stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | SIGCHLD, &procs);
  if (child < 0) return Fail("cannot make a process: ", ErrnoText(errno));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Fail("cannot join control group ", group.directory(), ": ",
              WIFEXITED(status) ? ErrnoText(WEXITSTATUS(status)) : std::string("killed"));
}

// Writes what the kernel may not have, such as memory.swap.max where there is no swap accounting.
void WriteIfThere(const std::string& path, std::string_view text) { (void)WriteExisting(path, text); }

std::optional<std::uint64_t> ReadCount(const std::string& path) {
  const auto text = ReadFile(path);
  return text ? ParseNumber<std::uint64_t>(Trim(*text)) : std::nullopt;
}

std::optional<std::uint64_t> ReadKeyed(const std::string& path, std::string_view key) {
  const auto text = ReadFile(path);
  const auto count = text ? ParseKeyedCount(*text, key) : Result<std::uint64_t>(Forward(text));
  return count ? std::optional(*count) : std::nullopt;
}

}  // namespace

Result<CgroupPlace> ParseCgroupPlace(std::string_view cgroup, std::string_view mountinfo) {
  // "4:memory:/path" of v1, "0::/path" of v2. A controller is in one hierarchy alone: if v1 has it, v2 has not.
  std::optional<std::string> v1, v2;
  for (const auto line : Split(cgroup, '\n')) {
    const auto first = line.find(':');
    const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    if (Contains(Split(controllers, ','), "memory")) v1 = path;
    if (controllers.empty() && line.substr(0, first) == "0") v2 = path;
  }
  if (!v1 && !v2) return Fail("the kernel has no control groups with the memory controller (CONFIG_MEMCG)");
  const auto version = v1 ? CgroupVersion::kV1 : CgroupVersion::kV2;
  std::string path = v1 ? *v1 : *v2;
  const auto mount = FindMount(mountinfo, version);
  if (!mount) return Fail("no control groups with the memory controller are mounted");
  // What is mounted may be a part of the hierarchy (in a container), and then paths begin above it.
  if (mount->root != "/" && (path == mount->root || path.starts_with(mount->root + "/"))) {
    path.erase(0, mount->root.size());
  } else if (mount->root != "/" || path.starts_with("/..")) {
    return Fail("this process's control group ", path, " lies outside of what is mounted at ", mount->point);
  }
  if (path == "/") path.clear();
  return CgroupPlace{.version = version, .mount_point = mount->point, .path = path};
}

Result<std::uint64_t> ParseKeyedCount(std::string_view text, std::string_view key) {
  std::optional<std::uint64_t> found;
  for (const auto line : Split(text, '\n')) {
    const auto blank = line.find(' ');
    if (line.substr(0, blank) != key) continue;
    const auto count =
        blank == std::string_view::npos ? std::nullopt : ParseNumber<std::uint64_t>(line.substr(blank + 1));
    if (!count) return Fail("line \"", line, "\": a whole number was expected behind ", key);
    if (found) return Fail("two lines \"", key, "\"");
    found = count;
  }
  if (!found) return Fail("no line \"", key, "\"");
  return *found;
}

Status RemoveGroup(const std::string& directory) {
  constexpr int kTries = 100;
  constexpr timespec kPause = {.tv_sec = 0, .tv_nsec = 10'000'000};
  for (int i = 0; i < kTries; ++i) {
    if (rmdir(directory.c_str()) == 0 || errno == ENOENT) return {};
    if (errno != EBUSY) break;
    nanosleep(&kPause, nullptr);
  }
  return Fail("cannot remove control group ", directory, ": ", ErrnoText(errno));
}

MemoryGroup& MemoryGroup::operator=(MemoryGroup&& other) noexcept {
  if (this != &other) {
    std::swap(version_, other.version_);
    std::swap(directory_, other.directory_);
    std::swap(procs_, other.procs_);
  }
  return *this;
}

MemoryGroup::~MemoryGroup() {
  if (!procs_.valid()) return;  // moved from, or never made
  procs_.Close();
  (void)RemoveGroup(directory_);
}

MemoryGroupReading MemoryGroup::Read() const {
  MemoryGroupReading reading;
  if (version_ == CgroupVersion::kV2) {
    reading.peak = ReadCount(directory_ + "/memory.peak");
    reading.oom_kills = ReadKeyed(directory_ + "/memory.events", "oom_kill");
    reading.limit_met = ReadKeyed(directory_ + "/memory.events", "max").value_or(0) > 0;
  } else {
    reading.peak = ReadCount(directory_ + "/memory.max_usage_in_bytes");
    reading.oom_kills = ReadKeyed(directory_ + "/memory.oom_control", "oom_kill");
    reading.limit_met = ReadCount(directory_ + "/memory.failcnt").value_or(0) > 0;
  }
  return reading;
}

Result<MemoryGroups> MemoryGroups::Find(const std::string& root) {
  const auto cgroup = ReadFile(root + "/proc/self/cgroup");
  if (!cgroup) return Fail("the kernel has no control groups (CONFIG_CGROUPS): ", cgroup.error().message);
  const auto mountinfo = ReadFile(root + "/proc/self/mountinfo");
  if (!mountinfo) return Forward(mountinfo);
  const auto place = ParseCgroupPlace(*cgroup, *mountinfo);
  if (!place) return Forward(place);
  const auto start_time = StartTimeOf(getpid());
  if (!start_time) return Forward(start_time);

  const std::string top = root + place->mount_point;
  std::optional<Error> refused;
  for (std::string path = place->path;;) {
    const MemoryGroups groups(place->version, top + path, *start_time);
    bool handed_down = place->version == CgroupVersion::kV1;
    if (!handed_down) {
      const auto controllers = ReadFile(groups.directory() + "/cgroup.subtree_control");
      handed_down = controllers && Contains(Split(Trim(*controllers), ' '), "memory");
    }
    if (handed_down) {
      groups.RemoveLeftovers();
      // A limit that is never reached: who joins ends at once.
      const auto trial = groups.Make(kTrial, Bytes{std::uint64_t{64} << 20});
      const auto joined = trial ? TryToJoin(*trial) : Status(Forward(trial));
      if (joined) return groups;
      if (!refused) refused = joined.error();
    }
    if (path.empty() || place->version == CgroupVersion::kV1) break;
    path.erase(path.rfind('/'));
  }
  if (refused) return tl::unexpected<Error>(*refused);
  return Fail("no control group from ", top, place->path,
              " up hands the memory controller down (\"memory\" in its cgroup.subtree_control)");
}

Result<MemoryGroup> MemoryGroups::Make(int number, Bytes limit) const {
  MemoryGroup group;
  group.version_ = version_;
  const std::string name = number == kTrial ? std::string("trial") : StrCat(number);
  group.directory_ = StrCat(directory_, "/", kPrefix, getpid(), "-", start_time_, "-", name);
  if (mkdir(group.directory_.c_str(), 0755) != 0 && errno != EEXIST) {
    return Fail("cannot make a control group in ", directory_, ": ", ErrnoText(errno));
  }
  // From here on the directory goes with the object.
  const std::string procs = group.directory_ + "/cgroup.procs";
  group.procs_ = Fd(open(procs.c_str(), O_WRONLY | O_CLOEXEC));
  if (!group.procs_.valid()) {
    auto failed = Fail("cannot open ", procs, ": ", ErrnoText(errno));
    (void)RemoveGroup(group.directory_);
    return failed;
  }
  const std::string bytes = StrCat(limit.count);
  if (version_ == CgroupVersion::kV2) {
    if (auto set = WriteExisting(group.directory_ + "/memory.max", bytes); !set) return Forward(set);
    WriteIfThere(group.directory_ + "/memory.swap.max", "0");
    WriteIfThere(group.directory_ + "/memory.oom.group", "1");  // the worker goes with all it has started
  } else {
    if (auto set = WriteExisting(group.directory_ + "/memory.limit_in_bytes", bytes); !set) return Forward(set);
    // Not memory.memsw.limit_in_bytes: seen on 6.18: running into that one counts in neither failcnt.
    WriteIfThere(group.directory_ + "/memory.swappiness", "0");
  }
  return group;
}

// "corerig-PID-START-number" of a process that no longer lives. One with processes in it stays: it cannot be removed.
void MemoryGroups::RemoveLeftovers() const {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(directory_.c_str()), closedir);
  if (!entries) return;
  while (const dirent* entry = readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(kPrefix)) continue;
    const auto parts = Split(name.substr(kPrefix.size()), '-');
    const auto pid = ParseNumber<pid_t>(parts[0]);
    const auto start_time = parts.size() == 3 ? ParseNumber<std::uint64_t>(parts[1]) : std::nullopt;
    if (!pid || !start_time) continue;
    const auto alive = StartTimeOf(*pid);
    if (alive && *alive == *start_time) continue;
    rmdir(StrCat(directory_, "/", name).c_str());
  }
}

}  // namespace corerig
