#include "scenarios/montecarlo_reliability.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "harness/base/philox.h"
#include "scenarios/monte_carlo.h"
#include "scenarios/simd/random_fill.h"

namespace corerig {
namespace {

constexpr std::uint32_t kStream = StreamId("montecarlo/reliability");

RedundantSystem SystemOf(const WorkerJob& job) {
  return {.parts = static_cast<int>(job.Number("parts")),
          .needed = static_cast<int>(job.Number("needed")),
          .lifetime = job.Number("lifetime"),
          .is_cold = job.Word("standby") == "cold",
          .repair = job.Number("repair"),
          .crews = static_cast<int>(job.Number("crews"))};
}

class Reliability {
 public:
  static constexpr std::size_t kSums = 3;  // of hours, of their squares, of events

  static Result<Reliability> Make(const WorkerJob& job) {
    const double parts = job.Number("parts"), needed = job.Number("needed"), crews = job.Number("crews");
    const std::string_view standby = job.Word("standby");
    if (standby != "hot" && standby != "cold") {
      return Fail("standby \"", standby, "\" is unknown; write \"hot\" (spares age, too) or \"cold\" (they do not)");
    }
    if (!(parts >= 1 && parts <= kMostParts)) {
      return Fail("parts is ", job.Word("parts"), "; a system has 1 to ", kMostParts);
    }
    if (!(needed >= 1 && needed <= parts)) {
      return Fail("needed is ", job.Word("needed"), " of ", job.Word("parts"), " parts; at least one, at most all are");
    }
    if (!(crews >= 1 && crews <= parts)) {
      return Fail("crews is ", job.Word("crews"), " for ", job.Word("parts"), " parts; write 1 to ", job.Word("parts"));
    }
    const Endurance expected = ExpectedEndurance(SystemOf(job));
    if (!(expected.events <= kMostEvents)) {
      return Fail("such a system fails after ", expected.events, " failures and repairs on average, more than the ",
                  kMostEvents, " that are followed; repair slower, or have fewer spares");
    }
    if (!std::isfinite(expected.hours * expected.hours * 1e6)) {
      return Fail("lifetime is ", job.Word("lifetime"), " hours; such times overflow");
    }
    return Reliability(job);
  }

  static std::uint32_t VectorBits() { return corerig::VectorBits(); }

  // All systems of the block go from event to event together; those that have failed make room. So event e of the
  // system in place p has number p of the draws of the block in lane 2e (how long until then) and 2e + 1 (what it is).
  void Block(std::uint64_t block, std::span<double> sums) {
    std::fill(failed_.begin(), failed_.end(), 0);
    std::fill(hours_.begin(), hours_.end(), 0.0);
    std::size_t working = hours_.size();
    const std::uint64_t first = block * working / 4;
    for (std::uint32_t event = 0; working > 0; ++event) {
      FillExponentials(seed_, kStream, first, std::span(waits_).first(working), 2 * event);
      if (system_.repair > 0) FillUniforms(seed_, kStream, first, std::span(kinds_).first(working), 2 * event + 1);
      sums[2] += static_cast<double>(working);
      std::size_t left = 0;
      for (std::size_t i = 0; i < working; ++i) {
        const State& state = states_[static_cast<std::size_t>(failed_[i])];
        const double hours = hours_[i] + waits_[i] * state.wait;
        const int failed = failed_[i] + (kinds_[i] < state.failure_share ? 1 : -1);
        if (failed > system_.Spares()) {
          sums[0] += hours;
          sums[1] += hours * hours;
        } else {
          hours_[left] = hours;
          failed_[left++] = failed;
        }
      }
      working = left;
    }
  }

  static Result<Answer> Conclude(const WorkerJob& job, const Tally& tally) {
    const double systems = static_cast<double>(tally.units) * static_cast<double>(SystemsPerBlock(SystemOf(job)));
    const MeanOf time(systems, tally.sums[0].Value(), tally.sums[1].Value());
    const Endurance expected = ExpectedEndurance(SystemOf(job));
    const double known_error = expected.standard_deviation / std::sqrt(systems);
    return Answer{.units = tally.units,
                  .figures = {{"time_to_failure", time.mean, "h"},
                              {"standard_error", time.standard_error, "h"},
                              {"systems", systems, "systems"},
                              {"expected", expected.hours, "h"},
                              {"deviation", std::abs(time.mean - expected.hours) / known_error, "standard errors"},
                              {"events", tally.sums[2].Value() / systems, "per system"},
                              VectorWidth(tally)},
                  .check = CheckAgainst("the mean of the birth-death chain", time.mean, expected.hours, known_error)};
  }

 private:
  // With so many parts failed: the mean time until the next event, in hours, and the probability that it is a failure.
  struct State {
    double wait = 0;
    double failure_share = 0;
  };

  explicit Reliability(const WorkerJob& job)
      : seed_(job.seed),
        system_(SystemOf(job)),
        failed_(SystemsPerBlock(system_)),
        hours_(failed_.size()),
        waits_(failed_.size()),
        kinds_(failed_.size()) {
    for (int failed = 0; failed <= system_.Spares(); ++failed) {
      const double failures = system_.FailureRate(failed), repairs = system_.RepairRate(failed);
      states_.push_back({.wait = 1 / (failures + repairs), .failure_share = failures / (failures + repairs)});
    }
  }

  std::uint64_t seed_;
  RedundantSystem system_;
  std::vector<State> states_;
  // Of the systems that still work.
  std::vector<int> failed_;
  std::vector<double> hours_, waits_, kinds_;
};

}  // namespace

double RedundantSystem::FailureRate(int failed) const { return (is_cold ? needed : parts - failed) / lifetime; }

double RedundantSystem::RepairRate(int failed) const { return repair > 0 ? std::min(failed, crews) / repair : 0; }

// From a state to the next takes T: a wait W, and if a repair ends that, the way B back to here and the like of T
// again. Means and second moments of both sides of T = W (or + B + T), solved for those of T.
Endurance ExpectedEndurance(const RedundantSystem& system) {
  Endurance sum;
  double variance = 0;
  double mean = 0, square = 0, events = 0;  // of the way from the state before
  for (int failed = 0; failed <= system.Spares(); ++failed) {
    const double failures = system.FailureRate(failed), repairs = system.RepairRate(failed);
    const double odds = repairs / failures;
    const double back_mean = mean;
    mean = 1 / failures + odds * back_mean;
    square = 2 * mean / failures + odds * (square + 2 * back_mean * mean);
    events = 1 + odds + odds * events;
    sum.hours += mean;
    variance += square - mean * mean;
    sum.events += events;
  }
  sum.standard_deviation = std::sqrt(variance);
  return sum;
}

std::uint64_t SystemsPerBlock(const RedundantSystem& system) {
  constexpr double kLeast = 32, kMost = 1024, kEventsPerBlock = 1 << 18;
  const double systems = kEventsPerBlock / ExpectedEndurance(system).events;
  return static_cast<std::uint64_t>(std::clamp(systems, kLeast, kMost)) / 4 * 4;
}

WorkloadType MonteCarloReliability() {
  using Kind = ParameterInfo::Kind;
  return MonteCarlo<Reliability>(
      {.name = "montecarlo/reliability",
       .about = "simulates how long a redundant system lasts and checks it against the birth-death chain",
       .unit = "block of 1024 systems, less if they are repaired often",
       .parameters = {{"parts", Kind::kWholeNumber, "3", "of a system"},
                      {"needed", Kind::kWholeNumber, "2", "parts without which it fails"},
                      {"lifetime", Kind::kPositiveNumber, "1000", "mean hours until a part in service fails"},
                      {"standby", Kind::kWord, "hot", "\"hot\": spares age as well; \"cold\": they do not"},
                      {"repair", Kind::kNotNegative, "0", "mean hours that a repair takes; 0: there is none"},
                      {"crews", Kind::kWholeNumber, "1", "parts that are under repair at a time"}}});
}

}  // namespace corerig
