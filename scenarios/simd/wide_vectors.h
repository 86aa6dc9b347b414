// Whether this CPU runs what is compiled for x86-64-v3: AVX2 and FMA, and a kernel that saves the wide registers.
#pragma once

#ifdef __x86_64__
#include <sys/platform/x86.h>
#endif

namespace corerig {

inline bool CpuHasWideVectors() {
#ifdef __x86_64__
  // glibc has asked the CPU already. __builtin_cpu_supports asks once more, in a constructor of every process: each
  // CPUID is an exit to the hypervisor where there is one.
  return CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(FMA);
#else
  return false;
#endif
}

}  // namespace corerig
