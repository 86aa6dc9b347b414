// Training the same network on the same data, by us and by others: 64 inputs, 32 rectified units, 5 classes, softmax
// cross entropy, stochastic gradient descent with momentum 0.9, in mini-batches, on one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <vector>

namespace corerig {

struct TrainingRows {
  static constexpr std::size_t kFeatures = 64, kHidden = 32, kClasses = 5;
  std::size_t count;
  std::vector<float> features;  // rows of kFeatures
  std::vector<std::int32_t> labels;
};

struct TrainingSpeed {
  double samples_per_second;  // of CPU time, of all threads of the process: what others on the core do does not count
  double loss;                // of the last mini-batches: that it learns
};

inline double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

inline constexpr double kRate = 0.05, kMomentum = 0.9;

// `epochs` times over all rows, in their order. The rows are a multiple of `batch`.
TrainingSpeed TrainByUs(const TrainingRows& rows, std::size_t batch, int epochs);
// By dnn_trainer::train_one_step, as dlib's documentation trains on mini-batches; and without it, by what it calls.
TrainingSpeed TrainByDlibTrainer(const TrainingRows& rows, std::size_t batch, int epochs);
TrainingSpeed TrainByDlib(const TrainingRows& rows, std::size_t batch, int epochs);
TrainingSpeed TrainByTorch(const TrainingRows& rows, std::size_t batch, int epochs);

}  // namespace corerig
