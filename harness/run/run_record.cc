#include "harness/run/run_record.h"

#include <unistd.h>

namespace corerig {

void Skip(const Plan& plan, const std::string& reason, RunRecord& record) {
  record.verdict = Verdict::kSkipped;
  record.reasons = {reason};
  for (const auto& budget : plan.budgets) {
    record.budgets.push_back(
        {.limit = budget.text, .metric = budget.metric, .value = "", .result = Verdict::kSkipped, .reason = "not run"});
  }
  record.complete = true;
}

void FillMeasured(const RunFigures& figures, RunRecord& record) {
  const auto& [plan, rig, timeline, children, memory, window] = figures;
  record.window = {timeline.window_begin, window.opened() ? timeline.window_end : timeline.window_begin};
  record.workers.clear();
  record.groups.clear();
  std::vector<const SupervisedChild*> workers;
  for (std::size_t i = 0; i < children.size(); ++i) {
    const SupervisedChild& child = children[i];
    const auto key = static_cast<int>(i);
    switch (child.launched.role) {
      case Role::kSource:
        record.source = CollectProcess(child, memory, key, window.cow_absent());
        record.source_core = child.launched.core();
        record.source_policy = ToText(child.launched.policy);
        break;
      case Role::kHandler:
        record.handler = CollectProcess(child, memory, key, window.cow_absent());
        break;
      case Role::kGroup:
        record.groups.push_back({.name = plan.workers[child.launched.group].name,
                                 .process = CollectProcess(child, memory, key, window.cow_absent())});
        break;
      case Role::kWorker:
        record.workers.push_back(CollectWorker(plan, child, memory, key, window.cow_absent(), timeline));
        workers.push_back(&child);
        break;
    }
  }
  const StreamSides sides = SidesOf(children);
  record.streams = CollectStreams(plan, rig, sides, timeline);
  record.loops = CollectLoops(plan, sides.handler, window.loops());
  for (std::size_t i = 0; i < record.loops.size(); ++i) record.loops[i].counters = window.CountersOfLoop(i);
  record.rig.pid = getpid();
  record.rig.end.as_planned = true;  // it runs, and writes this
  window.AddRig(record.rig);
  record.rig.memory = memory.Series(kSupervisorKey);
  record.rig.memory_summary = memory.Summary(kSupervisorKey);
  record.rig.memory_trend = memory.Trend(kSupervisorKey);
  record.rig.cow_absent = "not counted for the rig itself";
  record.rig_core = plan.rig_core.value;
  record.cores = CollectCores(plan, record);
  for (auto& core : record.cores) core.steal = window.StealOf(core.cpu);
  record.total_pss = memory.TotalPss();
  record.shared = memory.Shared();
  record.results = CollectResults(plan, rig, workers);
}

}  // namespace corerig
