#include "scenarios/train/workload.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "harness/base/philox.h"
#include "harness/base/text.h"
#include "harness/os/file_reader.h"
#include "scenarios/train/csv_table.h"
#include "scenarios/worker_results.h"

namespace corerig {
namespace {

constexpr std::uint32_t kSearch = StreamId("train/search");
constexpr std::uint64_t kMostBytes = 1 << 30;  // of a CSV
constexpr double kMostHidden = 256, kMostLayers = 4, kMostRows = 100'000, kMostEpochs = 1e6;

enum class Mode { kIndependent, kSearch, kDataParallel };

class TrainingInput final : public WorkloadInput {
 public:
  TrainingInput(Dataset data, double linear) : data_(std::move(data)), linear_(linear) {}
  const Dataset& data() const { return data_; }
  double linear() const { return linear_; }

 private:
  Dataset data_;
  double linear_;  // score of the linear model; of kPredict
};

// What a worker writes into its slab.
struct TrainingResult {
  std::uint64_t units = 0, models = 0, diverged = 0;
  std::uint64_t steps = 0;                  // of all its models
  double score_sum = 0, score_squares = 0;  // held out, of its finished models
  // Of the best of them in validation; of the one that is in training, if none has finished.
  double validation = 0, held_out = 0, loss = 0;
  double linear = 0;
  double rate = 0, momentum = 0;
  std::uint32_t hidden = 0, batch = 0, adam = 0;
  std::uint32_t weights = 0;  // checksum
  std::uint32_t all_weights =
      0;  // of all its models and of the one in training: what data-parallel workers must agree on
  std::uint32_t vector_bits = 0;
};
static_assert(std::is_trivially_copyable_v<TrainingResult>);

// FNV-1a over the bits of the parameters.
std::uint32_t ChecksumOf(std::span<const float> parameters, std::uint32_t hash = 2166136261u) {
  for (const float parameter : parameters) {
    const auto bits = std::bit_cast<std::uint32_t>(parameter);
    for (int shift = 0; shift < 32; shift += 8) hash = (hash ^ ((bits >> shift) & 0xFF)) * 16777619u;
  }
  return hash;
}

bool IsWhole(double value, double least, double most) {
  return value >= least && value <= most && value == std::trunc(value);
}

Result<Mode> ModeOf(const WorkerJob& job) {
  const std::string_view mode = job.Word("mode");
  if (mode == "independent") return Mode::kIndependent;
  if (mode == "search") return Mode::kSearch;
  if (mode == "data-parallel") return Mode::kDataParallel;
  return Fail("mode \"", mode, "\" is unknown; write \"independent\", \"search\" or \"data-parallel\"");
}

Result<HyperParameters> HyperParametersOf(const WorkerJob& job) {
  const double hidden = job.Number("hidden"), layers = job.Number("layers"), batch = job.Number("batch");
  const double epochs = job.Number("epochs"), rate = job.Number("rate"), momentum = job.Number("momentum");
  const std::string_view optimiser = job.Word("optimiser");
  if (!IsWhole(hidden, 1, kMostHidden)) return Fail("hidden = ", hidden, "; write a whole number from 1 to 256");
  if (!IsWhole(layers, 1, kMostLayers)) return Fail("layers = ", layers, "; write a whole number from 1 to 4");
  if (!IsWhole(batch, 1, kSamplesPerUnit) || !std::has_single_bit(static_cast<std::size_t>(batch))) {
    return Fail("batch = ", batch,
                "; write a power of two from 1 to 1024, that a unit of 1024 samples holds whole ones");
  }
  if (!IsWhole(epochs, 1, kMostEpochs)) return Fail("epochs = ", epochs, "; write a whole number from 1 to 1000000");
  if (optimiser != "sgd" && optimiser != "adam") {
    return Fail("optimiser \"", optimiser, "\" is unknown; write \"sgd\" or \"adam\"");
  }
  if (!(momentum >= 0 && momentum < 1)) return Fail("momentum = ", momentum, "; write a number from 0 to below 1");
  if (!(rate > 0 && rate <= 1e6)) return Fail("rate = ", rate, "; write a number above 0, such as 0.01");
  return HyperParameters{.hidden = static_cast<std::size_t>(hidden),
                         .layers = static_cast<std::size_t>(layers),
                         .batch = static_cast<std::size_t>(batch),
                         .epochs = static_cast<std::size_t>(epochs),
                         .optimiser = {.kind = optimiser == "adam" ? Optimiser::Kind::kAdam : Optimiser::Kind::kSgd,
                                       .rate = static_cast<float>(rate),
                                       .momentum = static_cast<float>(momentum)}};
}

Status CheckShare(const WorkerJob& job, const HyperParameters& with) {
  if (job.shards > 1) {
    return Fail("mode = \"data-parallel\" trains one model: it cannot be split into shards; use \"independent\"");
  }
  if (job.units && *job.units % static_cast<std::uint64_t>(job.workers) != 0) {
    return Fail("units = ", *job.units, " for ", job.workers,
                " workers that train one model; all must do as many: write a multiple of ", job.workers);
  }
  if (with.batch < static_cast<std::size_t>(job.workers)) {
    return Fail("a mini-batch of ", with.batch, " rows cannot be shared by ", job.workers,
                " workers; write batch = ", std::bit_ceil(static_cast<std::size_t>(job.workers)), " or more");
  }
  return {};
}

Status CheckRows(const WorkerJob& job) {
  if (IsWhole(job.Number("rows"), static_cast<double>(kFewestRows), kMostRows)) return {};
  return Fail("rows = ", job.Number("rows"), "; write a whole number from ", kFewestRows, " to 100000");
}

std::string DivergedText(const Training& training, std::uint32_t model) {
  const Optimiser::Settings& settings = training.with().optimiser;
  const bool adam = settings.kind == Optimiser::Kind::kAdam;
  return StrCat("the training diverged: the loss is not finite after ", training.steps(), " steps of model ", model,
                " (", adam ? "adam" : "sgd", ", rate ", settings.rate, "); a lower rate may help");
}

class Trainer final : public Workload {
 public:
  Trainer(const TrainingTask& task, const WorkerJob& job, Mode mode, const HyperParameters& with,
          const TrainingInput* input, std::unique_ptr<AllReduce> together)
      : task_(task), job_(job), mode_(mode), with_(with), input_(input), together_(std::move(together)) {}

  void RunUnit(std::uint64_t) override {
    if (mode_ == Mode::kDataParallel && job_.workers > 1 && !together_) {
      throw std::runtime_error("mode = \"data-parallel\" needs memory that the workers share, and there is none");
    }
    if (input_ == nullptr) LoadInput();
    const std::size_t parties = together_ ? static_cast<std::size_t>(together_->parties()) : 1;
    for (std::size_t samples = 0; samples < kSamplesPerUnit * parties;) {
      if (!training_) StartModel();
      samples += training_->with().batch;
      Step();
      if (interrupted_) return;  // not counted: it is no whole unit
    }
    ++result_.units;
  }

  bool CutShort() const override { return interrupted_; }

  std::size_t WriteResult(std::span<std::byte> out) const override {
    TrainingResult result = result_;
    result.vector_bits = BestTrainKernels().vector_bits;
    if (input_ != nullptr) result.linear = input_->linear();
    if (training_) {
      result.all_weights = ChecksumOf(training_->parameters(), result.all_weights);
      if (result.models == 0) Judge(result);
    }
    std::memcpy(out.data(), &result, sizeof result);
    return sizeof result;
  }

 private:
  void LoadInput() {
    auto loaded = training_internal::Load(task_, job_);
    if (!loaded) throw std::runtime_error(loaded.error().message);
    own_input_ = std::move(*loaded);
    input_ = static_cast<const TrainingInput*>(own_input_.get());
  }

  void StartModel() {
    const auto number = mode_ == Mode::kDataParallel ? started_ : job_.FirstUnit() + started_ * job_.UnitStep();
    ++started_;
    model_ = static_cast<std::uint32_t>(number);
    HyperParameters with = mode_ == Mode::kSearch ? SearchSpace(with_, job_.seed, model_) : with_;
    // Of few rows no mini-batch of a search is too large.
    while (with.batch > input_->data().train.count()) with.batch /= 2;
    training_.emplace(input_->data(), task_.goal, with, job_.seed, model_, together_.get());
  }

  void Step() {
    switch (training_->Step()) {
      case Training::Stepped::kInterrupted:
        interrupted_ = true;
        return;
      case Training::Stepped::kDiverged:
        if (mode_ != Mode::kSearch) throw std::runtime_error(DivergedText(*training_, model_));
        ++result_.diverged;
        training_.reset();
        return;
      case Training::Stepped::kOn:
        ++result_.steps;
        if (training_->done()) FinishModel();
    }
  }

  void FinishModel() {
    TrainingResult now = result_;
    Judge(now);
    // A row held out that is far from all that was learned makes a score no number: as good as none.
    if (!std::isfinite(now.validation) || !std::isfinite(now.held_out) || !std::isfinite(now.loss)) {
      ++result_.diverged;
      training_.reset();
      return;
    }
    if (result_.models == 0 || now.validation > result_.validation) result_ = now;
    ++result_.models;
    result_.score_sum += now.held_out;
    result_.score_squares += now.held_out * now.held_out;
    result_.all_weights = ChecksumOf(training_->parameters(), result_.all_weights);
    training_.reset();
  }

  // Puts what the model in training is into `out`.
  void Judge(TrainingResult& out) const {
    const HyperParameters& with = training_->with();
    out.validation = training_->Score(input_->data().validation);
    out.held_out = training_->Score(input_->data().held_out);
    out.loss = training_->loss();
    out.rate = static_cast<double>(with.optimiser.rate);
    out.momentum = static_cast<double>(with.optimiser.momentum);
    out.hidden = static_cast<std::uint32_t>(with.hidden);
    out.batch = static_cast<std::uint32_t>(with.batch);
    out.adam = with.optimiser.kind == Optimiser::Kind::kAdam ? 1 : 0;
    out.weights = ChecksumOf(training_->parameters());
  }

  const TrainingTask& task_;
  const WorkerJob job_;
  const Mode mode_;
  const HyperParameters with_;
  const TrainingInput* input_;
  std::unique_ptr<WorkloadInput> own_input_;
  std::unique_ptr<AllReduce> together_;
  mutable std::optional<Training> training_;  // scores go through its network
  std::uint32_t model_ = 0;
  std::uint64_t started_ = 0;
  bool interrupted_ = false;
  TrainingResult result_;
};

Result<TrainingResult> ReadResult(const WorkerResult& from) {
  TrainingResult result;
  if (from.bytes.size() != sizeof result) {
    return Fail("its result has ", from.bytes.size(), " bytes; ", sizeof result, " were expected");
  }
  std::memcpy(&result, from.bytes.data(), sizeof result);
  for (const double value : {result.score_sum, result.score_squares, result.validation, result.held_out, result.loss,
                             result.linear, result.rate, result.momentum}) {
    if (!std::isfinite(value)) return Fail("a figure of its result is not finite");
  }
  // Every score is 1 at most.
  if (result.held_out > 1 || result.validation > 1 || result.score_sum > static_cast<double>(result.models)) {
    return Fail("it claims a score above 1");
  }
  return result;
}

std::string Rounded(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, 4);
  return error == std::errc{} ? std::string(buffer, end) : StrCat(value);  // a score may be far below 0
}

// What all workers' results come to.
struct Total {
  std::uint64_t units = 0, models = 0, diverged = 0;
  double score_sum = 0, score_squares = 0;
  TrainingResult best;
  std::uint32_t vector_bits = 0;  // 0: they differ
  std::string disagreement;       // of data-parallel workers
};

Total TotalOf(Mode mode, const std::vector<TrainingResult>& results) {
  Total total;
  total.best = results.front();
  total.vector_bits = results.front().vector_bits;
  const TrainingResult* furthest = &results.front();
  for (const TrainingResult& result : results) {
    total.units += result.units;
    total.models += result.models;
    total.diverged += result.diverged;
    total.score_sum += result.score_sum;
    total.score_squares += result.score_squares;
    // One that finished a model is before one that did not.
    const auto rank = [](const TrainingResult& of) { return std::pair(of.models > 0, of.validation); };
    if (rank(result) > rank(total.best)) total.best = result;
    if (result.vector_bits != total.vector_bits) total.vector_bits = 0;
    if (result.steps > furthest->steps) furthest = &result;
  }
  if (mode != Mode::kDataParallel) return total;
  // Their models are one; who was told to stop a step earlier has seen less of it.
  total.best = *furthest;
  total.models = furthest->models;
  total.score_sum = furthest->score_sum;
  total.score_squares = furthest->score_squares;
  for (const TrainingResult& result : results) {
    if (result.steps == furthest->steps && result.all_weights != furthest->all_weights) {
      total.disagreement =
          StrCat("workers that trained one model have different weights after the same ", result.steps, " steps");
    }
  }
  return total;
}

}  // namespace

std::vector<ParameterInfo> TrainingParameters(const TrainingDefaults& defaults) {
  using Kind = ParameterInfo::Kind;
  return {{"mode", Kind::kWord, "independent", "\"independent\" models, a \"search\", or one, \"data-parallel\""},
          {"hidden", Kind::kWholeNumber, defaults.hidden, "units of a hidden layer, up to 256"},
          {"layers", Kind::kWholeNumber, "1", "hidden layers, up to 4"},
          {"batch", Kind::kWholeNumber, "32", "samples of a mini-batch, a power of two up to 1024"},
          {"optimiser", Kind::kWord, defaults.optimiser, "\"sgd\" (with momentum) or \"adam\""},
          {"rate", Kind::kPositiveNumber, defaults.rate, "the optimiser's"},
          {"momentum", Kind::kNotNegative, "0.9", "of sgd, below 1"},
          {"epochs", Kind::kWholeNumber, defaults.epochs, "times that a model sees the rows to learn from"},
          {"least_score", Kind::kNumber, defaults.least_score, "held-out score below which the run fails"},
          {"rows", Kind::kWholeNumber, defaults.rows, "simulated, if there is no file"},
          {"file", Kind::kPath, "", "CSV to learn from instead"},
          {"label", Kind::kWord, "last", "the CSV's column to be told: \"last\" or its name"},
          {"healthy", Kind::kWord, "healthy", "label of a healthy row, of an autoencoder"}};
}

HyperParameters SearchSpace(const HyperParameters& given, std::uint64_t seed, std::uint32_t model) {
  const auto first = RandomWords(seed, kSearch, model), second = RandomWords(seed, kSearch, model, 1);
  HyperParameters with = given;
  with.hidden = std::size_t{8} << (first[0] >> 30);
  with.batch = std::size_t{16} << (first[1] >> 30);
  with.optimiser.kind = first[2] >> 31 == 0 ? Optimiser::Kind::kSgd : Optimiser::Kind::kAdam;
  with.optimiser.rate = static_cast<float>(std::pow(10.0, -4 + 3 * UniformOpen(first[3])));
  with.optimiser.momentum = static_cast<float>(0.5 + 0.49 * UniformOpen(second[0]));
  return with;
}

namespace training_internal {

Result<std::unique_ptr<Workload>> Make(const TrainingTask& task, const WorkerJob& job, const Surroundings& around) {
  const auto mode = ModeOf(job);
  if (!mode) return Forward(mode);
  const auto with = HyperParametersOf(job);
  if (!with) return Forward(with);
  if (auto checked = CheckRows(job); !checked) return Forward(checked);
  if (job.Number("least_score") > 1) {
    return Fail("least_score = ", job.Number("least_score"), "; the best score there is is 1");
  }
  const auto* input = static_cast<const TrainingInput*>(around.input);
  if (input != nullptr && *mode != Mode::kSearch && input->data().train.count() < with->batch) {
    return Fail("batch = ", with->batch, "; there are ", input->data().train.count(), " rows to learn from");
  }
  std::unique_ptr<AllReduce> together;
  if (*mode == Mode::kDataParallel) {
    if (auto ok = CheckShare(job, *with); !ok) return Forward(ok);
    // Without memory to exchange it is only checked.
    if (job.workers > 1 && !around.exchange.empty()) {
      auto joined = AllReduce::Join(around.exchange, {.index = job.index, .parties = job.workers, .name = job.group},
                                    around.told_to_stop);
      if (!joined) return Forward(joined);
      together = std::move(*joined);
    }
  }
  return std::make_unique<Trainer>(task, job, *mode, *with, input, std::move(together));
}

Result<std::unique_ptr<WorkloadInput>> Load(const TrainingTask& task, const WorkerJob& job) {
  Examples table;
  if (const std::string file(job.Word("file")); !file.empty()) {
    const auto reader = FileReader::Open(file);
    if (!reader) return Forward(reader);
    const auto text = reader->ReadWhole(kMostBytes);
    if (!text) return Forward(text);
    auto read = ReadCsv(*text, file, {.goal = task.goal, .label = job.Word("label"), .healthy = job.Word("healthy")});
    if (!read) return Forward(read);
    table = std::move(*read);
  } else {
    if (auto checked = CheckRows(job); !checked) return Forward(checked);
    table = task.simulate(static_cast<std::size_t>(job.Number("rows")), job.seed);
  }
  auto data = MakeDataset(table, task.goal, job.seed);
  if (!data) return Forward(data);
  const double linear = task.goal == Goal::kPredict ? LinearDetermination(*data) : 0;
  return std::make_unique<TrainingInput>(std::move(*data), linear);
}

std::size_t ResultSize(const WorkerJob&) { return sizeof(TrainingResult); }

std::size_t ExchangeSize(const WorkerJob& job) {
  const auto mode = ModeOf(job);
  return mode && *mode == Mode::kDataParallel && job.workers > 1 ? AllReduce::SizeFor(job.workers) : 0;
}

Result<Answer> Merge(const TrainingTask& task, const WorkerJob& job, std::span<const WorkerResult> arrived) {
  const auto mode = ModeOf(job);
  if (!mode) return Forward(mode);
  std::vector<TrainingResult> results;
  if (auto checked = CheckSenders(job, arrived); !checked) return Forward(checked);
  for (const WorkerResult& from : arrived) {
    const auto result = ReadResult(from);
    if (!result) return ForwardWith(result, NameOf(job, from), ": ");
    if (auto checked = CheckUnits(job, from, result->units); !checked) return Forward(checked);
    if (result->units > 0) results.push_back(*result);
  }
  if (results.empty()) return Fail("worker ", job.group, ": no unit of work was finished");

  const Total total = TotalOf(*mode, results);
  const TrainingResult& best = total.best;
  const auto models = static_cast<double>(total.models);
  const double mean = total.models > 0 ? total.score_sum / models : best.held_out;
  const double variance =
      total.models > 1 ? std::max((total.score_squares - total.score_sum * mean) / (models - 1), 0.0) : 0;
  const double judged = *mode == Mode::kSearch ? best.held_out : mean, least = job.Number("least_score");

  Answer answer;
  answer.units = total.units;
  const auto figure = [&](std::string name, double value, std::string unit = "") {
    answer.figures.push_back({std::move(name), value, std::move(unit)});
  };
  figure(std::string(task.score), judged);
  figure("best_" + std::string(task.score), best.held_out);
  figure("spread", std::sqrt(variance));
  figure("models", models, "models");
  figure("diverged", static_cast<double>(total.diverged), "models");
  figure("loss", best.loss, task.goal == Goal::kClassify ? "nats" : "");
  if (task.goal == Goal::kPredict) figure("linear_" + std::string(task.score), best.linear);
  if (*mode == Mode::kSearch) {
    figure("best_hidden", best.hidden);
    figure("best_batch", best.batch);
    figure("best_rate", best.rate);
    figure("best_momentum", best.momentum);
    figure("best_adam", best.adam);
  }
  figure("weights_checksum", best.weights);
  figure("vector_width", total.vector_bits, "bit");

  std::string of_what;
  if (total.models == 0) {
    of_what = StrCat("of a model that has not finished its ", job.Number("epochs"), " epochs");
  } else if (*mode == Mode::kSearch) {
    of_what = StrCat("of the best in validation of ", total.models, " models");
  } else {
    of_what = total.models == 1 ? "of one model" : StrCat("on average over ", total.models, " models");
  }
  answer.check = CheckRecord{.passed = judged >= least && total.disagreement.empty(),
                             .text = !total.disagreement.empty() ? total.disagreement
                                                                 : StrCat("held-out ", task.score, " ", Rounded(judged),
                                                                          " ", of_what, " (at least ", least, ")")};
  return answer;
}

}  // namespace training_internal
}  // namespace corerig
