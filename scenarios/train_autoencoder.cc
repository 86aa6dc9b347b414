#include "scenarios/train_autoencoder.h"

#include "scenarios/train/bearing.h"
#include "scenarios/train/workload.h"

namespace corerig {
namespace {

constexpr TrainingTask kTask = {
    .goal = Goal::kReconstruct, .score = "auc", .simulate = [](std::size_t rows, std::uint64_t seed) {
      return BearingTable(rows, seed, Goal::kReconstruct);
    }};

}  // namespace

// Before it has learned anything the area is 0.94: large spectra are reproduced worse.
WorkloadType TrainAutoencoder() {
  return TrainingWorkload<&kTask>(
      {.name = "train/autoencoder",
       .about = "learns what healthy machines sound like, judged by how it tells faulty ones",
       .unit = kTrainingUnit,
       .parameters = TrainingParameters({.hidden = "8",
                                         .optimiser = "adam",
                                         .rate = "0.002",
                                         .epochs = "30",
                                         .rows = "3000",
                                         .least_score = "0.955"})});
}

}  // namespace corerig
