#include "scenarios/train/network.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <functional>

#include "harness/base/allocation_count.h"
#include "harness/base/philox.h"
#include "scenarios/train/optimiser.h"

namespace corerig {
namespace {

double Uniform(std::uint32_t stream, std::uint64_t index) {
  return 2 * UniformOpen(RandomWords(3, stream, index)[0]) - 1;
}

void FillInputs(Network& network, std::size_t columns, std::size_t rows, std::uint32_t stream = 1) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      network.inputs()[r * network.input_row() + c] = static_cast<float>(Uniform(stream, r * columns + c));
    }
  }
}

// The network written down again, in double: the oracle.
struct Reference {
  std::vector<std::size_t> units;
  std::vector<double> parameters;  // in the network's layout

  std::vector<double> Outputs(std::vector<double> at) const {
    std::size_t offset = 0;
    for (std::size_t layer = 0; layer + 1 < units.size(); ++layer) {
      const std::size_t in = units[layer], out = units[layer + 1];
      std::vector<double> next(out);
      for (std::size_t o = 0; o < out; ++o) {
        next[o] = parameters[offset + Padded(in) * Padded(out) + o];
        for (std::size_t i = 0; i < in; ++i) next[o] += at[i] * parameters[offset + i * Padded(out) + o];
        if (layer + 2 < units.size()) next[o] = std::max(next[o], 0.0);
      }
      offset += (Padded(in) + 1) * Padded(out);
      at = next;
    }
    return at;
  }
};

std::vector<double> RowOf(Network& network, std::size_t columns, std::size_t row) {
  const float* from = network.inputs() + row * network.input_row();
  return {from, from + columns};
}

// Compares gradient() with central differences of `loss` of the reference.
void ExpectGradient(const Network& network, std::span<const float> gradient, Reference reference,
                    const std::function<double(const Reference&)>& loss) {
  constexpr double kStep = 1e-6;
  double largest = 0;
  // Of many parameters every eleventh, which meets every row and column of a matrix.
  for (std::size_t i = 0; i<gradient.size(); i += gradient.size()> 1000 ? 11 : 1) {
    const double at = reference.parameters[i];
    reference.parameters[i] = at + kStep;
    const double above = loss(reference);
    reference.parameters[i] = at - kStep;
    const double below = loss(reference);
    reference.parameters[i] = at;
    const double expected = (above - below) / (2 * kStep);
    largest = std::max(largest, std::abs(expected));
    ASSERT_NEAR(gradient[i], expected, 2e-5) << "parameter " << i << " of " << network.parameters().size();
  }
  EXPECT_GT(largest, 0.01) << "there was nothing to see";
}

struct Shape {
  std::vector<std::size_t> units;
  std::size_t rows;
};

std::vector<Shape> Shapes() {
  return {{{3, 2}, 1}, {{4, 3, 2}, 5}, {{7, 9, 5}, 12}, {{13, 8, 17, 3}, 6}, {{64, 32, 5}, 7}};
}

TEST(Network, GradientOfTheCrossEntropyIsThatOfFiniteDifferences) {
  for (const auto& [units, rows] : Shapes()) {
    Network network(units, rows);
    network.Initialise(42, 1);
    FillInputs(network, units.front(), rows);
    std::vector<std::int32_t> labels(rows);
    for (std::size_t r = 0; r < rows; ++r) labels[r] = static_cast<std::int32_t>((r * 7) % units.back());
    const Reference reference{units, {network.parameters().begin(), network.parameters().end()}};
    const auto loss = [&](const Reference& at) {
      double sum = 0;
      for (std::size_t r = 0; r < rows; ++r) {
        const auto outputs = at.Outputs(RowOf(network, units.front(), r));
        double total = 0;
        for (const double output : outputs) total += std::exp(output);
        sum += std::log(total) - outputs[static_cast<std::size_t>(labels[r])];
      }
      return sum / static_cast<double>(rows);
    };
    const double value = network.CrossEntropy(rows, labels.data(), 1.0f / static_cast<float>(rows));
    EXPECT_NEAR(value / static_cast<double>(rows), loss(reference), 1e-5);
    ExpectGradient(network, network.gradient(), reference, loss);
  }
}

TEST(Network, GradientOfTheSquaredErrorIsThatOfFiniteDifferences) {
  for (const auto& [units, rows] : Shapes()) {
    Network network(units, rows);
    network.Initialise(42, 2);
    FillInputs(network, units.front(), rows);
    const std::size_t target_row = Padded(units.back()) + 8;
    std::vector<float> targets(rows * target_row);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < units.back(); ++c) {
        targets[r * target_row + c] = static_cast<float>(Uniform(5, r * units.back() + c));
      }
    }
    const Reference reference{units, {network.parameters().begin(), network.parameters().end()}};
    const auto loss = [&](const Reference& at) {
      double sum = 0;
      for (std::size_t r = 0; r < rows; ++r) {
        const auto outputs = at.Outputs(RowOf(network, units.front(), r));
        for (std::size_t c = 0; c < outputs.size(); ++c) {
          const double difference = outputs[c] - static_cast<double>(targets[r * target_row + c]);
          sum += difference * difference / 2;
        }
      }
      return sum / static_cast<double>(rows);
    };
    const double value = network.SquaredError(rows, targets.data(), target_row, 1.0f / static_cast<float>(rows));
    EXPECT_NEAR(value / static_cast<double>(rows), loss(reference), 1e-5);
    ExpectGradient(network, network.gradient(), reference, loss);
  }
}

// Whether what pads the parameters of `units` is still zero.
bool PaddingIsZero(const std::vector<std::size_t>& units, std::span<const float> values) {
  std::size_t at = 0;
  for (std::size_t layer = 0; layer + 1 < units.size(); ++layer) {
    for (std::size_t i = 0; i <= Padded(units[layer]); ++i) {
      const bool is_row = i < units[layer] || i == Padded(units[layer]);
      for (std::size_t o = 0; o < Padded(units[layer + 1]); ++o, ++at) {
        if ((!is_row || o >= units[layer + 1]) && values[at] != 0) return false;
      }
    }
  }
  return at == values.size();
}

// y = X w + b + noise has one optimum, which Eigen's decomposition gives in closed form.
TEST(Network, WithoutHiddenLayersConvergesToLeastSquares) {
  constexpr std::size_t kRows = 128, kColumns = 5;
  for (const auto kind : {Optimiser::Kind::kSgd, Optimiser::Kind::kAdam}) {
    Network network({kColumns, 1}, kRows);
    network.Initialise(1, 0);
    FillInputs(network, kColumns, kRows);
    Eigen::MatrixXd x(kRows, kColumns + 1);
    Eigen::VectorXd y(kRows);
    std::vector<float> targets(kRows * kPadding);
    for (std::size_t r = 0; r < kRows; ++r) {
      const auto row = RowOf(network, kColumns, r);
      y(r) = 0.3;
      for (std::size_t c = 0; c < kColumns; ++c) {
        x(r, c) = row[c];
        y(r) += static_cast<double>(c) * row[c];
      }
      x(r, kColumns) = 1;
      y(r) += 0.5 * Uniform(9, r);
      targets[r * kPadding] = static_cast<float>(y(r));
    }
    const Eigen::VectorXd optimum = x.colPivHouseholderQr().solve(y);
    Optimiser optimiser({.kind = kind, .rate = kind == Optimiser::Kind::kSgd ? 0.3f : 0.01f, .momentum = 0.9f},
                        network.parameters().size());
    for (int step = 0; step < 4000; ++step) {
      network.SquaredError(kRows, targets.data(), kPadding, 1.0f / kRows);
      optimiser.Step(network.parameters(), network.gradient());
    }
    for (std::size_t c = 0; c < kColumns; ++c) {
      EXPECT_NEAR(network.parameters()[c * kPadding], optimum(c), 2e-3) << static_cast<int>(kind);
    }
    EXPECT_NEAR(network.parameters()[Padded(kColumns) * kPadding], optimum(kColumns), 2e-3);
    EXPECT_TRUE(PaddingIsZero({kColumns, 1}, network.parameters()));
  }
}

// With its moments unbiased, Adam goes by its rate in the first step, whatever the gradient, and so in a second one of
// the same gradient.
TEST(Optimiser, AdamsFirstStepsAreAsLongAsItsRate) {
  AlignedFloats parameters(16), gradient(16);
  for (std::size_t i = 0; i < 16; ++i)
    gradient[i] = static_cast<float>(std::pow(10.0, 3 * Uniform(1, i)) * (i % 2 ? 1 : -1));
  Optimiser optimiser({.kind = Optimiser::Kind::kAdam, .rate = 0.01f}, 16);
  for (int step = 1; step <= 3; ++step) {
    optimiser.Step(parameters, gradient);
    for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(parameters[i], (i % 2 ? -0.01 : 0.01) * step, 1e-5) << i;
  }
}

TEST(Optimiser, MomentumAddsUp) {
  AlignedFloats parameters(8), gradient(8, 1.0f);
  Optimiser optimiser({.rate = 0.1f, .momentum = 0.5f}, 8);
  for (const double expected : {-0.1, -0.25, -0.425}) {  // velocities 1, 1.5, 1.75
    optimiser.Step(parameters, gradient);
    EXPECT_NEAR(parameters[3], expected, 1e-6);
  }
}

// Exclusive or: no linear model can do it.
TEST(Network, LearnsWhatNoLinearModelCan) {
  Network network({2, 8, 2}, 4);
  network.Initialise(4, 0);
  const std::int32_t labels[] = {0, 1, 1, 0};
  for (std::size_t r = 0; r < 4; ++r) {
    network.inputs()[r * network.input_row()] = static_cast<float>(r % 2);
    network.inputs()[r * network.input_row() + 1] = static_cast<float>(r / 2);
  }
  Optimiser optimiser({.kind = Optimiser::Kind::kAdam, .rate = 0.02f}, network.parameters().size());
  double loss = 0;
  for (int step = 0; step < 500; ++step) {
    loss = network.CrossEntropy(4, labels, 0.25f) / 4;
    optimiser.Step(network.parameters(), network.gradient());
  }
  EXPECT_LT(loss, 0.02);
}

TEST(Network, WhatPadsStaysZeroUnderBothOptimisers) {
  const std::vector<std::size_t> units = {13, 9, 5};
  for (const auto kind : {Optimiser::Kind::kSgd, Optimiser::Kind::kAdam}) {
    Network network(units, 11);
    network.Initialise(42, 3);
    FillInputs(network, units.front(), 11);
    std::vector<std::int32_t> labels(11, 4);
    Optimiser optimiser({.kind = kind}, network.parameters().size());
    for (int step = 0; step < 20; ++step) {
      network.CrossEntropy(11, labels.data(), 1.0f / 11);
      EXPECT_TRUE(PaddingIsZero(units, network.gradient()));
      optimiser.Step(network.parameters(), network.gradient());
    }
    EXPECT_TRUE(PaddingIsZero(units, network.parameters()));
  }
}

TEST(Network, InitialWeightsHaveTheVarianceOfHeAndDifferByModel) {
  Network network({100, 80, 10}, 1);
  network.Initialise(42, 7);
  const std::vector<float> first(network.parameters().begin(), network.parameters().end());
  double squares = 0;
  for (std::size_t i = 0; i < 100 * 80; ++i) squares += first[i] * first[i];
  EXPECT_NEAR(squares / 8000 / (2.0 / 100), 1, 4 * std::sqrt(2.0 / 8000));
  network.Initialise(42, 8);
  EXPECT_NE(std::vector<float>(network.parameters().begin(), network.parameters().end()), first);
  network.Initialise(42, 7);
  EXPECT_EQ(std::vector<float>(network.parameters().begin(), network.parameters().end()), first);
}

TEST(Network, AStepTakesNoMemory) {
  Network network({64, 32, 5}, 32);
  network.Initialise(42, 0);
  std::vector<std::int32_t> labels(32);
  Optimiser optimiser({.kind = Optimiser::Kind::kAdam}, network.parameters().size());
  const long before = AllocationCount();
  for (int step = 0; step < 3; ++step) {
    network.CrossEntropy(32, labels.data(), 1.0f / 32);
    optimiser.Step(network.parameters(), network.gradient());
  }
  EXPECT_EQ(AllocationCount(), before);
}

// Kernels of any width give the same steps but for the rounding of fused multiply-adds.
TEST(Network, AStepIsTheSameForAnyVectorWidth) {
  Network baseline({64, 32, 5}, 32, BaselineTrainKernels()), best({64, 32, 5}, 32);
  std::vector<std::int32_t> labels(32);
  for (std::size_t r = 0; r < 32; ++r) labels[r] = static_cast<std::int32_t>(r % 5);
  for (Network* network : {&baseline, &best}) {
    network->Initialise(42, 0);
    FillInputs(*network, 64, 32);
    network->CrossEntropy(32, labels.data(), 1.0f / 32);
  }
  for (std::size_t i = 0; i < best.gradient().size(); ++i) {
    ASSERT_NEAR(baseline.gradient()[i], best.gradient()[i], 1e-6) << i;
  }
}

}  // namespace
}  // namespace corerig
