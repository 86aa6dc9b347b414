#include "scenarios/train_regression.h"

#include "scenarios/train/battery.h"
#include "scenarios/train/workload.h"

namespace corerig {
namespace {

constexpr TrainingTask kTask = {.goal = Goal::kPredict, .score = "r2", .simulate = BatteryTable};

}  // namespace

// The best linear model comes to 0.972: the default of least_score is above.
WorkloadType TrainRegression() {
  return TrainingWorkload<&kTask>({.name = "train/regression",
                                   .about = "learns a cell's state of charge from what a battery monitor measures",
                                   .unit = kTrainingUnit,
                                   .parameters = TrainingParameters({.hidden = "32",
                                                                     .optimiser = "sgd",
                                                                     .rate = "0.01",
                                                                     .epochs = "30",
                                                                     .rows = "3000",
                                                                     .least_score = "0.98"})});
}

}  // namespace corerig
