#include "scenarios/train/network.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "harness/base/philox.h"

namespace corerig {
namespace {

constexpr std::uint32_t kStream = StreamId("train/initial");

std::size_t MatrixSize(std::size_t inputs, std::size_t outputs) { return (Padded(inputs) + 1) * Padded(outputs); }

}  // namespace

std::size_t Network::ParameterCount(const std::vector<std::size_t>& units) {
  std::size_t count = 0;
  for (std::size_t i = 0; i + 1 < units.size(); ++i) count += MatrixSize(units[i], units[i + 1]);
  return count;
}

Network::Network(std::vector<std::size_t> units, std::size_t most_rows, const TrainKernels& kernels)
    : units_(std::move(units)),
      most_rows_(most_rows),
      kernels_(kernels),
      parameters_(ParameterCount(units_)),
      gradient_(parameters_.size()) {
  std::size_t offset = 0;
  for (std::size_t i = 0; i + 1 < units_.size(); ++i) {
    Layer layer{.inputs = units_[i], .outputs = units_[i + 1], .offset = offset, .from_row = SampleRow(units_[i])};
    layer.from.resize(most_rows * layer.from_row);
    for (std::size_t row = 0; row < most_rows; ++row) layer.from[row * layer.from_row + Padded(layer.inputs)] = 1;
    layer.delta.resize(most_rows * Padded(layer.outputs));
    if (i > 0) layer.transposed.resize(layer.outputs * Padded(layer.inputs));
    offset += MatrixSize(layer.inputs, layer.outputs);
    layers_.push_back(std::move(layer));
  }
}

void Network::Initialise(std::uint64_t seed, std::uint32_t model) {
  std::fill(parameters_.begin(), parameters_.end(), 0.0f);
  std::uint64_t drawn = 0;
  std::array<double, 4> normals{};
  for (const Layer& layer : layers_) {
    const double gain = &layer == &layers_.back() ? 1 : 2;
    const double deviation = std::sqrt(gain / static_cast<double>(layer.inputs));
    for (std::size_t i = 0; i < layer.inputs; ++i) {
      for (std::size_t o = 0; o < layer.outputs; ++o, ++drawn) {
        if (drawn % 4 == 0) normals = RandomNormals(seed, kStream, drawn / 4, model);
        parameters_[layer.offset + i * Padded(layer.outputs) + o] = static_cast<float>(deviation * normals[drawn % 4]);
      }
    }
  }
}

const float* Network::Outputs(std::size_t rows) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    const bool last = i + 1 == layers_.size();
    kernels_.multiply({.rows = rows,
                       .columns = Padded(layer.outputs),
                       .inner = Padded(layer.inputs) + 1,
                       .a = layer.from.data(),
                       .a_row = layer.from_row,
                       .a_column = 1,
                       .b = parameters_.data() + layer.offset,
                       .c = last ? layer.delta.data() : layers_[i + 1].from.data(),
                       .c_row = last ? output_row() : layers_[i + 1].from_row,
                       .rectified = !last});
  }
  return layers_.back().delta.data();
}

double Network::CrossEntropy(std::size_t rows, const std::int32_t* labels, float scale) {
  Outputs(rows);
  const double loss =
      kernels_.softmax_delta(layers_.back().delta.data(), rows, units_.back(), output_row(), labels, scale);
  Backward(rows);
  return loss;
}

double Network::SquaredError(std::size_t rows, const float* targets, std::size_t target_row, float scale) {
  Outputs(rows);
  const double loss = kernels_.squared_delta(layers_.back().delta.data(), targets, rows, Padded(units_.back()),
                                             output_row(), target_row, scale);
  Backward(rows);
  return loss;
}

void Network::Backward(std::size_t rows) {
  for (std::size_t i = layers_.size(); i-- > 0;) {
    Layer& layer = layers_[i];
    const std::size_t outputs = Padded(layer.outputs), inputs = Padded(layer.inputs);
    // The matrix's gradient is the inputs, transposed, times the deltas.
    kernels_.multiply({.rows = inputs + 1,
                       .columns = outputs,
                       .inner = rows,
                       .a = layer.from.data(),
                       .a_row = 1,
                       .a_column = layer.from_row,
                       .b = layer.delta.data(),
                       .c = gradient_.data() + layer.offset,
                       .c_row = outputs});
    if (i == 0) break;
    const float* matrix = parameters_.data() + layer.offset;
    for (std::size_t in = 0; in < layer.inputs; ++in) {
      for (std::size_t out = 0; out < layer.outputs; ++out) {
        layer.transposed[out * inputs + in] = matrix[in * outputs + out];
      }
    }
    Layer& before = layers_[i - 1];
    kernels_.multiply({.rows = rows,
                       .columns = inputs,
                       .inner = layer.outputs,
                       .a = layer.delta.data(),
                       .a_row = outputs,
                       .a_column = 1,
                       .b = layer.transposed.data(),
                       .c = before.delta.data(),
                       .c_row = inputs});
    kernels_.rectified_delta(layer.from.data(), layer.from_row, before.delta.data(), inputs, rows, inputs);
  }
}

}  // namespace corerig
