#include "scenarios/memory_kernels.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace corerig {
namespace {

using Words = std::vector<std::uint64_t>;

Words Filled(std::size_t count, std::uint64_t first) {
  Words words(count);
  FillWithWords(words.data(), count, first);
  return words;
}

TEST(MemoryKernels, FillWritesTheSequence) {
  const Words words = Filled(1000, 77);
  for (std::size_t i = 0; i < words.size(); ++i) ASSERT_EQ(words[i], WordAt(77, i)) << i;
}

TEST(MemoryKernels, SumIsTheSumAndIsKnownBeforehand) {
  for (const std::size_t count : {0, 1, 2, 3, 7, 64, 999, 1000}) {
    const Words words = Filled(count, ~std::uint64_t{5});
    const std::uint64_t sum = std::accumulate(words.begin(), words.end(), std::uint64_t{0});
    EXPECT_EQ(Sum(words.data(), count), sum) << count;
    EXPECT_EQ(SumOfWords(~std::uint64_t{5}, count), sum) << count;
  }
  // count * (count - 1) does not fit into 64 bits.
  constexpr std::uint64_t kMany = (std::uint64_t{1} << 33) + 2;
  EXPECT_EQ(SumOfWords(9, kMany), SumOfWords(9, kMany - 2) + WordAt(9, kMany - 2) + WordAt(9, kMany - 1));
}

TEST(MemoryKernels, EveryFlippedBitChangesTheSum) {
  Words words = Filled(100, 3);
  for (std::size_t bit = 0; bit < 6400; ++bit) {
    words[bit / 64] ^= std::uint64_t{1} << bit % 64;
    ASSERT_NE(Sum(words.data(), words.size()), SumOfWords(3, 100)) << bit;
    words[bit / 64] ^= std::uint64_t{1} << bit % 64;
  }
}

TEST(MemoryKernels, CopyAndTriadAreWhatTheirNamesSay) {
  const Words b = Filled(1001, 3), c = Filled(1001, 1'000'000);
  Words copied(b.size()), added(b.size());
  Copy(copied.data(), b.data(), b.size());
  EXPECT_EQ(copied, b);
  Triad(added.data(), b.data(), c.data(), b.size());
  for (std::size_t i = 0; i < b.size(); ++i) ASSERT_EQ(added[i], b[i] + 3 * c[i]);
}

TEST(ChainOrder, VisitsEveryLineOnceBeforeTheFirstAgain) {
  for (std::uint64_t lines = 1; lines < 700; ++lines) {
    const ChainOrder order(lines);
    std::vector<bool> seen(lines);
    std::uint64_t line = 0, visited = 0;
    for (; !seen[line]; ++visited) {
      seen[line] = true;
      line = order.Next(line);
      ASSERT_LT(line, lines);
    }
    ASSERT_EQ(line, 0u) << lines;
    ASSERT_EQ(visited, lines);
  }
}

TEST(ChainOrder, SeldomGoesToANeighbour) {
  // What a prefetcher could guess: the next line, or one more of the same page.
  constexpr std::uint64_t kLines = 100'000, kLinesOfPage = 64;
  const ChainOrder order(kLines);
  int same_page = 0;
  for (std::uint64_t line = 0; line < kLines; ++line)
    same_page += line / kLinesOfPage == order.Next(line) / kLinesOfPage;
  EXPECT_LT(same_page, 300);  // 64 by chance
}

TEST(ChainOrder, AChainIsFollowedInIt) {
  const ChainOrder order(100);
  std::vector<ChainLine> lines(100);
  for (std::uint64_t i = 0; i < 100; ++i) lines[i].next = &lines[order.Next(i)];
  std::uint64_t line = 0;
  for (std::size_t hops = 0; hops < 250; ++hops) {
    ASSERT_EQ(Follow(&lines[0], hops), &lines[line]) << hops;
    line = order.Next(line);
  }
}

}  // namespace
}  // namespace corerig
