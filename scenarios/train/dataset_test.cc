#include "scenarios/train/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "harness/base/philox.h"
#include "scenarios/train/kernels.h"
#include "scenarios/train/score.h"
#include "scenarios/train/shuffle.h"

namespace corerig {
namespace {

double Uniform(std::uint64_t index) { return UniformOpen(RandomWords(11, 1, index)[0]); }

// Rows (i, 5, random) of label i % 3.
Examples Sample(std::size_t rows) {
  Examples table{.name = "data.csv", .columns = 3, .classes = {"a", "b", "c"}};
  for (std::size_t i = 0; i < rows; ++i) {
    table.values.insert(table.values.end(), {static_cast<float>(i), 5, static_cast<float>(Uniform(i))});
    table.labels.push_back(static_cast<std::int32_t>(i % 3));
  }
  return table;
}

TEST(Shuffle, IsAPermutationAndAFunctionOfItsArguments) {
  std::vector<std::uint32_t> order(101), same(101), other(101), words;
  Shuffle(order, {.seed = 1, .stream = 2, .lane = 3, .turn = 4}, words);
  Shuffle(other, {.seed = 1, .stream = 2, .lane = 3, .turn = 5}, words);
  Shuffle(same, {.seed = 1, .stream = 2, .lane = 3, .turn = 4}, words);
  EXPECT_EQ(order, same);
  EXPECT_NE(order, other);
  EXPECT_EQ(std::set<std::uint32_t>(order.begin(), order.end()).size(), 101u);
  EXPECT_EQ(*std::max_element(order.begin(), order.end()), 100u);
}

TEST(Shuffle, EveryOrderIsAsLikely) {
  std::map<std::vector<std::uint32_t>, int> seen;
  std::vector<std::uint32_t> order(4), words;
  for (std::uint64_t turn = 0; turn < 24'000; ++turn) {
    Shuffle(order, {.seed = 1, .turn = turn}, words);
    ++seen[order];
  }
  EXPECT_EQ(seen.size(), 24u);
  for (const auto& [which, count] : seen) EXPECT_NEAR(count, 1000, 5 * std::sqrt(1000.0));
}

TEST(Dataset, PartsAreDisjointAndTogetherTheTable) {
  const auto data = MakeDataset(Sample(100), Goal::kClassify, 42);
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_EQ(data->train.count(), 60u);
  EXPECT_EQ(data->validation.count(), 20u);
  EXPECT_EQ(data->held_out.count(), 20u);
  // Standardising keeps the order of the first column, whose values are all different.
  std::map<float, std::int32_t> rows;
  for (const Samples* part : {&data->train, &data->validation, &data->held_out}) {
    for (std::size_t i = 0; i < part->count(); ++i) rows[part->Row(i)[0]] = part->labels[i];
  }
  ASSERT_EQ(rows.size(), 100u);
  std::size_t i = 0;
  for (const auto& [value, label] : rows) EXPECT_EQ(label, static_cast<std::int32_t>(i++ % 3));
}

TEST(Dataset, ColumnsAreStandardisedByThePartToLearnFrom) {
  const auto data = MakeDataset(Sample(100), Goal::kClassify, 42);
  ASSERT_TRUE(data.has_value());
  for (const std::size_t column : {0, 2}) {
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < data->train.count(); ++i) {
      const double value = data->train.Row(i)[column];
      sum += value;
      squares += value * value;
    }
    EXPECT_NEAR(sum / 60, 0, 1e-6);
    EXPECT_NEAR(squares / 60, 1, 1e-5);
  }
  for (const Samples* part : {&data->train, &data->held_out}) {
    for (std::size_t i = 0; i < part->count(); ++i) {
      EXPECT_EQ(part->Row(i)[1], 0) << "what is constant says nothing";
      for (std::size_t c = 3; c < part->row; ++c) EXPECT_EQ(part->Row(i)[c], c == Padded(3) ? 1 : 0);
    }
  }
}

TEST(Dataset, OfAnAutoencoderLearnsFromHealthyRowsAlone) {
  Examples table = Sample(300);
  for (auto& label : table.labels) label = std::min(label, 1);
  const auto data = MakeDataset(table, Goal::kReconstruct, 42);
  ASSERT_TRUE(data.has_value());
  EXPECT_EQ(std::count(data->train.labels.begin(), data->train.labels.end(), 0),
            static_cast<std::ptrdiff_t>(data->train.count()));
  EXPECT_LT(data->train.count(), 90u);
  EXPECT_EQ(data->held_out.count(), 60u);
}

std::string ErrorOf(const Examples& table, Goal goal) {
  const auto data = MakeDataset(table, goal, 42);
  return data ? "made" : data.error().message;
}

TEST(Dataset, WhatCannotBeJudgedIsRefused) {
  Examples one_class = Sample(100);
  one_class.classes.resize(1);
  EXPECT_EQ(ErrorOf(one_class, Goal::kClassify),
            "data.csv: every row has the same label; there is nothing to tell apart");
  Examples healthy = Sample(100);
  std::fill(healthy.labels.begin(), healthy.labels.end(), 0);
  EXPECT_EQ(ErrorOf(healthy, Goal::kReconstruct),
            "data.csv: of the 20 rows to choose by none is healthy, or none faulty; both are needed to tell how well "
            "they are told apart");
  std::fill(healthy.labels.begin(), healthy.labels.end(), 1);
  EXPECT_EQ(ErrorOf(healthy, Goal::kReconstruct), "data.csv: no row to learn from is healthy");
  Examples value = Sample(100);
  value.labels.clear();
  value.targets.assign(100, 3);
  EXPECT_EQ(ErrorOf(value, Goal::kPredict), "data.csv: the value to predict is the same in all 20 rows to choose by");
}

TEST(LinearDetermination, IsOneForALineAndThatOfTheNoiseOtherwise) {
  Examples table = Sample(2000);
  table.labels.clear();
  for (std::size_t i = 0; i < 2000; ++i) table.targets.push_back(3 * table.values[3 * i] - 7 * table.values[3 * i + 2]);
  auto data = MakeDataset(table, Goal::kPredict, 42);
  ASSERT_TRUE(data.has_value());
  EXPECT_NEAR(LinearDetermination(*data), 1, 1e-6);
  // Uniform over one, plus noise of four times the variance: one fifth is explained.
  for (std::size_t i = 0; i < 2000; ++i) {
    table.targets[i] = table.values[3 * i + 2] + static_cast<float>(2 * (Uniform(5000 + i) - 0.5));
  }
  data = MakeDataset(table, Goal::kPredict, 42);
  EXPECT_NEAR(LinearDetermination(*data), 0.2, 0.1);  // of 400 rows: 0.2 +- 0.035
}

TEST(AreaUnderCurve, IsTheShareOfPairsInOrder) {
  std::vector<float> scores;
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < 200; ++i) {
    labels.push_back(Uniform(i) < 0.3 ? 1 : 0);
    // Many ties, and faulty rows higher on the whole.
    scores.push_back(static_cast<float>(std::floor(10 * Uniform(1000 + i)) + 2 * labels.back()));
  }
  double won = 0, pairs = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    for (std::size_t j = 0; j < 200; ++j) {
      if (labels[i] != 1 || labels[j] != 0) continue;
      pairs += 1;
      won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  }
  EXPECT_DOUBLE_EQ(AreaUnderCurve(scores, labels), won / pairs);
  EXPECT_TRUE(std::isnan(AreaUnderCurve(scores, std::vector<std::int32_t>(200, 1))));
}

TEST(Determination, IsOneForTheTruthAndZeroForItsMean) {
  const std::vector<float> truth = {1, 2, 3, 4}, mean(4, 2.5f), worse = {4, 3, 2, 1};
  EXPECT_DOUBLE_EQ(Determination(truth, truth), 1);
  EXPECT_DOUBLE_EQ(Determination(mean, truth), 0);
  EXPECT_DOUBLE_EQ(Determination(worse, truth), -3);
}

}  // namespace
}  // namespace corerig
