// Doubles in vectors, for kernels that are compiled once for each instruction set.
//
// Only for the .cc of such a kernel. Everything is static: a unit compiled for AVX2 must not emit a symbol that the
// linker might take for everyone's. The same operations in the same order whatever the width (none are fused), so a
// kernel's result has the same bits for any.
#pragma once

#ifdef __AVX2__
#define CORERIG_LANE_BYTES 32
#else
#define CORERIG_LANE_BYTES 16
#endif

namespace corerig {
namespace {

typedef double Lanes __attribute__((vector_size(CORERIG_LANE_BYTES)));
typedef long long LaneBits __attribute__((vector_size(CORERIG_LANE_BYTES)));

enum : unsigned long { kLanes = CORERIG_LANE_BYTES / sizeof(double) };

#define CORERIG_LANE_FUNCTION [[maybe_unused]] static inline __attribute__((always_inline))

CORERIG_LANE_FUNCTION Lanes Load(const double* from) {
  Lanes lanes;
  __builtin_memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

CORERIG_LANE_FUNCTION void Store(Lanes lanes, double* to) { __builtin_memcpy(to, &lanes, sizeof lanes); }

CORERIG_LANE_FUNCTION Lanes All(double value) { return Lanes{} + value; }

// `yes` where all bits of the mask are set, `no` where none is.
CORERIG_LANE_FUNCTION Lanes Select(LaneBits mask, Lanes yes, Lanes no) {
  return (Lanes)((mask & (LaneBits)yes) | (~mask & (LaneBits)no));
}

CORERIG_LANE_FUNCTION Lanes Magnitude(Lanes x) { return (Lanes)((LaneBits)x & 0x7FFFFFFFFFFFFFFFLL); }

CORERIG_LANE_FUNCTION Lanes Larger(Lanes a, Lanes b) { return Select((LaneBits)(a > b), a, b); }

// Sine and cosine of angles below 1e5 rad, within 2 units in the last place: a multiple of pi/2 is taken off in two
// parts, of which the product with the first, of 33 bits, is exact; the polynomials are those of fdlibm (k_sin.c,
// k_cos.c; Sun Microsystems, 1993).
CORERIG_LANE_FUNCTION void SinCos(Lanes x, Lanes& sine, Lanes& cosine) {
  constexpr double kRound = 0x1.8p52;  // added, it leaves the nearest whole number in the low bits
  const Lanes rounded = x * 0x1.45f306dc9c883p-1 + kRound;
  const LaneBits quadrant = (LaneBits)rounded;
  const Lanes turns = rounded - kRound;
  const Lanes r = (x - turns * 0x1.921fb544p0) - turns * 0x1.0b4611a626331p-34;
  const Lanes z = r * r;
  const Lanes s = r + r * z *
                          (-1.66666666666666324348e-01 +
                           z * (8.33333333332248946124e-03 +
                                z * (-1.98412698298579493134e-04 +
                                     z * (2.75573137070700676789e-06 +
                                          z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))));
  const Lanes c =
      1.0 - (0.5 * z - z * z *
                           (4.16666666666666019037e-02 +
                            z * (-1.38888888888741095749e-03 +
                                 z * (2.48015872894767294178e-05 +
                                      z * (-2.75573143513906633035e-07 +
                                           z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11))))));
  const LaneBits swap = -(quadrant & 1);
  sine = (Lanes)((LaneBits)Select(swap, c, s) ^ ((quadrant & 2) << 62));
  cosine = (Lanes)((LaneBits)Select(swap, s, c) ^ (((quadrant + 1) & 2) << 62));
}

}  // namespace
}  // namespace corerig
