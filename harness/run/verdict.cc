#include "harness/run/verdict.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/plan/parts.h"
#include "harness/run/disturbance.h"

namespace corerig {
namespace {

bool Holds(double value, Comparison comparison, double limit) {
  switch (comparison) {
    case Comparison::kLess:
      return value < limit;
    case Comparison::kLessOrEqual:
      return value <= limit;
    case Comparison::kGreater:
      return value > limit;
    case Comparison::kGreaterOrEqual:
      return value >= limit;
    case Comparison::kEqual:
      return value == limit;
  }
  return false;
}

// Of two values that a limit judges alike, the one nearer to violating it or further beyond.
bool IsWorse(double value, double than, const BudgetPlan& budget) {
  switch (budget.comparison) {
    case Comparison::kLess:
    case Comparison::kLessOrEqual:
      return value > than;
    case Comparison::kGreater:
    case Comparison::kGreaterOrEqual:
      return value < than;
    case Comparison::kEqual:
      return std::abs(value - budget.limit) > std::abs(than - budget.limit);
  }
  return false;
}

std::string ValueText(const Metric& metric) {
  const double value = *metric.value;
  if (std::isinf(value)) return "never";
  if (metric.unit == "ns") return FormatDuration(value);
  if (metric.unit == "bytes") return FormatSize(value);
  if (metric.unit == "share") return FormatShare(value);
  if (metric.unit == "bytes_per_s") return FormatSize(value) + "/s";
  if (metric.unit == "bytes_per_min") return FormatSize(value) + "/min";
  return StrCat(value);
}

// "stream.imu.latency.p99": the stream and the statistic, if the metric is of that form.
struct LatencyMetric {
  const StreamRecord* stream;
  std::string_view statistic;
};
std::optional<LatencyMetric> AsLatency(const RunRecord& record, std::string_view metric) {
  const auto parts = Split(metric, '.');
  if (parts.size() != 4 || parts[0] != "stream" || parts[2] != "latency") return std::nullopt;
  for (const auto& stream : record.streams) {
    if (stream.name == parts[1]) return LatencyMetric{&stream, parts[3]};
  }
  return std::nullopt;
}

// The same statistic of done - sent.
std::optional<double> SinceSent(const LatencyMetric& latency) {
  const Distribution& seen = latency.stream->since_sent;
  const std::uint64_t infinite = latency.stream->infinite_since_sent();
  // A timer has no sender, and so nobody to blame.
  if (seen.count() + infinite == 0) return std::nullopt;
  if (const auto percentile = PercentileOf(StrCat("x.", latency.statistic))) {
    return seen.Percentile(*percentile, infinite);
  }
  if (latency.statistic == "max") {
    return infinite > 0 ? INFINITY : static_cast<double>(seen.max());
  }
  if (latency.statistic == "mean") return seen.mean();
  return std::nullopt;
}

// The samples behind a statistic of a distribution: "stream.imu.queue.p99", "loop.flight.wake.p999". Those of a latency
// that never came are samples, too.
std::optional<std::uint64_t> SamplesBehind(const RunRecord& record, std::string_view metric) {
  if (const auto latency = AsLatency(record, metric)) {
    return latency->stream->latency.count() + latency->stream->infinite;
  }
  // Likewise those of a reaction that never came.
  for (const auto& stream : record.streams) {
    const bool reaction = metric.starts_with(StrCat("stream.", stream.name, ".reaction."));
    if (reaction && stream.unanswered) return stream.reaction.count() + *stream.unanswered;
  }
  const std::string count = StrCat(metric.substr(0, metric.rfind('.')), ".count");
  for (const auto& other : record.metrics) {
    if (other.name == count && other.value) return static_cast<std::uint64_t>(*other.value);
  }
  return std::nullopt;
}

// "too few samples: 500, and p99 needs 1000 (ten beyond it): a window of 20.0 s would have them"
std::string TooFew(const RunRecord& record, std::string_view metric, std::uint64_t samples, std::uint64_t needed) {
  std::string text = StrCat("too few samples: ", samples, ", and ", metric.substr(metric.rfind('.') + 1), " needs ",
                            needed, " (ten beyond it)");
  const auto window = static_cast<double>((record.window.end - record.window.begin).count());
  if (samples > 0 && window > 0) {
    const double enough = window * static_cast<double>(needed) / static_cast<double>(samples);
    text += StrCat("; a window of ", FormatDuration(enough), " would have them");
  }
  return text;
}

bool IsUpper(Comparison comparison) {
  return comparison == Comparison::kLess || comparison == Comparison::kLessOrEqual;
}
bool IsLower(Comparison comparison) {
  return comparison == Comparison::kGreater || comparison == Comparison::kGreaterOrEqual;
}

// What the disturbances of its cores make of a budget that is judged.
void WeighDisturbances(const Plan& plan, const std::vector<Disturbance>& disturbances, const BudgetPlan& budget,
                       double value, BudgetRecord& judged) {
  const Effect effect = EffectOn(judged.metric);
  const auto concerning = Concerning(plan, disturbances, judged.metric);
  if (effect == Effect::kNone || concerning.empty()) return;
  std::vector<std::string> texts;
  for (const Disturbance* each : concerning) texts.push_back(each->text);
  const std::string what = Join(texts, "; ");
  if (judged.result == Verdict::kFail) {
    const bool too_high = value > budget.limit || (value == budget.limit && IsUpper(budget.comparison));
    const bool explained = effect == Effect::kEither || effect == (too_high ? Effect::kRaises : Effect::kLowers);
    if (!explained) return;
    judged.result = Verdict::kUndecided;
    judged.reason += StrCat(", but that may not be the board's doing: ", what);
  } else if (judged.result == Verdict::kPass) {
    const bool helped = (effect == Effect::kRaises && IsLower(budget.comparison)) ||
                        (effect == Effect::kLowers && IsUpper(budget.comparison));
    if (!helped) return;
    judged.result = Verdict::kUndecided;
    judged.reason = StrCat("is ", judged.value, ", but perhaps only with the help of others: ", what);
  }
}

BudgetRecord JudgeOne(const RunRecord& record, const BudgetPlan& budget, const Metric& metric) {
  BudgetRecord judged{.limit = budget.text, .metric = metric.name, .value = "", .result = Verdict::kPass, .reason = ""};
  if (!metric.value) {
    judged.result = Verdict::kUndecided;
    judged.reason = StrCat("absent: ", metric.absent);
    return judged;
  }
  judged.value = ValueText(metric);
  if (const auto percentile = PercentileOf(metric.name)) {
    const auto samples = SamplesBehind(record, metric.name);
    if (samples && *samples < SamplesNeeded(*percentile)) {
      judged.result = Verdict::kUndecided;
      judged.reason = TooFew(record, metric.name, *samples, SamplesNeeded(*percentile));
      return judged;
    }
  }
  if (Holds(*metric.value, budget.comparison, budget.limit)) return judged;
  if (const auto latency = AsLatency(record, metric.name); latency && IsUpper(budget.comparison)) {
    const auto since_sent = SinceSent(*latency);
    if (since_sent && Holds(*since_sent, budget.comparison, budget.limit)) {
      judged.result = Verdict::kUndecided;
      judged.reason =
          StrCat("the source was late: ", latency->stream->lossless ? "without its own delay" : "from the send on",
                 " it took ", FormatDuration(*since_sent));
      return judged;
    }
  }
  judged.result = Verdict::kFail;
  judged.reason = StrCat("is ", judged.value);
  return judged;
}

// All matches of a budget's pattern; the worst one stands for it.
BudgetRecord JudgeBudget(const Plan& plan, const RunRecord& record, const std::vector<Disturbance>& disturbances,
                         const BudgetPlan& budget) {
  std::optional<BudgetRecord> worst;
  std::optional<double> worst_value;
  for (const auto& metric : record.metrics) {
    if (!MatchesPattern(budget.metric, metric.name)) continue;
    // "worker.price.*.uss.max" means the process of a group of threads, which has their memory.
    if (metric.absent == kOneAddressSpace && metric.name != budget.metric) continue;
    BudgetRecord judged = JudgeOne(record, budget, metric);
    if (metric.value) WeighDisturbances(plan, disturbances, budget, *metric.value, judged);
    const bool worse =
        !worst || Severity(judged.result) > Severity(worst->result) ||
        (judged.result == worst->result && metric.value && worst_value && IsWorse(*metric.value, *worst_value, budget));
    if (!worse) continue;
    worst = std::move(judged);
    worst_value = metric.value;
  }
  if (worst) return *worst;
  return {.limit = budget.text,
          .metric = budget.metric,
          .value = "",
          .result = Verdict::kUndecided,
          .reason = "no metric of this run matches"};
}

class Reasons {
 public:
  void Add(Verdict rank, std::string reason) {
    if (Severity(rank) > Severity(worst_)) worst_ = rank;
    (rank == Verdict::kFail ? fails_ : doubts_).push_back(std::move(reason));
  }
  Verdict worst() const { return worst_; }
  std::vector<std::string> Take() {
    fails_.insert(fails_.end(), doubts_.begin(), doubts_.end());
    return std::move(fails_);
  }

 private:
  Verdict worst_ = Verdict::kPass;
  std::vector<std::string> fails_, doubts_;
};

void JudgeEnds(const Plan& plan, const RunRecord& record, Reasons& reasons) {
  const auto judge = [&](const std::string& who, const EndRecord& end) {
    if (!end.as_planned) reasons.Add(Verdict::kFail, StrCat(who, " ", Describe(end)));
  };
  if (record.source) judge("source", record.source->end);
  if (record.handler) judge("handler", record.handler->end);
  for (const auto& worker : record.workers) {
    bool may_fail = false;
    for (const auto& group : plan.workers) may_fail = may_fail || (group.name == worker.name && group.may_fail);
    if (!may_fail) judge(WorkerPart(worker.name, worker.index), worker.process.end);
  }
  // Of a group of threads, which share its end, only what is no worker's.
  for (const auto& group : record.groups) {
    const bool may_fail = std::any_of(plan.workers.begin(), plan.workers.end(), [&](const WorkerPlan& worker) {
      return worker.name == group.name && worker.may_fail;
    });
    if (may_fail) continue;
    const bool told = std::any_of(record.workers.begin(), record.workers.end(), [&](const WorkerRecord& worker) {
      return worker.name == group.name && !worker.process.end.as_planned;
    });
    if (!told) judge(GroupPart(group.name), group.process.end);
  }
}

// An answer that is there is checked however the run ended; one that is missing counts only if there was time for it.
void JudgeResults(const Plan& plan, const RunRecord& record, bool early, Reasons& reasons) {
  for (const auto& result : record.results) {
    if (result.check && !result.check->passed) {
      reasons.Add(Verdict::kFail, StrCat("result of ", result.group, ": ", result.check->text));
    }
    bool may_fail = false;
    for (const auto& group : plan.workers) may_fail = may_fail || (group.name == result.group && group.may_fail);
    if (!result.absent.empty() && !may_fail && !early) {
      reasons.Add(Verdict::kFail, StrCat("result of ", result.group, " is absent: ", result.absent));
    }
  }
}

// Figures of a lossless stream whose budget says what its receiver is to take.
constexpr std::string_view kDelivered[] = {"rate", "received", "backlog", "unread", "blocked"};

// The share of its frames that the source was late for; what was not sent at all is later than anything.
double LateShare(const StreamRecord& stream) {
  const auto late = static_cast<double>(stream.late_sends + stream.unsent());
  return stream.expected == 0 ? 0 : late / static_cast<double>(stream.expected);
}
constexpr double kMostLate = 0.01;

void JudgeSource(const RunRecord& record, Reasons& reasons) {
  for (const auto& stream : record.streams) {
    if (LateShare(stream) > kMostLate) {
      reasons.Add(Verdict::kUndecided, StrCat("stream ", stream.name, ": ", FormatShare(LateShare(stream)),
                                              " of its frames were sent more than one period late, or not at all"));
    }
  }
}

// What a lossless stream was to deliver and did not. A limit on how much is enough says more than this rule.
void JudgeDelivery(const Plan& plan, const RunRecord& record, Reasons& reasons) {
  for (const auto& stream : record.streams) {
    const std::uint64_t left = stream.backlog + stream.unread;
    if (!stream.lossless || left == 0) continue;
    // A source that was still at work when the drain ended leaves what it has sent just then.
    if (stream.backlog == 0 && LateShare(stream) > kMostLate) continue;
    const bool limited = std::any_of(plan.budgets.begin(), plan.budgets.end(), [&](const BudgetPlan& budget) {
      return std::any_of(std::begin(kDelivered), std::end(kDelivered), [&](std::string_view figure) {
        return MatchesPattern(budget.metric, StrCat("stream.", stream.name, ".", figure));
      });
    });
    if (limited) continue;
    const double seconds = static_cast<double>((record.window.end - record.window.begin).count()) / 1e9;
    const std::string rate =
        seconds > 0 ? StrCat(", which took ", FormatRate(static_cast<double>(stream.in_window) / seconds)) : "";
    reasons.Add(Verdict::kFail, StrCat("stream ", stream.name, ": ", left, " of ", stream.expected,
                                       " samples were not delivered, for want of room at its receiver", rate));
  }
}

}  // namespace

std::uint64_t SamplesNeeded(double percentile) {
  return static_cast<std::uint64_t>(std::llround(std::ceil(10 / (1 - percentile) - 1e-6)));
}

Judgement Judge(const Plan& plan, const RunRecord& record, const std::optional<EarlyEnd>& early) {
  Judgement judgement;
  Reasons reasons;
  // Of a break it is the first.
  if (early && early->verdict == Verdict::kFail) reasons.Add(early->verdict, early->reason);
  JudgeEnds(plan, record, reasons);
  if (early && early->verdict != Verdict::kFail) reasons.Add(early->verdict, early->reason);
  JudgeResults(plan, record, early.has_value(), reasons);
  if (!early) JudgeDelivery(plan, record, reasons);
  if (!early) JudgeSource(record, reasons);
  const auto disturbances = DisturbancesOf(plan, record);
  for (const auto& budget : plan.budgets) {
    BudgetRecord judged = JudgeBudget(plan, record, disturbances, budget);
    if (early) {
      judged.result = Verdict::kUndecided;
      judged.reason = early->reason;
    } else if (judged.result != Verdict::kPass) {
      const std::string subject = judged.metric == budget.metric ? "" : StrCat(judged.metric, " ");
      reasons.Add(judged.result, StrCat(budget.text, ": ", subject, judged.reason));
    }
    judgement.budgets.push_back(std::move(judged));
  }
  judgement.verdict = reasons.worst();
  judgement.reasons = reasons.Take();
  return judgement;
}

}  // namespace corerig
