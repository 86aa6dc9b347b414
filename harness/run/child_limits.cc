#include "harness/run/child_limits.h"

#include <algorithm>

#include "harness/base/quantity.h"
#include "harness/base/text.h"

namespace corerig {
namespace {

// What a child may take beyond the end of the drain.
constexpr Nanos kWorkerGrace = std::chrono::seconds(1);
constexpr Nanos kStreamGrace = std::chrono::seconds(2);

}  // namespace

Nanos TimeLimitOf(const Plan& plan, const LaunchedChild& child, const Timeline& timeline) {
  if (child.role == Role::kSource || child.role == Role::kHandler) return timeline.drain_end + kStreamGrace;
  const WorkerPlan& group = plan.workers[child.group];
  const auto& limit = group.time_limit;
  // Once told to end, a command has no longer than the others.
  if (limit && group.command && !group.command->until_exit) {
    return std::min(timeline.start + *limit, timeline.drain_end + kWorkerGrace);
  }
  return limit ? timeline.start + *limit : timeline.drain_end + kWorkerGrace;
}

std::optional<std::string> AboveMemory(const Plan& plan, const SupervisedChild& child,
                                       const std::optional<MemoryReading>& latest) {
  if (child.launched.role != Role::kWorker || child.launched.memory_group || !child.running()) return std::nullopt;
  const WorkerPlan& group = plan.workers[child.launched.group];
  if (!group.memory || group.memory_counts_address_space || child.killed != SupervisedChild::Killed::kNo) {
    return std::nullopt;
  }
  if (!latest || latest->uss <= group.memory->count) return std::nullopt;
  return StrCat(FormatSize(static_cast<double>(group.memory->count)), " limit, USS ",
                FormatSize(static_cast<double>(latest->uss)), " (sampled, approximate)");
}

}  // namespace corerig
