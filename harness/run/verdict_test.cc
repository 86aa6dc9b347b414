#include "harness/run/verdict.h"

#include <gtest/gtest.h>

#include <cmath>

namespace corerig {
namespace {

Plan PlanWith(const std::string& metric, Comparison comparison, double limit) {
  Plan plan;
  plan.budgets = {{.text = metric + " as written", .metric = metric, .comparison = comparison, .limit = limit}};
  return plan;
}

Metric Measured(const std::string& name, double value, const std::string& unit = "count") {
  return {.name = name, .unit = unit, .value = value, .origin = "slab", .absent = ""};
}

RunRecord RecordWith(std::vector<Metric> metrics) {
  RunRecord record;
  record.metrics = std::move(metrics);
  return record;
}

WorkerRecord Worker(const std::string& name, EndRecord end) {
  WorkerRecord worker;
  worker.name = name;
  worker.process.end = std::move(end);
  return worker;
}

EndRecord AsPlanned() { return {.kind = EndRecord::Kind::kExited, .number = 0, .detail = "", .as_planned = true}; }
EndRecord Crashed() { return {.kind = EndRecord::Kind::kSignalled, .number = 11, .detail = "SIGSEGV"}; }

Verdict Of(const Plan& plan, const RunRecord& record) { return Judge(plan, record, std::nullopt).verdict; }

TEST(Verdict, NoBudgetAndAllEndsAsPlannedIsPass) {
  RunRecord record;
  record.workers = {Worker("price", AsPlanned())};
  const Judgement judgement = Judge(Plan(), record, std::nullopt);
  EXPECT_EQ(judgement.verdict, Verdict::kPass);
  EXPECT_TRUE(judgement.reasons.empty());
}

TEST(Verdict, EachComparisonHoldsWhereItShould) {
  const struct {
    Comparison comparison;
    bool below, equal, above;
  } cases[] = {{Comparison::kLess, true, false, false},
               {Comparison::kLessOrEqual, true, true, false},
               {Comparison::kGreater, false, false, true},
               {Comparison::kGreaterOrEqual, false, true, true},
               {Comparison::kEqual, false, true, false}};
  for (const auto& c : cases) {
    const Plan plan = PlanWith("stream.imu.lost", c.comparison, 5);
    const auto verdict = [&](double value) { return Of(plan, RecordWith({Measured("stream.imu.lost", value)})); };
    EXPECT_EQ(verdict(4), c.below ? Verdict::kPass : Verdict::kFail);
    EXPECT_EQ(verdict(5), c.equal ? Verdict::kPass : Verdict::kFail);
    EXPECT_EQ(verdict(6), c.above ? Verdict::kPass : Verdict::kFail);
  }
}

TEST(Verdict, AnAbsentMetricIsUndecidedWithItsReason) {
  RunRecord record =
      RecordWith({{.name = "core.0.idle", .unit = "share", .value = {}, .origin = "", .absent = "no trace"}});
  const Judgement judgement = Judge(PlanWith("core.0.idle", Comparison::kGreater, 0.1), record, std::nullopt);
  EXPECT_EQ(judgement.verdict, Verdict::kUndecided);
  ASSERT_EQ(judgement.reasons.size(), 1u);
  EXPECT_EQ(judgement.reasons[0], "core.0.idle as written: absent: no trace");
}

TEST(Verdict, AWildcardMeansAllAndItsWorstMatchStandsForIt) {
  const Plan plan = PlanWith("worker.price.*.uss.max", Comparison::kLess, 100);
  const auto judged = [&](double first, double second) {
    return Judge(plan,
                 RecordWith({Measured("worker.price.0.uss.max", first), Measured("worker.price.1.uss.max", second)}),
                 std::nullopt);
  };
  EXPECT_EQ(judged(10, 20).verdict, Verdict::kPass);
  EXPECT_EQ(judged(10, 20).budgets[0].metric, "worker.price.1.uss.max");
  EXPECT_EQ(judged(20, 10).budgets[0].metric, "worker.price.0.uss.max");
  EXPECT_EQ(judged(10, 200).verdict, Verdict::kFail);
  EXPECT_EQ(judged(200, 10).budgets[0].metric, "worker.price.0.uss.max");
  EXPECT_EQ(judged(200, 300).budgets[0].metric, "worker.price.1.uss.max");
}

// Memory of threads is their process's.
TEST(Verdict, AWildcardPassesOverThoseOfOneAddressSpace) {
  const auto thread = [](const std::string& name) {
    return Metric{.name = name, .unit = "bytes", .value = {}, .origin = "", .absent = std::string(kOneAddressSpace)};
  };
  const auto judged = [&](const std::string& metric, double whole) {
    return Judge(PlanWith(metric, Comparison::kLess, 100),
                 RecordWith({thread("worker.price.0.uss.max"), thread("worker.price.1.uss.max"),
                             Measured("worker.price.all.uss.max", whole)}),
                 std::nullopt);
  };
  EXPECT_EQ(judged("worker.price.*.uss.max", 10).verdict, Verdict::kPass);
  EXPECT_EQ(judged("worker.price.*.uss.max", 200).verdict, Verdict::kFail);
  EXPECT_EQ(judged("worker.price.*.uss.max", 200).budgets[0].metric, "worker.price.all.uss.max");
  EXPECT_EQ(judged("worker.price.0.uss.max", 10).verdict, Verdict::kUndecided) << "that one was asked for by name";
}

TEST(Verdict, AWildcardWithoutAMatchIsUndecided) {
  EXPECT_EQ(Of(PlanWith("worker.*.rate", Comparison::kGreater, 1), RunRecord()), Verdict::kUndecided);
}

// A stream of 1000 samples, `latency` and `since_sent` all alike.
RunRecord StreamOf(std::int64_t latency, std::int64_t since_sent, std::uint64_t count = 1000) {
  RunRecord record;
  StreamRecord stream;
  stream.name = "imu";
  stream.latency.Add(latency, count);
  stream.since_sent.Add(since_sent, count);
  record.streams = {stream};
  record.metrics = {Measured("stream.imu.latency.p99", static_cast<double>(latency), "ns")};
  return record;
}

TEST(Verdict, ALatencyLimitPassesFromDueAndFailsFromSent) {
  const Plan plan = PlanWith("stream.imu.latency.p99", Comparison::kLess, 500'000);
  EXPECT_EQ(Of(plan, StreamOf(400'000, 300'000)), Verdict::kPass);
  EXPECT_EQ(Of(plan, StreamOf(700'000, 600'000)), Verdict::kFail);
  EXPECT_EQ(Of(plan, StreamOf(700'000, 300'000)), Verdict::kUndecided)
      << "the source was late: the board is not to blame";
  // Only for being too late; a figure that was to be just so is wrong whoever was late.
  EXPECT_EQ(Of(PlanWith("stream.imu.latency.p99", Comparison::kEqual, 300'000), StreamOf(700'000, 300'000)),
            Verdict::kFail);
}

TEST(Verdict, ATimerHasNoSenderToBlame) {
  RunRecord record = StreamOf(40'000'000, 0);
  record.streams[0].since_sent = {};
  record.metrics = {Measured("stream.imu.latency.max", 40e6, "ns"), Measured("stream.imu.latency.mean", 40e6, "ns")};
  EXPECT_EQ(Of(PlanWith("stream.imu.latency.max", Comparison::kLess, 1e6), record), Verdict::kFail);
  EXPECT_EQ(Of(PlanWith("stream.imu.latency.mean", Comparison::kLess, 1e6), record), Verdict::kFail);
}

TEST(Verdict, WhatWasNeverSentIsTheSourcesFault) {
  RunRecord record = StreamOf(1000, 1000, 980);
  record.streams[0].expected = 1000;
  record.streams[0].sent = 980;
  record.streams[0].infinite = 20;
  record.metrics = {Measured("stream.imu.latency.p99", INFINITY, "ns")};
  EXPECT_EQ(Of(PlanWith("stream.imu.latency.p99", Comparison::kLess, 500'000), record), Verdict::kUndecided);
  EXPECT_EQ(Of(Plan(), record), Verdict::kUndecided) << "2 % of its frames were later than anything";
}

TEST(Verdict, WhatTheSensorItselfDidNotDeliverIsNobodysFault) {
  RunRecord record = StreamOf(1000, 1000, 900);
  record.streams[0].expected = 1000;
  record.streams[0].sent = 900;
  record.streams[0].gaps = 100;
  EXPECT_EQ(Of(Plan(), record), Verdict::kPass);
  record.streams[0].gaps = 80;
  EXPECT_EQ(Of(Plan(), record), Verdict::kUndecided);
}

TEST(Verdict, APercentileNeedsTenSamplesBeyondIt) {
  EXPECT_EQ(SamplesNeeded(0.5), 20u);
  EXPECT_EQ(SamplesNeeded(0.9), 100u);
  EXPECT_EQ(SamplesNeeded(0.99), 1000u);
  EXPECT_EQ(SamplesNeeded(0.999), 10'000u);
  const Plan plan = PlanWith("stream.imu.latency.p99", Comparison::kLess, 500'000);
  EXPECT_EQ(Of(plan, StreamOf(1000, 1000, 999)), Verdict::kUndecided);
  EXPECT_EQ(Of(plan, StreamOf(1000, 1000, 1000)), Verdict::kPass);
}

TEST(Verdict, SamplesThatNeverCameCountAsSamples) {
  RunRecord record = StreamOf(1000, 1000, 900);
  record.streams[0].infinite = 100;
  record.streams[0].expected = record.streams[0].sent = 1000;
  record.metrics = {Measured("stream.imu.latency.p99", INFINITY, "ns")};
  const Judgement judgement =
      Judge(PlanWith("stream.imu.latency.p99", Comparison::kLess, 500'000), record, std::nullopt);
  EXPECT_EQ(judgement.verdict, Verdict::kFail);
  EXPECT_EQ(judgement.budgets[0].value, "never");
}

TEST(Verdict, AnUnplannedEndFailsUnlessItMay) {
  Plan plan;
  plan.workers = {{.name = "price",
                   .workload = "",
                   .cores = {},
                   .policy = {},
                   .units = {},
                   .time_limit = {},
                   .may_fail = false,
                   .parameters = {}}};
  RunRecord record;
  record.workers = {Worker("price", Crashed())};
  const Judgement judgement = Judge(plan, record, std::nullopt);
  EXPECT_EQ(judgement.verdict, Verdict::kFail);
  ASSERT_EQ(judgement.reasons.size(), 1u);
  EXPECT_EQ(judgement.reasons[0], "worker price.0 " + Describe(Crashed()));
  plan.workers[0].may_fail = true;
  EXPECT_EQ(Of(plan, record), Verdict::kPass);
}

TEST(Verdict, SourceAndHandlerMustEndAsPlanned) {
  RunRecord record;
  record.source.emplace().end = Crashed();
  EXPECT_EQ(Of(Plan(), record), Verdict::kFail);
  record.source->end = AsPlanned();
  record.handler.emplace().end = Crashed();
  EXPECT_EQ(Of(Plan(), record), Verdict::kFail);
}

TEST(Verdict, AFailedCheckFails) {
  RunRecord record;
  ResultRecord result;
  result.group = "price";
  result.check = CheckRecord{.passed = false, .text = "10 is not 11"};
  record.results = {result};
  EXPECT_EQ(Of(Plan(), record), Verdict::kFail);
  EXPECT_EQ(Judge(Plan(), record, EarlyEnd{.reason = "interrupted"}).verdict, Verdict::kFail)
      << "wrong is wrong, however early";
  record.results[0].check->passed = true;
  EXPECT_EQ(Of(Plan(), record), Verdict::kPass);
}

// A lossless stream that was to deliver 1000 samples in two seconds.
RunRecord Overloaded(std::uint64_t backlog, std::uint64_t unread) {
  RunRecord record;
  record.window = {Nanos(0), Nanos(2'000'000'000)};
  StreamRecord stream;
  stream.name = "imu";
  stream.lossless = true;
  stream.expected = 1000;
  stream.backlog = backlog;
  stream.unread = unread;
  stream.sent = stream.expected - backlog;
  stream.in_window = 400;
  record.streams = {stream};
  return record;
}

TEST(Verdict, WhatALosslessStreamCouldNotDeliverFails) {
  EXPECT_EQ(Of(Plan(), Overloaded(0, 0)), Verdict::kPass);
  EXPECT_EQ(Of(Plan(), Overloaded(0, 1)), Verdict::kFail);
  const Judgement judgement = Judge(Plan(), Overloaded(590, 10), std::nullopt);
  EXPECT_EQ(judgement.verdict, Verdict::kFail);
  EXPECT_EQ(judgement.reasons,
            std::vector<std::string>{"stream imu: 600 of 1000 samples were not delivered, for want of room at its "
                                     "receiver, which took 200 Hz"})
      << "and the source is not blamed";
  // One that the source had only just sent when all was over: late itself, it had not come to more.
  RunRecord slow_source = Overloaded(0, 1);
  slow_source.streams[0].sent = 300;
  EXPECT_EQ(Of(Plan(), slow_source), Verdict::kUndecided);
  RunRecord real_time = Overloaded(0, 10);
  real_time.streams[0].lossless = false;
  EXPECT_EQ(Of(Plan(), real_time), Verdict::kPass);
}

TEST(Verdict, ALimitOnWhatALosslessStreamDeliversSaysWhatIsEnough) {
  const auto judged = [](const std::string& metric, double limit) {
    RunRecord record = Overloaded(590, 10);
    record.metrics = {Measured(metric, 200, "per_s")};
    return Of(PlanWith(metric, Comparison::kGreaterOrEqual, limit), record);
  };
  for (const char* figure : {"rate", "received", "backlog", "unread", "blocked"}) {
    EXPECT_EQ(judged(StrCat("stream.imu.", figure), 150), Verdict::kPass) << figure;
    EXPECT_EQ(judged(StrCat("stream.imu.", figure), 250), Verdict::kFail) << figure;
  }
  EXPECT_EQ(judged("stream.imu.lost", 150), Verdict::kFail) << "which says nothing of it";
  EXPECT_EQ(judged("stream.gnss.rate", 150), Verdict::kFail) << "another's";
}

TEST(Verdict, OfALosslessStreamTheSourceIsBlamedForItsOwnDelayAlone) {
  RunRecord record = Overloaded(590, 10);
  record.streams[0].sent -= 11;
  EXPECT_EQ(Judge(Plan(), record, std::nullopt).reasons.size(), 2u) << "11 are neither sent nor backlog";
  // Since it would have been sent it took as long as since it was due: nobody's but the receiver's.
  record = StreamOf(700'000, 690'000);
  record.streams[0].lossless = true;
  const Plan plan = PlanWith("stream.imu.latency.p99", Comparison::kLess, 500'000);
  EXPECT_EQ(Of(plan, record), Verdict::kFail);
  record = StreamOf(700'000, 300'000);
  record.streams[0].lossless = true;
  EXPECT_EQ(Of(plan, record), Verdict::kUndecided);
  EXPECT_NE(Judge(plan, record, std::nullopt).reasons[0].find("without its own delay"), std::string::npos);
}

TEST(Verdict, MoreThanOnePercentOfLateSendsIsUndecided) {
  RunRecord record;
  StreamRecord stream;
  stream.name = "imu";
  stream.expected = stream.sent = 1000;
  stream.late_sends = 10;
  record.streams = {stream};
  EXPECT_EQ(Of(Plan(), record), Verdict::kPass);
  record.streams[0].late_sends = 11;
  EXPECT_EQ(Of(Plan(), record), Verdict::kUndecided);
}

TEST(Verdict, AnInterruptedRunHoldsNoBudgetAgainstTheBoard) {
  const RunRecord record = RecordWith({Measured("stream.imu.lost", 7)});
  const Judgement judgement =
      Judge(PlanWith("stream.imu.lost", Comparison::kEqual, 0), record, EarlyEnd{.reason = "interrupted by SIGINT"});
  EXPECT_EQ(judgement.verdict, Verdict::kUndecided);
  EXPECT_EQ(judgement.budgets[0].result, Verdict::kUndecided);
  EXPECT_EQ(judgement.reasons, std::vector<std::string>{"interrupted by SIGINT"});
}

TEST(Verdict, OfAnInterruptedRunTheSourceIsNotBlamedForWhatItHadNoTimeFor) {
  RunRecord record = RecordWith({});
  StreamRecord stream;
  stream.name = "imu";
  stream.expected = 1000;
  stream.sent = 10;
  record.streams = {stream};
  EXPECT_EQ(Judge(Plan(), record, EarlyEnd{.reason = "interrupted"}).reasons, std::vector<std::string>{"interrupted"});
  EXPECT_EQ(Judge(Plan(), record, std::nullopt).reasons.size(), 1u);
  EXPECT_EQ(Of(Plan(), record), Verdict::kUndecided);
}

TEST(Verdict, FailOutranksUndecidedAndItsReasonsComeFirst) {
  RunRecord record =
      RecordWith({{.name = "core.0.idle", .unit = "share", .value = {}, .origin = "", .absent = "no trace"}});
  ResultRecord result;
  result.group = "price";
  result.check = CheckRecord{.passed = false, .text = "wrong"};
  record.results = {result};
  StreamRecord late;
  late.name = "imu";
  late.expected = late.sent = 10;
  late.late_sends = 10;
  record.streams = {late};
  const Judgement judgement = Judge(PlanWith("core.0.idle", Comparison::kGreater, 0.1), record, std::nullopt);
  EXPECT_EQ(judgement.verdict, Verdict::kFail);
  ASSERT_EQ(judgement.reasons.size(), 3u);
  EXPECT_EQ(judgement.reasons[0], "result of price: wrong");
}

TEST(Verdict, ABreakFailsAndIsTheFirstReason) {
  RunRecord record = RecordWith({Measured("stream.imu.lost", 7)});
  record.workers = {Worker("price", Crashed())};
  const Judgement judgement =
      Judge(PlanWith("stream.imu.lost", Comparison::kEqual, 0), record,
            EarlyEnd{.verdict = Verdict::kFail, .reason = "stream imu sample 17 was 812 µs late"});
  EXPECT_EQ(judgement.verdict, Verdict::kFail);
  ASSERT_EQ(judgement.reasons.size(), 2u);
  EXPECT_EQ(judgement.reasons[0], "stream imu sample 17 was 812 µs late");
  EXPECT_EQ(judgement.budgets[0].result, Verdict::kUndecided) << "the window was cut short";
}

TEST(Verdict, TooFewSamplesOfAFigureOfTheTraceAreUndecidedWithWhatWouldDo) {
  RunRecord record =
      RecordWith({Measured("loop.flight.wake.p999", 5000, "ns"), Measured("loop.flight.wake.count", 500)});
  record.window = {Nanos(0), std::chrono::seconds(1)};
  const Plan plan = PlanWith("loop.flight.wake.p999", Comparison::kLess, 10'000);
  const Judgement judgement = Judge(plan, record, std::nullopt);
  EXPECT_EQ(judgement.verdict, Verdict::kUndecided);
  EXPECT_EQ(judgement.budgets[0].reason,
            "too few samples: 500, and p999 needs 10000 (ten beyond it); a window of 20.0 s would have them");
  record.metrics[1].value = 10'000;
  EXPECT_EQ(Of(plan, record), Verdict::kPass);
}

// A loop on core 1, 60 % of which a hog took.
struct Disturbed {
  Plan plan;
  RunRecord record;
  Disturbed(const std::string& metric, Comparison comparison, double limit, double value, const std::string& unit) {
    plan = PlanWith(metric, comparison, limit);
    plan.loops = {{.name = "flight", .core = {1}, .policy = {}}};
    StreamPlan imu;
    imu.name = "imu";
    imu.loop = "flight";
    plan.streams = {imu};
    WorkerPlan price;
    price.name = "price";
    price.cores = {{1}};
    plan.workers = {price};
    record = RecordWith({Measured(metric, value, unit)});
    record.trace.absent.clear();
    record.trace.covered = std::chrono::seconds(1);
    TraceCoreRecord core;
    core.cpu = 1;
    core.foreign = std::chrono::milliseconds(600);
    core.foreign_tasks = {{"hog", std::chrono::milliseconds(600)}};
    record.trace.cores = {core};
  }
  BudgetRecord Budget() const { return Judge(plan, record, std::nullopt).budgets[0]; }
};

TEST(Verdict, ALimitViolatedBesideAHogIsUndecidedWithBothFacts) {
  const Disturbed run("loop.flight.wake.max", Comparison::kLess, 500'000, 812'000, "ns");
  const BudgetRecord budget = run.Budget();
  EXPECT_EQ(budget.result, Verdict::kUndecided);
  EXPECT_EQ(budget.reason,
            "is 812 µs, but that may not be the board's doing: foreign tasks took 60.0 % of core 1 (hog 600 ms), more "
            "than max_foreign = 5.00 %");
  EXPECT_EQ(Judge(run.plan, run.record, std::nullopt).verdict, Verdict::kUndecided);
}

TEST(Verdict, ALimitHeldInSpiteOfAHogPasses) {
  EXPECT_EQ(Disturbed("loop.flight.wake.max", Comparison::kLess, 500'000, 400'000, "ns").Budget().result,
            Verdict::kPass);
  EXPECT_EQ(Disturbed("stream.imu.lost", Comparison::kEqual, 0, 0, "count").Budget().result, Verdict::kPass);
  EXPECT_EQ(Disturbed("worker.price.0.rate", Comparison::kGreater, 10, 20, "per_s").Budget().result, Verdict::kPass);
}

TEST(Verdict, ALimitHeldWithTheHelpOfAHogIsUndecided) {
  EXPECT_EQ(Disturbed("worker.price.0.cpu", Comparison::kLess, 0.5, 0.4, "share").Budget().result, Verdict::kUndecided);
  EXPECT_EQ(Disturbed("core.1.idle", Comparison::kLessOrEqual, 0.5, 0.1, "share").Budget().result, Verdict::kUndecided);
}

TEST(Verdict, AHogExcusesNothingThatItCannotHaveDone) {
  EXPECT_EQ(Disturbed("worker.price.0.uss.max", Comparison::kLess, 1e6, 2e6, "bytes").Budget().result, Verdict::kFail);
  EXPECT_EQ(Disturbed("core.1.foreign", Comparison::kLess, 0.1, 0.6, "share").Budget().result, Verdict::kFail);
  EXPECT_EQ(Disturbed("stream.imu.corrupt", Comparison::kEqual, 0, 1, "count").Budget().result, Verdict::kFail);
  // It makes workers slower, not faster.
  EXPECT_EQ(Disturbed("worker.price.0.rate", Comparison::kLess, 10, 20, "per_s").Budget().result, Verdict::kFail);
  EXPECT_EQ(Disturbed("worker.price.0.rate", Comparison::kGreater, 20, 10, "per_s").Budget().result,
            Verdict::kUndecided);
  EXPECT_EQ(Disturbed("stream.imu.lost", Comparison::kEqual, 0, 3, "count").Budget().result, Verdict::kUndecided);
  EXPECT_EQ(Disturbed("stream.imu.lost", Comparison::kEqual, 5, 3, "count").Budget().result, Verdict::kFail);
  // Exactly at the limit, which is not below it.
  EXPECT_EQ(Disturbed("loop.flight.wake.max", Comparison::kLess, 500, 500, "ns").Budget().result, Verdict::kUndecided);
}

}  // namespace
}  // namespace corerig
