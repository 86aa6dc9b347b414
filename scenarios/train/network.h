// A fully connected network: rectified hidden layers, linear outputs; its loss and the loss's gradient.
//
//   Network network({64, 32, 5}, 256);
//   network.Initialise(seed, model);
//   std::copy_n(sample, network.input_row(), network.inputs());     // row 0 of the mini-batch, and so on
//   const double loss = network.CrossEntropy(rows, labels, 1.0f / rows);
//   optimiser.Step(network.parameters(), network.gradient());
//
// Parameters are one array, layer by layer: a matrix of Padded(inputs) + 1 rows, the last one the bias, by
// Padded(outputs) columns. What pads is zero, stays zero under any optimiser, and has gradient zero. Nothing is
// allocated after the constructor. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "scenarios/train/aligned.h"
#include "scenarios/train/kernels.h"

namespace corerig {

// How far apart rows of samples are: so many numbers, zeros up to Padded, then a one, which carries the bias.
constexpr std::size_t SampleRow(std::size_t columns) { return Padded(columns) + kPadding; }

class Network {
 public:
  // `units`: of the inputs, of each hidden layer, of the outputs. A mini-batch has up to `most_rows` rows.
  Network(std::vector<std::size_t> units, std::size_t most_rows, const TrainKernels& kernels = BestTrainKernels());

  // How many parameters, with what pads them, such a network has.
  static std::size_t ParameterCount(const std::vector<std::size_t>& units);

  // Weights normal with variance 2 / inputs (He et al., "Delving Deep into Rectifiers", 2015), 1 / inputs for the
  // outputs; biases zero. A function of seed and `model`.
  void Initialise(std::uint64_t seed, std::uint32_t model);

  std::size_t most_rows() const { return most_rows_; }
  // Rows of samples to come, input_row() floats each, in the form that SampleRow describes.
  std::size_t input_row() const { return SampleRow(units_.front()); }
  float* inputs() { return layers_.front().from.data(); }

  // Of the first `rows` inputs. Rows are output_row() apart.
  const float* Outputs(std::size_t rows);
  std::size_t output_row() const { return Padded(units_.back()); }

  // The sum of the losses of the first `rows` inputs, before `scale`; gradient() becomes the gradient of `scale` times
  // that sum. Softmax cross entropy, of labels from 0 to outputs - 1; half the squared error, of targets whose rows are
  // `target_row` apart and zero from column outputs to Padded(outputs).
  double CrossEntropy(std::size_t rows, const std::int32_t* labels, float scale);
  double SquaredError(std::size_t rows, const float* targets, std::size_t target_row, float scale);

  std::span<float> parameters() { return parameters_; }
  std::span<const float> parameters() const { return parameters_; }
  std::span<float> gradient() { return gradient_; }

 private:
  struct Layer {
    std::size_t inputs = 0, outputs = 0;
    std::size_t offset = 0;         // of its matrix in the parameters
    std::size_t from_row = 0;       // distance of the rows of what it reads
    AlignedFloats from = {};        // what it reads
    AlignedFloats delta = {};       // of the loss by its outputs, rows of Padded(outputs)
    AlignedFloats transposed = {};  // of its matrix: outputs by Padded(inputs); unused in the first layer
  };

  void Backward(std::size_t rows);

  std::vector<std::size_t> units_;
  std::size_t most_rows_;
  const TrainKernels& kernels_;
  std::vector<Layer> layers_;
  AlignedFloats parameters_, gradient_;
};

}  // namespace corerig
