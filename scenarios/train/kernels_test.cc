#include "scenarios/train/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "harness/base/philox.h"

namespace corerig {
namespace {

// Numbers between -1 and 1.
std::vector<float> Random(std::size_t count, std::uint32_t stream) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(2 * UniformOpen(RandomWords(7, stream, i)[0]) - 1);
  }
  return out;
}

class Kernels : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam() && WideTrainKernels() == nullptr) GTEST_SKIP() << "this CPU has no wider kernels";
    kernels_ = GetParam() ? WideTrainKernels() : &BaselineTrainKernels();
  }
  const TrainKernels* kernels_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(Width, Kernels, testing::Bool(),
                         [](const auto& wide) { return std::string(wide.param ? "wide" : "baseline"); });

TEST_P(Kernels, ProductIsThatOfTheDefinitionForAnyShape) {
  for (const std::size_t rows : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 32, 65}) {
    for (const std::size_t columns : {8, 16, 24, 40}) {
      for (const std::size_t inner : {1, 5, 33}) {
        for (const bool transposed : {false, true}) {
          for (const bool rectified : {false, true}) {
            const std::size_t a_row = transposed ? 1 : inner + 3, a_column = transposed ? rows + 2 : 1;
            const auto a = Random((rows + 2) * (inner + 3), 1), b = Random(inner * columns, 2);
            const std::size_t c_row = columns + 8;
            std::vector<float> c(rows * c_row, 99);
            kernels_->multiply({rows, columns, inner, a.data(), a_row, a_column, b.data(), c.data(), c_row, rectified});
            for (std::size_t i = 0; i < rows; ++i) {
              for (std::size_t j = 0; j < c_row; ++j) {
                double expected = 0;
                for (std::size_t k = 0; j < columns && k < inner; ++k) {
                  expected +=
                      static_cast<double>(a[i * a_row + k * a_column]) * static_cast<double>(b[k * columns + j]);
                }
                if (rectified) expected = std::max(expected, 0.0);
                if (j >= columns) expected = 99;  // what lies between the rows is left alone
                ASSERT_NEAR(c[i * c_row + j], expected, 1e-5) << rows << "x" << columns << " " << i << " " << j;
              }
            }
          }
        }
      }
    }
  }
}

TEST_P(Kernels, SoftmaxDeltaAndLossAreThoseOfTheDefinition) {
  for (const std::size_t classes : {2, 5, 8, 11, 24}) {
    for (const double spread : {1.0, 30.0, 200.0}) {
      constexpr std::size_t kRows = 300;
      const std::size_t row = Padded(classes) + 8;
      auto logits = Random(kRows * row, 3);
      for (float& logit : logits) logit *= static_cast<float>(spread);
      std::vector<std::int32_t> labels(kRows);
      double expected_loss = 0;
      std::vector<double> expected(kRows * classes);
      for (std::size_t r = 0; r < kRows; ++r) {
        labels[r] = static_cast<std::int32_t>(r % classes);
        double sum = 0, largest = -1e30;
        for (std::size_t c = 0; c < classes; ++c) largest = std::max<double>(largest, logits[r * row + c]);
        for (std::size_t c = 0; c < classes; ++c) sum += std::exp(logits[r * row + c] - largest);
        for (std::size_t c = 0; c < classes; ++c) {
          expected[r * classes + c] =
              0.25 * (std::exp(logits[r * row + c] - largest) / sum - (c == r % classes ? 1 : 0));
        }
        expected_loss += largest + std::log(sum) - logits[r * row + r % classes];
      }
      const double loss = kernels_->softmax_delta(logits.data(), kRows, classes, row, labels.data(), 0.25f);
      EXPECT_NEAR(loss / expected_loss, 1, 1e-6) << classes << " " << spread;
      for (std::size_t r = 0; r < kRows; ++r) {
        for (std::size_t c = 0; c < Padded(classes); ++c) {
          const double wanted = c < classes ? expected[r * classes + c] : 0;  // what pads has no part in it
          ASSERT_NEAR(logits[r * row + c], wanted, 3e-7) << classes << " " << r << " " << c;
        }
      }
    }
  }
}

TEST_P(Kernels, ALossThatIsNotFiniteShows) {
  std::vector<float> logits(8);
  logits[1] = std::nanf("");
  const std::int32_t label = 0;
  EXPECT_FALSE(std::isfinite(kernels_->softmax_delta(logits.data(), 1, 5, 8, &label, 1)));
  std::vector<float> outputs(8), targets(8);
  outputs[3] = INFINITY;
  EXPECT_FALSE(std::isfinite(kernels_->squared_delta(outputs.data(), targets.data(), 1, 8, 8, 8, 1)));
}

TEST_P(Kernels, SquaredDeltaRectifiedDeltaAndSumAreThoseOfTheDefinition) {
  auto outputs = Random(4 * 24, 4);
  const auto before = outputs, targets = Random(4 * 32, 5);
  const double loss = kernels_->squared_delta(outputs.data(), targets.data(), 4, 16, 24, 32, 0.5f);
  double expected = 0;
  for (std::size_t r = 0; r < 4; ++r) {
    for (std::size_t c = 0; c < 24; ++c) {
      const double difference = c < 16 ? before[r * 24 + c] - targets[r * 32 + c] : 0;
      expected += difference * difference / 2;
      EXPECT_NEAR(outputs[r * 24 + c], c < 16 ? difference / 2 : before[r * 24 + c], 1e-7);
    }
  }
  EXPECT_NEAR(loss, expected, 1e-5);

  auto delta = Random(40, 6);
  const auto activation = Random(80, 7), kept = delta;
  kernels_->rectified_delta(activation.data(), 24, delta.data(), 16, 2, 8);
  for (std::size_t i = 0; i < 40; ++i) {
    const bool touched = i < 8 || (i >= 16 && i < 24);
    EXPECT_EQ(delta[i], !touched || activation[i / 16 * 24 + i % 16] > 0 ? kept[i] : 0) << i;
  }
  const auto before_sum = delta;
  kernels_->add(delta.data(), kept.data(), 40);
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(delta[i], before_sum[i] + kept[i]);
}

TEST_P(Kernels, OptimisersStepAsTheirPapersSay) {
  const auto gradient = Random(16, 8);
  auto parameters = Random(16, 9), velocity = Random(16, 10);
  auto p = parameters, v = velocity;
  kernels_->momentum(parameters.data(), velocity.data(), gradient.data(), 16, {.rate = 0.1f, .momentum = 0.9f});
  for (std::size_t i = 0; i < 16; ++i) {
    const double faster = 0.9 * v[i] + gradient[i];
    EXPECT_NEAR(velocity[i], faster, 1e-6);
    EXPECT_NEAR(parameters[i], p[i] - 0.1 * faster, 1e-6);
  }
  auto first = Random(16, 11), second = Random(16, 12);
  for (float& moment : second) moment = std::abs(moment);
  p = parameters;
  const auto m = first, s = second;
  kernels_->adam(
      parameters.data(), first.data(), second.data(), gradient.data(), 16,
      {.rate = 0.01f, .first = 0.9f, .second = 0.999f, .unbias_first = 2, .unbias_second = 3, .epsilon = 1e-3f});
  for (std::size_t i = 0; i < 16; ++i) {
    const double mean = 0.9 * m[i] + 0.1 * gradient[i], square = 0.999 * s[i] + 0.001 * gradient[i] * gradient[i];
    EXPECT_NEAR(first[i], mean, 1e-6);
    EXPECT_NEAR(second[i], square, 1e-6);
    EXPECT_NEAR(parameters[i], p[i] - 0.01 * 2 * mean / (std::sqrt(3 * square) + 1e-3), 1e-6);
  }
}

}  // namespace
}  // namespace corerig
