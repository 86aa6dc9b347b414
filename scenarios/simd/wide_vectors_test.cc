#include "scenarios/simd/wide_vectors.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/base/text.h"
#include "harness/os/fd.h"

namespace corerig {
namespace {

// The kernel's word for it.
TEST(WideVectors, AreThoseOfTheCpusFlags) {
  const auto text = ReadFile("/proc/cpuinfo");
  ASSERT_TRUE(text) << text.error().message;
  bool avx2 = false, fma = false;
  for (const std::string_view line : Split(*text, '\n')) {
    if (!line.starts_with("flags")) continue;
    const auto words = Split(line, ' ');
    avx2 = std::count(words.begin(), words.end(), "avx2") > 0;
    fma = std::count(words.begin(), words.end(), "fma") > 0;
    break;  // of the first CPU: they are all alike
  }
  EXPECT_EQ(CpuHasWideVectors(), avx2 && fma);
}

}  // namespace
}  // namespace corerig
