// The generator against Random123, the reference implementation of its inventors (Debian: librandom123-dev).
#include <Random123/philox.h>
#include <gtest/gtest.h>

#include <vector>

#include "harness/base/philox.h"
#include "scenarios/simd/kernel_choice.h"

namespace corerig {
namespace {

PhiloxCounter Reference(PhiloxCounter c, PhiloxKey key) {
  const r123::Philox4x32::ctr_type words = r123::Philox4x32()({{c[0], c[1], c[2], c[3]}}, {{key[0], key[1]}});
  return {words[0], words[1], words[2], words[3]};
}

TEST(Random123, GivesTheWordsOfPhiloxAndOfEveryKernel) {
  // Counters and keys of all magnitudes: Random123's own words, shifted by more and more.
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    const PhiloxCounter a = Reference({i, 0, 0, 1}, {7, 7}), b = Reference({i, 0, 0, 2}, {7, 7});
    const int shift = static_cast<int>(i % 32);
    const PhiloxCounter counter = {a[0] >> shift, a[1] >> shift, a[2] >> shift, a[3] >> shift};
    const PhiloxKey key = {b[0] >> shift, b[1] >> shift};
    const PhiloxCounter expected = Reference(counter, key);
    ASSERT_EQ(Philox4x32(counter, key), expected) << i;
    const Draws draws{.seed = key[0] | std::uint64_t{key[1]} << 32,
                      .stream = counter[2],
                      .lane = counter[3],
                      .first = counter[0] | std::uint64_t{counter[1]} << 32};
    for (const Kernels* kernels : KernelsOfThisCpu()) {
      PhiloxCounter words;
      kernels->fill_words(draws, words.data(), words.size());
      ASSERT_EQ(words, expected) << kernels->name << " " << i;
    }
  }
}

TEST(Random123, GivesTheWordsOfAStretchAcrossTheHalvesOfTheIndex) {
  constexpr std::uint64_t kFirst = 0x7'ffffff00, kDraws = 1000;
  for (const Kernels* kernels : KernelsOfThisCpu()) {
    std::vector<std::uint32_t> words(4 * kDraws);
    kernels->fill_words({.seed = 42, .stream = 3, .lane = 4, .first = kFirst}, words.data(), words.size());
    for (std::uint64_t i = 0; i < kDraws; ++i) {
      const std::uint64_t index = kFirst + i;
      const PhiloxCounter expected =
          Reference({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), 3, 4}, {42, 0});
      for (std::size_t w = 0; w < 4; ++w) ASSERT_EQ(words[4 * i + w], expected[w]) << kernels->name << " " << i;
    }
  }
}

}  // namespace
}  // namespace corerig
