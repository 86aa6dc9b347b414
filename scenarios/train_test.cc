// The three training workloads, as the harness drives them.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <thread>

#include "harness/base/text.h"
#include "harness/child/workload.h"
#include "harness/os/rendezvous.h"
#include "harness/os/shared_bytes.h"
#include "scenarios/train_autoencoder.h"
#include "scenarios/train_regression.h"
#include "scenarios/train_vibration.h"

namespace corerig {
namespace {

WorkerJob JobOf(const WorkloadType& type, int workers = 1) {
  WorkerJob job{.group = "learn", .index = 0, .workers = workers, .seed = 42, .units = {}, .parameters = {}};
  for (const ParameterInfo& parameter : type.info.parameters) {
    job.parameters.push_back({std::string(parameter.name), std::string(parameter.default_value)});
  }
  return job;
}

WorkerJob With(WorkerJob job, std::string_view name, std::string_view value) {
  for (Parameter& parameter : job.parameters) {
    if (parameter.name == name) parameter.value = value;
  }
  return job;
}

using Bytes = std::vector<std::byte>;

Bytes ResultOf(const WorkloadType& type, const WorkerJob& job, const Workload& workload) {
  Bytes bytes(type.result_size(job));
  bytes.resize(workload.WriteResult(bytes));
  return bytes;
}

// Runs `units` units of worker `job.index`, with what `load` gave.
Bytes RunWorker(const WorkloadType& type, const WorkerJob& job, int units, const Surroundings& around) {
  const auto workload = type.make(job, around);
  if (!workload) {
    ADD_FAILURE() << workload.error().message;
    return {};
  }
  for (int unit = 0; unit < units; ++unit) (*workload)->RunUnit(job.FirstUnit() + unit * job.UnitStep());
  return ResultOf(type, job, **workload);
}

std::unique_ptr<WorkloadInput> Load(const WorkloadType& type, const WorkerJob& job) {
  auto input = type.load(job);
  if (!input) {
    ADD_FAILURE() << input.error().message;
    return nullptr;
  }
  return std::move(*input);
}

Result<Answer> MergeAll(const WorkloadType& type, const WorkerJob& job, const std::vector<Bytes>& results) {
  std::vector<WorkerResult> arrived;
  for (std::size_t i = 0; i < results.size(); ++i) arrived.push_back({static_cast<int>(i), results[i]});
  return type.merge(job, arrived);
}

Answer Train(const WorkloadType& type, const WorkerJob& job, int units) {
  const auto input = Load(type, job);
  std::vector<Bytes> results;
  for (int index = 0; index < job.workers; ++index) {
    WorkerJob its = job;
    its.index = index;
    results.push_back(RunWorker(type, its, units, {.input = input.get()}));
  }
  const auto answer = MergeAll(type, job, results);
  if (!answer) {
    ADD_FAILURE() << answer.error().message;
    return {};
  }
  return *answer;
}

double FigureOf(const Answer& answer, std::string_view name) {
  for (const Figure& figure : answer.figures) {
    if (figure.name == name) return figure.value;
  }
  ADD_FAILURE() << "no figure " << name;
  return std::nan("");
}

// Few rows and epochs, for tests of all but the score.
WorkerJob Small(const WorkloadType& type, int workers = 1) {
  return With(With(JobOf(type, workers), "rows", "600"), "epochs", "10");
}

TEST(TrainVibration, TellsTheFaultsOfABearing) {
  const Answer answer = Train(TrainVibration(), JobOf(TrainVibration(), 2), 60);
  EXPECT_EQ(answer.units, 120u);
  EXPECT_EQ(FigureOf(answer, "models"), 2);  // 30 epochs of 1800 rows are 53 units
  EXPECT_GT(FigureOf(answer, "accuracy"), 0.92);
  EXPECT_TRUE(answer.check->passed) << answer.check->text;
  EXPECT_EQ(answer.check->text.find("held-out accuracy 0.9"), 0u) << answer.check->text;
  EXPECT_NE(answer.check->text.find(" on average over 2 models (at least 0.9)"), std::string::npos)
      << answer.check->text;
}

TEST(TrainAutoencoder, TellsFaultyFromHealthyOnceItHasLearned) {
  const WorkloadType type = TrainAutoencoder();
  const Answer untrained = Train(type, With(JobOf(type), "rate", "1e-9"), 30);
  EXPECT_FALSE(untrained.check->passed) << untrained.check->text;
  const Answer answer = Train(type, JobOf(type), 30);  // 30 epochs of 900 rows are 27 units
  EXPECT_EQ(FigureOf(answer, "models"), 1);
  EXPECT_TRUE(answer.check->passed) << answer.check->text;
}

TEST(TrainRegression, IsBetterThanTheBestLine) {
  const WorkloadType type = TrainRegression();
  const Answer answer = Train(type, JobOf(type), 55);
  EXPECT_TRUE(answer.check->passed) << answer.check->text;
  EXPECT_GT(FigureOf(answer, "r2"), FigureOf(answer, "linear_r2") + 0.01);
  EXPECT_LT(FigureOf(answer, "linear_r2"), 0.98) << "a line would pass";
}

TEST(Training, DefaultsPassForOtherSeeds) {
  for (const auto& type : {TrainVibration(), TrainAutoencoder(), TrainRegression()}) {
    WorkerJob job = JobOf(type);
    job.seed = 7;
    const Answer answer = Train(type, job, 55);
    EXPECT_TRUE(answer.check->passed) << type.info.name << ": " << answer.check->text;
  }
}

TEST(Training, AScoreBelowTheLimitFailsTheRun) {
  const WorkloadType type = TrainVibration();
  const Answer answer = Train(type, With(Small(type), "least_score", "0.999"), 5);
  EXPECT_FALSE(answer.check->passed) << answer.check->text;
  EXPECT_NE(answer.check->text.find("(at least 0.999)"), std::string::npos) << answer.check->text;
}

TEST(Training, AModelThatHasNotFinishedIsJudgedAndSaysSo) {
  const WorkloadType type = TrainVibration();
  const Answer answer = Train(type, Small(type), 1);
  EXPECT_EQ(FigureOf(answer, "models"), 0);
  EXPECT_NE(answer.check->text.find(" of a model that has not finished its 10 epochs"), std::string::npos)
      << answer.check->text;
}

TEST(Training, WorkersOfAnEnsembleTrainDifferentModelsAndOneJobTheSameAgain) {
  const WorkloadType type = TrainVibration();
  const WorkerJob job = Small(type, 2);
  const auto input = Load(type, job);
  WorkerJob second = job;
  second.index = 1;
  const Bytes first_result = RunWorker(type, job, 4, {.input = input.get()});
  EXPECT_NE(RunWorker(type, second, 4, {.input = input.get()}), first_result);
  EXPECT_EQ(RunWorker(type, job, 4, {.input = input.get()}), first_result);
  EXPECT_EQ(RunWorker(type, job, 4, {}), first_result) << "without an input it loads its own";
}

TEST(Training, ASearchReportsTheBestAndWhatItWasTrainedWith) {
  const WorkloadType type = TrainRegression();
  const WorkerJob job = With(Small(type, 2), "mode", "search");
  const Answer answer = Train(type, job, 60);
  EXPECT_GT(FigureOf(answer, "models"), 20);
  EXPECT_EQ(FigureOf(answer, "r2"), FigureOf(answer, "best_r2"));
  EXPECT_GT(FigureOf(answer, "r2"), 0.9);
  EXPECT_GT(FigureOf(answer, "spread"), 0.01) << "some are worse";
  const double hidden = FigureOf(answer, "best_hidden"), batch = FigureOf(answer, "best_batch");
  EXPECT_TRUE(hidden == 8 || hidden == 16 || hidden == 32 || hidden == 64) << hidden;
  EXPECT_TRUE(batch == 16 || batch == 32 || batch == 64 || batch == 128) << batch;
  EXPECT_GE(FigureOf(answer, "best_rate"), 1e-4);
  EXPECT_LE(FigureOf(answer, "best_rate"), 1e-1);
  EXPECT_NE(answer.check->text.find(" of the best in validation of "), std::string::npos) << answer.check->text;
}

TEST(Training, AModelThatDivergesEndsItsWorkerWithOneLine) {
  const WorkloadType type = TrainRegression();
  const WorkerJob job = With(Small(type), "rate", "100000");
  const auto workload = type.make(job, {});
  ASSERT_TRUE(workload.has_value());
  std::string said;
  try {
    for (int unit = 0; unit < 10; ++unit) (*workload)->RunUnit(unit);
  } catch (const std::runtime_error& error) {
    said = error.what();
  }
  EXPECT_EQ(said.find("the training diverged: the loss is not finite after "), 0u) << said;
  EXPECT_NE(said.find(" steps of model 0 (sgd, rate 1e+05); a lower rate may help"), std::string::npos) << said;
}

// The answer of `workers` that train one model, each `units` units, as threads or as processes.
Answer TrainTogether(const WorkerJob& job, int units, bool processes) {
  const WorkloadType type = TrainVibration();
  const auto input = Load(type, job);
  const std::size_t exchange = type.exchange_size(job), result = type.result_size(job);
  const auto workers = static_cast<std::size_t>(job.workers);
  const SharedBytes shared(exchange + workers * result + 64);
  const auto run = [&](std::size_t index) {
    WorkerJob its = job;
    its.index = static_cast<int>(index);
    const Bytes bytes = RunWorker(type, its, units, {.input = input.get(), .exchange = shared.bytes().first(exchange)});
    std::memcpy(shared.bytes().data() + exchange + index * result, bytes.data(), bytes.size());
  };
  std::vector<std::thread> threads;
  std::vector<pid_t> children;
  for (std::size_t index = 0; index < workers; ++index) {
    if (processes) {
      children.push_back(fork());
      if (children.back() != 0) continue;
      run(index);
      _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    threads.emplace_back(run, index);
  }
  for (std::thread& thread : threads) thread.join();
  for (const pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  std::vector<Bytes> results;
  for (std::size_t index = 0; index < workers; ++index) {
    const std::byte* at = shared.bytes().data() + exchange + index * result;
    results.emplace_back(at, at + result);
  }
  const auto answer = MergeAll(type, job, results);
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  return answer.value_or(Answer{});
}

TEST(TrainingTogether, ThreadsAndProcessesTrainTheModelThatOneWorkerTrains) {
  if (const auto ok = Rendezvous::Supported(); !ok) GTEST_SKIP() << ok.error().message;
  const WorkloadType type = TrainVibration();
  const auto job = [&](int workers) { return With(Small(type, workers), "mode", "data-parallel"); };
  EXPECT_EQ(type.exchange_size(job(1)), 0u);
  EXPECT_EQ(type.exchange_size(Small(type, 3)), 0u) << "an ensemble exchanges nothing";
  const Answer alone = Train(type, job(1), 12);
  const Answer threads = TrainTogether(job(3), 4, false), processes = TrainTogether(job(3), 4, true);
  EXPECT_EQ(threads.units, 12u);
  for (const Answer& together : {threads, processes}) {
    EXPECT_EQ(FigureOf(together, "models"), FigureOf(alone, "models"));
    EXPECT_EQ(FigureOf(alone, "models"), 3);
    EXPECT_NEAR(FigureOf(together, "loss"), FigureOf(alone, "loss"), 1e-3 * FigureOf(alone, "loss"));
    EXPECT_NEAR(FigureOf(together, "accuracy"), FigureOf(alone, "accuracy"), 0.01);
  }
  EXPECT_EQ(FigureOf(threads, "weights_checksum"), FigureOf(processes, "weights_checksum"));
}

TEST(TrainingTogether, WorkersWhoseWeightsDifferFailTheRun) {
  const WorkloadType type = TrainVibration();
  const WorkerJob alone = Small(type), job = With(Small(type, 2), "mode", "data-parallel");
  WorkerJob other = alone;
  other.seed = 43;
  const auto answer = MergeAll(type, job, {RunWorker(type, alone, 5, {}), RunWorker(type, other, 5, {})});
  ASSERT_TRUE(answer.has_value());
  EXPECT_FALSE(answer->check->passed);
  EXPECT_EQ(answer->check->text.find("workers that trained one model have different weights after the same "), 0u)
      << answer->check->text;
}

TEST(TrainingTogether, WhoIsToldToStopEndsItsUnitAndKeepsItsResult) {
  if (const auto ok = Rendezvous::Supported(); !ok) GTEST_SKIP() << ok.error().message;
  const WorkloadType type = TrainVibration();
  const WorkerJob job = With(Small(type, 2), "mode", "data-parallel");
  const SharedBytes shared(type.exchange_size(job));
  WorkerJob second = job;
  second.index = 1;
  const auto stays = type.make(second, {.exchange = shared.bytes()});
  ASSERT_TRUE(stays.has_value());
  const auto workload = type.make(job, {.exchange = shared.bytes(), .told_to_stop = [] { return true; }});
  ASSERT_TRUE(workload.has_value());
  (*workload)->RunUnit(0);
  EXPECT_TRUE((*workload)->CutShort());
  const auto answer = MergeAll(type, job, {ResultOf(type, job, **workload)});
  EXPECT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().message, "worker learn: no unit of work was finished");
}

std::string Refusal(const WorkloadType& type, const WorkerJob& job) {
  const auto workload = type.make(job, {});
  return workload ? "made" : workload.error().message;
}

TEST(Training, ParametersThatMakeNoSenseAreRefusedBeforeAnythingIsLoaded) {
  const WorkloadType type = TrainVibration();
  const WorkerJob job = JobOf(type);
  const auto refusal = [&](std::string_view name, std::string_view value) {
    return Refusal(type, With(job, name, value));
  };
  EXPECT_EQ(Refusal(type, job), "made");
  EXPECT_EQ(refusal("file", "/nonexistent.csv"), "made");
  EXPECT_EQ(refusal("mode", "both"),
            "mode \"both\" is unknown; write \"independent\", \"search\" or \"data-parallel\"");
  EXPECT_EQ(refusal("hidden", "0"), "hidden = 0; write a whole number from 1 to 256");
  EXPECT_EQ(refusal("hidden", "257"), "hidden = 257; write a whole number from 1 to 256");
  EXPECT_EQ(refusal("layers", "5"), "layers = 5; write a whole number from 1 to 4");
  EXPECT_EQ(refusal("batch", "48"),
            "batch = 48; write a power of two from 1 to 1024, that a unit of 1024 samples holds whole ones");
  EXPECT_EQ(refusal("batch", "2048"),
            "batch = 2048; write a power of two from 1 to 1024, that a unit of 1024 samples holds whole ones");
  EXPECT_EQ(refusal("epochs", "0"), "epochs = 0; write a whole number from 1 to 1000000");
  EXPECT_EQ(refusal("optimiser", "Adam"), "optimiser \"Adam\" is unknown; write \"sgd\" or \"adam\"");
  EXPECT_EQ(refusal("momentum", "1"), "momentum = 1; write a number from 0 to below 1");
  EXPECT_EQ(refusal("rate", "1e7"), "rate = 1e+07; write a number above 0, such as 0.01");
  EXPECT_EQ(refusal("rows", "10"), "rows = 10; write a whole number from 50 to 100000");
  EXPECT_EQ(refusal("least_score", "1.5"), "least_score = 1.5; the best score there is is 1");
}

TEST(TrainingTogether, WhatCannotBeSharedIsRefused) {
  const WorkloadType type = TrainVibration();
  WorkerJob job = With(JobOf(type, 3), "mode", "data-parallel");
  EXPECT_EQ(Refusal(type, job), "made");
  job.units = 10;
  EXPECT_EQ(Refusal(type, job),
            "units = 10 for 3 workers that train one model; all must do as many: write a multiple of 3");
  job.units = 12;
  EXPECT_EQ(Refusal(type, job), "made");
  EXPECT_EQ(Refusal(type, With(job, "batch", "2")),
            "a mini-batch of 2 rows cannot be shared by 3 workers; write batch = 4 or more");
  job.shards = 2;
  EXPECT_EQ(Refusal(type, job),
            "mode = \"data-parallel\" trains one model: it cannot be split into shards; use \"independent\"");
  // Workers that would train apart without a word.
  const auto alone = type.make(With(JobOf(type, 3), "mode", "data-parallel"), {});
  ASSERT_TRUE(alone.has_value());
  EXPECT_THROW((*alone)->RunUnit(0), std::runtime_error);
}

TEST(Training, ABatchOfMoreRowsThanThereAreIsRefusedOnceTheyAreLoaded) {
  const WorkloadType type = TrainVibration();
  const WorkerJob job = With(With(JobOf(type), "rows", "100"), "batch", "64");
  const auto input = Load(type, job);
  const auto workload = type.make(job, {.input = input.get()});
  ASSERT_FALSE(workload.has_value());
  EXPECT_EQ(workload.error().message, "batch = 64; there are 60 rows to learn from");
}

TEST(Training, ResultsThatCannotBeAreRefused) {
  const WorkloadType type = TrainVibration();
  WorkerJob job = Small(type, 2);
  job.units = 10;
  const Bytes good = RunWorker(type, job, 5, {});
  const auto error_of = [&](const std::vector<WorkerResult>& results) {
    const auto answer = type.merge(job, results);
    return answer ? "taken" : answer.error().message;
  };
  EXPECT_EQ(error_of({{0, good}}), "taken");
  EXPECT_EQ(error_of({}), "worker learn: no unit of work was finished");
  EXPECT_EQ(error_of({{2, good}}), "worker learn.2: there are only 2 workers");
  EXPECT_EQ(error_of({{-1, good}}), "worker learn.-1: there are only 2 workers");
  EXPECT_EQ(error_of({{1, good}, {1, good}}), "worker learn.1: two results");
  const std::span<const std::byte> cut = std::span(good).first(good.size() - 1);
  EXPECT_EQ(error_of({{0, cut}}),
            StrCat("worker learn.0: its result has ", cut.size(), " bytes; ", good.size(), " were expected"));
  // Every eight bytes in turn: more units than were its own, or a figure that is none.
  const Bytes more = [&] {
    Bytes bytes = good;
    const std::uint64_t units = 6;
    std::memcpy(bytes.data(), &units, sizeof units);
    return bytes;
  }();
  EXPECT_EQ(error_of({{0, more}}), "worker learn.0: it claims 6 units; 5 were its own");
  int refused = 0;
  for (std::size_t at = 32; at + 8 <= good.size(); at += 8) {
    Bytes bytes = good;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    std::memcpy(bytes.data() + at, &nan, sizeof nan);
    refused += error_of({{0, bytes}}) == "worker learn.0: a figure of its result is not finite" ? 1 : 0;
  }
  EXPECT_EQ(refused, 8);
}

// Held-out rows judge; were they to choose too, the judgement would flatter.
TEST(Training, TheBestIsThatInValidationNotInWhatItIsJudgedBy) {
  const WorkloadType type = TrainVibration();
  const WorkerJob job = With(Small(type, 2), "mode", "search");
  // Where the scores of the best model stand in a result: 48 validation, 56 held out.
  const auto scored = [good = RunWorker(type, job, 10, {})](double validation, double held_out) {
    Bytes bytes = good;
    std::memcpy(bytes.data() + 48, &validation, sizeof validation);
    std::memcpy(bytes.data() + 56, &held_out, sizeof held_out);
    return bytes;
  };
  for (const bool swapped : {false, true}) {
    const Bytes chosen = scored(0.95, 0.91), flattering = scored(0.94, 0.99);
    const auto answer =
        MergeAll(type, job, swapped ? std::vector{flattering, chosen} : std::vector{chosen, flattering});
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(FigureOf(*answer, "best_accuracy"), 0.91);
    EXPECT_EQ(FigureOf(*answer, "accuracy"), 0.91);
  }
}

TEST(Training, AWorkerKeepsTheBestInValidationToo) {
  const WorkloadType type = TrainVibration();
  const WorkerJob job = With(Small(type), "mode", "search");
  const auto input = Load(type, job);
  const auto workload = type.make(job, {.input = input.get()});
  ASSERT_TRUE(workload.has_value());
  double validation = 0, held_out = 0;
  bool went_down = false;
  for (int unit = 0; unit < 120; ++unit) {
    (*workload)->RunUnit(unit);
    const Bytes result = ResultOf(type, job, **workload);
    std::uint64_t models = 0;
    double now = 0, now_held_out = 0;
    std::memcpy(&models, result.data() + 8, sizeof models);
    std::memcpy(&now, result.data() + 48, sizeof now);
    std::memcpy(&now_held_out, result.data() + 56, sizeof now_held_out);
    if (models == 0) continue;  // then it is that of a model in training
    EXPECT_GE(now, validation) << unit;
    went_down = went_down || now_held_out < held_out;
    validation = now;
    held_out = now_held_out;
  }
  EXPECT_TRUE(went_down) << "the two would choose alike";
}

// A file of the test's own.
std::string File(const std::string& name, const std::string& text) {
  const char* directory = std::getenv("TEST_TMPDIR");
  const std::string path = StrCat(directory != nullptr ? directory : "/tmp", "/", name);
  std::ofstream(path) << text;
  return path;
}

TEST(TrainingFromCsv, LearnsWhatTheFileSays) {
  std::string text = "x,y,state\n", values = "x,target,y\n";
  for (int i = 0; i < 600; ++i) {
    const double x = std::fmod(i * 0.618, 1), y = std::fmod(i * 0.414, 1);
    text += StrCat(x, ",", y, ",", x > y ? "above" : "below", "\n");
    values += StrCat(x, ",", x * x + y, ",", y, "\n");
  }
  const WorkloadType classes = TrainVibration(), value = TrainRegression(), anomaly = TrainAutoencoder();
  const Answer told = Train(classes, With(JobOf(classes), "file", File("classes.csv", text)), 20);
  EXPECT_TRUE(told.check->passed) << told.check->text;
  const WorkerJob regression = With(With(JobOf(value), "file", File("values.csv", values)), "label", "target");
  EXPECT_GT(FigureOf(Train(value, regression, 20), "r2"), 0.98);
  const WorkerJob health = With(With(JobOf(anomaly), "file", File("health.csv", text)), "healthy", "above");
  EXPECT_GT(FigureOf(Train(anomaly, With(health, "hidden", "1"), 20), "models"), 0);
}

TEST(TrainingFromCsv, WhatIsWrongWithTheFileIsOneLine) {
  const WorkloadType type = TrainVibration();
  const auto error_of = [&](const std::string& path) {
    const auto input = type.load(With(JobOf(type), "file", path));
    return input ? "loaded" : input.error().message;
  };
  std::string ragged;
  for (int i = 0; i < 16; ++i) ragged += "1,2,a\n";
  const std::string path = File("ragged.csv", ragged + "1,2,3,a\n");
  EXPECT_EQ(error_of(path), path + ":17: 4 columns; the first row has 3");
  EXPECT_NE(error_of("/nonexistent/data.csv").find("/nonexistent/data.csv"), std::string::npos);
  EXPECT_EQ(error_of("/dev/zero"), "cannot read /dev/zero: it is no regular file");
}

TEST(Training, RowsThatNobodyHasMemoryForAreRefusedBeforeTheyAreMade) {
  const WorkloadType type = TrainVibration();
  const auto input = type.load(With(JobOf(type), "rows", "1000000000000"));
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().message, "rows = 1e+12; write a whole number from 50 to 100000");
}

}  // namespace
}  // namespace corerig
