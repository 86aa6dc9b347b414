// The inner loops of the Monte Carlo workloads, once for every width of vectors they are compiled for.
//
// Plain pointers and nothing of the standard library: the files that define a Kernels are compiled for CPUs that not
// every machine has, and must not emit a function that the linker could take for everyone's (kernels_symbols_test).
// Workloads call random_fill.h and vector_math.h, which say what each of these does.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace corerig {

// The draws `first`, `first + 1`, … of a stream (base/philox.h).
struct Draws {
  uint64_t seed = 0;
  uint32_t stream = 0;
  uint32_t lane = 0;
  uint64_t first = 0;
};

struct Kernels {
  const char* name;  // of the CPUs it is for: "x86-64-v3"
  uint32_t vector_bits;
  void (*fill_words)(Draws draws, uint32_t* out, size_t count);
  void (*fill_uniforms)(Draws draws, double* out, size_t count);
  void (*fill_exponentials)(Draws draws, double* out, size_t count);
  void (*fill_normals)(Draws draws, double* out, size_t count);
  void (*exp_affine)(double offset, double slope, const double* x, double* out, size_t count);
  void (*walk)(double drift, double scale, const double* normals, double* x, double* sum_x, double* sum_exp,
               size_t count);
  void (*ramp)(double slope, double from, double* values, size_t count);
  double (*sum)(const double* x, size_t count);
  double (*dot)(const double* x, const double* y, size_t count);
  uint64_t (*count_in_circle)(const double* x, const double* y, size_t count);
};

extern const Kernels kKernels128;
#ifdef __x86_64__
extern const Kernels kKernels256;  // needs AVX2 and FMA
#endif

}  // namespace corerig
