// The kernels in vectors of 128 bits, for every CPU of an architecture: SSE2 on x86-64, NEON on AArch64; elsewhere what
// the compiler makes of vectors.
#include "scenarios/simd/kernels.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace corerig {
namespace {

constexpr size_t kLanes = 2;
using F = double __attribute__((vector_size(16)));
using U = uint64_t __attribute__((vector_size(16)));
using I = int64_t __attribute__((vector_size(16)));

#if defined(__SSE2__)

inline U MultiplyLow(U a, U b) { return (U)_mm_mul_epu32((__m128i)a, (__m128i)b); }
inline F MultiplyAdd(F a, F b, F c) { return a * b + c; }
inline F SquareRoot(F a) { return _mm_sqrt_pd(a); }
inline F Larger(F a, F b) { return _mm_max_pd(a, b); }
inline F Smaller(F a, F b) { return _mm_min_pd(a, b); }

#elif defined(__aarch64__)

inline U MultiplyLow(U a, U b) { return (U)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b)); }
inline F MultiplyAdd(F a, F b, F c) { return (F)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b); }
inline F SquareRoot(F a) { return (F)vsqrtq_f64((float64x2_t)a); }
inline F Larger(F a, F b) { return (F)vmaxq_f64((float64x2_t)a, (float64x2_t)b); }
inline F Smaller(F a, F b) { return (F)vminq_f64((float64x2_t)a, (float64x2_t)b); }

#else

inline U MultiplyLow(U a, U b) { return (a & 0xffffffff) * (b & 0xffffffff); }
inline F MultiplyAdd(F a, F b, F c) { return a * b + c; }
inline F SquareRoot(F a) { return F{__builtin_sqrt(a[0]), __builtin_sqrt(a[1])}; }
inline F Larger(F a, F b) { return a > b ? a : b; }
inline F Smaller(F a, F b) { return a < b ? a : b; }

#endif

// Lanes are draws, vectors the four numbers of each: to element 4k + w of `out` goes lane k of v[w].
inline void StoreDraws(const F v[4], double* out) {
  for (size_t k = 0; k < kLanes; ++k) {
    for (size_t w = 0; w < 4; ++w) out[4 * k + w] = v[w][k];
  }
}
inline F Load(const double* at) {
  F value;
  __builtin_memcpy(&value, at, sizeof value);
  return value;
}
inline void Store(F value, double* at) { __builtin_memcpy(at, &value, sizeof value); }
inline U Iota() { return U{0, 1}; }
// `yes` where bit `bit` of a lane is 1, else `no`.
template <int bit>
inline F Select(U bits, F yes, F no) {
  const U mask = -((bits >> bit) & 1);
  return (F)(((U)yes & mask) | ((U)no & ~mask));
}
inline F LowWord(U words, U high) { return (F)((words & 0xffffffff) | high); }

#include "scenarios/simd/kernels_body.inc"

}  // namespace

const Kernels kKernels128 = CORERIG_KERNELS("baseline", 128);

}  // namespace corerig
