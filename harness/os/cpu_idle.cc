#include "harness/os/cpu_idle.h"

#include <algorithm>
#include <cstdint>

#include "harness/base/text.h"

namespace corerig {
namespace {

std::optional<Nanos> ReadMicroseconds(const BoardTree& board, const std::string& file) {
  const auto microseconds = board.Figure<std::uint32_t>(file);
  if (!microseconds) return std::nullopt;
  return std::chrono::microseconds(*microseconds);
}

}  // namespace

CpuIdle ReadIdle(const BoardTree& board, const std::vector<CpuId>& cpus) {
  CpuIdle idle;
  const std::string folder = "/sys/devices/system/cpu/cpuidle/";
  idle.driver = board.TextOrUnknown(folder + "current_driver");
  idle.governor = board.TextOrUnknown(folder + "current_governor");
  if (idle.governor == "unknown") idle.governor = board.TextOrUnknown(folder + "current_governor_ro");
  for (const CpuId cpu : cpus) {
    const std::string states = StrCat("/sys/devices/system/cpu/cpu", cpu.value, "/cpuidle");
    for (const int number : board.Numbered(states, "state")) {
      const std::string state = StrCat(states, "/state", number, "/");
      CpuIdleState found{.number = number,
                         .name = board.TextOrUnknown(state + "name"),
                         .exit_latency = ReadMicroseconds(board, state + "latency"),
                         .residency = ReadMicroseconds(board, state + "residency")};
      auto same = std::find_if(idle.states.begin(), idle.states.end(), [&](const CpuIdleState& other) {
        return other.number == number && other.name == found.name && other.exit_latency == found.exit_latency &&
               other.residency == found.residency;
      });
      if (same == idle.states.end()) same = idle.states.insert(same, std::move(found));
      // Bit 0 is the user's choice, bit 1 the driver's.
      const bool off = board.Figure<int>(state + "disable").value_or(0) != 0;
      (off ? same->disabled : same->enabled).push_back(cpu);
    }
  }
  return idle;
}

}  // namespace corerig
