// Sets of CPUs as the kernel writes them: the list "0-3,6" and the mask "00000000,0000004f".
//
//   auto cpus = ParseCpuList("0-3,6");      // 0 1 2 3 6
//   CpuListText(*cpus);                     // "0-3,6"
//
// Formats: Documentation/admin-guide/kernel-parameters.rst, "The cpu list"; bitmap_parselist of the kernel's
// lib/bitmap-str.c.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/units.h"

namespace corerig {

// Ascending, each once. Empty text and "(null)" (nohz_full where none is) are the empty set. On the kernel's command
// line "all" is every CPU up to `last`, "N" is `last`, and "0-15:2/4" takes the first 2 of every 4.
Result<std::vector<CpuId>> ParseCpuList(std::string_view text, CpuId last = {-1});

// Groups of eight hexadecimal digits between commas, the highest CPUs first.
Result<std::vector<CpuId>> ParseCpuMask(std::string_view text);

// "0-3,6" of ascending CPUs; "none" of none.
std::string CpuListText(const std::vector<CpuId>& cpus);

// The mask in the kernel's form, for writing into its files: "4f", "1,00000000".
std::string CpuMaskText(const std::vector<CpuId>& cpus);

bool HasCpu(const std::vector<CpuId>& cpus, CpuId cpu);

}  // namespace corerig
