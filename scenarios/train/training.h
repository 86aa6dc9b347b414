// One model in training: a network of a dataset's shape, an optimiser, and an order of mini-batches that is a function
// of seed and model.
//
//   Training training(data, Goal::kClassify, {.hidden = 32, .batch = 32}, seed, model);
//   while (!training.done()) training.Step();
//   training.Score(data.held_out);
//
// Several can train one model together: each takes its share of every mini-batch, and the gradients are summed
// (all_reduce.h). One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "scenarios/train/all_reduce.h"
#include "scenarios/train/dataset.h"
#include "scenarios/train/network.h"
#include "scenarios/train/optimiser.h"

namespace corerig {

struct HyperParameters {
  std::size_t hidden = 32, layers = 1;  // units of a hidden layer, how many such layers
  std::size_t batch = 32;
  std::size_t epochs = 30;
  Optimiser::Settings optimiser = {};
};

// Of a network for such a dataset.
std::vector<std::size_t> UnitsOf(std::size_t columns, std::size_t classes, Goal goal, const HyperParameters& with);

class Training {
 public:
  // `data` outlives it. With `together` this is one of several that train the same model; it outlives this too. A
  // mini-batch has at most as many rows as there are to learn from.
  Training(const Dataset& data, Goal goal, const HyperParameters& with, std::uint64_t seed, std::uint32_t model,
           AllReduce* together = nullptr, const TrainKernels& kernels = BestTrainKernels());

  enum class Stepped { kOn, kDiverged, kInterrupted };
  // Learns from one mini-batch. kDiverged: the loss is not finite, and there is no use in going on. kInterrupted: told
  // to stop while waiting for the others; nothing was learned. Throws what all_reduce.h says of one that died.
  Stepped Step();
  bool done() const { return epoch_ == with_.epochs; }

  // How good it is: share of right classes, area under the curve of the reproduction's error, or determination.
  double Score(const Samples& samples);

  // The mean loss of a row, over the last full epoch (the current one, if there is none); half the squared error, or
  // cross entropy in nats.
  double loss() const;
  std::uint64_t steps() const { return steps_; }
  const HyperParameters& with() const { return with_; }
  std::span<const float> parameters() const { return network_.parameters(); }

 private:
  std::size_t StepsPerEpoch() const { return order_.size() / with_.batch; }
  void StartEpoch();

  const Dataset& data_;
  const Goal goal_;
  const HyperParameters with_;
  const std::uint64_t seed_;
  const std::uint32_t model_;
  AllReduce* const together_;
  const std::size_t from_, to_;  // this one's share of a mini-batch
  Network network_;
  Optimiser optimiser_;
  std::vector<std::uint32_t> order_, words_;
  std::vector<std::int32_t> labels_;
  AlignedFloats targets_;
  std::size_t epoch_ = 0, step_in_epoch_ = 0;
  std::uint64_t steps_ = 0;
  double loss_ = 0, last_loss_ = 0;
};

}  // namespace corerig
