#include "harness/loop/channel.h"

#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "harness/loop/kernel_stamps.h"
#include "harness/loop/message_batch.h"
#include "harness/loop/poll_handle.h"
#include "harness/os/clock.h"

namespace corerig {
namespace {

constexpr std::size_t kReadBytes = 16 << 10;  // of a byte channel at once

// To a pty or a pipe.
Result<std::size_t> Write(int fd, std::span<const std::byte> frame) {
  const ssize_t n = write(fd, frame.data(), frame.size());
  if (n < 0 && errno != EAGAIN) return Fail("cannot send ", frame.size(), " bytes: ", ErrnoText(errno));
  // The kernel goes on taking bytes when nobody has the slave of a pty open (seen on 6.18); only poll tells.
  pollfd state = {.fd = fd, .events = 0, .revents = 0};
  if (poll(&state, 1, 0) == 1 && (state.revents & POLLHUP) != 0) return Fail("the pty's receiver is gone");
  return n < 0 ? 0 : static_cast<std::size_t>(n);
}

// Of a socketpair.
bool PeerIsGone(int socket) {
  pollfd state = {.fd = socket, .events = 0, .revents = 0};
  return poll(&state, 1, 0) == 1 && (state.revents & POLLHUP) != 0;
}

// Bytes that a socket holds before it refuses more, the kernel's own structures included.
std::size_t SendBuffer(int socket) {
  int bytes = 0;
  socklen_t size = sizeof bytes;
  if (getsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, &size) != 0) return SIZE_MAX;
  return static_cast<std::size_t>(bytes);
}

}  // namespace

Result<std::size_t> Send(int fd, std::span<const std::byte> frame) {
  const ssize_t n = send(fd, frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return static_cast<std::size_t>(n);
  // EINVAL: a CAN bus takes nothing but whole frames.
  if (errno == EAGAIN || errno == ENOBUFS || errno == EINVAL) return 0;
  // A descriptor that is no socket is refused before anything else is done.
  if (errno == ENOTSOCK) return Write(fd, frame);
  return Fail("cannot send ", frame.size(), " bytes: ", ErrnoText(errno));
}

Result<Sender> Sender::Open(ChannelKind kind, Fd end) {
  std::size_t room = SIZE_MAX;
  if (kind == ChannelKind::kStream || kind == ChannelKind::kTcp) room = SendBuffer(end.get());
  if (kind != ChannelKind::kShm) return Sender(std::move(end), std::nullopt, room);
  auto ring = ShmRing::Take(end.get());
  if (!ring) return ForwardWith(ring, "channel shm: ");
  return Sender(std::move(end), std::move(*ring), room);
}

Result<std::size_t> Sender::SendInParts(std::span<const std::byte> frame) {
  const auto first = corerig::Send(end_.get(), frame);
  if (!first || *first == 0) return first;
  std::size_t taken = *first;
  const Nanos limit = MonotonicNow() + kPatience;
  while (taken < frame.size()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit - MonotonicNow());
    pollfd state = {.fd = end_.get(), .events = POLLOUT, .revents = 0};
    if (left.count() <= 0 || poll(&state, 1, static_cast<int>(left.count())) <= 0) break;
    const auto more = corerig::Send(end_.get(), frame.subspan(taken));
    if (!more) break;  // the next frame will say so
    taken += *more;
  }
  return taken;
}

Result<std::size_t> Sender::Send(std::span<const std::byte> frame) {
  if (!ring_) return frame.size() > room_ ? SendInParts(frame) : corerig::Send(end_.get(), frame);
  return Put(frame);
}

Result<std::size_t> Sender::Offer(std::span<const std::byte> frame) {
  if (!ring_) return corerig::Send(end_.get(), frame);
  if (std::exchange(asked_for_room_, false)) ring_->HushRoom();
  const auto put = Put(frame);
  if (!put || *put > 0) return put;
  asked_for_room_ = true;
  return ring_->AskForRoom() ? put : Put(frame);
}

pollfd Sender::Room() const {
  return ring_ ? pollfd{.fd = ring_->room_bell(), .events = POLLIN, .revents = 0}
               : pollfd{.fd = end_.get(), .events = POLLOUT, .revents = 0};
}

Result<std::size_t> Sender::Put(std::span<const std::byte> frame) {
  if (frame.size() > ring_->slot_bytes()) {
    return Fail("cannot send ", frame.size(), " bytes: a slot of the ring has ", ring_->slot_bytes());
  }
  if (PeerIsGone(end_.get())) return Fail("the ring's receiver is gone");
  return ring_->Put(frame) ? frame.size() : 0;
}

Sender::~Sender() {
  if (!ring_ || !end_.valid()) return;  // that, or moved from
  end_.Close();
  ring_->Ring();  // The receiver looks, and finds us gone.
}

struct Receiver::State : PollHandle {
  State(ChannelKind channel_kind, Fd receiver, std::optional<ShmRing> taken, std::size_t largest,
        std::function<void(const Arrival&)> callback)
      : kind(channel_kind), fd(std::move(receiver)), ring(std::move(taken)), on_arrival(std::move(callback)) {
    if (ring) return;
    if (IsDatagram(kind)) {
      messages.emplace(largest, kBurst);
    } else {
      buffer.resize(std::max(largest, kReadBytes));
    }
  }

  enum class Outcome { kMore, kEmpty, kEnded };

  // At most kBurst arrivals.
  Outcome ReadBurst() { return ring ? ReadRing() : messages ? ReadMessages() : ReadBytes(); }

  Outcome ReadRing() {
    static_assert(kBurst >= RingShape::kMostSlots, "what was there before the bell was hushed is read in one burst");
    ring->Hush();
    for (int i = 0; i < kBurst; ++i) {
      auto frame = ring->Front();
      if (!frame) {
        // Put before it went.
        if (PeerIsGone(fd.get()) && !(frame = ring->Front())) return Outcome::kEnded;
        if (!frame) return Outcome::kEmpty;
      }
      const Arrival arrival = {.bytes = *frame, .offset = offset, .kernel_stamp = {}, .begin = MonotonicNow()};
      offset += arrival.bytes.size();
      on_arrival(arrival);
      if (closed()) return Outcome::kEnded;
      ring->Pop();
    }
    return Outcome::kMore;
  }

  Outcome ReadMessages() {
    const int count = messages->Receive(fd.get());
    if (count < 0 && errno == EAGAIN) {
      stamps.ChannelIsEmpty();
      return Outcome::kEmpty;
    }
    if (count < 0) return Outcome::kEnded;
    bool stamps_checked = false;
    for (int i = 0; i < count; ++i) {
      // All senders gone: a seqpacket reads as 0 bytes. UDP has no end.
      if (messages->bytes(i).empty() && kind != ChannelKind::kUdp) return Outcome::kEnded;
      Arrival arrival = {.bytes = messages->bytes(i), .offset = offset, .kernel_stamp = {}, .begin = MonotonicNow()};
      if (const auto stamp = messages->stamp(i)) {
        if (!std::exchange(stamps_checked, true)) stamps.Check(ReadOffsetBracket());
        arrival.kernel_stamp = stamps.Convert(*stamp);
      }
      if (const auto total = messages->overflows(i)) NoteOverflows(*total);
      offset += arrival.bytes.size();
      on_arrival(arrival);
      if (closed()) return Outcome::kEnded;
    }
    if (count == messages->most()) return Outcome::kMore;
    // It was empty then, but the clock was looked at later: after a step only a further look tells.
    return stamps.discarding() ? ReadMessages() : Outcome::kEmpty;
  }

  Outcome ReadBytes() {
    for (int i = 0; i < kBurst; ++i) {
      const ssize_t n = read(fd.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EAGAIN) return Outcome::kEmpty;
      // All senders gone: that reads as 0 bytes, and an error is the end as well.
      if (n <= 0) return Outcome::kEnded;
      const Arrival arrival = {.bytes = {buffer.data(), static_cast<std::size_t>(n)},
                               .offset = offset,
                               .kernel_stamp = {},
                               .begin = MonotonicNow()};
      offset += arrival.bytes.size();
      on_arrival(arrival);
      if (closed()) return Outcome::kEnded;
    }
    return Outcome::kMore;
  }

  // `total` wraps.
  void NoteOverflows(std::uint32_t total) { overflows += total - static_cast<std::uint32_t>(overflows); }

  Outcome Read() {
    if (ended) return Outcome::kEnded;
    const Outcome outcome = ReadBurst();
    if (outcome == Outcome::kEnded && !closed()) {
      ended = true;
      StopPolling();  // It would stay readable for ever.
    }
    return outcome;
  }

  void OnReadable(Nanos) override { Read(); }

  ChannelKind kind;
  Fd fd;
  std::optional<ShmRing> ring;
  std::optional<MessageBatch> messages;
  std::vector<std::byte> buffer;
  std::function<void(const Arrival&)> on_arrival;
  KernelStamps stamps{RealtimeConverter()};
  std::uint64_t offset = 0, overflows = 0;
  bool ended = false;
};

Result<Receiver> Receiver::Start(EventLoop& loop, ChannelKind kind, Fd receiver, std::size_t largest,
                                 std::function<void(const Arrival&)> on_arrival) {
  if (kind == ChannelKind::kTimer) return Fail("channel ", ToText(kind), " is received by a Ticker");
  std::optional<ShmRing> ring;
  if (kind == ChannelKind::kShm) {
    auto taken = ShmRing::Take(receiver.get());
    if (!taken) return ForwardWith(taken, "channel ", ToText(kind), ": ");
    ring = std::move(*taken);
  }
  const int fd = ring ? ring->bell() : receiver.get();
  auto state = std::make_unique<State>(kind, std::move(receiver), std::move(ring), largest, std::move(on_arrival));
  State* const owned_by_libuv = state.get();
  auto started = PollHandle::Start(std::move(state), loop.raw(), fd);
  if (!started) return ForwardWith(started, "channel ", ToText(kind), ": ");
  return Receiver(owned_by_libuv);
}

void Receiver::Drain() {
  while (state_->Read() == State::Outcome::kMore) {
  }
}

std::uint64_t Receiver::Overflows() {
  // Those that no message has come to tell of yet. The array's order: <linux/sock_diag.h>.
  std::uint32_t figures[SK_MEMINFO_VARS] = {};
  socklen_t size = sizeof figures;
  if (getsockopt(state_->fd.get(), SOL_SOCKET, SO_MEMINFO, figures, &size) == 0 &&
      size > SK_MEMINFO_DROPS * sizeof figures[0]) {
    state_->NoteOverflows(figures[SK_MEMINFO_DROPS]);
  }
  return state_->overflows;
}

std::uint64_t Receiver::discarded_stamps() const { return state_->stamps.discarded(); }

Receiver::Receiver(State* state) : state_(state) {}
Receiver::Receiver(Receiver&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
Receiver& Receiver::operator=(Receiver&& other) noexcept {
  Receiver taken(std::move(other));
  std::swap(state_, taken.state_);
  return *this;
}
Receiver::~Receiver() {
  if (state_ == nullptr) return;
  state_->Close();
  state_->fd.Close();  // At once, so that senders notice; libuv lets go of it in Close.
}

}  // namespace corerig
