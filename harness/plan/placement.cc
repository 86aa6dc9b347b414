#include "harness/plan/placement.h"

#include <algorithm>

#include "harness/base/text.h"

namespace corerig {

std::string CoresText(const std::vector<CpuId>& cores) {
  std::vector<int> numbers;
  for (const CpuId core : cores) numbers.push_back(core.value);
  std::sort(numbers.begin(), numbers.end());
  std::vector<std::string> ranges;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i;
    while (end + 1 < numbers.size() && numbers[end + 1] == numbers[end] + 1) ++end;
    ranges.push_back(end == i ? StrCat(numbers[i]) : StrCat(numbers[i], "-", numbers[end]));
    i = end + 1;
  }
  return StrCat(cores.size() == 1 ? "core " : "cores ", Join(ranges, ", "));
}

bool Contains(const std::vector<CpuId>& cores, CpuId core) {
  return std::find(cores.begin(), cores.end(), core) != cores.end();
}

std::vector<CpuId> Without(const std::vector<CpuId>& board, const std::vector<CpuId>& used) {
  std::vector<CpuId> rest;
  for (const CpuId core : board) {
    if (!Contains(used, core)) rest.push_back(core);
  }
  return rest;
}

CpuId RigCoreOf(const Plan& plan) {
  std::vector<CpuId> workers, streaming;
  for (const auto& group : plan.workers) {
    workers.insert(workers.end(), group.cores.begin(), group.cores.end());
    workers.insert(workers.end(), group.floats_over.begin(), group.floats_over.end());
  }
  if (plan.source) streaming.push_back(plan.source->core);
  for (const auto& loop : plan.loops) streaming.push_back(loop.core);
  const auto without_workers = Without(plan.cores, workers);
  for (const auto& candidates : {Without(without_workers, streaming), without_workers, streaming, plan.cores}) {
    if (!candidates.empty()) return candidates.front();
  }
  return {};
}

}  // namespace corerig
