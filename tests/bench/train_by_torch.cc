#include <torch/torch.h>

#include "tests/bench/train_peers.h"

namespace corerig {

TrainingSpeed TrainByTorch(const TrainingRows& rows, std::size_t batch, int epochs) {
  at::set_num_threads(1);
  const auto count = static_cast<std::int64_t>(rows.count), step = static_cast<std::int64_t>(batch);
  torch::manual_seed(42);
  const auto x = torch::from_blob(const_cast<float*>(rows.features.data()),
                                  {count, static_cast<std::int64_t>(TrainingRows::kFeatures)})
                     .clone();
  const auto y =
      torch::from_blob(const_cast<std::int32_t*>(rows.labels.data()), {count}, torch::kInt32).to(torch::kInt64);
  torch::nn::Linear first(TrainingRows::kFeatures, TrainingRows::kHidden),
      second(TrainingRows::kHidden, TrainingRows::kClasses);
  std::vector<torch::Tensor> parameters = first->parameters();
  for (const auto& parameter : second->parameters()) parameters.push_back(parameter);
  torch::optim::SGD optimiser(parameters, torch::optim::SGDOptions(kRate).momentum(kMomentum));
  double loss = 0;
  const auto epoch = [&] {
    for (std::int64_t at = 0; at < count; at += step) {
      optimiser.zero_grad();
      const auto outputs = second->forward(torch::relu(first->forward(x.narrow(0, at, step))));
      const auto value = torch::nn::functional::cross_entropy(outputs, y.narrow(0, at, step));
      value.backward();
      optimiser.step();
      if (at + step >= count) loss = value.item<double>();
    }
  };
  epoch();  // what is made on first use
  const double begin = CpuSeconds();
  for (int i = 0; i < epochs; ++i) epoch();
  return {static_cast<double>(rows.count) * epochs / (CpuSeconds() - begin), loss};
}

}  // namespace corerig
