// The kernels in vectors of 256 bits, for x86-64-v3: compiled with -mavx2 -mfma, chosen where the CPU has both.
#include <immintrin.h>

#include "scenarios/simd/kernels.h"

namespace corerig {
namespace {

constexpr size_t kLanes = 4;
using F = double __attribute__((vector_size(32)));
using U = uint64_t __attribute__((vector_size(32)));
using I = int64_t __attribute__((vector_size(32)));

inline U MultiplyLow(U a, U b) { return (U)_mm256_mul_epu32((__m256i)a, (__m256i)b); }
inline F MultiplyAdd(F a, F b, F c) { return _mm256_fmadd_pd(a, b, c); }
inline F SquareRoot(F a) { return _mm256_sqrt_pd(a); }
inline F Larger(F a, F b) { return _mm256_max_pd(a, b); }
inline F Smaller(F a, F b) { return _mm256_min_pd(a, b); }

inline void StoreDraws(const F v[4], double* out) {
  const F low01 = _mm256_unpacklo_pd(v[0], v[1]), high01 = _mm256_unpackhi_pd(v[0], v[1]);
  const F low23 = _mm256_unpacklo_pd(v[2], v[3]), high23 = _mm256_unpackhi_pd(v[2], v[3]);
  _mm256_storeu_pd(out, _mm256_permute2f128_pd(low01, low23, 0x20));
  _mm256_storeu_pd(out + 4, _mm256_permute2f128_pd(high01, high23, 0x20));
  _mm256_storeu_pd(out + 8, _mm256_permute2f128_pd(low01, low23, 0x31));
  _mm256_storeu_pd(out + 12, _mm256_permute2f128_pd(high01, high23, 0x31));
}
inline F Load(const double* at) { return _mm256_loadu_pd(at); }
inline void Store(F value, double* at) { _mm256_storeu_pd(at, value); }
inline U Iota() { return U{0, 1, 2, 3}; }
template <int bit>
inline F Select(U bits, F yes, F no) {
  return _mm256_blendv_pd(no, yes, (F)(bits << (63 - bit)));
}
inline F LowWord(U words, U high) { return (F)_mm256_blend_epi32((__m256i)high, (__m256i)words, 0x55); }

#include "scenarios/simd/kernels_body.inc"

}  // namespace

const Kernels kKernels256 = CORERIG_KERNELS("x86-64-v3", 256);

}  // namespace corerig
