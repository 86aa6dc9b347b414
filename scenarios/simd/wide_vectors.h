// Whether this CPU runs what is compiled for x86-64-v3: AVX2 and FMA, and a kernel that saves the wide registers.
#pragma once

namespace corerig {

bool CpuHasWideVectors();

}  // namespace corerig
