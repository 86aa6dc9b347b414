// Frames handed over in shared memory: a ring of slots, and an eventfd as the doorbell.
//
// One process fills slots in turn, another reads them in place and gives them back: what the kernel carries is the ring
// of the bell, and of a second one where a sender waits for room. A ring is made by a third one, which lays it on a
// socketpair, at both of whose ends it can be taken:
//
//   ShmRing::Lay(shape, ends[0], ends[1]);
//   auto ring = ShmRing::Take(ends[0]);        // in the process that has this end
//
// The other side may be wrong in all it writes: each side keeps its own count of slots, and no size and no count found
// in the memory is used before it was checked. (A side that changes a frame while the other reads it can make that
// frame wrong, as it could before.) The memory's size is sealed. One thread per side.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/os/fd.h"
#include "harness/os/shared_memory.h"

namespace corerig {

struct RingShape {
  static constexpr std::uint32_t kMostSlots = 16;
  static constexpr std::size_t kMostSlotBytes = 256 << 20;
  std::size_t slot_bytes = 0;  // the largest frame
  std::uint32_t slots = 0;
  bool valid() const { return slots >= 1 && slots <= kMostSlots && slot_bytes >= 1 && slot_bytes <= kMostSlotBytes; }
};

// As many slots as frames come in 100 ms, at least four and not many: so a camera's driver has its buffers.
RingShape RingFor(std::size_t largest_frame, Rate frames);

class ShmRing {
 public:
  static Status Lay(RingShape shape, int sender_end, int receiver_end);
  // Fails if there is none, or not as it says. All its pages are present afterwards.
  static Result<ShmRing> Take(int end);

  // The sender's side. Copies the frame into the next slot and rings. False, and nothing done, if all slots wait to be
  // read. The frame is no longer than slot_bytes().
  bool Put(std::span<const std::byte> frame);
  std::size_t slot_bytes() const { return shape_.slot_bytes; }
  void Ring() const;
  // After Put said no: has the other side ring the bell of room when it next gives a slot back. False if it has done so
  // meanwhile; then no bell will ring. A sender that never asks costs the other side nothing.
  bool AskForRoom() const;
  int room_bell() const { return room_bell_.get(); }  // readable while it rings
  void HushRoom() const;

  // The receiver's side. The oldest frame not yet given back, in its slot; nothing if there is none.
  std::optional<std::span<const std::byte>> Front() const;
  // Gives the slot of Front() back.
  void Pop();
  // Stops the bell ringing. What is put from now on rings again.
  void Hush() const;
  int bell() const { return bell_.get(); }  // readable while it rings

 private:
  // Where the two sides meet. Each count is written by one side, and only grows.
  struct Counts {
    alignas(64) std::atomic<std::uint64_t> put;
    alignas(64) std::atomic<std::uint64_t> popped;
    alignas(64) std::atomic<std::uint64_t> sizes[RingShape::kMostSlots];
    alignas(64) std::atomic<std::uint32_t> room_wanted;  // by the sender, until the receiver has rung
  };
  static std::size_t SlotStride(RingShape shape);
  static std::size_t MemoryBytes(RingShape shape);
  Counts& counts() const { return *memory_.At<Counts>(0); }
  std::span<std::byte> Slot(std::uint64_t number) const;

  RingShape shape_;
  Fd bell_, room_bell_;
  Mapping memory_;
  std::uint64_t put_ = 0, popped_ = 0;  // by this side
};

}  // namespace corerig
