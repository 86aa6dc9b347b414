#include "scenarios/montecarlo_reliability.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "harness/base/philox.h"
#include "harness/base/text.h"
#include "scenarios/simd/kernel_choice.h"

namespace corerig {
namespace {

const WorkloadType kWorkload = MonteCarloReliability();

WorkerJob Job(const std::map<std::string, std::string>& parameters, std::uint64_t seed = 42) {
  WorkerJob job{.group = "system", .seed = seed, .units = {}, .parameters = {}};
  for (const ParameterInfo& parameter : kWorkload.info.parameters) {
    const auto given = parameters.find(std::string(parameter.name));
    job.parameters.push_back({std::string(parameter.name),
                              given == parameters.end() ? std::string(parameter.default_value) : given->second});
  }
  return job;
}

Tally TallyOf(const WorkerJob& job, std::uint64_t units) {
  auto workload = kWorkload.make(job, {});
  EXPECT_TRUE(workload.has_value()) << workload.error().message;
  for (std::uint64_t unit = 0; unit < units; ++unit) (*workload)->RunUnit(unit);
  std::vector<std::byte> bytes(kWorkload.result_size(job));
  bytes.resize((*workload)->WriteResult(bytes));
  return *ReadTally(bytes, 3);
}

double FigureOf(const Answer& answer, std::string_view name) {
  for (const Figure& figure : answer.figures) {
    if (figure.name == name) return figure.value;
  }
  ADD_FAILURE() << "no figure " << name;
  return std::nan("");
}

// The formulas of textbooks (Birolini, "Reliability Engineering", 6.6 and A7; Trivedi, "Probability and Statistics with
// Reliability", chapter 8), for a lifetime of 1000 hours.
TEST(ExpectedEndurance, IsThatOfTheTextbooks) {
  const auto hours = [](RedundantSystem system) { return ExpectedEndurance(system).hours; };
  EXPECT_DOUBLE_EQ(hours({1, 1, 1000, false, 0, 1}), 1000);
  // k out of n, hot: (1/n + … + 1/k) lifetimes.
  EXPECT_DOUBLE_EQ(hours({3, 2, 1000, false, 0, 1}), 1000 * (1.0 / 3 + 1.0 / 2));
  EXPECT_DOUBLE_EQ(hours({5, 2, 1000, false, 0, 1}), 1000 * (1.0 / 5 + 1.0 / 4 + 1.0 / 3 + 1.0 / 2));
  // Cold: n - k + 1 times the time to the first failure of k parts.
  EXPECT_DOUBLE_EQ(hours({5, 2, 1000, true, 0, 1}), 1000 * 4 / 2.0);
  // 1 out of 2 with repair: (3 l + m) / 2 l^2 hot, (2 l + m) / l^2 cold.
  const double l = 1e-3, m = 1.0 / 20;
  EXPECT_NEAR(hours({2, 1, 1000, false, 20, 1}), (3 * l + m) / (2 * l * l), 1e-8);
  EXPECT_NEAR(hours({2, 1, 1000, true, 20, 1}), (2 * l + m) / (l * l), 1e-8);
  // 2 out of 3 with repair: (5 l + m) / 6 l^2.
  EXPECT_NEAR(hours({3, 2, 1000, false, 20, 1}), (5 * l + m) / (6 * l * l), 1e-8);
  // 1 out of 3, hot, with repair by two crews: (11 l^2 + 4 l m + 2 m^2 + … ) by the chain's equations, solved by hand:
  // h0 = 1/3l, h1 = (1 + m h0)/2l, h2 = (1 + 2 m h1)/l.
  const double h0 = 1 / (3 * l), h1 = (1 + m * h0) / (2 * l), h2 = (1 + 2 * m * h1) / l;
  EXPECT_NEAR(hours({3, 1, 1000, false, 20, 2}), h0 + h1 + h2, 1e-6);
}

TEST(ExpectedEndurance, CountsEventsAsAWalkTakesThem) {
  EXPECT_EQ(ExpectedEndurance({5, 2, 1000, false, 0, 1}).events, 4);
  // 1 out of 2, repair as fast as failure of one: a failure, then even odds. The expected number is 1 + 2 + 1.
  EXPECT_DOUBLE_EQ(ExpectedEndurance({2, 1, 1000, false, 1000, 1}).events, 4);
}

// A simulation of another kind: every part has a time of its own at which it fails or is repaired.
double HoursByParts(const RedundantSystem& system, std::uint64_t index) {
  std::uint32_t draws = 0;
  const auto after = [&](double mean) {
    return -mean * std::log(UniformOpen(RandomWords(9, StreamId("by parts"), index, draws++)[0]));
  };
  std::vector<double> fails;     // of the parts in service: when
  std::vector<double> repaired;  // of the parts under repair: when
  int idle = 0, waiting = 0;     // spares that do not age, and failed parts without a crew
  const int in_service = system.is_cold ? system.needed : system.parts;
  for (int i = 0; i < in_service; ++i) fails.push_back(after(system.lifetime));
  idle = system.parts - in_service;
  for (;;) {
    const auto failure = std::min_element(fails.begin(), fails.end());
    const auto repair = std::min_element(repaired.begin(), repaired.end());
    if (repair == repaired.end() || *failure < *repair) {
      const double now = *failure;
      fails.erase(failure);
      if (system.repair > 0) {
        if (static_cast<int>(repaired.size()) < system.crews) {
          repaired.push_back(now + after(system.repair));
        } else {
          ++waiting;
        }
      }
      if (idle > 0) {
        --idle;
        fails.push_back(now + after(system.lifetime));
      }
      if (static_cast<int>(fails.size()) < system.needed) return now;
    } else {
      const double now = *repair;
      repaired.erase(repair);
      if (waiting > 0) {
        --waiting;
        repaired.push_back(now + after(system.repair));
      }
      if (static_cast<int>(fails.size()) < in_service) {
        fails.push_back(now + after(system.lifetime));
      } else {
        ++idle;
      }
    }
  }
}

const std::map<std::string, std::string> kSystems[] = {
    {},
    {{"parts", "1"}, {"needed", "1"}},
    {{"parts", "5"}, {"needed", "2"}},
    {{"parts", "5"}, {"needed", "2"}, {"standby", "cold"}},
    {{"repair", "100"}},
    {{"parts", "4"}, {"needed", "2"}, {"repair", "500"}, {"crews", "2"}},
    {{"parts", "4"}, {"needed", "2"}, {"repair", "500"}, {"standby", "cold"}},
    {{"parts", "2"}, {"needed", "1"}, {"repair", "10"}},
};

TEST(MonteCarloReliability, TimesAgreeWithTheChainAndWithASimulationOfEachPart) {
  for (const auto& parameters : kSystems) {
    const WorkerJob job = Job(parameters);
    const RedundantSystem system{static_cast<int>(job.Number("parts")),
                                 static_cast<int>(job.Number("needed")),
                                 1000,
                                 job.Word("standby") == "cold",
                                 job.Number("repair"),
                                 static_cast<int>(job.Number("crews"))};
    const auto what = StrCat(system.needed, " of ", system.parts, " ", job.Word("standby"), " ", system.repair);
    const std::uint64_t units = system.repair == 10 ? 4 : 20;
    const auto answer = kWorkload.conclude(job, TallyOf(job, units));
    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(answer->check->passed) << what << ": " << answer->check->text;
    const double mean = FigureOf(*answer, "time_to_failure"), error = FigureOf(*answer, "standard_error");
    EXPECT_LT(error, 0.04 * mean);
    EXPECT_NEAR(FigureOf(*answer, "expected"), mean, 5 * error);
    EXPECT_NEAR(FigureOf(*answer, "events") / ExpectedEndurance(system).events, 1, 0.1) << what;
    double sum = 0, squares = 0;
    constexpr int kBySystems = 3000;
    for (int i = 0; i < kBySystems; ++i) {
      const double hours = HoursByParts(system, static_cast<std::uint64_t>(i));
      sum += hours;
      squares += hours * hours;
    }
    const double by_parts = sum / kBySystems;
    const double its_variance = (squares / kBySystems - by_parts * by_parts) / kBySystems;
    EXPECT_NEAR(mean, by_parts, 5 * std::sqrt(error * error + its_variance)) << what;
  }
}

TEST(ExpectedEndurance, SpreadIsThatOfASumOfWaits) {
  const auto variance = [](const RedundantSystem& system) {
    const double deviation = ExpectedEndurance(system).standard_deviation;
    return deviation * deviation;
  };
  EXPECT_NEAR(variance({1, 1, 1000, false, 0, 1}), 1e6, 1e-6);
  // Without repair each wait is exponential, and their variances add up.
  EXPECT_NEAR(variance({5, 2, 1000, false, 0, 1}), 1e6 * (1.0 / 25 + 1.0 / 16 + 1.0 / 9 + 1.0 / 4), 1e-6);
  EXPECT_NEAR(variance({5, 2, 1000, true, 0, 1}), 1e6 * 4 / 4.0, 1e-6);
  // 1 out of 2, hot, with repair: the Laplace transform 2 l^2 / (s^2 + (3 l + m) s + 2 l^2) has the variance
  // (mean)^2 - 2 / 2 l^2.
  const double l = 1e-3, m = 1.0 / 20, mean = (3 * l + m) / (2 * l * l);
  EXPECT_NEAR(variance({2, 1, 1000, false, 20, 1}) / (mean * mean - 1 / (l * l)), 1, 1e-12);
}

TEST(MonteCarloReliability, TheSpreadOfTimesIsThatOfTheChain) {
  for (const RedundantSystem& system :
       {RedundantSystem{3, 2, 1000, false, 0, 1}, {3, 2, 1000, false, 400, 1}, {4, 2, 1000, true, 400, 2}}) {
    const WorkerJob job = Job({{"parts", StrCat(system.parts)},
                               {"needed", "2"},
                               {"standby", system.is_cold ? "cold" : "hot"},
                               {"repair", StrCat(system.repair)},
                               {"crews", StrCat(system.crews)}});
    const auto answer = kWorkload.conclude(job, TallyOf(job, 100));
    const double sample = FigureOf(*answer, "standard_error") * std::sqrt(FigureOf(*answer, "systems"));
    // The variance of a sample of exponential times has a standard error of a share of sqrt(8/n).
    EXPECT_NEAR(std::pow(sample / ExpectedEndurance(system).standard_deviation, 2), 1, 5 * std::sqrt(8.0 / 102400))
        << system.repair;
  }
}

TEST(MonteCarloReliability, ABlockHasFewerSystemsTheMoreOftenTheyAreRepaired) {
  EXPECT_EQ(SystemsPerBlock({3, 2, 1000, false, 0, 1}), 1024u);
  // 2002 events each.
  EXPECT_EQ(SystemsPerBlock({2, 1, 1000, false, 1, 1}), 128u);
  EXPECT_EQ(SystemsPerBlock({2, 1, 1000, false, 0.07, 1}), 32u);
  const WorkerJob job = Job({{"parts", "2"}, {"needed", "1"}, {"repair", "1"}});
  const auto answer = kWorkload.conclude(job, TallyOf(job, 3));
  EXPECT_EQ(FigureOf(*answer, "systems"), 3 * 128);
  EXPECT_NEAR(FigureOf(*answer, "events") / 2002, 1, 5 / std::sqrt(3.0 * 128));
  EXPECT_TRUE(answer->check->passed) << answer->check->text;
}

TEST(MonteCarloReliability, ErrorsOverSeedsAreStandardNormal) {
  constexpr int kSeeds = 200;
  double sum = 0, squares = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const WorkerJob job = Job({{"repair", "300"}}, static_cast<std::uint64_t>(seed));
    const auto answer = kWorkload.conclude(job, TallyOf(job, 2));
    const double z =
        (FigureOf(*answer, "time_to_failure") - FigureOf(*answer, "expected")) / FigureOf(*answer, "standard_error");
    EXPECT_NEAR(FigureOf(*answer, "deviation"), std::abs(z), 0.2 * std::abs(z));
    sum += z;
    squares += z * z;
  }
  EXPECT_NEAR(sum / kSeeds, 0, 4 / std::sqrt(kSeeds));
  EXPECT_NEAR(squares / kSeeds, 1, 4 * std::sqrt(2.0 / kSeeds));
}

TEST(MonteCarloReliability, AnswersOfAllVectorWidthsAgreeToTwelveDigits) {
  const WorkerJob job = Job({{"parts", "4"}, {"repair", "300"}});
  std::vector<Answer> answers;
  for (const Kernels* kernels : KernelsOfThisCpu()) {
    const ForcedKernels forced(*kernels);
    answers.push_back(*kWorkload.conclude(job, TallyOf(job, 3)));
  }
  for (const Answer& answer : answers) {
    for (const char* figure : {"time_to_failure", "standard_error"}) {
      EXPECT_NEAR(FigureOf(answer, figure) / FigureOf(answers[0], figure), 1, 1e-12) << figure;
    }
    EXPECT_EQ(FigureOf(answer, "events"), FigureOf(answers[0], "events"));
  }
}

TEST(MonteCarloReliability, CheckFailsIfTimesAreOff) {
  const WorkerJob job = Job({});
  const Tally tally = TallyOf(job, 20);
  EXPECT_TRUE(kWorkload.conclude(job, tally)->check->passed);
  for (const double share : {0.04, -0.04}) {  // one standard error of 20480 systems is a share of 0.005
    Tally off = tally;
    off.sums[0].Add(tally.sums[0].Value() * share);
    EXPECT_FALSE(kWorkload.conclude(job, off)->check->passed);
  }
}

TEST(MonteCarloReliability, SystemsThatAreNoneAreRefused) {
  const auto refusal = [](const std::map<std::string, std::string>& parameters) {
    const auto workload = kWorkload.make(Job(parameters), {});
    return workload ? "accepted" : workload.error().message;
  };
  for (const auto& parameters : kSystems) EXPECT_EQ(refusal(parameters), "accepted");
  EXPECT_EQ(refusal({{"standby", "warm"}}),
            "standby \"warm\" is unknown; write \"hot\" (spares age, too) or \"cold\" (they do not)");
  EXPECT_EQ(refusal({{"parts", "0"}}), "parts is 0; a system has 1 to 1000");
  EXPECT_EQ(refusal({{"needed", "4"}}), "needed is 4 of 3 parts; at least one, at most all are");
  EXPECT_EQ(refusal({{"needed", "0"}}), "needed is 0 of 3 parts; at least one, at most all are");
  EXPECT_EQ(refusal({{"crews", "0"}}), "crews is 0 for 3 parts; write 1 to 3");
  EXPECT_EQ(refusal({{"crews", "4"}}), "crews is 4 for 3 parts; write 1 to 3");
  EXPECT_EQ(refusal({{"repair", "0.01"}}),
            "such a system fails after 100002 failures and repairs on average, more than the 30000 that are followed; "
            "repair slower, or have fewer spares");
  EXPECT_EQ(refusal({{"lifetime", "1e200"}}), "lifetime is 1e200 hours; such times overflow");
}

}  // namespace
}  // namespace corerig
