#include "scenarios/memory_kernels.h"

#include <bit>

namespace corerig {

std::uint64_t SumOfWords(std::uint64_t first, std::uint64_t count) {
  // count * (count - 1) / 2, of which the even factor is halved before the product wraps.
  const std::uint64_t pairs = count % 2 == 0 ? count / 2 * (count - 1) : count * ((count - 1) / 2);
  return count * first + pairs * kStep;
}

void FillWithWords(std::uint64_t* out, std::size_t count, std::uint64_t first) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = first;
    first += kStep;
  }
}

std::uint64_t Sum(const std::uint64_t* in, std::size_t count) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += in[i];
  return sum;
}

void Copy(std::uint64_t* __restrict out, const std::uint64_t* __restrict in, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = in[i];
}

void Triad(std::uint64_t* __restrict out, const std::uint64_t* __restrict b, const std::uint64_t* __restrict c,
           std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = b[i] + 3 * c[i];
}

ChainOrder::ChainOrder(std::uint64_t lines) : lines_(lines), mask_(std::bit_ceil(lines) - 1) {}

const ChainLine* Follow(const ChainLine* line, std::size_t hops) {
  for (std::size_t i = 0; i < hops; ++i) line = line->next;
  return line;
}

}  // namespace corerig
