// What this board can measure for this process, what it cannot, and the exact remedy.
//
//   for (const auto& capability : TryCapabilities()) ...
//
// Each is tried by doing it once, in some tens of milliseconds in all; afterwards the system is as before. Needs no
// privilege: what is refused is a "no" with what would change it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace corerig {

struct Capability {
  std::string name;  // "scheduling trace"
  bool available = false;
  std::string detail = {};     // if available: how much of it ("8.00 MiB"); else what the board answered
  std::string needed_by = {};  // metrics and keys that depend on it
  std::string remedy = {};     // if not available: what to do, a command where there is one
};

std::vector<Capability> TryCapabilities();

// One of them by name; null if there is none.
const Capability* FindCapability(const std::vector<Capability>& capabilities, std::string_view name);

// Names that advice depends on.
inline constexpr std::string_view kDmaLatencyCapability = "cpu_dma_latency", kFifoCapability = "SCHED_FIFO",
                                  kHardwareCounterCapability = "hardware counters";

}  // namespace corerig
