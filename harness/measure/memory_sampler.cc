#include "harness/measure/memory_sampler.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "harness/measure/memory_reader.h"
#include "harness/measure/memory_trend.h"
#include "harness/measure/theil_sen.h"
#include "harness/os/clock.h"

namespace corerig {
namespace {

// A wake-up of its own takes longer than this.
constexpr Nanos kShortStep = std::chrono::microseconds(40);
constexpr int kPausePerCost = 100;  // sampling takes 1/100 of a core

auto Content(const MemorySample& sample) { return std::tuple(sample.at, sample.rss, sample.pss, sample.uss); }

}  // namespace

MemorySampler::Reader MemorySampler::ReaderOf(const ProcFs& procfs) {
  return [reader = MemoryReader(procfs)](pid_t pid) mutable { return reader.Read(pid); };
}

MemorySampler::MemorySampler(const ProcFs& procfs, Nanos interval)
    : MemorySampler(ReaderOf(procfs), ThreadCpuTime, interval, HasSwap(procfs)) {}

MemorySampler::MemorySampler(Reader reader, CostClock cost_clock, Nanos interval, bool has_swap)
    : reader_(std::move(reader)), cost_clock_(std::move(cost_clock)), interval_(interval), has_swap_(has_swap) {}

void MemorySampler::Add(int key, pid_t pid) {
  processes_[key] = {};
  processes_[key].pid = pid;
  if (round_) round_->whole = false;  // it may have passed this key already
}

void MemorySampler::Remove(int key) {
  const auto found = processes_.find(key);
  if (found == processes_.end()) return;
  found->second.sampled = false;
  found->second.latest.reset();
  found->second.failure.clear();
}

Nanos MemorySampler::Step(Nanos now) {
  if (first_step_ && now < next_step_) return next_step_;
  const Nanos cost_before = cost_clock_();
  if (!first_step_) first_step_ = now;
  latest_step_ = now;
  cost_ += std::exchange(latest_cost_, Nanos(0));

  if (!round_) {
    round_ = Round{.begin = now, .last_key = {}};
  }
  const Nanos next_round = round_->begin + interval_;
  do {
    const auto process = NextOfRound();
    if (process == processes_.end()) break;
    round_->last_key = process->first;
    Sample(process->second, now);
    latest_cost_ = cost_clock_() - cost_before;
  } while (latest_cost_ < kShortStep);
  if (NextOfRound() == processes_.end()) FinishRound();

  latest_cost_ = cost_clock_() - cost_before;
  next_step_ = now + kPausePerCost * latest_cost_;
  if (!round_) next_step_ = std::max(next_step_, next_round);
  return next_step_;
}

void MemorySampler::BeginWindow(Nanos begin) {
  window_begin_ = begin;
  window_end_.reset();
  for (auto& [key, process] : processes_) process.history = {};
  total_pss_ = shared_ = {};
  if (round_) round_->whole = false;
}

void MemorySampler::EndWindow(Nanos end) { window_end_ = end; }

std::optional<MemoryReading> MemorySampler::Latest(int key) const {
  const auto found = processes_.find(key);
  return found == processes_.end() ? std::nullopt : found->second.latest;
}

std::string MemorySampler::Failure(int key) const {
  const auto found = processes_.find(key);
  return found == processes_.end() ? "" : found->second.failure;
}

std::vector<MemorySample> MemorySampler::Series(int key) const {
  const auto found = processes_.find(key);
  if (found == processes_.end() || found->second.history.evenly.empty()) return {};
  const History& history = found->second.history;
  std::vector<MemorySample> series = history.evenly;
  series.insert(series.end(), {history.last, history.max_rss, history.max_pss, history.max_uss});
  std::sort(series.begin(), series.end(), [](const auto& a, const auto& b) { return Content(a) < Content(b); });
  const auto same = [](const auto& a, const auto& b) { return Content(a) == Content(b); };
  series.erase(std::unique(series.begin(), series.end(), same), series.end());
  return series;
}

std::optional<MemorySummary> MemorySampler::Summary(int key) const {
  const auto found = processes_.find(key);
  if (found == processes_.end() || found->second.history.evenly.empty()) return std::nullopt;
  const History& history = found->second.history;
  return MemorySummary{.rss = history.rss.figure(),
                       .pss = history.pss.figure(),
                       .uss = history.uss.figure(),
                       .shared = history.shared.figure(),
                       .swap = FigureOf(history.swap),
                       .page_tables = FigureOf(history.page_tables),
                       .uss_growth = history.Growth()};
}

MemoryTrend MemorySampler::Trend(int key) const {
  const auto found = processes_.find(key);
  return TrendOf(found == processes_.end() ? std::vector<MemorySample>() : found->second.history.EvenlyToTheEnd());
}

std::optional<MemorySummary::Figure> MemorySampler::FigureOf(const Statistics& statistics) {
  return statistics.count == 0 ? std::nullopt : std::optional(statistics.figure());
}

std::optional<MemorySummary::Figure> MemorySampler::TotalPss() const { return FigureOf(total_pss_); }

std::optional<MemorySummary::Figure> MemorySampler::Shared() const {
  if (shared_.count == 0) return std::nullopt;
  return shared_.figure();
}

double MemorySampler::share() const {
  if (!first_step_ || latest_step_ == *first_step_) return 0;
  return static_cast<double>(cost_.count()) / static_cast<double>((latest_step_ - *first_step_).count());
}

bool MemorySampler::InWindow(Nanos now) const {
  return window_begin_ && now >= *window_begin_ && (!window_end_ || now < *window_end_);
}

std::map<int, MemorySampler::Process>::iterator MemorySampler::NextOfRound() {
  const auto from = round_->last_key ? processes_.upper_bound(*round_->last_key) : processes_.begin();
  return std::find_if(from, processes_.end(), [](const auto& entry) { return entry.second.sampled; });
}

void MemorySampler::Sample(Process& process, Nanos now) {
  const bool counts = InWindow(now);
  if (!counts) round_->whole = false;
  process.failure.clear();
  const auto reading = reader_(process.pid);
  if (!reading) {
    process.latest.reset();
    process.failure = reading.error().message;
    round_->whole = false;
    return;
  }
  process.latest = *reading;
  if (!*reading) return;  // it ended
  const MemoryReading& memory = **reading;
  ++round_->read;
  round_->pss += static_cast<double>(memory.pss);
  round_->uss += static_cast<double>(memory.uss);
  if (!counts) return;
  History& history = process.history;
  history.Put({.at = now - *window_begin_, .rss = memory.rss, .pss = memory.pss, .uss = memory.uss});
  history.shared.Put(static_cast<double>(memory.shared));
  if (has_swap_) history.swap.Put(static_cast<double>(memory.swap));
  if (memory.page_tables) history.page_tables.Put(static_cast<double>(*memory.page_tables));
}

void MemorySampler::FinishRound() {
  if (round_->whole && round_->read > 0) {
    total_pss_.Put(round_->pss);
    shared_.Put(std::max(0.0, round_->pss - round_->uss));
  }
  round_.reset();
}

void MemorySampler::Statistics::Put(double value) {
  max = count == 0 ? value : std::max(max, value);
  sum += value;
  ++count;
}

void MemorySampler::History::Put(const MemorySample& sample) {
  const bool first = rss.count == 0;
  if (rss.count % stride == 0) evenly.push_back(sample);
  constexpr std::size_t kOthers = 4;  // the last and three maxima
  if (evenly.size() > kMaxSeries - kOthers) {
    // Sample 0 stays, and every other one behind it.
    std::size_t kept = 0;
    for (std::size_t i = 0; i < evenly.size(); i += 2) evenly[kept++] = evenly[i];
    evenly.resize(kept);
    stride *= 2;
  }
  last = sample;
  if (first || sample.rss > max_rss.rss) max_rss = sample;
  if (first || sample.pss > max_pss.pss) max_pss = sample;
  if (first || sample.uss > max_uss.uss) max_uss = sample;
  rss.Put(static_cast<double>(sample.rss));
  pss.Put(static_cast<double>(sample.pss));
  uss.Put(static_cast<double>(sample.uss));
}

std::vector<MemorySample> MemorySampler::History::EvenlyToTheEnd() const {
  std::vector<MemorySample> samples = evenly;
  if (!samples.empty() && samples.back().at != last.at) samples.push_back(last);
  return samples;
}

std::optional<double> MemorySampler::History::Growth() const {
  if (rss.count < kMinGrowthSamples || last.at - evenly.front().at < kMinGrowthSpan) return std::nullopt;
  const auto point = [](const MemorySample& sample) {
    const std::chrono::duration<double, std::ratio<60>> minutes = sample.at;
    return TrendPoint{.x = minutes.count(), .y = static_cast<double>(sample.uss)};
  };
  const auto samples = EvenlyToTheEnd();
  std::vector<TrendPoint> points;
  std::transform(samples.begin(), samples.end(), std::back_inserter(points), point);
  return TheilSenSlope(points);
}

}  // namespace corerig
