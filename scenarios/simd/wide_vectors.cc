#include "scenarios/simd/wide_vectors.h"

#if defined(__x86_64__) && __has_include(<sys/platform/x86.h>)
// As the header of GCC that the next one includes has it in C++, and clang's in GNU's C++ alone.
#define _Bool bool  // NOLINT(bugprone-reserved-identifier)
#include <sys/platform/x86.h>
#endif

namespace corerig {

bool CpuHasWideVectors() {
#if defined(CPU_FEATURE_ACTIVE)
  // glibc has asked the CPU already. __builtin_cpu_supports asks once more, in a constructor of every process: each
  // CPUID is an exit to the hypervisor where there is one.
  return CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(FMA);
#elif defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");  // glibc before 2.34, or another library
#else
  return false;
#endif
}

}  // namespace corerig
