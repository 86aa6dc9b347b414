#include "scenarios/montecarlo_pi.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/base/philox.h"
#include "scenarios/simd/kernel_choice.h"

namespace corerig {
namespace {

const WorkloadType kWorkload = MonteCarloPi();

Tally TallyOf(std::uint64_t first, std::uint64_t units, std::uint64_t seed = 42) {
  const WorkerJob job{.group = "pi", .seed = seed, .units = {}, .parameters = {}};
  auto workload = kWorkload.make(job, {});
  EXPECT_TRUE(workload.has_value());
  for (std::uint64_t unit = first; unit < first + units; ++unit) (*workload)->RunUnit(unit);
  std::vector<std::byte> bytes(kWorkload.result_size(job));
  bytes.resize((*workload)->WriteResult(bytes));
  return *ReadTally(bytes, 1);
}

Answer Conclude(const Tally& tally) { return *kWorkload.conclude({}, tally); }

TEST(MonteCarloPi, ABlockCountsThePointsOfItsDrawsOnAnyCpu) {
  constexpr std::uint64_t kBlock = 5;
  int inside = 0;
  for (std::uint64_t point = 0; point < kPointsPerBlock; ++point) {
    const std::uint64_t index = (kBlock * kPointsPerBlock + point) / 4;
    const auto coordinate = [&](std::uint32_t lane) {
      return UniformOpen(RandomWords(42, StreamId("montecarlo/pi"), index, lane)[point % 4]);
    };
    inside += coordinate(0) * coordinate(0) + coordinate(1) * coordinate(1) < 1;
  }
  for (const Kernels* kernels : KernelsOfThisCpu()) {
    const ForcedKernels forced(*kernels);
    EXPECT_EQ(TallyOf(kBlock, 1).sums[0].Value(), inside) << kernels->name;
  }
}

TEST(MonteCarloPi, ErrorsOverSeedsAreStandardNormal) {
  constexpr int kSeeds = 200;
  double sum = 0, squares = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const Answer answer = Conclude(TallyOf(0, 1, static_cast<std::uint64_t>(seed)));
    EXPECT_TRUE(answer.check->passed) << "seed " << seed << ": " << answer.check->text;
    const double z = (answer.figures[0].value - 3.14159265358979) / answer.figures[1].value;
    EXPECT_NEAR(answer.figures[3].value, std::abs(z), 0.05 * std::abs(z));
    sum += z;
    squares += z * z;
  }
  EXPECT_NEAR(sum / kSeeds, 0, 4 / std::sqrt(kSeeds));
  EXPECT_NEAR(squares / kSeeds, 1, 4 * std::sqrt(2.0 / kSeeds));
}

TEST(MonteCarloPi, CheckFailsIfOneInTwoHundredPointsIsOnTheWrongSide) {
  // The standard error of 8 blocks is a share of 0.00072 of pi: five are 0.0036.
  Tally tally = TallyOf(0, 8);
  EXPECT_TRUE(Conclude(tally).check->passed) << Conclude(tally).check->text;
  EXPECT_EQ(Conclude(tally).figures[2].value, 8 * 65536.0);
  for (const double share : {0.006, -0.006}) {
    Tally off = tally;
    off.sums[0].Add(tally.sums[0].Value() * share);
    EXPECT_FALSE(Conclude(off).check->passed) << Conclude(off).check->text;
  }
}

}  // namespace
}  // namespace corerig
