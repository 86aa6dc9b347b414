#include "harness/run/preflight.h"

#include <algorithm>
#include <utility>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/loop/channel.h"
#include "harness/os/scheduling.h"

namespace corerig {
namespace {

bool IsRealTime(const Policy& policy) { return policy.scheduling_class == Policy::Class::kFifo; }

class Checks {
 public:
  explicit Checks(Preflight& preflight) : preflight_(preflight) {}

  void Policies() {
    Plan& plan = preflight_.plan;
    if (plan.source) Try("source", plan.source->policy);
    for (auto& loop : plan.loops) Try(StrCat("loop ", loop.name), loop.policy);
    for (auto& worker : plan.workers) Try(StrCat("worker ", worker.name), worker.policy);
    if (std::find(plan.require.begin(), plan.require.end(), "fifo") == plan.require.end()) return;
    // Required also where no part of the plan asks for a priority of its own.
    if (!refusal_.empty()) {
      preflight_.skipped = StrCat("the scenario requires fifo: ", refusal_);
    } else if (auto tried = TryPolicy({Policy::Class::kFifo, 1}); !tried) {
      preflight_.skipped = StrCat("the scenario requires fifo: ", tried.error().message);
    }
  }

  void SharedCore() {
    const Plan& plan = preflight_.plan;
    if (!plan.source) return;
    for (const auto& loop : plan.loops) {
      if (loop.core != plan.source->core) continue;
      Warn(WarningId::kSourceSharesCore,
           StrCat("source and loop ", loop.name, " share core ", loop.core.value,
                  ": sending takes time that the board under test would have had for receiving"));
      return;
    }
  }

  void DmaLatency() {
    if (!preflight_.plan.cpu_dma_latency) {
      preflight_.dma_latency_text = "system";
      return;
    }
    auto hold = DmaLatencyHold::Hold(*preflight_.plan.cpu_dma_latency);
    if (hold) {
      preflight_.dma_latency = std::move(*hold);
      preflight_.dma_latency_text = ToText(*preflight_.plan.cpu_dma_latency);
    } else {
      preflight_.dma_latency_text = StrCat("not held: ", hold.error().message);
      Warn(WarningId::kDmaLatencyNotHeld, hold.error().message);
    }
  }

  void MemoryLimits(const std::string& cgroup_root) {
    std::vector<std::string> limited;
    for (const auto& worker : preflight_.plan.workers) {
      if (worker.memory && !worker.memory_counts_address_space) limited.push_back(worker.name);
    }
    if (limited.empty()) return;
    auto groups = MemoryGroups::Find(cgroup_root);
    if (groups) {
      preflight_.memory_groups = std::move(*groups);
      return;
    }
    Warn(WarningId::kMemorySampled,
         StrCat("worker ", Join(limited, ", "), ": no control group for a memory limit (", groups.error().message,
                "); who is seen above it by sampling is killed, which is approximate"));
  }

  void Channels() {
    for (const auto& stream : preflight_.plan.streams) {
      const std::string substitute = SubstituteFor(stream.channel);
      if (substitute.empty()) continue;
      Warn(WarningId::kChannelSubstitute, StrCat("stream ", stream.name, ": ", substitute));
    }
  }

  void Governor(const BoardRecord& board) {
    if (board.governor == "none" || board.governor == "performance" || board.governor.empty()) return;
    Warn(WarningId::kGovernor, StrCat("the CPU frequency governor is \"", board.governor, "\""));
  }

 private:
  // A real-time policy that is refused is lowered.
  void Try(const std::string& part, Policy& policy) {
    if (!IsRealTime(policy)) return;
    const auto tried = TryPolicy(policy);
    if (tried) return;
    refusal_ = StrCat(part, ": ", tried.error().message);
    Warn(WarningId::kPolicyRefused, StrCat(refusal_, "; measured as SCHED_OTHER"));
    policy = Policy{};
  }

  void Warn(WarningId id, std::string text) { preflight_.warnings.push_back({id, std::move(text)}); }

  Preflight& preflight_;
  std::string refusal_;
};

}  // namespace

Preflight Prepare(Plan plan, const BoardRecord& board, const std::string& cgroup_root) {
  Preflight preflight{.plan = std::move(plan),
                      .skipped = {},
                      .warnings = {},
                      .dma_latency = {},
                      .memory_groups = {},
                      .dma_latency_text = ""};
  Checks checks(preflight);
  checks.Policies();
  if (preflight.skipped) return preflight;
  checks.SharedCore();
  checks.DmaLatency();
  checks.Channels();
  checks.MemoryLimits(cgroup_root);
  checks.Governor(board);
  return preflight;
}

}  // namespace corerig
