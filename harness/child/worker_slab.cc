#include "harness/child/worker_slab.h"

namespace corerig {
namespace {

// FNV-1a, 64 bit (Fowler, Noll, Vo; draft-eastlake-fnv), over the size (8 bytes, low first) and the bytes.
std::uint64_t Checksum(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xCBF29CE484222325;
  const auto add = [&](std::uint64_t byte) { hash = (hash ^ byte) * 0x100000001B3; };
  for (int shift = 0; shift < 64; shift += 8) add((static_cast<std::uint64_t>(bytes.size()) >> shift) & 0xFF);
  for (const std::byte byte : bytes) add(static_cast<std::uint64_t>(byte));
  return hash;
}

}  // namespace

void Progress::Publish(std::uint64_t units, Nanos at) {
  // Relaxed: only this thread writes it.
  const std::uint64_t turn = turn_.load(std::memory_order_relaxed) + 1;
  Copy& copy = copies_[turn & 1];
  // Release, both: this overwrites the copy that was complete two turns ago. Whoever reads one of these new values
  // (with acquire) must also see the turn stored before them, and so notice that its copy is being overwritten. A
  // release fence would say the same; stores of their own are understood by the thread sanitizer.
  copy.units.store(units, std::memory_order_release);
  copy.at.store(at.count(), std::memory_order_release);
  // Release: whoever sees this turn sees both values of its copy.
  turn_.store(turn, std::memory_order_release);
}

Progress::Reading Progress::Read() const {
  for (;;) {
    // Acquire: pairs with the store of the turn, so both values are at least as new as it.
    const std::uint64_t turn = turn_.load(std::memory_order_acquire);
    const Copy& copy = copies_[turn & 1];
    // Acquire, both: pairs with the stores of the values, so that the second look at the turn below is not older than
    // what they tell.
    const Reading reading = {.units = copy.units.load(std::memory_order_acquire),
                             .at = Nanos(copy.at.load(std::memory_order_acquire))};
    // Relaxed: the acquires above already order it. While the turn stands, the writer is at work on the other copy.
    if (turn_.load(std::memory_order_relaxed) == turn) return reading;
  }
}

std::size_t ResultBox::SizeFor(std::size_t capacity) { return sizeof(ResultBox) + capacity; }

std::span<std::byte> ResultBox::Buffer(std::size_t capacity) {
  return {reinterpret_cast<std::byte*>(this) + sizeof(ResultBox), capacity};
}

void ResultBox::Publish(std::size_t size) {
  // Relaxed: the release below covers it as it covers the bytes.
  checksum_.store(Checksum(Buffer(size)), std::memory_order_relaxed);
  // Release: whoever reads this length also reads checksum and bytes as they were stored before it. A process killed
  // before this instruction leaves 0: no result.
  length_plus_one_.store(static_cast<std::uint64_t>(size) + 1, std::memory_order_release);
}

std::optional<std::vector<std::byte>> ResultBox::Read(std::size_t capacity) const {
  // Acquire: pairs with the release in Publish.
  const std::uint64_t length_plus_one = length_plus_one_.load(std::memory_order_acquire);
  if (length_plus_one == 0 || length_plus_one - 1 > capacity) return std::nullopt;
  const auto* begin = reinterpret_cast<const std::byte*>(this) + sizeof(ResultBox);
  // Verified as copied: the child may still write there.
  std::vector<std::byte> copy(begin, begin + static_cast<std::size_t>(length_plus_one - 1));
  // Relaxed: ordered by the acquire above.
  if (Checksum(copy) != checksum_.load(std::memory_order_relaxed)) return std::nullopt;
  return copy;
}

WorkerSlabLayout::WorkerSlabLayout(std::size_t capacity) : result_capacity(capacity) {
  SlabLayout layout;
  layout.Add<SlabHeader>();
  progress = layout.Add<Progress>();
  result = layout.AddBytes(ResultBox::SizeFor(capacity));
  size = layout.size();
}

}  // namespace corerig
