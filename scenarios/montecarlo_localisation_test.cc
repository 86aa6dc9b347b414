#include "scenarios/montecarlo_localisation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "scenarios/group_run.h"

namespace corerig {
namespace {

GroupRun Filters(std::uint64_t units, std::uint64_t seed = 42) {
  return {.type = MonteCarloLocalisation(), .units = units, .seed = seed};
}

TEST(ResampleSystematically, TakesEachAsOftenAsItsWeightSaysToOneMore) {
  const std::vector<double> weights = {0.5, 3, 0, 1.25, 0.25, 5};
  constexpr int kDraws = 1000;
  std::vector<double> mean(weights.size());
  for (int draw = 0; draw < kDraws; ++draw) {
    std::vector<std::uint32_t> ancestors(8);
    ResampleSystematically(weights, (draw + 0.5) / kDraws, ancestors);
    EXPECT_TRUE(std::is_sorted(ancestors.begin(), ancestors.end()));
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const auto copies = static_cast<double>(std::count(ancestors.begin(), ancestors.end(), i));
      EXPECT_LT(std::abs(copies - 8 * weights[i] / 10), 1) << i;
      mean[i] += copies / kDraws;
    }
  }
  for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(mean[i], 0.8 * weights[i], 2.0 / kDraws) << i;
}

TEST(ResampleSystematically, WeightsThatAreAllOnesGiveEveryoneOnce) {
  const std::vector<double> ones(500, 0.1);
  for (const double uniform : {0x1p-33, 0.5, 1 - 0x1p-33}) {
    std::vector<std::uint32_t> ancestors(500);
    ResampleSystematically(ones, uniform, ancestors);
    EXPECT_EQ(ancestors.back(), 499u);
    EXPECT_EQ(std::adjacent_find(ancestors.begin(), ancestors.end()), ancestors.end());
  }
}

// One coordinate of a robot whose heading is known: normal, observed through two opposite walls.
struct Kalman {
  double mean, variance, log_likelihood = 0;
  void Predict(double way, double noise) {
    mean += way;
    variance += noise * noise;
  }
  void Observe(double value, double noise) {
    const double spread = variance + noise * noise, innovation = value - mean;
    log_likelihood -= 0.5 * (innovation * innovation / spread + std::log(2 * std::numbers::pi * spread));
    mean += variance / spread * innovation;
    variance *= noise * noise / spread;
  }
};

struct Exact {
  Kalman along, lateral;
};

// What is known exactly of a run in an empty room with four beams: ahead, left, behind, right.
Exact KalmanOf(const LocalisationCase& settings, std::span<const double> ranges) {
  const double start = settings.start_noise * settings.start_noise;
  Exact exact = {.along = {-2, start}, .lateral = {0, start}};
  for (int scan = 0; scan < settings.scans; ++scan) {
    if (scan > 0) {
      exact.along.Predict(settings.way, settings.forward_noise);
      exact.lateral.Predict(0, settings.lateral_noise);
    }
    const double* const r = ranges.data() + 4 * scan;
    if (r[0] != 0) exact.along.Observe(3 - r[0], settings.range_noise);
    if (r[1] != 0) exact.lateral.Observe(2 - r[1], settings.range_noise);
    if (r[2] != 0) exact.along.Observe(r[2] - 3, settings.range_noise);
    if (r[3] != 0) exact.lateral.Observe(r[3] - 2, settings.range_noise);
  }
  return exact;
}

LocalisationCase Linear(std::size_t particles) {
  return {.particles = particles, .beams = 4, .start_turn = 0, .turn_noise = 0, .lost = 0.1, .pillars = false};
}

TEST(Localisation, ApproachesTheKalmanFilterWhereAllIsLinear) {
  const LocalisationCase settings = Linear(4000);
  Localisation localisation(settings, 3);
  int lost = 0;
  for (std::uint64_t unit = 0; unit < 10; ++unit) {
    const auto outcome = localisation.Run(unit);
    const Exact exact = KalmanOf(settings, localisation.ranges());
    lost += static_cast<int>(std::count(localisation.ranges().begin(), localisation.ranges().end(), 0.0));
    EXPECT_NEAR(outcome.mean[0], exact.along.mean, 0.15 * std::sqrt(exact.along.variance));
    EXPECT_NEAR(outcome.mean[1], exact.lateral.mean, 0.15 * std::sqrt(exact.lateral.variance));
    EXPECT_NEAR(outcome.covariance[0][0] / exact.along.variance, 1, 0.2);
    EXPECT_NEAR(outcome.covariance[1][1] / exact.lateral.variance, 1, 0.2);
    EXPECT_EQ(outcome.mean[2], 0);
    EXPECT_NEAR(outcome.log_likelihood, exact.along.log_likelihood + exact.lateral.log_likelihood, 0.3);
  }
  EXPECT_GT(lost, 10);
  EXPECT_LT(lost, 60);
}

// The mean of the ratio is 1 with any number of particles: here with few, where the estimates themselves are bad.
TEST(Localisation, ItsLikelihoodHasTheKalmanFiltersAsItsMean) {
  const LocalisationCase settings = Linear(50);
  Localisation localisation(settings, 5);
  constexpr int kRuns = 2000;
  double sum = 0, squares = 0;
  for (std::uint64_t unit = 0; unit < kRuns; ++unit) {
    const auto outcome = localisation.Run(unit);
    const Exact exact = KalmanOf(settings, localisation.ranges());
    const double ratio = std::exp(outcome.log_likelihood - exact.along.log_likelihood - exact.lateral.log_likelihood);
    sum += ratio;
    squares += ratio * ratio;
  }
  const double mean = sum / kRuns, standard_error = std::sqrt((squares / kRuns - mean * mean) / kRuns);
  EXPECT_LT(standard_error, 0.03);
  EXPECT_GT(standard_error, 0.001) << "the estimates do not vary: this shows nothing";
  EXPECT_NEAR(mean, 1, 4 * standard_error);
}

// With every beam lost a filter knows what its particles were given: the mean of these, another one in every unit.
TEST(Localisation, EveryUnitHasNoiseOfItsOwn) {
  const LocalisationCase starting = {.particles = 100, .scans = 1, .lost = 1};
  const LocalisationCase moving = {.particles = 100, .scans = 2, .start_noise = 0, .start_turn = 0, .lost = 1};
  for (const LocalisationCase& settings : {starting, moving}) {
    Localisation localisation(settings, 11);
    constexpr int kUnits = 500;
    double mean = 0, square = 0;
    for (std::uint64_t unit = 0; unit < kUnits; ++unit) {
      const double lateral = localisation.Run(unit).mean[1];
      mean += lateral / kUnits;
      square += lateral * lateral / kUnits;
    }
    const double noise = (settings.scans == 1 ? settings.start_noise : settings.lateral_noise) / std::sqrt(100);
    EXPECT_NEAR(mean, 0, 4 * noise / std::sqrt(kUnits));
    EXPECT_NEAR(square / (noise * noise), 1, 4 * std::sqrt(2.0 / kUnits));
  }
}

TEST(MonteCarloLocalisation, AnswerIsTheSameToTheLastBitForAnyNumberOfWorkers) {
  const GroupRun run = Filters(9);
  const auto one = BitsOf(run.With(1));
  ASSERT_FALSE(one.empty());
  for (const int workers : {2, 3, 7}) EXPECT_EQ(BitsOf(run.With(workers)), one) << workers << " workers";
}

// What seed 42 gave on the machine it was written on: within rounding the same on every other. (An error is what is
// left of a place of some metres.)
TEST(MonteCarloLocalisation, AnswerIsTheSameOnEveryBoard) {
  const auto answer = Filters(3).With(1);
  ASSERT_TRUE(answer) << ErrorOf(answer);
  EXPECT_NEAR(FigureOf(*answer, "place_error"), 0.0088937259706195777, 1e-12);
  EXPECT_NEAR(FigureOf(*answer, "lateral_mean"), 0.0016445293490633627, 1e-12);
  EXPECT_NEAR(FigureOf(*answer, "heading_mean"), 0.078634267896397561, 1e-10);
  EXPECT_NEAR(FigureOf(*answer, "effective_particles"), 90.642469107069942, 1e-8);
}

TEST(MonteCarloLocalisation, OneFilterTellsNothingOfHowMuchTheyVary) {
  const auto errors = [](std::uint64_t filters) {
    const auto answer = Filters(filters).With(1);
    return !answer ? -1 : std::count_if(answer->figures.begin(), answer->figures.end(), [](const Figure& figure) {
      return figure.name.ends_with("_standard_error");
    });
  };
  EXPECT_EQ(errors(1), 0);
  EXPECT_EQ(errors(2), 4);
}

TEST(MonteCarloLocalisation, FindsTheRobotAndKnowsHowWell) {
  const auto answer = Filters(150).With(1);
  ASSERT_TRUE(answer) << ErrorOf(answer);
  EXPECT_TRUE(answer->check->passed) << answer->check->text;
  EXPECT_NE(answer->check->text.find("mean lateral and heading errors are "), std::string::npos) << answer->check->text;
  EXPECT_EQ(FigureOf(*answer, "astray"), 0);
  EXPECT_NEAR(FigureOf(*answer, "place_error"), 0.015, 0.003);
  EXPECT_LT(FigureOf(*answer, "heading_error"), 1);
  EXPECT_GT(FigureOf(*answer, "effective_particles"), 50);
  EXPECT_NEAR(FigureOf(*answer, "place_excess"), 0, 0.4);
  EXPECT_NEAR(FigureOf(*answer, "heading_excess"), 0, 0.4);
}

// The claim that the limit of the check rests on.
TEST(MonteCarloLocalisation, FewParticlesBelieveInTooLittleError) {
  for (const char* noise : {"0.03", "0.05"}) {
    const auto answer = Filters(400).Set("particles", "100").Set("range_noise", noise).With(1);
    ASSERT_TRUE(answer) << ErrorOf(answer);
    EXPECT_TRUE(answer->check->passed) << answer->check->text;
    EXPECT_GT(FigureOf(*answer, "place_excess"), 0.2);
    EXPECT_LT(FigureOf(*answer, "place_excess"), 1.3);
  }
}

// The answer to sums like those of 400 filters, changed by the test.
struct Sums {
  double lateral = 0, heading = 0, place_excess = 0, heading_excess = 0, astray = 0;
};
CheckRecord CheckOf(const Sums& sums, std::uint64_t units = 400) {
  const double n = static_cast<double>(units), place = 0.015, heading = 0.008;
  const double values[] = {n * sums.lateral,
                           n * place * place,
                           n * sums.heading,
                           n * heading * heading,
                           n * sums.heading_excess * heading * heading,
                           n * 2 * std::pow(heading, 4),
                           n * (1 + sums.place_excess) * 2 * place * place,
                           n * sums.place_excess * 2 * place * place,
                           n * 4 * std::pow(place, 4),
                           n * 100,
                           sums.astray};
  Tally tally{.units = units, .vector_bits = 64, .sums = std::vector<ExactSum>(std::size(values))};
  for (std::size_t i = 0; i < std::size(values); ++i) tally.sums[i].Add(values[i]);
  const GroupRun run = Filters(units);
  const auto answer = run.type.conclude(run.Job(), tally);
  EXPECT_TRUE(answer) << ErrorOf(answer);
  return answer ? *answer->check : CheckRecord{};
}

TEST(MonteCarloLocalisation, CheckFailsWhenFiltersAreBiasedOrBelieveInTooMuchOrGoAstray) {
  EXPECT_TRUE(CheckOf({}).passed) << CheckOf({}).text;
  EXPECT_TRUE(CheckOf({.lateral = 0.003}).passed);
  EXPECT_FALSE(CheckOf({.lateral = 0.004}).passed);  // 5.3 standard errors of 0.015 / 20
  EXPECT_FALSE(CheckOf({.lateral = -0.004}).passed);
  EXPECT_EQ(CheckOf({.lateral = -0.004}).text,
            "mean lateral and heading errors are 5.5 and 0 standard errors from 0, where symmetry puts them (limit 5)");
  EXPECT_FALSE(CheckOf({.heading = 0.0022}).passed);
  EXPECT_TRUE(CheckOf({.place_excess = 0.4}).passed) << CheckOf({.place_excess = 0.4}).text;
  EXPECT_FALSE(CheckOf({.place_excess = 0.5}).passed);  // 20 %, and 5 times 5 %
  EXPECT_FALSE(CheckOf({.place_excess = -0.3}).passed) << "as wrong: errors smaller than believed";
  EXPECT_FALSE(CheckOf({.heading_excess = 0.7}).passed);
  EXPECT_EQ(CheckOf({.heading_excess = 0.7}).text.substr(0, 69),
            "the squared error of the heading exceeds what the filters believe by ");
  EXPECT_TRUE(CheckOf({.astray = 1}).passed);
  EXPECT_EQ(CheckOf({.astray = 2}).text, "2 of 400 filters lost their way by more than 0.3 m");
  EXPECT_EQ(CheckOf({.lateral = 1}, 99).text, "the filters found the robot; 99 are too few to say more");
}

TEST(MonteCarloLocalisation, ParametersOutOfBoundsAreRefused) {
  EXPECT_EQ(Filters(1).Refusal(), "");
  EXPECT_EQ(Filters(1).Set("particles", "99").Refusal(), "particles = 99; write 100 to 2000");
  EXPECT_EQ(Filters(1).Set("particles", "2001").Refusal(), "particles = 2001; write 100 to 2000");
  EXPECT_EQ(Filters(1).Set("range_noise", "0.01").Refusal(), "range_noise = 0.01 m; write 0.03 to 1");
}

}  // namespace
}  // namespace corerig
