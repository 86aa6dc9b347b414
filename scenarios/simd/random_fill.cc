#include "scenarios/simd/random_fill.h"

#include "harness/base/philox.h"

namespace corerig {

void FillWords(std::uint64_t seed, std::uint32_t stream, std::uint64_t first, std::span<std::uint32_t> out,
               std::uint32_t lane) {
  PhiloxCounter words{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 4 == 0) words = RandomWords(seed, stream, first + i / 4, lane);
    out[i] = words[i % 4];
  }
}

void FillUniforms(std::uint64_t seed, std::uint32_t stream, std::uint64_t first, std::span<double> out,
                  std::uint32_t lane) {
  PhiloxCounter words{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 4 == 0) words = RandomWords(seed, stream, first + i / 4, lane);
    out[i] = UniformOpen(words[i % 4]);
  }
}

void FillNormals(std::uint64_t seed, std::uint32_t stream, std::uint64_t first, std::span<double> out,
                 std::uint32_t lane) {
  std::array<double, 4> normals{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 4 == 0) normals = RandomNormals(seed, stream, first + i / 4, lane);
    out[i] = normals[i % 4];
  }
}

std::uint32_t VectorBits() { return 64; }

}  // namespace corerig
