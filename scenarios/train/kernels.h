// The arithmetic of training, on float: small matrix products, softmax, optimisers; once for every CPU of the
// architecture and once for wider vectors, chosen at run time.
//
//   const TrainKernels& kernels = BestTrainKernels();
//   kernels.multiply({.rows = batch, .columns = 32, .inner = 65, .a = x, .a_row = 72, .a_column = 1, .b = w, .c = h});
//
// Columns come in multiples of kPadding: what is beyond the true number is zero and stays zero. A sum runs over `inner`
// in ascending order whatever the width, so kernels differ only by the rounding of fused multiply-adds.
//
// Why not Eigen here: what is compiled for a wider CPU must not share inline functions with the rest, as the linker
// would keep one copy for all. So the kernels are static functions on raw pointers (//scenarios/simd:train_symbols_test
// looks).
#pragma once

#include <cstddef>
#include <cstdint>

namespace corerig {

inline constexpr std::size_t kPadding = 8;
constexpr std::size_t Padded(std::size_t columns) { return (columns + kPadding - 1) / kPadding * kPadding; }

// C = A * B. Element (i, k) of A is a[i * a_row + k * a_column], so A may be a transposed matrix; B has `columns`
// columns without gaps, C rows of `c_row`.
struct Product {
  std::size_t rows, columns, inner;  // columns: a multiple of kPadding
  const float* a;
  std::size_t a_row, a_column;
  const float* b;
  float* c;
  std::size_t c_row;
  bool rectified = false;  // max(C, 0) instead
};

// What an optimiser does with a gradient: `count` parameters, a multiple of kPadding.
struct MomentumStep {
  float rate, momentum;
};
struct AdamStep {
  float rate, first, second;          // decay of both moments
  float unbias_first, unbias_second;  // 1 / (1 - decay^step)
  float epsilon;
};

struct TrainKernels {
  std::uint32_t vector_bits;
  void (*multiply)(const Product& product);
  // delta = activation > 0 ? delta : 0, elementwise; rows of both are so far apart.
  void (*rectified_delta)(const float* activation, std::size_t activation_row, float* delta, std::size_t delta_row,
                          std::size_t rows, std::size_t columns);
  // Rows of logits (of `classes` columns, `row` apart) become scale * (softmax - one at the label). Returns the sum of
  // the rows' cross entropies.
  double (*softmax_delta)(float* logits, std::size_t rows, std::size_t classes, std::size_t row,
                          const std::int32_t* labels, float scale);
  // Rows of outputs become scale * (output - target); both are `row` apart. Returns half the sum of the squares of the
  // differences.
  double (*squared_delta)(float* outputs, const float* targets, std::size_t rows, std::size_t columns,
                          std::size_t output_row, std::size_t target_row, float scale);
  // velocity = momentum * velocity + gradient; parameter -= rate * velocity.
  void (*momentum)(float* parameters, float* velocity, const float* gradient, std::size_t count,
                   const MomentumStep& step);
  // Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1.
  void (*adam)(float* parameters, float* first, float* second, const float* gradient, std::size_t count,
               const AdamStep& step);
  void (*add)(float* sum, const float* term, std::size_t count);
};

// For any CPU of the architecture.
const TrainKernels& BaselineTrainKernels();
// For x86-64-v3 (AVX2 and FMA); null where this CPU, or this architecture, has it not.
const TrainKernels* WideTrainKernels();
// The widest that this CPU has.
const TrainKernels& BestTrainKernels();

}  // namespace corerig
