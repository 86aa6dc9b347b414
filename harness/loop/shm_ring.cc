#include "harness/loop/shm_ring.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace corerig {
namespace {

// What lies on the socketpair: the shape, and with it the descriptors (unix(7), SCM_RIGHTS).
struct Handover {
  std::uint64_t slot_bytes = 0;
  std::uint64_t slots = 0;
};
constexpr std::size_t kDescriptors = 3;  // memory, bell, bell of room
union Control {
  cmsghdr aligned;
  char bytes[CMSG_SPACE(kDescriptors * sizeof(int))];
};

Status SendOver(int socket, Handover handover, const int (&descriptors)[kDescriptors]) {
  iovec piece = {.iov_base = &handover, .iov_len = sizeof handover};
  Control control = {};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  cmsghdr* const rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(kDescriptors * sizeof(int));
  std::memcpy(CMSG_DATA(rights), descriptors, sizeof descriptors);
  if (sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof handover) {
    return Fail("cannot hand over a ring: ", ErrnoText(errno));
  }
  return {};
}

// Makes the pages present now rather than at the first frame. Kernels before 5.14 refuse: then the first frames do it.
void Populate(const Mapping& memory) { madvise(memory.data(), memory.size(), MADV_POPULATE_WRITE); }

}  // namespace

RingShape RingFor(std::size_t largest_frame, Rate frames) {
  const std::uint64_t recent = frames.EventsBefore(std::chrono::milliseconds(100));
  return {.slot_bytes = largest_frame,
          .slots = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(recent, 4, RingShape::kMostSlots))};
}

std::size_t ShmRing::SlotStride(RingShape shape) {
  constexpr std::size_t kLine = 64;
  return (shape.slot_bytes + kLine - 1) / kLine * kLine;
}

std::size_t ShmRing::MemoryBytes(RingShape shape) { return sizeof(Counts) + shape.slots * SlotStride(shape); }

Status ShmRing::Lay(RingShape shape, int sender_end, int receiver_end) {
  if (!shape.valid()) {
    return Fail("a ring of ", shape.slots, " slots of ", shape.slot_bytes, " bytes; it has 1 to ",
                RingShape::kMostSlots, " slots of 1 to ", RingShape::kMostSlotBytes, " bytes");
  }
  auto memory = CreateSharedMemory("corerig-ring", MemoryBytes(shape));
  if (!memory) return Forward(memory);
  const Fd bell(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), room_bell(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell.valid() || !room_bell.valid()) return Fail("cannot create an eventfd: ", ErrnoText(errno));
  const Handover handover = {.slot_bytes = shape.slot_bytes, .slots = shape.slots};
  // What is sent at one end lies at the other.
  for (const int from : {sender_end, receiver_end}) {
    if (auto sent = SendOver(from, handover, {memory->get(), bell.get(), room_bell.get()}); !sent) return sent;
  }
  return {};
}

Result<ShmRing> ShmRing::Take(int end) {
  Handover handover;
  iovec piece = {.iov_base = &handover, .iov_len = sizeof handover};
  Control control = {};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  const auto receive = [&] { return recvmsg(end, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC); };
  ssize_t n = receive();
  // The other end was closed before its ring was taken: that is said once, and ours still lies here.
  if (n < 0 && errno == ECONNRESET) n = receive();
  if (n < 0) return Fail("no ring was handed over: ", ErrnoText(errno));
  const cmsghdr* const rights = CMSG_FIRSTHDR(&message);
  if (n != sizeof handover || rights == nullptr || rights->cmsg_type != SCM_RIGHTS ||
      rights->cmsg_len != CMSG_LEN(kDescriptors * sizeof(int))) {
    return Fail("no ring was handed over");
  }
  int descriptors[kDescriptors];
  std::memcpy(descriptors, CMSG_DATA(rights), sizeof descriptors);
  const Fd memory(descriptors[0]);
  ShmRing ring;
  ring.bell_ = Fd(descriptors[1]);
  ring.room_bell_ = Fd(descriptors[2]);
  ring.shape_ = {.slot_bytes = handover.slot_bytes, .slots = static_cast<std::uint32_t>(handover.slots)};
  if (handover.slots > RingShape::kMostSlots || !ring.shape_.valid()) {
    return Fail("the ring handed over has ", handover.slots, " slots of ", handover.slot_bytes, " bytes");
  }
  auto mapping = Mapping::Map(memory.get(), MemoryBytes(ring.shape_), Mapping::Access::kReadWrite);
  if (!mapping) return ForwardWith(mapping, "the ring: ");
  ring.memory_ = std::move(*mapping);
  Populate(ring.memory_);
  return ring;
}

std::span<std::byte> ShmRing::Slot(std::uint64_t number) const {
  return {memory_.data() + sizeof(Counts) + number % shape_.slots * SlotStride(shape_), shape_.slot_bytes};
}

bool ShmRing::Put(std::span<const std::byte> frame) {
  // A count beyond ours is nonsense, and makes the ring look full.
  if (put_ - counts().popped.load(std::memory_order_acquire) >= shape_.slots) return false;
  std::memcpy(Slot(put_).data(), frame.data(), frame.size());
  counts().sizes[put_ % shape_.slots].store(frame.size(), std::memory_order_relaxed);
  counts().put.store(++put_, std::memory_order_release);
  Ring();
  return true;
}

void ShmRing::Ring() const { eventfd_write(bell_.get(), 1); }

std::optional<std::span<const std::byte>> ShmRing::Front() const {
  const std::uint64_t waiting = counts().put.load(std::memory_order_acquire) - popped_;
  if (waiting == 0 || waiting > shape_.slots) return std::nullopt;
  const std::uint64_t size = counts().sizes[popped_ % shape_.slots].load(std::memory_order_relaxed);
  return Slot(popped_).first(std::min<std::uint64_t>(size, shape_.slot_bytes));
}

// Of two sides that each write one word and then look at the other's, one at least sees what the other wrote, if all
// four are in one order: the sender either finds the slot or is rung for.
void ShmRing::Pop() {
  counts().popped.store(++popped_, std::memory_order_seq_cst);
  if (counts().room_wanted.load(std::memory_order_seq_cst) == 0) return;
  counts().room_wanted.store(0, std::memory_order_relaxed);
  eventfd_write(room_bell_.get(), 1);
}

bool ShmRing::AskForRoom() const {
  counts().room_wanted.store(1, std::memory_order_seq_cst);
  return put_ - counts().popped.load(std::memory_order_seq_cst) >= shape_.slots;
}

void ShmRing::HushRoom() const {
  eventfd_t rings;
  eventfd_read(room_bell_.get(), &rings);
}

void ShmRing::Hush() const {
  eventfd_t rings;
  eventfd_read(bell_.get(), &rings);
}

}  // namespace corerig
