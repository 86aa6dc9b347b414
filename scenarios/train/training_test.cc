#include "scenarios/train/training.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <stdexcept>
#include <thread>

#include "harness/base/allocation_count.h"
#include "harness/base/philox.h"
#include "harness/base/text.h"
#include "harness/os/rendezvous.h"
#include "harness/os/shared_bytes.h"

namespace corerig {
namespace {

double Uniform(std::uint32_t stream, std::uint64_t index) {
  return 2 * UniformOpen(RandomWords(13, stream, index)[0]) - 1;
}

// Points of the plane in three rings, among ten columns of which eight say nothing.
Dataset Rings(std::size_t rows = 600) {
  Examples table{.name = "rings", .columns = 10, .classes = {"0", "1", "2"}};
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::uint32_t c = 0; c < 10; ++c) table.values.push_back(static_cast<float>(Uniform(c, i)));
    const double radius = std::hypot(Uniform(0, i), Uniform(1, i));
    table.labels.push_back(radius < 0.5 ? 0 : radius < 0.9 ? 1 : 2);
  }
  return MakeDataset(table, Goal::kClassify, 42).value();
}

// The same points; what is to be predicted is a product.
Dataset Products() {
  Examples table{.name = "products", .columns = 2};
  for (std::size_t i = 0; i < 1000; ++i) {
    table.values.insert(table.values.end(), {static_cast<float>(Uniform(0, i)), static_cast<float>(Uniform(1, i))});
    table.targets.push_back(static_cast<float>(Uniform(0, i) * Uniform(1, i)));
  }
  return MakeDataset(table, Goal::kPredict, 42).value();
}

// Healthy rows lie on a plane of their eight columns, faulty ones beside it.
Dataset Plane() {
  Examples table{.name = "plane", .columns = 8};
  for (std::size_t i = 0; i < 1000; ++i) {
    const double a = Uniform(0, i), b = Uniform(1, i);
    const bool faulty = i % 4 == 0;
    for (std::uint32_t c = 0; c < 8; ++c) {
      table.values.push_back(static_cast<float>(c * a + std::cos(c) * b + (faulty ? 1.0 : 0.05) * Uniform(10 + c, i)));
    }
    table.labels.push_back(faulty ? 1 : 0);
  }
  return MakeDataset(table, Goal::kReconstruct, 42).value();
}

constexpr HyperParameters kAdam = {.hidden = 16,
                                   .layers = 2,
                                   .batch = 16,
                                   .epochs = 60,
                                   .optimiser = {.kind = Optimiser::Kind::kAdam, .rate = 0.005f}};

TEST(Training, LearnsWhatItIsAskedFor) {
  const Dataset rings = Rings(), products = Products(), plane = Plane();
  Training classes(rings, Goal::kClassify, kAdam, 42, 0);
  while (!classes.done()) classes.Step();
  EXPECT_GT(classes.Score(rings.held_out), 0.75);
  EXPECT_LT(classes.loss(), 0.3);

  Training value(products, Goal::kPredict, kAdam, 42, 0);
  EXPECT_LT(LinearDetermination(products), 0.05);
  while (!value.done()) value.Step();
  EXPECT_GT(value.Score(products.held_out), 0.95);

  HyperParameters narrow = kAdam;
  narrow.hidden = 4;
  Training anomaly(plane, Goal::kReconstruct, narrow, 42, 0);
  EXPECT_LT(anomaly.Score(plane.held_out), 0.97);
  while (!anomaly.done()) anomaly.Step();
  EXPECT_GT(anomaly.Score(plane.held_out), 0.97);
}

TEST(Training, ScoreIsThatOfChanceBeforeItBegins) {
  const Dataset rings = Rings(3000);
  double mean = 0;
  for (std::uint32_t model = 0; model < 30; ++model) {
    mean += Training(rings, Goal::kClassify, kAdam, 42, model).Score(rings.held_out) / 30;
  }
  EXPECT_NEAR(mean, 1.0 / 3, 0.08);
}

TEST(Training, EndsAfterItsEpochsAndTakesEachRowAtMostOnceInEach) {
  const Dataset rings = Rings();  // 360 rows to learn from: 11 mini-batches of 32
  Training training(rings, Goal::kClassify, {.batch = 32, .epochs = 3}, 42, 0);
  while (!training.done()) EXPECT_EQ(training.Step(), Training::Stepped::kOn);
  EXPECT_EQ(training.steps(), 33u);
}

TEST(Training, StepsWithinAnEpochTakeNoMemory) {
  const Dataset rings = Rings();
  Training training(rings, Goal::kClassify, {.batch = 32}, 42, 0);
  const long before = AllocationCount();
  for (int step = 0; step < 30; ++step) training.Step();  // beyond the first epoch's 11
  EXPECT_EQ(AllocationCount(), before);
}

TEST(Training, ALossThatIsNotFiniteIsToldAtOnce) {
  const Dataset products = Products();
  Training training(products, Goal::kPredict, {.batch = 16, .optimiser = {.rate = 1e6f}}, 42, 0);
  auto stepped = Training::Stepped::kOn;
  int steps = 0;
  for (; steps < 100 && stepped == Training::Stepped::kOn; ++steps) stepped = training.Step();
  EXPECT_EQ(stepped, Training::Stepped::kDiverged) << steps;
}

class TrainingTogether : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto ok = Rendezvous::Supported(); !ok) GTEST_SKIP() << ok.error().message;
  }
};

using Weights = std::vector<float>;
constexpr int kSteps = 40;

// Trains for kSteps as party `index`, and then gives the weights.
Weights Train(const Dataset& data, AllReduce* together) {
  Training training(data, Goal::kClassify, {.batch = 32, .epochs = 100}, 42, 5, together);
  for (int step = 0; step < kSteps; ++step) {
    if (training.Step() != Training::Stepped::kOn) return {};
  }
  return {training.parameters().begin(), training.parameters().end()};
}

Weights TrainAsParty(const Dataset& data, const SharedBytes& shared, int index, int parties) {
  auto together = AllReduce::Join(shared.bytes(), {.index = index, .parties = parties, .name = "learn"}, {});
  if (!together) return {};
  return Train(data, together->get());
}

void ExpectClose(const Weights& together, const Weights& alone) {
  ASSERT_EQ(together.size(), alone.size());
  double moved = 0;
  for (std::size_t i = 0; i < alone.size(); ++i) {
    ASSERT_NEAR(together[i], alone[i], 2e-5) << i;
    moved = std::max<double>(moved, std::abs(alone[i]));
  }
  EXPECT_GT(moved, 0.1);
}

TEST_F(TrainingTogether, OfThreadsEqualsThatOfOneOnTheSameBatches) {
  const Dataset rings = Rings();
  const Weights alone = Train(rings, nullptr);
  for (const int parties : {1, 2, 3}) {  // 32 rows are not a multiple of 3
    const SharedBytes shared(AllReduce::SizeFor(parties));
    std::vector<Weights> weights(static_cast<std::size_t>(parties));
    std::vector<std::thread> threads;
    for (int index = 0; index < parties; ++index) {
      threads.emplace_back(
          [&, index] { weights[static_cast<std::size_t>(index)] = TrainAsParty(rings, shared, index, parties); });
    }
    for (std::thread& thread : threads) thread.join();
    ExpectClose(weights[0], alone);
    for (const Weights& others : weights) EXPECT_EQ(others, weights[0]) << "all have the same bits";
  }
}

TEST_F(TrainingTogether, OfProcessesHasTheBitsOfThatOfThreads) {
  const Dataset rings = Rings();
  constexpr int kParties = 3;
  const std::size_t exchange = AllReduce::SizeFor(kParties), most = 1 << 16;
  // Behind the exchange: what each process's weights are, for this test.
  const SharedBytes shared(exchange + kParties * most * sizeof(float));
  const auto weights_of = [&](int index) {
    return reinterpret_cast<float*>(shared.bytes().data() + exchange) + static_cast<std::size_t>(index) * most;
  };
  std::vector<pid_t> children;
  for (int index = 0; index < kParties; ++index) {
    children.push_back(fork());
    if (children.back() == 0) {
      const Weights weights = TrainAsParty(rings, shared, index, kParties);
      std::copy(weights.begin(), weights.end(), weights_of(index));
      _exit(weights.empty() ? 1 : 0);
    }
  }
  for (const pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const Weights alone = Train(rings, nullptr);
  const Weights first(weights_of(0), weights_of(0) + alone.size());
  ExpectClose(first, alone);
  for (int index = 1; index < kParties; ++index) {
    EXPECT_EQ(Weights(weights_of(index), weights_of(index) + alone.size()), first);
  }
  const SharedBytes others(AllReduce::SizeFor(kParties));
  std::vector<Weights> threaded(kParties);
  std::vector<std::thread> threads;
  for (int index = 0; index < kParties; ++index) {
    threads.emplace_back(
        [&, index] { threaded[static_cast<std::size_t>(index)] = TrainAsParty(rings, others, index, kParties); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(threaded[0], first);
}

TEST_F(TrainingTogether, AWorkerThatIsKilledIsNamed) {
  const Dataset rings = Rings();
  const SharedBytes shared(AllReduce::SizeFor(2));
  const pid_t victim = fork();
  if (victim == 0) {
    auto together = AllReduce::Join(shared.bytes(), {.index = 1, .parties = 2, .name = "learn"}, {});
    Training training(rings, Goal::kClassify, {.batch = 32}, 42, 5, together->get());
    for (int step = 0; step < 3; ++step) training.Step();
    raise(SIGKILL);
  }
  auto together = AllReduce::Join(shared.bytes(), {.index = 0, .parties = 2, .name = "learn"}, {});
  ASSERT_TRUE(together.has_value());
  Training training(rings, Goal::kClassify, {.batch = 32}, 42, 5, together->get());
  std::string said;
  try {
    for (int step = 0; step < 100; ++step) training.Step();
  } catch (const std::runtime_error& error) {
    said = error.what();
  }
  EXPECT_EQ(said, "worker learn.1, with which this one trains one model, has died; no step can be finished");
  EXPECT_EQ(training.steps(), 3u);
  waitpid(victim, nullptr, 0);
}

// Two steps with a party that then takes its leave; what the third one comes to for a party that is told to stop or
// not.
std::string ThirdStep(bool told) {
  const Dataset rings = Rings();
  const SharedBytes shared(AllReduce::SizeFor(2));
  bool stop = false;
  auto first = AllReduce::Join(shared.bytes(), {.index = 0, .parties = 2, .name = "learn"}, [&] { return stop; });
  if (!first) return first.error().message;
  std::thread other([&] {
    auto second = AllReduce::Join(shared.bytes(), {.index = 1, .parties = 2, .name = "learn"}, {});
    Training training(rings, Goal::kClassify, {.batch = 32}, 42, 5, second->get());
    for (int step = 0; step < 2; ++step) training.Step();
  });
  Training training(rings, Goal::kClassify, {.batch = 32}, 42, 5, first->get());
  std::string said;
  try {
    for (int step = 0; step < 2; ++step) training.Step();
    stop = told;
    const auto stepped = training.Step();
    said = stepped == Training::Stepped::kInterrupted ? "interrupted" : "diverged";
  } catch (const std::runtime_error& error) {
    said = StrCat(error.what(), " after ", training.steps());
  }
  other.join();
  return said;
}

TEST_F(TrainingTogether, WhoIsLeftAloneSaysSoUnlessItIsToStopItself) {
  EXPECT_EQ(ThirdStep(false),
            "worker learn.1, with which this one trains one model, has ended; no step can be finished after 2");
  EXPECT_EQ(ThirdStep(true), "interrupted");
}

TEST_F(TrainingTogether, AStepThatIsInterruptedLeavesTheWeightsAlone) {
  const Dataset rings = Rings();
  const SharedBytes shared(AllReduce::SizeFor(2));
  auto first = AllReduce::Join(shared.bytes(), {.index = 0, .parties = 2, .name = "learn"}, [] { return true; });
  auto second = AllReduce::Join(shared.bytes(), {.index = 1, .parties = 2, .name = "learn"}, {});
  ASSERT_TRUE(first.has_value() && second.has_value());
  Training training(rings, Goal::kClassify, {.batch = 32}, 42, 5, first->get());
  const Weights before(training.parameters().begin(), training.parameters().end());
  EXPECT_EQ(training.Step(), Training::Stepped::kInterrupted);
  EXPECT_EQ(Weights(training.parameters().begin(), training.parameters().end()), before);
  EXPECT_EQ(training.steps(), 0u);
}

TEST_F(TrainingTogether, TooLittleMemoryIsRefused) {
  const SharedBytes shared(4096);
  const auto joined = AllReduce::Join(shared.bytes(), {.index = 0, .parties = 2, .name = "learn"}, {});
  ASSERT_FALSE(joined.has_value());
  EXPECT_EQ(joined.error().message, "worker learn: 4096 bytes to exchange gradients through; 2 workers need " +
                                        std::to_string(AllReduce::SizeFor(2)));
}

}  // namespace
}  // namespace corerig
