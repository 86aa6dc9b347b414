#include "harness/os/procfs.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "harness/base/text.h"
#include "harness/os/fd.h"

namespace corerig {
namespace {

// The beginning of a text, in quotes, fit for a one-line message.
std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string out = "\"";
  for (const char c : text.substr(0, kShown)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > kShown ? "\"…" : "\"");
}

// The blank-separated fields of a line; several blanks in a row separate once.
std::vector<std::string_view> Fields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (const auto part : Split(Trim(line), ' ')) {
    if (!part.empty()) fields.push_back(part);
  }
  return fields;
}

// The value of the line "key: value" (blanks before the colon are allowed, as in /proc/PID/sched). Read several times
// per sample of memory: no list of lines is made.
std::optional<std::string_view> ValueOf(std::string_view text, std::string_view key) {
  for (std::size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
    if (at > 0 && text[at - 1] != '\n') continue;
    const auto end = text.find('\n', at);
    const auto rest = Trim(text.substr(at + key.size(), end == std::string_view::npos ? end : end - at - key.size()));
    if (rest.starts_with(':')) return Trim(rest.substr(1));
  }
  return std::nullopt;
}

Result<std::uint64_t> CountOf(std::string_view status, std::string_view key) {
  const auto value = ValueOf(status, key);
  if (!value) return Fail("status: no line \"", key, ":\"");
  const auto count = ParseNumber<std::uint64_t>(*value);
  if (!count) return Fail("status: ", key, " is ", Quoted(*value), "; expected a whole number");
  return *count;
}

// A line "VmRSS:     1684 kB", in bytes.
Result<std::optional<std::uint64_t>> SizeOf(std::string_view text, std::string_view key,
                                            std::string_view file = "status") {
  const auto value = ValueOf(text, key);
  if (!value) return std::optional<std::uint64_t>();
  const auto fields = Fields(*value);
  const auto kib = fields.size() == 2 && fields[1] == "kB" ? ParseNumber<std::uint64_t>(fields[0]) : std::nullopt;
  if (!kib || *kib > UINT64_MAX / 1024)
    return Fail(file, ": ", key, " is ", Quoted(*value), "; expected a size such as \"1684 kB\"");
  return std::optional<std::uint64_t>(*kib * 1024);
}

}  // namespace

Result<SchedStat> ParseSchedStat(std::string_view text) {
  const auto fields = Fields(text);
  if (fields.size() == 3) {
    const auto run = ParseNumber<std::int64_t>(fields[0]), wait = ParseNumber<std::int64_t>(fields[1]);
    const auto timeslices = ParseNumber<std::uint64_t>(fields[2]);
    if (run && *run >= 0 && wait && *wait >= 0 && timeslices)
      return SchedStat{.run = Nanos(*run), .wait = Nanos(*wait), .timeslices = *timeslices};
  }
  return Fail("schedstat: ", Quoted(Trim(text)), "; expected three whole numbers: run ns, wait ns, timeslices");
}

Result<ProcessStat> ParseStat(std::string_view text) {
  const auto close = text.rfind(')');
  if (close == std::string_view::npos) return Fail("stat: ", Quoted(Trim(text)), " has no command in parentheses");
  const auto fields = Fields(text.substr(close + 1));
  // proc(5) numbers the fields from 1; the first behind the command is number 3.
  constexpr std::size_t kFirst = 3, kProcessor = 39;
  if (fields.size() <= kProcessor - kFirst)
    return Fail("stat: ", fields.size(), " fields behind the command; expected at least ", kProcessor - kFirst + 1);
  const auto field = [&](std::size_t number) { return fields[number - kFirst]; };

  ProcessStat stat;
  std::string bad;
  const auto number = [&](std::size_t at, std::string_view name, auto& out) {
    if (const auto value = ParseNumber<std::remove_reference_t<decltype(out)>>(field(at)); value && *value >= 0) {
      out = *value;
    } else if (bad.empty()) {
      bad = StrCat("stat: field ", at, " (", name, ") is ", Quoted(field(at)), "; expected a whole number");
    }
  };
  if (field(3).size() != 1) return Fail("stat: field 3 (state) is ", Quoted(field(3)), "; expected one letter");
  stat.state = field(3)[0];
  std::uint64_t children_user = 0, children_system = 0;
  number(4, "ppid", stat.parent);
  // -1 in a process that is about to be gone.
  if (const auto session = ParseNumber<pid_t>(field(6))) stat.session = *session;
  number(10, "minflt", stat.minor_faults);
  number(11, "cminflt", stat.children_minor_faults);
  number(12, "majflt", stat.major_faults);
  number(13, "cmajflt", stat.children_major_faults);
  number(16, "cutime", children_user);
  number(17, "cstime", children_system);
  number(22, "starttime", stat.start_time);
  number(24, "rss", stat.rss_pages);
  number(kProcessor, "processor", stat.processor);
  if (!bad.empty()) return Fail(bad);
  stat.children_ticks = children_user + children_system;
  return stat;
}

Result<ProcessStatus> ParseStatus(std::string_view text) {
  const auto voluntary = CountOf(text, "voluntary_ctxt_switches");
  if (!voluntary) return Forward(voluntary);
  const auto involuntary = CountOf(text, "nonvoluntary_ctxt_switches");
  if (!involuntary) return Forward(involuntary);
  const auto rss_peak = SizeOf(text, "VmHWM");
  if (!rss_peak) return Forward(rss_peak);
  const auto rss = SizeOf(text, "VmRSS");
  if (!rss) return Forward(rss);
  const auto swap = SizeOf(text, "VmSwap");
  if (!swap) return Forward(swap);
  auto page_tables = SizeOf(text, "VmPTE");
  if (!page_tables) return Forward(page_tables);
  const auto upper = SizeOf(text, "VmPMD");
  if (!upper) return Forward(upper);
  if (*page_tables && *upper) **page_tables += **upper;
  return ProcessStatus{.voluntary = *voluntary,
                       .involuntary = *involuntary,
                       .rss_peak = *rss_peak,
                       .rss = *rss,
                       .swap = *swap,
                       .page_tables = *page_tables};
}

Result<std::uint64_t> ParseSwapTotal(std::string_view meminfo) {
  const auto total = SizeOf(meminfo, "SwapTotal", "meminfo");
  if (!total) return Forward(total);
  if (!*total) return Fail("meminfo: no line \"SwapTotal:\"");
  return **total;
}

std::optional<std::uint64_t> ParseMigrations(std::string_view sched) {
  const auto value = ValueOf(sched, "se.nr_migrations");
  return value ? ParseNumber<std::uint64_t>(*value) : std::nullopt;
}

Result<std::vector<std::pair<CpuId, double>>> ParseSteal(std::string_view proc_stat, long ticks_per_second) {
  if (ticks_per_second <= 0) return Fail(ticks_per_second, " clock ticks per second; expected sysconf(_SC_CLK_TCK)");
  std::vector<std::pair<CpuId, double>> steal;
  for (const auto line : Split(proc_stat, '\n')) {
    // "cpuN user nice system idle iowait irq softirq steal …"; the line "cpu " sums them up.
    if (!line.starts_with("cpu") || line.starts_with("cpu ")) continue;
    constexpr std::size_t kSteal = 8;
    const auto fields = Fields(line);
    const auto cpu = ParseNumber<int>(fields[0].substr(3));
    const auto ticks = fields.size() > kSteal ? ParseNumber<std::uint64_t>(fields[kSteal]) : std::nullopt;
    if (!cpu || *cpu < 0 || !ticks) return Fail("/proc/stat: ", Quoted(line), "; expected cpuN and at least 8 numbers");
    steal.emplace_back(CpuId{*cpu}, static_cast<double>(*ticks) / static_cast<double>(ticks_per_second));
  }
  if (steal.empty()) return Fail("/proc/stat: no line \"cpuN …\"");
  return steal;
}

Result<std::string> ProcFs::Read(pid_t pid, std::string_view file) const { return ReadFile(path(pid, file)); }

Result<std::vector<pid_t>> ProcFs::Threads(pid_t pid) const {
  const std::string directory = path(pid, "task");
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(directory.c_str()), closedir);
  if (!entries) return Fail("cannot list ", directory, ": ", ErrnoText(errno));
  std::vector<pid_t> threads;
  while (const dirent* entry = readdir(entries.get())) {
    if (const auto tid = ParseNumber<pid_t>(entry->d_name)) threads.push_back(*tid);
  }
  if (threads.empty()) return Fail(directory, " lists no thread: the process has just ended");
  std::sort(threads.begin(), threads.end());
  return threads;
}

Result<std::vector<pid_t>> ProcFs::Children(pid_t pid) const {
  const auto threads = Threads(pid);
  if (!threads) return Forward(threads);
  std::vector<pid_t> children;
  for (const pid_t tid : *threads) {
    const auto text = Read(pid, StrCat("task/", tid, "/children"));
    if (!text && tid != pid) continue;  // a thread that ended after it was listed
    if (!text) return Forward(text);
    for (const auto field : Fields(*text)) {
      if (const auto child = ParseNumber<pid_t>(field)) children.push_back(*child);
    }
  }
  return children;
}

std::vector<pid_t> ProcFs::Processes() const {
  std::vector<pid_t> processes;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(root_.c_str()), closedir);
  while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
    if (const auto pid = ParseNumber<pid_t>(std::string_view(entry->d_name))) processes.push_back(*pid);
  }
  return processes;
}

}  // namespace corerig
