// Budgets and the ends of children turned into a verdict.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/record.h"
#include "harness/plan/plan.h"

namespace corerig {

struct Judgement {
  Verdict verdict = Verdict::kPass;
  std::vector<std::string> reasons;  // why it is not PASS; the ones of the verdict's rank first
  std::vector<BudgetRecord> budgets;
};

// Why a run did not last as long as planned. No budget can be held against it then: they stay undecided.
struct EarlyEnd {
  Verdict verdict = Verdict::kUndecided;  // of an interruption; a break fails
  std::string reason;                     // "interrupted by SIGINT"
};

// Pure. `record` has its metrics, parts and results.
//
//   FAIL       a limit violated; a child that did not end as planned (unless may_fail); a check that failed; no result;
//              stopped at a break; samples of a lossless stream not delivered within the drain for want of room at its
//              receiver, unless a budget on its rate, received, backlog, unread or blocked says what is enough
//   UNDECIDED  a budgeted metric absent; too few samples for a percentile (fewer than ten beyond it); more than
//              1 % of a stream's frames sent over one period late, or not at all, but for want of room; interrupted; a
//              limit violated in the direction in which others disturbed the figure's core beyond plan.disturbance, or
//              held only with their help (disturbance.h)
//
// A latency limit passes if done - due passes, fails if done - sent alone violates it, and is undecided between the
// two: there the source was late, and what the board would have done is not known. Of a lossless stream the wait for
// room is no lateness of the source's: done - due less the source's own delay decides.
Judgement Judge(const Plan& plan, const RunRecord& record, const std::optional<EarlyEnd>& early);

// How many samples a percentile needs to be judged: ten beyond it.
std::uint64_t SamplesNeeded(double percentile);

}  // namespace corerig
