// How many samples a second and core a small network learns from: ours, at a mini-batch of 32, beside dlib's at the
// same and libtorch's at the mini-batch that suits it best.
//
//   tools/setup.sh peers
//   OMP_NUM_THREADS=1 bazel run -c opt //tests/bench:train_bench -- 24
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "harness/base/philox.h"
#include "scenarios/train/kernels.h"
#include "tests/bench/pairs.h"
#include "tests/bench/train_peers.h"

namespace corerig {
namespace {

constexpr std::size_t kRows = 2048;  // as many as train/vibration learns from, about
constexpr std::size_t kBatches[] = {32, 128, 512, kRows};

// Rows around five points, so near to each other that there is something to learn.
TrainingRows Rows() {
  TrainingRows rows{.count = kRows, .features = {}, .labels = {}};
  for (std::size_t r = 0; r < kRows; ++r) {
    const auto label = static_cast<std::int32_t>(RandomWords(1, 1, r)[0] % TrainingRows::kClasses);
    rows.labels.push_back(label);
    for (std::size_t c = 0; c < TrainingRows::kFeatures; c += 4) {
      const auto center = RandomNormals(1, 2, static_cast<std::uint64_t>(label) * TrainingRows::kFeatures + c);
      const auto noise = RandomNormals(1, 3, r * TrainingRows::kFeatures + c);
      for (std::size_t i = 0; i < 4; ++i) rows.features.push_back(static_cast<float>(0.3 * center[i] + noise[i]));
    }
  }
  return rows;
}

using Train = TrainingSpeed (*)(const TrainingRows&, std::size_t, int);

// Nothing if the loss is not finite: then it is no comparison.
std::optional<double> SpeedOf(const TrainingRows& rows, Train train, std::size_t batch, int epochs) {
  const TrainingSpeed speed = train(rows, batch, epochs);
  if (!std::isfinite(speed.loss)) return std::nullopt;
  return speed.samples_per_second;
}

// The mini-batch at which a peer is fastest.
std::size_t BestBatch(const TrainingRows& rows, Train train, int epochs) {
  std::size_t best = kBatches[0];
  double most = 0;
  for (const std::size_t batch : kBatches) {
    double speed = 0;
    for (int i = 0; i < 3; ++i) speed = std::max(speed, train(rows, batch, epochs).samples_per_second);
    if (speed > most) {
      most = speed;
      best = batch;
    }
  }
  return best;
}

std::string Speed(double samples_per_second) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f M/s", samples_per_second / 1e6);
  return text;
}

int Main(int argc, char** argv) {
  const int count = CountFrom(argc, argv, 24);
  const TrainingRows rows = Rows();
  std::printf("%s\nsamples per second of CPU time, 64-32-5, kernels of %u bits\n\n", Conditions().c_str(),
              BestTrainKernels().vector_bits);
  struct Peer {
    const char* name;
    Train train;
    int epochs;
  };
  for (const Peer& peer : {Peer{"dlib dnn_trainer", TrainByDlibTrainer, 8},
                           Peer{"dlib without trainer", TrainByDlib, 16}, Peer{"libtorch", TrainByTorch, 16}}) {
    const std::size_t best = BestBatch(rows, peer.train, peer.epochs);
    for (const std::size_t batch : {std::size_t{32}, best}) {
      if (batch == best && best == 32) continue;
      const auto pairs = Pairs::Measure(
          count, [&] { return SpeedOf(rows, TrainByUs, 32, 80); },
          [&] { return SpeedOf(rows, peer.train, batch, peer.epochs); });
      std::printf("%s\n",
                  Line("ours at 32, theirs at " + std::to_string(batch), pairs, "corerig", peer.name, Speed).c_str());
      std::fflush(stdout);
    }
  }
  return 0;
}

}  // namespace
}  // namespace corerig

int main(int argc, char** argv) { return corerig::Main(argc, argv); }
