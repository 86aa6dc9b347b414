// A training workload from its task: what it learns from if the user brings nothing, and what the score is called.
//
//   constexpr TrainingTask kTask = {.goal = Goal::kClassify, .score = "accuracy", .simulate = …};
//   WorkloadType TrainVibration() {
//     return TrainingWorkload<&kTask>({.name = "train/vibration", …, .parameters = TrainingParameters(kDefaults)});
//   }
//
// A worker trains models, one after the other, each for its epochs; a unit of work is some mini-batches. What the
// workers have in common follows from `mode`:
//
//   independent     an ensemble: every model has its own initial weights and order; all are judged by their mean
//   search          every model has hyper-parameters drawn from SearchSpace; the best in validation is judged
//   data-parallel   all workers train the same model, each with its share of every mini-batch (all_reduce.h)
//
// Held-out rows decide: a score below the parameter least_score fails the run.
#pragma once

#include <string_view>
#include <vector>

#include "harness/child/workload.h"
#include "scenarios/train/examples.h"
#include "scenarios/train/training.h"

namespace corerig {

inline constexpr std::size_t kSamplesPerUnit = 1024;
inline constexpr std::string_view kTrainingUnit = "1024 samples, in mini-batches";

struct TrainingTask {
  Goal goal;
  std::string_view score;  // "accuracy"
  Examples (*simulate)(std::size_t rows, std::uint64_t seed);
};

// Values in a scenario file that says nothing.
struct TrainingDefaults {
  std::string_view hidden, optimiser, rate, epochs, rows, least_score;
};
std::vector<ParameterInfo> TrainingParameters(const TrainingDefaults& defaults);

// Hyper-parameters of model `model` of a search: hidden 8, 16, 32 or 64 units; mini-batches of 16, 32, 64 or 128;
// either optimiser; its rate log-uniform from 1e-4 to 1e-1, momentum uniform from 0.5 to 0.99. The rest is `given`.
HyperParameters SearchSpace(const HyperParameters& given, std::uint64_t seed, std::uint32_t model);

namespace training_internal {
Result<std::unique_ptr<Workload>> Make(const TrainingTask& task, const WorkerJob& job, const Surroundings& around);
Result<std::unique_ptr<WorkloadInput>> Load(const TrainingTask& task, const WorkerJob& job);
Result<Answer> Merge(const TrainingTask& task, const WorkerJob& job, std::span<const WorkerResult> results);
std::size_t ResultSize(const WorkerJob& job);
std::size_t ExchangeSize(const WorkerJob& job);
}  // namespace training_internal

template <const TrainingTask* kTask>
WorkloadType TrainingWorkload(const WorkloadInfo& info) {
  namespace internal = training_internal;
  return {.info = info,
          .make = [](const WorkerJob& job, const Surroundings& around) { return internal::Make(*kTask, job, around); },
          .result_size = internal::ResultSize,
          .merge = [](const WorkerJob& job,
                      std::span<const WorkerResult> results) { return internal::Merge(*kTask, job, results); },
          .load = [](const WorkerJob& job) { return internal::Load(*kTask, job); },
          .exchange_size = internal::ExchangeSize};
}

}  // namespace corerig
