#include "harness/os/kernel_settings.h"

#include "harness/base/text.h"
#include "harness/os/procfs.h"

namespace corerig {
namespace {

std::optional<bool> ReadSwitch(const BoardTree& board, std::string_view file) {
  const auto number = board.Figure<int>(file);
  return number ? std::optional(*number != 0) : std::nullopt;
}

std::optional<Nanos> ReadMicroseconds(const BoardTree& board, std::string_view file) {
  const auto microseconds = board.Figure<std::int32_t>(file);
  if (!microseconds) return std::nullopt;
  return std::chrono::microseconds(*microseconds);
}

}  // namespace

std::optional<std::pair<int, int>> ParseKernelVersion(std::string_view release) {
  const auto parts = Split(release, '.');
  if (parts.size() < 2) return std::nullopt;
  const auto major = ParseNumber<int>(parts[0]);
  const auto minor = ParseNumber<int>(parts[1].substr(0, parts[1].find_first_not_of("0123456789")));
  if (!major || !minor) return std::nullopt;
  return std::pair(*major, *minor);
}

std::optional<std::string> ParseChosen(std::string_view text) {
  const auto open = text.find('['), close = text.find(']');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  return std::string(text.substr(open + 1, close - open - 1));
}

KernelSettings ReadKernelSettings(const BoardTree& board) {
  KernelSettings settings;
  const std::string kernel = "/proc/sys/kernel/";
  settings.version = ParseKernelVersion(board.Text(kernel + "osrelease").value_or(""));
  settings.rt_runtime = ReadMicroseconds(board, kernel + "sched_rt_runtime_us");
  settings.rt_period = ReadMicroseconds(board, kernel + "sched_rt_period_us");
  settings.huge_pages = ParseChosen(board.Text("/sys/kernel/mm/transparent_hugepage/enabled").value_or(""));
  if (const auto meminfo = board.Text("/proc/meminfo")) {
    if (const auto swap = ParseSwapTotal(*meminfo)) settings.swap = Bytes{*swap};
  }
  settings.timer_migration = ReadSwitch(board, kernel + "timer_migration");
  settings.numa_balancing = ReadSwitch(board, kernel + "numa_balancing");
  settings.nmi_watchdog = ReadSwitch(board, kernel + "nmi_watchdog");
  const std::string clock = "/sys/devices/system/clocksource/clocksource0/";
  settings.clock_source = board.Text(clock + "current_clocksource");
  const auto available = board.Text(clock + "available_clocksource").value_or("");
  for (const auto name : Split(available, ' ')) {
    if (!name.empty()) settings.clock_sources.emplace_back(name);
  }
  return settings;
}

}  // namespace corerig
