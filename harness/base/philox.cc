#include "harness/base/philox.h"

#include <cmath>
#include <numbers>

namespace corerig {

std::array<double, 4> RandomNormals(std::uint64_t seed, std::uint32_t stream, std::uint64_t index, std::uint32_t lane) {
  const PhiloxCounter words = RandomWords(seed, stream, index, lane);
  std::array<double, 4> normals;
  for (int pair = 0; pair < 2; ++pair) {
    const double radius = std::sqrt(-2 * std::log(UniformOpen(words[2 * pair])));
    const double angle = 2 * std::numbers::pi * UniformOpen(words[2 * pair + 1]);
    normals[2 * pair] = radius * std::cos(angle);
    normals[2 * pair + 1] = radius * std::sin(angle);
  }
  return normals;
}

}  // namespace corerig
