#include "harness/stream/truth.h"

#include <bit>

namespace corerig {
namespace {

// One cache line of words. Every word is stored with release and loaded with acquire: a reader that sees any word of a
// newer emission therefore also sees that its place was reserved. (Fences would do too, but ThreadSanitizer does not
// know them.)
struct alignas(64) Entry {
  std::atomic<std::uint64_t> words[8];
};
constexpr int kSent = 2, kRelease = 7;  // words of an entry
constexpr std::size_t kHead = 64;       // the ring's own words, on a line of their own
static_assert(sizeof(Entry) == 64);
static_assert(sizeof(TruthRing) <= kHead);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "the ring is shared between processes");

Entry* EntryOf(TruthRing* ring, std::uint64_t emission, std::size_t capacity) {
  return reinterpret_cast<Entry*>(reinterpret_cast<std::byte*>(ring) + kHead) + (emission & (capacity - 1));
}
const Entry* EntryOf(const TruthRing* ring, std::uint64_t emission, std::size_t capacity) {
  return EntryOf(const_cast<TruthRing*>(ring), emission, capacity);
}

}  // namespace

std::size_t TruthRing::SizeFor(std::size_t capacity) { return kHead + capacity * sizeof(Entry); }

void TruthRing::Append(const Truth& truth, std::size_t capacity) {
  const std::uint64_t emission = published_.load(std::memory_order_relaxed);
  reserved_.store(emission + 1, std::memory_order_relaxed);
  auto& words = EntryOf(this, emission, capacity)->words;
  const auto put = [&](int i, std::uint64_t value) { words[i].store(value, std::memory_order_release); };
  put(0, truth.sequence << 16 | std::uint64_t{truth.fault} << 8 | truth.flags);
  put(1, static_cast<std::uint64_t>(truth.due.count()));
  put(kSent, static_cast<std::uint64_t>(truth.sent.count()));
  put(3, truth.wire_key);
  put(4, truth.offset);
  put(5, std::uint64_t{truth.size} << 32 | truth.gaps);
  put(6, std::bit_cast<std::uint64_t>(truth.value));
  put(kRelease, static_cast<std::uint64_t>(truth.release.count()));
  published_.store(emission + 1, std::memory_order_release);
}

void TruthRing::Restamp(Nanos release, Nanos sent, std::size_t capacity) {
  auto& words = EntryOf(this, published_.load(std::memory_order_relaxed) - 1, capacity)->words;
  words[kSent].store(static_cast<std::uint64_t>(sent.count()), std::memory_order_release);
  words[kRelease].store(static_cast<std::uint64_t>(release.count()), std::memory_order_release);
}

void TruthRing::Withdraw(std::size_t capacity) {
  auto& words = EntryOf(this, published_.load(std::memory_order_relaxed) - 1, capacity)->words;
  words[0].store(words[0].load(std::memory_order_relaxed) | kTruthWithdrawn, std::memory_order_release);
}

void TruthRing::Close() { closed_.store(1, std::memory_order_release); }
bool TruthRing::closed() const { return closed_.load(std::memory_order_acquire) != 0; }

std::uint64_t TruthRing::published() const { return published_.load(std::memory_order_acquire); }

std::uint64_t TruthRing::oldest(std::size_t capacity) const {
  const std::uint64_t reserved = reserved_.load(std::memory_order_acquire);
  return reserved > capacity ? reserved - capacity : 0;
}

std::optional<Truth> TruthRing::Read(std::uint64_t emission, std::size_t capacity) const {
  if (emission >= published()) return std::nullopt;
  const auto& words = EntryOf(this, emission, capacity)->words;
  const auto get = [&](int i) { return words[i].load(std::memory_order_acquire); };
  Truth truth;
  const std::uint64_t sequence_fault_flags = get(0), size_and_gaps = get(5);
  truth.sequence = sequence_fault_flags >> 16;
  truth.fault = static_cast<std::uint8_t>(sequence_fault_flags >> 8);
  truth.flags = static_cast<std::uint8_t>(sequence_fault_flags);
  truth.due = Nanos(static_cast<std::int64_t>(get(1)));
  truth.sent = Nanos(static_cast<std::int64_t>(get(kSent)));
  truth.wire_key = get(3);
  truth.offset = get(4);
  truth.size = static_cast<std::uint32_t>(size_and_gaps >> 32);
  truth.gaps = static_cast<std::uint32_t>(size_and_gaps);
  truth.value = std::bit_cast<double>(get(6));
  truth.release = Nanos(static_cast<std::int64_t>(get(kRelease)));
  if (oldest(capacity) > emission) return std::nullopt;
  return truth;
}

}  // namespace corerig
