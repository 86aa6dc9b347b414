// The kernels' one source, compiled once per vector width: the file that includes it defines kVectorBytes before, and
// its own way to multiply and add. Everything in an anonymous namespace, nothing of the standard library's inline code.
//
//   #define CORERIG_VECTOR_BYTES 32
//   #include "scenarios/train/kernels_body.h"
#include <math.h>

#include "scenarios/train/kernels.h"

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_FEATURE_FMA)
#include <arm_neon.h>
#endif

namespace corerig {
namespace {

typedef float Vector __attribute__((vector_size(CORERIG_VECTOR_BYTES)));
typedef std::int32_t Mask __attribute__((vector_size(CORERIG_VECTOR_BYTES)));
typedef float Unaligned __attribute__((vector_size(CORERIG_VECTOR_BYTES), aligned(4), may_alias));

constexpr std::size_t kWidth = CORERIG_VECTOR_BYTES / sizeof(float);
static_assert(kPadding % kWidth == 0);

[[gnu::always_inline]] inline Vector Load(const float* from) { return *reinterpret_cast<const Unaligned*>(from); }
[[gnu::always_inline]] inline void Store(float* to, Vector value) { *reinterpret_cast<Unaligned*>(to) = value; }
[[gnu::always_inline]] inline Vector Broadcast(float value) { return value - Vector{}; }

// a * b + c, rounded once where the CPU can.
[[gnu::always_inline]] inline Vector MultiplyAdd(Vector a, Vector b, Vector c) {
#if defined(__FMA__) && CORERIG_VECTOR_BYTES == 32
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__ARM_FEATURE_FMA) && CORERIG_VECTOR_BYTES == 16
  return vfmaq_f32(c, a, b);
#else
  return a * b + c;
#endif
}

[[gnu::always_inline]] inline Vector Larger(Vector a, Vector b) {
#if defined(__AVX__) && CORERIG_VECTOR_BYTES == 32
  return _mm256_max_ps(a, b);
#elif defined(__SSE2__) && CORERIG_VECTOR_BYTES == 16
  return _mm_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}

// `kRows` rows and `kVectors` vectors of columns of C, in registers all along `inner`.
template <int kRows, int kVectors>
[[gnu::always_inline]] inline void Tile(const Product& p, std::size_t row, std::size_t column) {
  Vector sum[kRows][kVectors] = {};
  const float* a = p.a + row * p.a_row;
  const float* b = p.b + column;
  for (std::size_t k = 0; k < p.inner; ++k, a += p.a_column, b += p.columns) {
    Vector from[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) from[v] = Load(b + v * kWidth);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vector factor = Broadcast(a[r * p.a_row]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = MultiplyAdd(factor, from[v], sum[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const Vector value = p.rectified ? Larger(sum[r][v], Vector{}) : sum[r][v];
      Store(p.c + (row + r) * p.c_row + column + v * kWidth, value);
    }
  }
}

template <int kRows>
void Rows(const Product& p, std::size_t row) {
  std::size_t column = 0;
  for (; column + 2 * kWidth <= p.columns; column += 2 * kWidth) Tile<kRows, 2>(p, row, column);
  if (column < p.columns) Tile<kRows, 1>(p, row, column);
}

void Multiply(const Product& p) {
  for (std::size_t row = 0; row < p.rows;) {
    // Six rows by two vectors fill sixteen registers; the rest is split so that no tile is thin.
    const std::size_t left = p.rows - row;
    const std::size_t take = left >= 9 || left == 6 ? 6 : left >= 7 ? 4 : left;
    switch (take) {
      case 6:
        Rows<6>(p, row);
        break;
      case 5:
        Rows<5>(p, row);
        break;
      case 4:
        Rows<4>(p, row);
        break;
      case 3:
        Rows<3>(p, row);
        break;
      case 2:
        Rows<2>(p, row);
        break;
      default:
        Rows<1>(p, row);
        break;
    }
    row += take;
  }
}

void RectifiedDelta(const float* activation, std::size_t activation_row, float* delta, std::size_t delta_row,
                    std::size_t rows, std::size_t columns) {
  for (std::size_t r = 0; r < rows; ++r, activation += activation_row, delta += delta_row) {
    for (std::size_t c = 0; c < columns; c += kWidth) {
      Store(delta + c, Load(activation + c) > Vector{} ? Load(delta + c) : Vector{});
    }
  }
}

// exp(x) for x <= 0, relative error below 2e-7 down to -80; below it stays 1.8e-35, which is nothing and yet no
// denormal number. Range reduction by ln 2 in two parts and a polynomial, as in Cephes' expf.
[[gnu::always_inline]] inline Vector ExpNegative(Vector x) {
  // In this order what is not a number stays none.
  x = Larger(Broadcast(-80.0f), x);
  const Vector magic = Broadcast(0x1.8p23f);  // adding it rounds to a whole number
  const Vector shifted = x * 1.44269504088896341f + magic;
  const Vector whole = shifted - magic;
  const Vector rest = (x - whole * 0.693359375f) - whole * -2.12194440e-4f;
  Vector y = Broadcast(1.9875691500e-4f);
  y = MultiplyAdd(y, rest, Broadcast(1.3981999507e-3f));
  y = MultiplyAdd(y, rest, Broadcast(8.3334519073e-3f));
  y = MultiplyAdd(y, rest, Broadcast(4.1665795894e-2f));
  y = MultiplyAdd(y, rest, Broadcast(1.6666665459e-1f));
  y = MultiplyAdd(y, rest, Broadcast(5.0000001201e-1f));
  y = MultiplyAdd(y, rest * rest, rest + 1.0f);
  // The whole number stands in the low bits of `shifted`: it becomes the exponent of two.
  const Mask exponent = (reinterpret_cast<Mask>(shifted) - 0x4B400000 + 127) << 23;
  return y * reinterpret_cast<Vector>(exponent);
}

#if CORERIG_VECTOR_BYTES == 32
constexpr Vector kLanes = {0, 1, 2, 3, 4, 5, 6, 7};
#else
constexpr Vector kLanes = {0, 1, 2, 3};
#endif

// Of a vector's lanes: halves onto each other, until one is left.
[[gnu::always_inline]] inline float SumOf(Vector v) {
#if CORERIG_VECTOR_BYTES == 32
  v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5);
  v += __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6);
#else
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1);
  v += __builtin_shufflevector(v, v, 1, 0, 3, 2);
#endif
  return v[0];
}
[[gnu::always_inline]] inline float LargestOf(Vector v) {
#if CORERIG_VECTOR_BYTES == 32
  v = Larger(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3));
  v = Larger(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5));
  v = Larger(v, __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6));
#else
  v = Larger(v, __builtin_shufflevector(v, v, 2, 3, 0, 1));
  v = Larger(v, __builtin_shufflevector(v, v, 1, 0, 3, 2));
#endif
  return v[0];
}

double SoftmaxDelta(float* logits, std::size_t rows, std::size_t classes, std::size_t row, const std::int32_t* labels,
                    float scale) {
  const Vector limit = Broadcast(static_cast<float>(classes));
  const std::size_t padded = (classes + kPadding - 1) / kPadding * kPadding;
  double loss = 0, product = 1;
  for (std::size_t r = 0; r < rows; ++r, logits += row) {
    const float of_label = logits[labels[r]];
    // What pads is taken for the first logit, which changes no maximum.
    Vector most = Broadcast(logits[0]);
    for (std::size_t c = 0; c < padded; c += kWidth) {
      most = Larger(kLanes < limit - static_cast<float>(c) ? Load(logits + c) : most, most);
    }
    const float largest = LargestOf(most);
    Vector sums{};
    for (std::size_t c = 0; c < padded; c += kWidth) {
      const Vector power = ExpNegative(Load(logits + c) - largest);
      const Vector kept = kLanes < limit - static_cast<float>(c) ? power : Vector{};
      sums += kept;
      Store(logits + c, kept);
    }
    const float sum = SumOf(sums);
    const float factor = scale / sum;
    for (std::size_t c = 0; c < padded; c += kWidth) Store(logits + c, Load(logits + c) * factor);
    logits[labels[r]] -= scale;
    // The logarithm of a product instead of a sum of logarithms: each sum is from 1 to the number of classes.
    product *= static_cast<double>(sum);
    loss += static_cast<double>(largest) - static_cast<double>(of_label);
    if (product > 0x1p500) {
      loss += log(product);
      product = 1;
    }
  }
  return loss + log(product);
}

double SquaredDelta(float* outputs, const float* targets, std::size_t rows, std::size_t columns, std::size_t output_row,
                    std::size_t target_row, float scale) {
  double loss = 0;
  for (std::size_t r = 0; r < rows; ++r, outputs += output_row, targets += target_row) {
    Vector sums{};
    for (std::size_t c = 0; c < columns; c += kWidth) {
      const Vector difference = Load(outputs + c) - Load(targets + c);
      sums = MultiplyAdd(difference, difference, sums);
      Store(outputs + c, difference * scale);
    }
    loss += static_cast<double>(SumOf(sums));
  }
  return loss / 2;
}

void Momentum(float* parameters, float* velocity, const float* gradient, std::size_t count, const MomentumStep& step) {
  const Vector momentum = Broadcast(step.momentum), rate = Broadcast(-step.rate);
  for (std::size_t i = 0; i < count; i += kWidth) {
    const Vector v = MultiplyAdd(momentum, Load(velocity + i), Load(gradient + i));
    Store(velocity + i, v);
    Store(parameters + i, MultiplyAdd(rate, v, Load(parameters + i)));
  }
}

[[gnu::always_inline]] inline Vector SquareRoot(Vector x) {
  Vector root;
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kWidth; ++i) root[i] = __builtin_sqrtf(x[i]);
  return root;
}

void Adam(float* parameters, float* first, float* second, const float* gradient, std::size_t count,
          const AdamStep& step) {
  const Vector keep_first = Broadcast(step.first), keep_second = Broadcast(step.second);
  for (std::size_t i = 0; i < count; i += kWidth) {
    const Vector g = Load(gradient + i);
    const Vector m = MultiplyAdd(keep_first, Load(first + i), g * (1 - step.first));
    const Vector v = MultiplyAdd(keep_second, Load(second + i), g * g * (1 - step.second));
    Store(first + i, m);
    Store(second + i, v);
    const Vector down = SquareRoot(v * step.unbias_second) + step.epsilon;
    Store(parameters + i, Load(parameters + i) - m * (step.rate * step.unbias_first) / down);
  }
}

void Add(float* sum, const float* term, std::size_t count) {
  for (std::size_t i = 0; i < count; i += kWidth) Store(sum + i, Load(sum + i) + Load(term + i));
}

constexpr TrainKernels kKernels = {.vector_bits = CORERIG_VECTOR_BYTES * 8,
                                   .multiply = Multiply,
                                   .rectified_delta = RectifiedDelta,
                                   .softmax_delta = SoftmaxDelta,
                                   .squared_delta = SquaredDelta,
                                   .momentum = Momentum,
                                   .adam = Adam,
                                   .add = Add};

}  // namespace
}  // namespace corerig
