// Rows as networks read them, in three parts: to learn from, to choose between models by, and held out for the
// judgement.
//
//   const auto data = MakeDataset(table, Goal::kClassify, seed);
//
// The parts are a random 60, 20 and 20 % of the rows. Columns, and targets, are standardised by mean and deviation of
// the part that is learned from. Read by many threads at once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/base/result.h"
#include "scenarios/train/aligned.h"
#include "scenarios/train/examples.h"

namespace corerig {

struct Samples {
  std::size_t columns = 0, row = 0;  // rows are `row` floats apart, in the form of SampleRow(columns)
  AlignedFloats features = {};
  std::vector<std::int32_t> labels = {};  // as in Examples
  std::vector<float> targets = {};

  std::size_t count() const { return row == 0 ? 0 : features.size() / row; }
  const float* Row(std::size_t i) const { return features.data() + i * row; }
};

struct Dataset {
  std::size_t columns = 0, classes = 0;
  Samples train = {}, validation = {}, held_out = {};  // of kReconstruct `train` has healthy rows alone
};

// Fails if a part lacks what its score needs: classes, or healthy and faulty rows, or targets that differ.
Result<Dataset> MakeDataset(const Examples& table, Goal goal, std::uint64_t seed);

// The held-out determination (score.h) of the linear model that fits the rows to learn from best: what a network must
// beat. Of kPredict.
double LinearDetermination(const Dataset& data);

}  // namespace corerig
