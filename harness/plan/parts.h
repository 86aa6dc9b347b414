// What the parts of a run are called in messages, in the scheduling trace and in the records made of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/text.h"
#include "harness/plan/plan.h"

namespace corerig {

inline constexpr std::string_view kRigPart = "rig", kSourcePart = "source", kHandlerPart = "handler";

inline std::string LoopPart(std::string_view loop) { return StrCat("loop ", loop); }
// The process of a group of threads, but for those; or a group's zygote.
inline std::string GroupPart(std::string_view group) { return StrCat("worker ", group, ".all"); }
inline std::string WorkerPart(std::string_view group, int index) { return StrCat("worker ", group, ".", index); }

// Of all loops, and of all workers, in the order of the plan.
inline std::vector<std::string> LoopParts(const Plan& plan) {
  std::vector<std::string> parts;
  for (const auto& loop : plan.loops) parts.push_back(LoopPart(loop.name));
  return parts;
}
inline std::vector<std::string> WorkerParts(const Plan& plan) {
  std::vector<std::string> parts;
  for (const auto& group : plan.workers) {
    for (std::size_t i = 0; i < group.cores.size(); ++i) parts.push_back(WorkerPart(group.name, static_cast<int>(i)));
  }
  return parts;
}

inline std::vector<std::string> GroupParts(const Plan& plan) {
  std::vector<std::string> parts;
  for (const auto& group : plan.workers) {
    if (group.as != RunAs::kSpawn) parts.push_back(GroupPart(group.name));
  }
  return parts;
}

}  // namespace corerig
