#include <dlib/dnn.h>

#include "tests/bench/train_peers.h"

namespace corerig {

namespace {

using Input = dlib::input<dlib::matrix<float, 0, 1>>;
using Net =
    dlib::loss_multiclass_log<dlib::fc<TrainingRows::kClasses, dlib::relu<dlib::fc<TrainingRows::kHidden, Input>>>>;

struct Samples {
  std::vector<dlib::matrix<float, 0, 1>> x;
  std::vector<unsigned long> y;

  explicit Samples(const TrainingRows& rows) : x(rows.count), y(rows.labels.begin(), rows.labels.end()) {
    for (std::size_t r = 0; r < rows.count; ++r) {
      x[r].set_size(TrainingRows::kFeatures);
      for (std::size_t c = 0; c < TrainingRows::kFeatures; ++c) {
        x[r](static_cast<long>(c)) = rows.features[r * TrainingRows::kFeatures + c];
      }
    }
  }
};

// Calls `step` with the number of a mini-batch's first row, `epochs` times over all, after once for what is made on
// first use. Samples per second.
template <typename Step>
double Speed(const TrainingRows& rows, std::size_t batch, int epochs, const Step& step) {
  const auto epoch = [&] {
    for (std::size_t at = 0; at < rows.count; at += batch) step(static_cast<std::ptrdiff_t>(at));
  };
  epoch();
  const double begin = CpuSeconds();
  for (int i = 0; i < epochs; ++i) epoch();
  return static_cast<double>(rows.count) * epochs / (CpuSeconds() - begin);
}

}  // namespace

TrainingSpeed TrainByDlibTrainer(const TrainingRows& rows, std::size_t batch, int epochs) {
  const Samples samples(rows);
  Net net;
  dlib::dnn_trainer<Net> trainer(net, dlib::sgd(0, static_cast<float>(kMomentum)));
  trainer.set_learning_rate(kRate);
  trainer.set_iterations_without_progress_threshold(1'000'000'000);  // the rate stays what it is
  const auto step = static_cast<std::ptrdiff_t>(batch);
  const double speed = Speed(rows, batch, epochs, [&](std::ptrdiff_t at) {
    trainer.train_one_step(samples.x.begin() + at, samples.x.begin() + at + step, samples.y.begin() + at);
  });
  return {speed, trainer.get_average_loss()};
}

TrainingSpeed TrainByDlib(const TrainingRows& rows, std::size_t batch, int epochs) {
  const Samples samples(rows);
  Net net;
  std::vector<dlib::sgd> solvers(Net::num_computational_layers, dlib::sgd(0, static_cast<float>(kMomentum)));
  dlib::resizable_tensor inputs;
  double loss = 0;
  const auto step = static_cast<std::ptrdiff_t>(batch);
  const double speed = Speed(rows, batch, epochs, [&](std::ptrdiff_t at) {
    net.to_tensor(samples.x.begin() + at, samples.x.begin() + at + step, inputs);
    loss = net.compute_parameter_gradients(inputs, samples.y.begin() + at);
    net.update_parameters(solvers, kRate);
  });
  return {speed, loss};
}

}  // namespace corerig
