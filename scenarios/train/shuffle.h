// A random order of 0 … size - 1 (Fisher and Yates): a function of its arguments, whoever asks.
//
//   Shuffle(order, {.seed = job.seed, .stream = kOrder, .lane = model, .turn = epoch}, words);
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace corerig {

// Which order: any two of these are independent.
struct ShuffleOf {
  std::uint64_t seed = 0;
  std::uint32_t stream = 0, lane = 0;
  std::uint64_t turn = 0;
};

// `words` is scratch, kept by the caller so that only the first call takes memory.
void Shuffle(std::span<std::uint32_t> order, const ShuffleOf& which, std::vector<std::uint32_t>& words);

}  // namespace corerig
