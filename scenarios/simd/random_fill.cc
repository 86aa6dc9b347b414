#include "scenarios/simd/random_fill.h"

#include "scenarios/simd/kernel_choice.h"

namespace corerig {

void FillWords(std::uint64_t seed, std::uint32_t stream, std::uint64_t first, std::span<std::uint32_t> out,
               std::uint32_t lane) {
  ChosenKernels().fill_words({seed, stream, lane, first}, out.data(), out.size());
}

void FillUniforms(std::uint64_t seed, std::uint32_t stream, std::uint64_t first, std::span<double> out,
                  std::uint32_t lane) {
  ChosenKernels().fill_uniforms({seed, stream, lane, first}, out.data(), out.size());
}

void FillExponentials(std::uint64_t seed, std::uint32_t stream, std::uint64_t first, std::span<double> out,
                      std::uint32_t lane) {
  ChosenKernels().fill_exponentials({seed, stream, lane, first}, out.data(), out.size());
}

void FillNormals(std::uint64_t seed, std::uint32_t stream, std::uint64_t first, std::span<double> out,
                 std::uint32_t lane) {
  ChosenKernels().fill_normals({seed, stream, lane, first}, out.data(), out.size());
}

std::uint32_t VectorBits() { return ChosenKernels().vector_bits; }

}  // namespace corerig
