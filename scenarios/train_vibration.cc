#include "scenarios/train_vibration.h"

#include "scenarios/train/bearing.h"
#include "scenarios/train/workload.h"

namespace corerig {
namespace {

constexpr TrainingTask kTask = {
    .goal = Goal::kClassify, .score = "accuracy", .simulate = [](std::size_t rows, std::uint64_t seed) {
      return BearingTable(rows, seed, Goal::kClassify);
    }};

}  // namespace

WorkloadType TrainVibration() {
  return TrainingWorkload<&kTask>(
      {.name = "train/vibration",
       .about = "learns to tell a bearing's faults from its vibration, judged on held-out windows",
       .unit = kTrainingUnit,
       .parameters = TrainingParameters({.hidden = "32",
                                         .optimiser = "sgd",
                                         .rate = "0.01",
                                         .epochs = "30",
                                         .rows = "3000",
                                         .least_score = "0.9"})});
}

}  // namespace corerig
