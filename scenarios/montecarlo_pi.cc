#include "scenarios/montecarlo_pi.h"

#include <cmath>
#include <numbers>
#include <vector>

#include "harness/base/philox.h"
#include "scenarios/monte_carlo.h"
#include "scenarios/simd/random_fill.h"
#include "scenarios/simd/vector_math.h"

namespace corerig {
namespace {

constexpr std::uint32_t kStream = StreamId("montecarlo/pi");

class Pi {
 public:
  static constexpr std::size_t kSums = 1;  // of points within the quarter circle

  static Result<Pi> Make(const WorkerJob& job) { return Pi(job.seed); }

  static std::uint32_t VectorBits() { return corerig::VectorBits(); }

  void Block(std::uint64_t block, std::span<double> sums) {
    for (std::uint64_t point = 0; point < kPointsPerBlock; point += kChunk) {
      const std::uint64_t first = (block * kPointsPerBlock + point) / 4;
      FillUniforms(seed_, kStream, first, x_, 0);
      FillUniforms(seed_, kStream, first, y_, 1);
      sums[0] += static_cast<double>(CountInCircle(x_, y_));
    }
  }

  static Result<Answer> Conclude(const WorkerJob&, const Tally& tally) {
    const double points = static_cast<double>(tally.units) * static_cast<double>(kPointsPerBlock);
    const double share = tally.sums[0].Value() / points;
    constexpr double kPi = std::numbers::pi;
    // Of a count of independent points, each inside with the probability pi/4.
    const double known_error = std::sqrt(kPi * (4 - kPi) / points);
    return Answer{.units = tally.units,
                  .figures = {{"pi", 4 * share, ""},
                              {"standard_error", 4 * std::sqrt(share * (1 - share) / points), ""},
                              {"points", points, "points"},
                              {"deviation", std::abs(4 * share - kPi) / known_error, "standard errors"},
                              VectorWidth(tally)},
                  .check = CheckAgainst("pi", 4 * share, kPi, known_error)};
  }

 private:
  static constexpr std::uint64_t kChunk = 1024;  // stays in the first cache

  explicit Pi(std::uint64_t seed) : seed_(seed), x_(kChunk), y_(kChunk) {}

  std::uint64_t seed_;
  std::vector<double> x_, y_;
};

}  // namespace

WorkloadType MonteCarloPi() {
  return MonteCarlo<Pi>({.name = "montecarlo/pi",
                         .about = "estimates pi by points in a square and checks it against pi",
                         .unit = "block of 65536 points",
                         .parameters = {}});
}

}  // namespace corerig
