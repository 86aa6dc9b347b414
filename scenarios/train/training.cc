#include "scenarios/train/training.h"

#include <algorithm>
#include <cmath>

#include "harness/base/philox.h"
#include "scenarios/train/score.h"
#include "scenarios/train/shuffle.h"

namespace corerig {
namespace {

constexpr std::uint32_t kOrder = StreamId("train/order");
constexpr std::size_t kScoredAtOnce = 64;

// Asks for a row before it is needed: rows are read in random order, which no cache foresees.
void Prefetch(const float* row, std::size_t count) {
  constexpr std::size_t kLine = 64 / sizeof(float);
  for (std::size_t i = 0; i < count; i += kLine) __builtin_prefetch(row + i);
}

std::size_t ShareOf(std::size_t batch, const AllReduce* together, int more) {
  if (together == nullptr) return more == 0 ? 0 : batch;
  return batch * static_cast<std::size_t>(together->index() + more) / static_cast<std::size_t>(together->parties());
}

}  // namespace

std::vector<std::size_t> UnitsOf(std::size_t columns, std::size_t classes, Goal goal, const HyperParameters& with) {
  std::vector<std::size_t> units(1 + with.layers, with.hidden);
  units.front() = columns;
  units.push_back(goal == Goal::kClassify ? classes : goal == Goal::kReconstruct ? columns : 1);
  return units;
}

Training::Training(const Dataset& data, Goal goal, const HyperParameters& with, std::uint64_t seed, std::uint32_t model,
                   AllReduce* together, const TrainKernels& kernels)
    : data_(data),
      goal_(goal),
      with_(with),
      seed_(seed),
      model_(model),
      together_(together),
      from_(ShareOf(with.batch, together, 0)),
      to_(ShareOf(with.batch, together, 1)),
      network_(UnitsOf(data.columns, data.classes, goal, with), std::max(to_ - from_, kScoredAtOnce), kernels),
      optimiser_(with.optimiser, network_.parameters().size(), kernels),
      order_(data.train.count()),
      labels_(with.batch),
      targets_(goal == Goal::kPredict ? with.batch * kPadding : 0) {
  network_.Initialise(seed, model);
  StartEpoch();
}

void Training::StartEpoch() {
  Shuffle(order_, {.seed = seed_, .stream = kOrder, .lane = model_, .turn = epoch_}, words_);
  step_in_epoch_ = 0;
  loss_ = 0;
}

Training::Stepped Training::Step() {
  const Samples& train = data_.train;
  const std::uint32_t* order = order_.data() + step_in_epoch_ * with_.batch + from_;
  const std::size_t rows = to_ - from_, padded = Padded(train.columns);
  float* inputs = network_.inputs();
  const bool more = (step_in_epoch_ + 2) * with_.batch <= order_.size();
  for (std::size_t i = 0; i < rows; ++i) {
    if (more) Prefetch(train.Row(order[i + with_.batch]), padded);
    std::copy_n(train.Row(order[i]), padded, inputs + i * train.row);
    if (goal_ == Goal::kClassify) labels_[i] = train.labels[order[i]];
    if (goal_ == Goal::kPredict) targets_[i * kPadding] = train.targets[order[i]];
  }
  const float scale = 1 / static_cast<float>(with_.batch);
  double loss = goal_ == Goal::kClassify      ? network_.CrossEntropy(rows, labels_.data(), scale)
                : goal_ == Goal::kReconstruct ? network_.SquaredError(rows, inputs, train.row, scale)
                                              : network_.SquaredError(rows, targets_.data(), kPadding, scale);
  if (together_ != nullptr && !together_->Sum(network_.gradient(), loss)) return Stepped::kInterrupted;
  if (!std::isfinite(loss)) return Stepped::kDiverged;
  optimiser_.Step(network_.parameters(), network_.gradient());
  ++steps_;
  loss_ += loss;
  if (++step_in_epoch_ == StepsPerEpoch()) {
    last_loss_ = loss_ / static_cast<double>(StepsPerEpoch() * with_.batch);
    if (++epoch_ < with_.epochs) StartEpoch();
  }
  return Stepped::kOn;
}

double Training::loss() const {
  if (epoch_ > 0) return last_loss_;
  return step_in_epoch_ == 0 ? 0 : loss_ / static_cast<double>(step_in_epoch_ * with_.batch);
}

double Training::Score(const Samples& samples) {
  const std::size_t outputs = network_.output_row(), padded = Padded(samples.columns);
  std::vector<float> said;  // of each row: whether it is right, its error, or its value
  said.reserve(samples.count());
  for (std::size_t begin = 0; begin < samples.count(); begin += kScoredAtOnce) {
    const std::size_t rows = std::min(kScoredAtOnce, samples.count() - begin);
    for (std::size_t i = 0; i < rows; ++i) {
      std::copy_n(samples.Row(begin + i), padded, network_.inputs() + i * samples.row);
    }
    const float* out = network_.Outputs(rows);
    for (std::size_t i = 0; i < rows; ++i, out += outputs) {
      if (goal_ == Goal::kClassify) {
        const auto best = std::max_element(out, out + data_.classes) - out;
        said.push_back(best == samples.labels[begin + i] ? 1 : 0);
      } else if (goal_ == Goal::kReconstruct) {
        float error = 0;
        for (std::size_t c = 0; c < samples.columns; ++c) {
          const float difference = out[c] - samples.Row(begin + i)[c];
          error += difference * difference;
        }
        said.push_back(error);
      } else {
        said.push_back(out[0]);
      }
    }
  }
  if (goal_ == Goal::kReconstruct) return AreaUnderCurve(said, samples.labels);
  if (goal_ == Goal::kPredict) return Determination(said, samples.targets);
  double right = 0;
  for (const float one : said) right += static_cast<double>(one);
  return right / static_cast<double>(samples.count());
}

}  // namespace corerig
