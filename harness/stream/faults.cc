#include "harness/stream/faults.h"

#include <algorithm>

#include "harness/base/philox.h"

namespace corerig {
namespace {

// Lanes of the harness's own random numbers; schedule.cc has another.
constexpr std::uint32_t kShareLane = 0xFA000000;  // + FaultKind
constexpr std::uint32_t kBitLane = 0xFA000010;

constexpr FaultKind kPrecedence[] = {FaultKind::kDrop, FaultKind::kDuplicate, FaultKind::kReorder, FaultKind::kBitFlip};

}  // namespace

std::optional<FaultKind> FaultOf(const StreamPlan& stream, std::uint64_t seed, std::uint64_t sequence,
                                 std::uint64_t first_in_window) {
  if (stream.faults.empty()) return std::nullopt;
  if (sequence >= first_in_window) {
    const std::uint64_t number = sequence - first_in_window;
    for (const FaultKind kind : kPrecedence) {
      for (const FaultPlan& fault : stream.faults) {
        if (fault.kind == kind && std::find(fault.at.begin(), fault.at.end(), number) != fault.at.end()) return kind;
      }
    }
  }
  for (const FaultKind kind : kPrecedence) {
    for (const FaultPlan& fault : stream.faults) {
      if (fault.kind != kind || fault.share <= 0) continue;
      const std::uint32_t lane = kShareLane + static_cast<std::uint32_t>(kind);
      if (UniformOpen(RandomWords(seed, StreamId(stream.name), sequence, lane)[0]) < fault.share) return kind;
    }
  }
  return std::nullopt;
}

void FlipOneBit(const StreamPlan& stream, std::uint64_t seed, std::uint64_t sequence, std::span<std::byte> frame) {
  if (frame.empty()) return;
  const std::uint32_t word = RandomWords(seed, StreamId(stream.name), sequence, kBitLane)[0];
  // A word scaled to [0, bits): frames are far shorter than 2^32 bits, so no bit is favoured noticeably.
  const std::uint64_t bit = (std::uint64_t{word} * (frame.size() * 8)) >> 32;
  frame[bit / 8] ^= std::byte{1} << (bit % 8);
}

}  // namespace corerig
