#include "harness/base/tally.h"

#include <array>
#include <cstring>

namespace corerig {
namespace {

// Ahead of the parts of all sums: units, width, and how many parts each sum has.
constexpr std::size_t HeadSize(std::size_t sums) { return (2 + sums) * sizeof(std::uint64_t); }

}  // namespace

void Tally::Add(const Tally& other) {
  if (other.units == 0) return;
  vector_bits = units == 0 || vector_bits == other.vector_bits ? other.vector_bits : 0;
  units += other.units;
  if (sums.size() < other.sums.size()) sums.resize(other.sums.size());
  for (std::size_t i = 0; i < other.sums.size(); ++i) sums[i].Add(other.sums[i]);
}

std::size_t TallySize(std::size_t sums) { return HeadSize(sums) + sums * ExactSum::kMostParts * sizeof(double); }

std::size_t WriteTally(const Tally& tally, std::span<std::byte> out) {
  std::size_t at = 0;
  const auto put = [&](std::uint64_t value) {
    std::memcpy(out.data() + at, &value, sizeof value);
    at += sizeof value;
  };
  put(tally.units);
  put(tally.vector_bits);
  for (const ExactSum& sum : tally.sums) put(sum.parts().size());
  for (const ExactSum& sum : tally.sums) {
    const auto parts = std::as_bytes(sum.parts());
    if (!parts.empty()) std::memcpy(out.data() + at, parts.data(), parts.size());
    at += parts.size();
  }
  return at;
}

Result<Tally> ReadTally(std::span<const std::byte> bytes, std::size_t sums) {
  if (bytes.size() < HeadSize(sums)) {
    return Fail("a result of ", bytes.size(), " bytes; at least ", HeadSize(sums), " were expected");
  }
  std::size_t at = 0;
  const auto take = [&] {
    std::uint64_t value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    at += sizeof value;
    return value;
  };
  // So many units nobody does: a year of one each microsecond.
  constexpr std::uint64_t kMostUnits = std::uint64_t{1} << 45;
  Tally tally;
  tally.units = take();
  tally.vector_bits = static_cast<std::uint32_t>(take());
  if (tally.units > kMostUnits) return Fail("it claims ", tally.units, " units of work");
  std::vector<std::uint64_t> counts;
  for (std::size_t i = 0; i < sums; ++i) counts.push_back(take());
  for (const std::uint64_t count : counts) {
    if (count > ExactSum::kMostParts || bytes.size() - at < count * sizeof(double)) {
      return Fail("a result of ", bytes.size(), " bytes does not hold its ", count, " parts of a sum");
    }
    std::array<double, ExactSum::kMostParts> parts;
    if (count > 0) std::memcpy(parts.data(), bytes.data() + at, count * sizeof(double));
    at += count * sizeof(double);
    auto sum = ExactSum::FromParts(std::span(parts.data(), count));
    if (!sum) return Forward(sum);
    tally.sums.push_back(*sum);
  }
  if (at != bytes.size()) return Fail("a result of ", bytes.size(), " bytes, of which ", at, " are told of");
  return tally;
}

}  // namespace corerig
