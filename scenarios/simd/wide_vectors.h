// Whether this CPU runs what is compiled for x86-64-v3: AVX2 and FMA, and a kernel that saves the wide registers.
#pragma once

namespace corerig {

inline bool CpuHasWideVectors() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

}  // namespace corerig
