#include "scenarios/simd/wide_vectors.h"

#ifdef __x86_64__
// As the header of GCC that the next one includes has it in C++, and clang's in GNU's C++ alone.
#define _Bool bool  // NOLINT(bugprone-reserved-identifier)
#include <sys/platform/x86.h>
#endif

namespace corerig {

// glibc has asked the CPU already. __builtin_cpu_supports asks once more, in a constructor of every process: each CPUID
// is an exit to the hypervisor where there is one.
bool CpuHasWideVectors() {
#ifdef __x86_64__
  return CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(FMA);
#else
  return false;
#endif
}

}  // namespace corerig
