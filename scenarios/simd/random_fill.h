// Random numbers by the thousand, from the counter-based streams of base/philox.h: element 4k + w of `out` is word w of
// draw `first + k`. Vectorised for the CPU it runs on; the generator's words are the same bits on any.
#pragma once

#include <cstdint>
#include <span>

namespace corerig {

// Words of RandomWords(seed, stream, first + k, lane).
void FillWords(std::uint64_t seed, std::uint32_t stream, std::uint64_t first, std::span<std::uint32_t> out,
               std::uint32_t lane = 0);

// UniformOpen of those words: in (0, 1), 2^-33 from either end at least.
void FillUniforms(std::uint64_t seed, std::uint32_t stream, std::uint64_t first, std::span<double> out,
                  std::uint32_t lane = 0);

// RandomNormals(seed, stream, first + k, lane), within 1e-12 relative of that on any CPU.
void FillNormals(std::uint64_t seed, std::uint32_t stream, std::uint64_t first, std::span<double> out,
                 std::uint32_t lane = 0);

// How wide the vectors are that are used on this CPU, in bits: 128, 256, …
std::uint32_t VectorBits();

}  // namespace corerig
