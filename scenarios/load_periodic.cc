#include "scenarios/load_periodic.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "harness/base/latency_histogram.h"
#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/os/clock.h"
#include "scenarios/known_work.h"
#include "scenarios/worker_results.h"

namespace corerig {
namespace {

using namespace std::chrono_literals;

struct Timing {
  Nanos run{0}, period{0}, deadline{0};
  std::uint64_t work = 0;  // iterations per job; 0: as many as take `run`
  bool relative = false;
};

Result<Timing> TimingOf(const WorkerJob& job) {
  Timing timing{.run = job.Duration("run"), .period = job.Duration("period"), .deadline = job.Duration("deadline")};
  if (timing.period < 50us || timing.period > 1h) {
    return Fail("period is ", ToText(timing.period), "; write one from \"50us\" to \"1h\"");
  }
  if (timing.deadline == Nanos(0)) timing.deadline = timing.period;
  const double work = job.Number("work");
  if (work < 0 || work > 1e12) return Fail("work is ", work, "; write a number of iterations up to 1e12, or 0");
  timing.work = static_cast<std::uint64_t>(work);
  if (timing.work == 0 && timing.run == Nanos(0))
    return Fail("run is zero, and so is work; write one such as \"200us\"");
  if (timing.work == 0 && timing.run > timing.period) {
    return Fail("run ", ToText(timing.run), " is longer than period ", ToText(timing.period),
                "; no job would ever catch up");
  }
  const std::string_view timer = job.Word("timer");
  if (timer != "absolute" && timer != "relative") {
    return Fail("timer is \"", timer, "\"; write \"absolute\" or \"relative\"");
  }
  timing.relative = timer == "relative";
  return timing;
}

// The work begins from a state that is the worker's own.
std::uint64_t FirstState(const WorkerJob& job, int index) { return job.seed + static_cast<std::uint64_t>(index); }

// A worker's result, as it lies in the slab: the counts, then the histograms.
struct Counts {
  std::uint64_t jobs = 0;
  std::uint64_t missed = 0;
  std::uint64_t overruns = 0;  // jobs that were due before their predecessor had ended
  std::uint64_t iterations = 0;
  std::uint64_t state = 0;  // that the iterations led to
  std::int64_t cpu = 0;     // ns, of all jobs
  std::uint64_t iterations_per_job = 0;
  double iterations_per_us = 0;  // 0: not measured
};
struct Histograms {
  LatencyHistogram response, lateness;
};
constexpr std::size_t kResponseAt = sizeof(Counts) + offsetof(Histograms, response);
constexpr std::size_t kLatenessAt = sizeof(Counts) + offsetof(Histograms, lateness);
constexpr std::size_t kResultSize = sizeof(Counts) + sizeof(Histograms);

class Worker final : public Workload {
 public:
  Worker(const WorkerJob& job, const Timing& timing, std::function<bool()> told_to_stop)
      : timing_(timing), told_to_stop_(std::move(told_to_stop)) {
    counts_.state = FirstState(job, job.index);
  }

  void RunUnit(std::uint64_t) override {
    if (!seen_) Begin();
    const bool waits = MonotonicNow() < due_;
    cut_short_ = !SleepUntilDue();
    if (cut_short_) return;
    const Nanos begin = MonotonicNow();
    // The first job is due when it begins: nothing woke it, and nothing held it back.
    if (waits) {
      seen_->lateness.Record(begin - due_);
    } else if (counts_.jobs > 0) {
      ++counts_.overruns;
      if (timing_.relative) due_ = begin;
    }
    const Nanos cpu = ThreadCpuTime();
    cut_short_ = !Compute();
    if (cut_short_) return;
    counts_.cpu += (ThreadCpuTime() - cpu).count();
    const Nanos response = MonotonicNow() - due_;
    seen_->response.Record(response);
    ++counts_.jobs;
    counts_.missed += response > timing_.deadline;
    due_ += timing_.period;
  }

  bool CutShort() const override { return cut_short_; }

  std::size_t WriteResult(std::span<std::byte> out) const override {
    std::memcpy(out.data(), &counts_, sizeof counts_);
    if (seen_) {
      std::memcpy(out.data() + sizeof counts_, static_cast<const void*>(seen_.get()), sizeof *seen_);
    } else {
      std::memset(out.data() + sizeof counts_, 0, sizeof *seen_);  // an empty one
    }
    return kResultSize;
  }

 private:
  void Begin() {
    seen_ = std::make_unique<Histograms>();
    counts_.iterations_per_job = timing_.work;
    if (timing_.work == 0) {
      counts_.iterations_per_us = IterationsPerMicrosecond(ThreadCpuTime);
      const double iterations = counts_.iterations_per_us * static_cast<double>(timing_.run.count()) / 1000;
      counts_.iterations_per_job = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::llround(iterations)));
    }
    due_ = MonotonicNow();
  }

  bool Stops() const { return told_to_stop_ && told_to_stop_(); }

  // In naps, so that it ends soon when it is told to: then false.
  bool SleepUntilDue() const {
    constexpr Nanos kNap = 50ms;
    for (Nanos now = MonotonicNow(); now < due_; now = MonotonicNow()) {
      if (Stops()) return false;
      SleepUntil(std::min(due_, now + kNap));
    }
    return true;
  }

  // The work of one job; false if it was told to stop in between. A slice takes about a millisecond.
  bool Compute() {
    constexpr std::uint64_t kSlice = 1 << 19;
    for (std::uint64_t left = counts_.iterations_per_job; left > 0;) {
      const std::uint64_t slice = std::min(left, kSlice);
      counts_.state = Work(counts_.state, slice);
      counts_.iterations += slice;
      left -= slice;
      if (left > 0 && Stops()) return false;
    }
    return true;
  }

  const Timing timing_;
  const std::function<bool()> told_to_stop_;
  Nanos due_{0};  // of the next job
  bool cut_short_ = false;
  Counts counts_;
  std::unique_ptr<Histograms>
      seen_;  // once there is something to see: it takes no memory where a group is only checked
};

// The histogram that lies there; whatever the bytes are, it can be read (latency_histogram.h).
Distribution DistributionAt(std::span<const std::byte> bytes, std::size_t at) {
  alignas(LatencyHistogram) std::byte histogram[sizeof(LatencyHistogram)];
  std::memcpy(histogram, bytes.data() + at, sizeof histogram);
  return reinterpret_cast<const LatencyHistogram*>(histogram)->Read();
}

// All workers together.
struct Total {
  Counts counts;
  Distribution response, lateness;
  double slowest = 0, fastest = 0;  // iterations per us
  int wrong = 0;                    // workers whose work came to something else than it must
  std::string first_wrong = {};
};

Status Add(Total& total, const WorkerJob& job, const WorkerResult& result) {
  const auto wrong = [&](const auto&... what) { return Fail(NameOf(job, result), ": ", what...); };
  Counts counts;
  std::memcpy(&counts, result.bytes.data(), sizeof counts);
  const Distribution response = DistributionAt(result.bytes, kResponseAt);
  const Distribution lateness = DistributionAt(result.bytes, kLatenessAt);
  constexpr std::uint64_t kMostJobs = std::uint64_t{1} << 45;  // a year of one each microsecond
  constexpr auto kMostCpu = std::int64_t{1} << 52;             // ns: 52 days; that of 1024 workers is a number, too
  WorkerJob its = job;
  its.index = result.index;
  if (counts.jobs > kMostJobs || (job.units && counts.jobs > its.UnitsOfWorker())) {
    return wrong("it claims ", counts.jobs, " jobs");
  }
  if (counts.missed > counts.jobs || counts.overruns > counts.jobs || response.count() != counts.jobs ||
      lateness.count() > counts.jobs || counts.cpu < 0 || counts.cpu > kMostCpu) {
    return wrong("its counts contradict each other: ", counts.jobs, " jobs, ", counts.missed, " missed, ",
                 counts.overruns, " overruns, ", response.count(), " response times, ", lateness.count(), " wake-ups");
  }
  if (!std::isfinite(counts.iterations_per_us) || counts.iterations_per_us < 0) {
    return wrong("it claims ", counts.iterations_per_us, " iterations in a microsecond");
  }
  if (counts.state != WorkResult(FirstState(job, result.index), counts.iterations)) {
    if (total.wrong++ == 0) total.first_wrong = NameOf(job, result);
  }
  total.counts.jobs += counts.jobs;
  total.counts.missed += counts.missed;
  total.counts.overruns += counts.overruns;
  total.counts.iterations += counts.iterations;
  total.counts.cpu += counts.cpu;
  if (counts.iterations_per_us > 0) {
    const bool first = total.slowest == 0;
    total.slowest = first ? counts.iterations_per_us : std::min(total.slowest, counts.iterations_per_us);
    total.fastest = std::max(total.fastest, counts.iterations_per_us);
  }
  total.response.Merge(response);
  total.lateness.Merge(lateness);
  return {};
}

CheckRecord Check(const Total& total, double most_missed, Nanos deadline) {
  if (total.wrong > 0) {
    return {
        .passed = false,
        .text = StrCat("the work of ", total.wrong, total.wrong == 1 ? " worker" : " workers", " (", total.first_wrong,
                       ") came to another result than it must: this core does not compute reliably")};
  }
  const double jobs = static_cast<double>(total.counts.jobs), missed = static_cast<double>(total.counts.missed);
  const std::string text =
      StrCat(total.counts.missed, " of ", total.counts.jobs, " jobs missed their deadline of ", ToText(deadline));
  if (most_missed >= 1) return {.passed = true, .text = StrCat("all work came to what it must; ", text, " (no limit)")};
  return {.passed = missed <= most_missed * jobs,
          .text = StrCat(text, ", ", FormatShare(missed / jobs), " (limit ", FormatShare(most_missed), ")")};
}

Result<Answer> Merge(const WorkerJob& job, std::span<const WorkerResult> results) {
  const auto timing = TimingOf(job);
  if (!timing) return Forward(timing);
  if (auto checked = CheckResults(job, results, kResultSize); !checked) return Forward(checked);
  Total total;
  for (const WorkerResult& result : results) {
    if (auto added = Add(total, job, result); !added) return Forward(added);
  }
  if (total.counts.jobs == 0) return Fail("worker ", job.group, ": no job was finished");

  const double jobs = static_cast<double>(total.counts.jobs);
  const double deadline = static_cast<double>(timing->deadline.count());
  const double longest = static_cast<double>(total.response.max());
  Answer answer{.units = total.counts.jobs,
                .figures = {{"jobs", jobs, "jobs"},
                            {"missed", static_cast<double>(total.counts.missed), "jobs"},
                            {"missed_share", static_cast<double>(total.counts.missed) / jobs, ""},
                            {"overruns", static_cast<double>(total.counts.overruns), "jobs"},
                            {"response_p50", total.response.Percentile(0.5), "ns"},
                            {"response_p99", total.response.Percentile(0.99), "ns"},
                            {"response_max", longest, "ns"},
                            {"slack_p50", deadline - total.response.Percentile(0.5), "ns"},
                            {"slack_min", deadline - longest, "ns"},
                            {"cpu_per_job", static_cast<double>(total.counts.cpu) / jobs, "ns"},
                            {"iterations_per_job", static_cast<double>(total.counts.iterations) / jobs, ""}},
                .check = Check(total, job.Number("most_missed"), timing->deadline)};
  if (total.lateness.count() > 0) {
    answer.figures.insert(answer.figures.end(), {{"lateness_p50", total.lateness.Percentile(0.5), "ns"},
                                                 {"lateness_p99", total.lateness.Percentile(0.99), "ns"},
                                                 {"lateness_max", static_cast<double>(total.lateness.max()), "ns"}});
  }
  if (total.slowest > 0) answer.figures.push_back({"iterations_per_us", total.slowest, ""});
  if (total.fastest > total.slowest) answer.figures.push_back({"iterations_per_us_fastest", total.fastest, ""});
  return answer;
}

}  // namespace

WorkloadType LoadPeriodic() {
  using Kind = ParameterInfo::Kind;
  return {.info = {.name = "load/periodic",
                   .about = "a job of fixed work every period, with a deadline; calibrated in work, not in time",
                   .unit = "job",
                   .parameters = {{"run", Kind::kDuration, "200us", "CPU time of a job, where nothing disturbs it"},
                                  {"period", Kind::kDuration, "1ms", "between the due times of jobs"},
                                  {"deadline", Kind::kDuration, "0s", "from due time to end; 0s: the period"},
                                  {"work", Kind::kWholeNumber, "0", "iterations of a job, in place of run; 0: by run"},
                                  {"timer", Kind::kWord, "absolute", "or \"relative\": begin anew after a late job"},
                                  {"most_missed", Kind::kShare, "1", "of jobs; more missed deadlines fail the run"}}},
          .make = [](const WorkerJob& job, const Surroundings& surroundings) -> Result<std::unique_ptr<Workload>> {
            auto timing = TimingOf(job);
            if (!timing) return Forward(timing);
            return std::make_unique<Worker>(job, *timing, surroundings.told_to_stop);
          },
          .result_size = [](const WorkerJob&) { return kResultSize; },
          .merge = Merge};
}

}  // namespace corerig
