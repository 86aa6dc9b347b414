#include "harness/run/trace_buffers.h"

#include <algorithm>

namespace corerig {
namespace {

constexpr std::size_t kSeconds = 2;
// Seen: 33 bytes an event. A sample has some 20 events on its way from the source's timer to the loop's next sleep; a
// core has some thousand a second of its own (ticks, RCU, kernel threads).
constexpr std::size_t kBytesPerSample = 1024, kBytesPerCore = 1 << 20;
// What a user's command does is not known beforehand: two tasks that wake each other through a pipe switch 400,000
// times a second, with 33 MB of events.
constexpr std::size_t kBytesPerCommand = 33 << 20;
constexpr std::size_t kLeast = 2 << 20, kMost = 128 << 20;
// Of all memory, for all buffers.
constexpr std::uint64_t kMemoryShare = 32;

}  // namespace

std::vector<TraceReader::Buffer> TraceBuffers(const Plan& plan, std::span<const CpuId> cpus, std::uint64_t memory) {
  const auto samples = static_cast<std::size_t>(FramesPerSecond(plan));
  const std::uint64_t share = memory / kMemoryShare / std::max<std::size_t>(cpus.size(), 1);
  std::vector<TraceReader::Buffer> buffers;
  for (const CpuId cpu : cpus) {
    std::size_t bytes = kSeconds * kBytesPerCore;
    const bool streams =
        (plan.source && plan.source->core == cpu) ||
        std::any_of(plan.loops.begin(), plan.loops.end(), [cpu](const auto& loop) { return loop.core == cpu; });
    const bool command = std::any_of(plan.workers.begin(), plan.workers.end(), [cpu](const auto& group) {
      return group.command &&
             (std::find(group.cores.begin(), group.cores.end(), cpu) != group.cores.end() ||
              std::find(group.floats_over.begin(), group.floats_over.end(), cpu) != group.floats_over.end());
    });
    if (command) bytes += kSeconds * kBytesPerCommand;
    if (streams) bytes += kSeconds * samples * kBytesPerSample;
    buffers.push_back({cpu, std::clamp<std::size_t>(std::min<std::uint64_t>(bytes, share), kLeast, kMost)});
  }
  return buffers;
}

}  // namespace corerig
