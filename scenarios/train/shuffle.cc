#include "scenarios/train/shuffle.h"

#include <numeric>
#include <utility>

#include "scenarios/simd/random_fill.h"

namespace corerig {

void Shuffle(std::span<std::uint32_t> order, const ShuffleOf& which, std::vector<std::uint32_t>& words) {
  std::iota(order.begin(), order.end(), 0u);
  const std::uint64_t draws = (order.size() + 3) / 4;
  words.resize(draws * 4);
  FillWords(which.seed, which.stream, which.turn * draws, words, which.lane);
  for (std::size_t i = order.size(); i-- > 1;) {
    // A word times the number of choices, its upper half: biased by less than choices / 2^32.
    const auto choice = static_cast<std::size_t>((std::uint64_t{words[i]} * (i + 1)) >> 32);
    std::swap(order[i], order[choice]);
  }
}

}  // namespace corerig
