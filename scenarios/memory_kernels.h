// What load/memory does to memory: loops over 64-bit words that the compiler vectorises for the baseline of the
// architecture, whatever mode the rest is built in; and what their results must be, by arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>

namespace corerig {

// A sequence of words: word i is first + i * kStep, modulo 2^64.
inline constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15;
constexpr std::uint64_t WordAt(std::uint64_t first, std::uint64_t i) { return first + i * kStep; }
// The sum of `count` words of it from its beginning. One word that differs changes it.
std::uint64_t SumOfWords(std::uint64_t first, std::uint64_t count);

void FillWithWords(std::uint64_t* out, std::size_t count, std::uint64_t first);
std::uint64_t Sum(const std::uint64_t* in, std::size_t count);
void Copy(std::uint64_t* out, const std::uint64_t* in, std::size_t count);  // they do not overlap
// out = b + 3 c
void Triad(std::uint64_t* out, const std::uint64_t* b, const std::uint64_t* c, std::size_t count);

// One cache line of a chain: what is read is where to read next.
struct alignas(64) ChainLine {
  ChainLine* next = nullptr;
};

// The order in which a chain of `lines` lines visits them: after line i comes Next(i), and after `lines` steps each has
// come once. A linear congruential generator over the next power of two, in which what is no line is passed over; its
// period is full by the theorem of Hull and Dobell (1962).
class ChainOrder {
 public:
  explicit ChainOrder(std::uint64_t lines);
  std::uint64_t Next(std::uint64_t line) const {
    do line = (line * kFactor + kTerm) & mask_;
    while (line >= lines_);
    return line;
  }

 private:
  static constexpr std::uint64_t kFactor = 6364136223846793005u, kTerm = 1442695040888963407u;
  std::uint64_t lines_, mask_;
};

const ChainLine* Follow(const ChainLine* line, std::size_t hops);

}  // namespace corerig
