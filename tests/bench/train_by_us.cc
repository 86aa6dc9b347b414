#include "scenarios/train/training.h"
#include "tests/bench/train_peers.h"

namespace corerig {

TrainingSpeed TrainByUs(const TrainingRows& rows, std::size_t batch, int epochs) {
  // As the workloads train, random order of every epoch included.
  Dataset data{.columns = TrainingRows::kFeatures, .classes = TrainingRows::kClasses};
  data.train = {.columns = TrainingRows::kFeatures, .row = SampleRow(TrainingRows::kFeatures), .labels = rows.labels};
  data.train.features.resize(rows.count * data.train.row);
  for (std::size_t r = 0; r < rows.count; ++r) {
    std::copy_n(rows.features.data() + r * TrainingRows::kFeatures, TrainingRows::kFeatures,
                data.train.features.data() + r * data.train.row);
  }
  Training training(data, Goal::kClassify,
                    {.hidden = TrainingRows::kHidden,
                     .batch = batch,
                     .epochs = static_cast<std::size_t>(epochs) + 1,
                     .optimiser = {.rate = static_cast<float>(kRate), .momentum = static_cast<float>(kMomentum)}},
                    42, 0);
  const std::uint64_t steps = rows.count / batch;
  while (training.steps() < steps) training.Step();
  const double begin = CpuSeconds();
  while (!training.done()) training.Step();
  return {static_cast<double>(rows.count) * epochs / (CpuSeconds() - begin), training.loss()};
}

}  // namespace corerig
