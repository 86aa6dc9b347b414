#include "harness/os/cpu_frequency.h"

#include <cstdint>

#include "harness/base/text.h"

namespace corerig {
namespace {

// Files of cpufreq hold kHz.
std::optional<Rate> ReadKilohertz(const BoardTree& board, const std::string& file) {
  const auto kilohertz = board.Figure<std::int64_t>(file);
  constexpr std::int64_t kMost = 1'000'000'000;  // 1 THz
  if (!kilohertz || *kilohertz <= 0 || *kilohertz > kMost) return std::nullopt;
  return Rate::Hertz(*kilohertz * 1000);
}

}  // namespace

CpuFrequencies ReadFrequencies(const BoardTree& board, const std::vector<CpuId>& cpus) {
  CpuFrequencies found;
  for (const CpuId cpu : cpus) {
    const std::string folder = StrCat("/sys/devices/system/cpu/cpu", cpu.value, "/cpufreq/");
    if (!board.Has(folder)) continue;
    found.cpus.push_back({.cpu = cpu,
                          .driver = board.TextOrUnknown(folder + "scaling_driver"),
                          .governor = board.TextOrUnknown(folder + "scaling_governor"),
                          .current = ReadKilohertz(board, folder + "scaling_cur_freq"),
                          .lowest = ReadKilohertz(board, folder + "scaling_min_freq"),
                          .highest = ReadKilohertz(board, folder + "scaling_max_freq"),
                          .hardware_lowest = ReadKilohertz(board, folder + "cpuinfo_min_freq"),
                          .hardware_highest = ReadKilohertz(board, folder + "cpuinfo_max_freq")});
  }
  const std::string boost = "/sys/devices/system/cpu/cpufreq/boost";
  const std::string no_turbo = "/sys/devices/system/cpu/intel_pstate/no_turbo";
  if (const auto on = board.Figure<int>(boost)) {
    found.boost = CpuFrequencies::Boost{.file = boost, .on = *on == 1, .off_value = "0"};
  } else if (const auto off = board.Figure<int>(no_turbo)) {
    found.boost = CpuFrequencies::Boost{.file = no_turbo, .on = *off == 0, .off_value = "1"};
  }
  return found;
}

}  // namespace corerig
