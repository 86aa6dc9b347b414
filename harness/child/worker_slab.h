// A worker's slab: progress that can be watched while it works, and its result, which exists whole or not at all.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "harness/base/units.h"
#include "harness/child/slab.h"

namespace corerig {

// Units done and the instant the last one was, as one value (a sequence lock with one writer and two copies).
class Progress {
 public:
  struct Reading {
    std::uint64_t units = 0;
    Nanos at{0};  // CLOCK_MONOTONIC; 0: no unit is done
  };
  void Publish(std::uint64_t units, Nanos at);
  // The last published pair. If the writer died inside Publish, the pair before it.
  Reading Read() const;

 private:
  // Two copies written in turn: the parity of `turn_` names the complete one, so a writer that dies leaves it readable.
  struct Copy {
    std::atomic<std::uint64_t> units{0};
    std::atomic<std::int64_t> at{0};
  };
  Copy copies_[2];
  std::atomic<std::uint64_t> turn_{0};
};

// A result of known greatest size, published once: its length is release-stored after bytes and checksum.
//
// The checksum (FNV-1a, 64 bit, over length and bytes) is for what the order of stores cannot exclude: a process that
// wrote wildly into its own slab before it died.
class ResultBox {
 public:
  // Followed in the slab by `capacity` bytes.
  static std::size_t SizeFor(std::size_t capacity);

  // Where the worker writes the bytes, then Publish(n) with n no more than the capacity.
  std::span<std::byte> Buffer(std::size_t capacity);
  void Publish(std::size_t size);

  // A copy of the bytes; nothing before Publish, or if length or checksum are wrong.
  std::optional<std::vector<std::byte>> Read(std::size_t capacity) const;

 private:
  std::atomic<std::uint64_t> checksum_{0};
  std::atomic<std::uint64_t> length_plus_one_{0};  // 0: nothing published
};

// Offsets of a worker's slab.
struct WorkerSlabLayout {
  std::size_t progress, result, result_capacity, size;
  explicit WorkerSlabLayout(std::size_t result_capacity);
};

}  // namespace corerig
