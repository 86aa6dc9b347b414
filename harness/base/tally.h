// What a computation over units of work came to, as sums that can be added: of workers, and of parts of a run that were
// computed elsewhere. As the sums are exact, it does not matter who computed which unit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/base/exact_sum.h"
#include "harness/base/result.h"

namespace corerig {

struct Tally {
  std::uint64_t units = 0;
  std::uint32_t vector_bits = 0;  // width of the kernels that computed it; 0: none, or not all of the same
  std::vector<ExactSum> sums = {};

  // Of one with as many sums; one without units brings no width.
  void Add(const Tally& other);
};

// The most bytes that WriteTally takes for so many sums.
std::size_t TallySize(std::size_t sums);
// In the machine's own form, for a slab; returns the size.
std::size_t WriteTally(const Tally& tally, std::span<std::byte> out);
// The inverse, of bytes that are not trusted: `sums` sums of finite parts. Says what is wrong with them.
Result<Tally> ReadTally(std::span<const std::byte> bytes, std::size_t sums);

}  // namespace corerig
