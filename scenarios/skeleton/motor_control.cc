#include "scenarios/skeleton/motor_control.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "harness/base/philox.h"
#include "harness/base/quantity.h"
#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr int kMotorsPerUnit = 32, kSteps = 10'000;
constexpr double kStep = 1e-4;      // s
constexpr double kConstant = 0.05;  // s: T of the data sheet
constexpr double kMostLeft = 1e-3;  // of the set point, after one second
constexpr double kDiverged = 1e300;

// A worker's result: plain values, no pointers. Extremes and counts merge to the same whichever worker saw what.
struct Outcome {
  std::uint64_t units = 0;
  double overshoot = 0;  // the largest, as a share of the set point
  double left = 0;       // the largest distance from it at the end
};

// One worker's computation: made, driven and destroyed on one thread.
class Controllers final : public Workload {
 public:
  explicit Controllers(const WorkerJob& job)
      : seed_(job.seed), gain_(job.Number("gain")), spread_(job.Number("spread")) {}

  // A pure function of seed and unit, some milliseconds long.
  void RunUnit(std::uint64_t unit) override {
    for (int i = 0; i < kMotorsPerUnit; ++i) {
      const auto drawn = RandomWords(seed_, StreamId("motor-control"), unit * kMotorsPerUnit + i);
      Try(kConstant * (1 + spread_ * (2 * UniformOpen(drawn[0]) - 1)));
    }
    ++outcome_.units;
  }

  std::size_t WriteResult(std::span<std::byte> out) const override {
    std::memcpy(out.data(), &outcome_, sizeof outcome_);
    return sizeof outcome_;
  }

 private:
  void Try(double constant) {
    double speed = 0, integral = 0, highest = 0;
    for (int step = 0; step < kSteps; ++step) {
      const double error = 1 - speed;
      speed += (gain_ * (error + integral) - speed) * kStep / constant;
      integral += error * kStep / kConstant;
      highest = std::max(highest, speed);
    }
    outcome_.overshoot = std::max(outcome_.overshoot, std::min(highest - 1, kDiverged));
    outcome_.left = std::max(outcome_.left, std::isfinite(speed) ? std::abs(1 - speed) : kDiverged);
  }

  const std::uint64_t seed_;
  const double gain_, spread_;
  Outcome outcome_;
};

// Also how a scenario is checked before anything starts: cheap, and what is wrong is said in one line.
Result<std::unique_ptr<Workload>> Make(const WorkerJob& job, const Surroundings&) {
  if (job.Number("spread") > 0.5) return Fail("spread is ", job.Number("spread"), "; no such motor passes inspection");
  return std::make_unique<Controllers>(job);
}

// The supervisor's side. Results come from other processes: nothing about them is taken for granted.
Result<Answer> Merge(const WorkerJob& job, std::span<const WorkerResult> results) {
  Outcome total;
  for (const WorkerResult& result : results) {
    Outcome outcome;
    if (result.bytes.size() != sizeof outcome) return Fail("worker ", job.group, ".", result.index, ": no outcome");
    std::memcpy(&outcome, result.bytes.data(), sizeof outcome);
    if (!std::isfinite(outcome.overshoot) || !(outcome.left >= 0)) {
      return Fail("worker ", job.group, ".", result.index, ": its outcome holds what is no number");
    }
    total.units += outcome.units;
    total.overshoot = std::max(total.overshoot, outcome.overshoot);
    total.left = std::max(total.left, outcome.left);
  }
  const double motors = static_cast<double>(total.units) * kMotorsPerUnit;
  return Answer{.units = total.units,
                .figures = {{"motors", motors, "motors"}, {"overshoot", total.overshoot, ""}},
                .check = CheckRecord{
                    .passed = total.left <= kMostLeft,
                    .text = StrCat("after a second the worst of ", motors, " motors is ", FormatShare(total.left),
                                   " from its set point (limit ", FormatShare(kMostLeft), ")")}};
}

}  // namespace

// The row: what a scenario may say of it, and the functions above. `corerig list` prints it.
WorkloadType MotorControl() {
  using Kind = ParameterInfo::Kind;
  return {.info = {.name = "motor-control",
                   .about = "tries a speed controller on motors that differ from their data sheet",
                   .unit = "32 motors",
                   .parameters = {{"gain", Kind::kPositiveNumber, "2", "of the controller"},
                                  {"spread", Kind::kShare, "0.2", "by how much time constants differ"}}},
          .make = Make,
          .result_size = [](const WorkerJob&) { return sizeof(Outcome); },
          .merge = Merge};
}

}  // namespace corerig
