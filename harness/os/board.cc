#include "harness/os/board.h"

#include <sys/utsname.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "harness/base/text.h"
#include "harness/os/cpu_list.h"
#include "harness/os/fd.h"

namespace corerig {
namespace {

constexpr std::string_view kUnknown = "unknown";

// The text of a file without the line end, or the NUL that ends the strings of a device tree.
std::optional<std::string> ReadText(const std::string& path) {
  const auto text = ReadFile(path);
  if (!text) return std::nullopt;
  std::string_view content = *text;
  while (content.ends_with('\0')) content.remove_suffix(1);
  content = Trim(content);
  if (content.empty()) return std::nullopt;
  return std::string(content);
}

std::string TextOr(const std::string& path, std::string_view otherwise) {
  return ReadText(path).value_or(std::string(otherwise));
}

// The value of the first line "key : value".
std::optional<std::string> Entry(const std::string& path, std::string_view key) {
  const auto text = ReadFile(path);
  if (!text) return std::nullopt;
  for (const auto line : Split(*text, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || Trim(line.substr(0, colon)) != key) continue;
    return std::string(Trim(line.substr(colon + 1)));
  }
  return std::nullopt;
}

// The device tree names the board; on 32-bit Arm, cpuinfo has a "model name" too, but it is the CPU's. Arm servers with
// ACPI have neither, only DMI.
std::string Model(const std::string& root) {
  if (auto model = ReadText(root + "/proc/device-tree/model")) return *model;
  if (auto model = Entry(root + "/proc/cpuinfo", "model name")) return *model;
  return TextOr(root + "/sys/class/dmi/id/product_name", kUnknown);
}

// "MemTotal:       16384256 kB"
std::uint64_t Memory(const std::string& root) {
  const auto total = Entry(root + "/proc/meminfo", "MemTotal");
  if (!total || !total->ends_with(" kB")) return 0;
  return ParseNumber<std::uint64_t>(total->substr(0, total->size() - 3)).value_or(0) * 1024;
}

std::string Governor(const std::string& root, const std::vector<CpuId>& cores) {
  if (cores.empty()) return std::string(kUnknown);
  return TextOr(StrCat(root, "/sys/devices/system/cpu/cpu", cores.front().value, "/cpufreq/scaling_governor"), "none");
}

}  // namespace

BoardRecord ReadBoard(const std::string& root, const std::vector<CpuId>& cores) {
  BoardRecord board;
  board.model = Model(root);
  utsname names = {};
  board.machine = uname(&names) == 0 ? names.machine : std::string(kUnknown);
  const std::string kernel = root + "/proc/sys/kernel/";
  board.kernel = StrCat(TextOr(kernel + "osrelease", kUnknown), " ", TextOr(kernel + "version", kUnknown));
  board.command_line = TextOr(root + "/proc/cmdline", kUnknown);
  for (const CpuId core : cores) board.cores.push_back(core.value);
  board.memory = Memory(root);
  board.clock_source = TextOr(root + "/sys/devices/system/clocksource/clocksource0/current_clocksource", kUnknown);
  board.governor = Governor(root, cores);
  return board;
}

std::vector<CpuId> OnlineCpus(const std::string& root) {
  const auto text = ReadText(root + "/sys/devices/system/cpu/online").value_or("0");
  const auto cpus = ParseCpuList(text);
  return cpus && !cpus->empty() ? *cpus : std::vector{CpuId{0}};
}

double ReadLoadAverage(const std::string& root) {
  // "0.17 0.18 0.09 1/122 15626"
  const auto text = ReadText(root + "/proc/loadavg").value_or("");
  return ParseNumber<double>(Split(text, ' ').front()).value_or(std::numeric_limits<double>::quiet_NaN());
}

}  // namespace corerig
