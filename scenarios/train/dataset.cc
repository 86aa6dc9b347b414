#include "scenarios/train/dataset.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "harness/base/philox.h"
#include "scenarios/train/network.h"
#include "scenarios/train/score.h"
#include "scenarios/train/shuffle.h"

namespace corerig {
namespace {

constexpr std::uint32_t kSplit = StreamId("train/split");

// value -> (value - mean) * factor.
struct Standard {
  double mean = 0, factor = 1;
  float Of(float value) const { return static_cast<float>((static_cast<double>(value) - mean) * factor); }
};

// Of every `step`-th value from `first` on, of the rows in `rows`. What is constant becomes zero.
Standard StandardOf(const std::vector<float>& values, std::size_t first, std::size_t step,
                    std::span<const std::uint32_t> rows) {
  double mean = 0, squares = 0;
  for (const std::uint32_t row : rows) mean += static_cast<double>(values[row * step + first]);
  mean /= static_cast<double>(rows.size());
  for (const std::uint32_t row : rows) {
    const double from_mean = static_cast<double>(values[row * step + first]) - mean;
    squares += from_mean * from_mean;
  }
  const double deviation = std::sqrt(squares / static_cast<double>(rows.size()));
  // Below the rounding of its floats a column is constant.
  const bool constant = deviation <= 1e-6 * std::abs(mean);
  return {.mean = mean, .factor = constant ? 0 : 1 / deviation};
}

Samples Take(const Examples& table, std::span<const std::uint32_t> rows, const std::vector<Standard>& columns,
             const Standard& target) {
  Samples samples{.columns = table.columns, .row = SampleRow(table.columns)};
  samples.features.resize(rows.size() * samples.row);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    float* out = samples.features.data() + i * samples.row;
    const float* in = table.values.data() + rows[i] * table.columns;
    for (std::size_t c = 0; c < table.columns; ++c) out[c] = columns[c].Of(in[c]);
    out[Padded(table.columns)] = 1;
    if (!table.labels.empty()) samples.labels.push_back(table.labels[rows[i]]);
    if (!table.targets.empty()) samples.targets.push_back(target.Of(table.targets[rows[i]]));
  }
  return samples;
}

Status CheckPart(const Examples& table, const Samples& part, std::string_view which, Goal goal) {
  const auto& labels = part.labels;
  if (goal == Goal::kReconstruct &&
      (std::count(labels.begin(), labels.end(), 0) == 0 || std::count(labels.begin(), labels.end(), 1) == 0)) {
    return Fail(table.name, ": of the ", part.count(), " rows ", which,
                " none is healthy, or none faulty; both are needed to tell how well they are told apart");
  }
  if (goal == Goal::kPredict &&
      std::all_of(part.targets.begin(), part.targets.end(), [&](float value) { return value == part.targets[0]; })) {
    return Fail(table.name, ": the value to predict is the same in all ", part.count(), " rows ", which);
  }
  return {};
}

}  // namespace

Result<Dataset> MakeDataset(const Examples& table, Goal goal, std::uint64_t seed) {
  std::vector<std::uint32_t> order(table.rows()), words;
  Shuffle(order, {.seed = seed, .stream = kSplit}, words);
  const std::size_t learn = order.size() * 3 / 5, choose = order.size() / 5;
  std::vector<std::uint32_t> train(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(learn));
  if (goal == Goal::kReconstruct) {
    std::erase_if(train, [&](std::uint32_t row) { return table.labels[row] != 0; });
  }
  if (goal == Goal::kClassify && table.classes.size() < 2) {
    return Fail(table.name, ": every row has the same label; there is nothing to tell apart");
  }
  if (train.empty()) return Fail(table.name, ": no row to learn from is healthy");

  std::vector<Standard> columns;
  for (std::size_t c = 0; c < table.columns; ++c) columns.push_back(StandardOf(table.values, c, table.columns, train));
  if (goal == Goal::kReconstruct && table.one_unit) {
    // What hardly varies then hardly counts: the error is that of the quantity.
    double most = 0;
    for (const Standard& column : columns) most = std::max(most, column.factor > 0 ? 1 / column.factor : 0);
    for (Standard& column : columns) column.factor = most > 0 ? 1 / most : 0;
  }
  const Standard target = table.targets.empty() ? Standard{} : StandardOf(table.targets, 0, 1, train);
  const std::span<const std::uint32_t> all = order;
  Dataset data{.columns = table.columns,
               .classes = table.classes.size(),
               .train = Take(table, train, columns, target),
               .validation = Take(table, all.subspan(learn, choose), columns, target),
               .held_out = Take(table, all.subspan(learn + choose), columns, target)};
  if (auto ok = CheckPart(table, data.validation, "to choose by", goal); !ok) return Forward(ok);
  if (auto ok = CheckPart(table, data.held_out, "held out", goal); !ok) return Forward(ok);
  return data;
}

double LinearDetermination(const Dataset& data) {
  // The one that carries the bias is a column too; what pads is not.
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto matrix = [](const Samples& samples) {
    const auto count = static_cast<Eigen::Index>(samples.count()), columns = static_cast<Eigen::Index>(samples.columns);
    const Eigen::Map<const Rows> rows(samples.features.data(), count, static_cast<Eigen::Index>(samples.row));
    Eigen::MatrixXd out(count, columns + 1);
    out.leftCols(columns) = rows.leftCols(columns).cast<double>();
    out.col(columns).setOnes();
    return out;
  };
  const Eigen::MatrixXd x = matrix(data.train);
  const Eigen::VectorXd y =
      Eigen::Map<const Eigen::VectorXf>(data.train.targets.data(), static_cast<Eigen::Index>(data.train.count()))
          .cast<double>();
  // Normal equations: columns are standardised, and a ridge far below rounding of the data holds constant ones.
  Eigen::MatrixXd normal = x.transpose() * x;
  normal.diagonal().array() += 1e-6;
  const Eigen::VectorXd weights = normal.ldlt().solve(x.transpose() * y);
  const Eigen::VectorXf predicted = (matrix(data.held_out) * weights).cast<float>();
  return Determination({predicted.data(), static_cast<std::size_t>(predicted.size())}, data.held_out.targets);
}

}  // namespace corerig
