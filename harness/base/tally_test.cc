#include "harness/base/tally.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace corerig {
namespace {

Tally TallyOf(std::uint64_t units, std::vector<double> values, std::uint32_t vector_bits = 256) {
  Tally tally{.units = units, .vector_bits = vector_bits, .sums = std::vector<ExactSum>(values.size())};
  for (std::size_t i = 0; i < values.size(); ++i) tally.sums[i].Add(values[i]);
  return tally;
}

std::vector<std::byte> BytesOf(const Tally& tally) {
  std::vector<std::byte> bytes(TallySize(tally.sums.size()));
  bytes.resize(WriteTally(tally, bytes));
  return bytes;
}

TEST(Tally, AddsUnitsAndSums) {
  Tally tally;
  tally.Add(TallyOf(3, {1, 1e16}));
  tally.Add(TallyOf(4, {2, 1}));
  tally.Add(TallyOf(1, {0, -1e16}));
  EXPECT_EQ(tally.units, 8u);
  EXPECT_EQ(tally.sums[0].Value(), 3);
  EXPECT_EQ(tally.sums[1].Value(), 1);
  EXPECT_EQ(tally.vector_bits, 256u);
  tally.Add(TallyOf(0, {0, 0}, 128));
  EXPECT_EQ(tally.vector_bits, 256u) << "nothing was computed at that width";
  tally.Add(TallyOf(1, {0, 0}, 128));
  EXPECT_EQ(tally.vector_bits, 0u);
}

TEST(Tally, ReadsBackWhatWasWritten) {
  Tally tally = TallyOf(1234, {1e300, 0});
  tally.sums[0].Add(1e-300);
  const auto bytes = BytesOf(tally);
  EXPECT_EQ(bytes.size(), (4 + 2) * 8u);
  const auto read = ReadTally(bytes, 2);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->units, 1234u);
  EXPECT_EQ(read->vector_bits, 256u);
  EXPECT_EQ(read->sums[0].parts().size(), 2u);
  EXPECT_EQ(read->sums[0].parts()[0], 1e-300);
  EXPECT_EQ(read->sums[1].Value(), 0);
}

TEST(Tally, BytesThatNobodyWroteAreRefused) {
  const auto error = [](std::vector<std::byte> bytes, std::size_t sums) {
    const auto read = ReadTally(bytes, sums);
    return read ? "accepted" : read.error().message;
  };
  const auto good = BytesOf(TallyOf(1, {5}));
  EXPECT_EQ(error(good, 1), "accepted");
  EXPECT_EQ(error({}, 1), "a result of 0 bytes; at least 24 were expected");
  EXPECT_EQ(error(good, 3), "a result of 32 bytes; at least 40 were expected");
  auto longer = good;
  longer.push_back(std::byte{0});
  EXPECT_EQ(error(longer, 1), "a result of 33 bytes, of which 32 are told of");
  const auto with = [&](std::size_t word, std::uint64_t value) {
    auto bytes = good;
    std::memcpy(bytes.data() + 8 * word, &value, 8);
    return error(bytes, 1);
  };
  EXPECT_EQ(with(0, UINT64_MAX), "it claims 18446744073709551615 units of work");
  EXPECT_EQ(with(2, 2), "a result of 32 bytes does not hold its 2 parts of a sum");
  EXPECT_EQ(with(2, UINT64_MAX), "a result of 32 bytes does not hold its 18446744073709551615 parts of a sum");
  EXPECT_EQ(with(3, 0x7FF8000000000000), "a sum with a part that is no finite number");
}

}  // namespace
}  // namespace corerig
