// A Monte Carlo workload from its model: what a block of paths sums up to, and what follows from the sums of all
// blocks.
//
//   struct Pi {
//     static constexpr std::size_t kSums = 1;
//     static Result<Pi> Make(const WorkerJob& job);
//     void Block(std::uint64_t block, std::span<double> sums);     // adds what block `block` comes to
//     static Result<Answer> Conclude(const WorkerJob& job, const Tally& tally);
//   };
//   WorkloadType MonteCarloPi() { return MonteCarlo<Pi>({.name = "montecarlo/pi", …}); }
//
// A unit of work is a block, whose random numbers are a function of seed and block. The sums of blocks are added
// exactly (base/exact_sum.h), so the answer has the same bits for any number of workers, threads, processes and shards.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/child/workload.h"

namespace corerig {

// A figure in that many standard errors of what it is known to be. More than five fail the run: of 3.5 million runs
// that are right, one does.
inline constexpr double kMostStandardErrors = 5;
// "3.14159 is 1.2 standard errors from pi 3.14159 (limit 5)"; `known` names `expected`.
CheckRecord CheckAgainst(std::string_view known, double value, double expected, double standard_error);

// Of `count` values with these sums of values and squares: the mean, and its standard error.
struct MeanOf {
  double mean = 0, standard_error = 0, variance = 0;
  MeanOf(double count, double sum, double sum_squares);
};

// The width of the kernels' vectors in the answer, as a figure; 0 where shards were computed with different ones.
Figure VectorWidth(const Tally& tally);

// What the workers' results add up to. Fails with the worker whose bytes are wrong, or if no unit was done.
Result<Tally> MergeTallies(const WorkerJob& job, std::span<const WorkerResult> results, std::size_t sums);

template <typename Model>
WorkloadType MonteCarlo(const WorkloadInfo& info) {
  class Worker final : public Workload {
   public:
    explicit Worker(Model model) : model_(std::move(model)) {
      total_.sums.resize(Model::kSums);
      if constexpr (requires { Model::VectorBits(); }) total_.vector_bits = Model::VectorBits();
    }

    void RunUnit(std::uint64_t unit) override {
      double sums[Model::kSums] = {};
      model_.Block(unit, sums);
      for (std::size_t i = 0; i < Model::kSums; ++i) total_.sums[i].Add(sums[i]);
      ++total_.units;
    }

    std::size_t WriteResult(std::span<std::byte> out) const override { return WriteTally(total_, out); }

   private:
    Model model_;
    Tally total_;
  };

  return {.info = info,
          .make = [](const WorkerJob& job, const Surroundings&) -> Result<std::unique_ptr<Workload>> {
            auto model = Model::Make(job);
            if (!model) return Forward(model);
            return std::make_unique<Worker>(std::move(*model));
          },
          .result_size = [](const WorkerJob&) { return TallySize(Model::kSums); },
          .merge = [](const WorkerJob& job, std::span<const WorkerResult> results) -> Result<Answer> {
            auto tally = MergeTallies(job, results, Model::kSums);
            if (!tally) return Forward(tally);
            auto answer = Model::Conclude(job, *tally);
            if (answer) answer->tally = std::move(*tally);
            return answer;
          },
          .conclude = [](const WorkerJob& job, const Tally& tally) -> Result<Answer> {
            if (tally.sums.size() != Model::kSums) {
              return Fail("a tally of ", tally.sums.size(), " sums; this workload has ", Model::kSums);
            }
            return Model::Conclude(job, tally);
          }};
}

}  // namespace corerig
