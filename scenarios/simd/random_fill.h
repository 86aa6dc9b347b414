// Random numbers by the thousand, from the counter-based streams of base/philox.h: element 4k + w of `out` is made of
// word w of draw `first + k`, which counts on from 2^64 - 1 to 0. Vectorised for the CPU it runs on; words and uniforms
// are the same bits on any.
//
//   std::vector<double> normals(1024);
//   FillNormals(job.seed, StreamId("montecarlo/pi"), block * 256, normals);
//
// Any thread. With vectors of 256 bits on a core of 3.7 GHz a normal takes about 1.5 ns, a tenth of the standard
// library's time (tests/bench/normals_bench). Ask for many at once: the last 32 are computed whole, even for one.
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

// -log of those uniforms: exponentially distributed with mean 1, at most 23; relative error below 1e-15.
void FillExponentials(std::uint64_t seed, std::uint32_t stream, std::uint64_t first, std::span<double> out,
                      std::uint32_t lane = 0);

// RandomNormals(seed, stream, first + k, lane): words 0 and 1 make normals 0 and 1, words 2 and 3 the others (Box and
// Muller 1958). Within a relative 1e-15 of the exact function of these words on any CPU. RandomNormals itself is
// further off where a normal is next to zero, by 1e-15 of the pair's radius.
void FillNormals(std::uint64_t seed, std::uint32_t stream, std::uint64_t first, std::span<double> out,
                 std::uint32_t lane = 0);

// How wide the vectors are that are used on this CPU, in bits: 128, 256, …
std::uint32_t VectorBits();

}  // namespace corerig
