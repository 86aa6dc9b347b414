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

}  // namespace

Result<std::size_t> Send(int fd, std::span<const std::byte> frame) {
  const ssize_t n = send(fd, frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return static_cast<std::size_t>(n);
  if (errno == EAGAIN || errno == ENOBUFS) return 0;
  // A descriptor that is no socket is refused before anything else is done.
  if (errno == ENOTSOCK) return Write(fd, frame);
  return Fail("cannot send ", frame.size(), " bytes: ", ErrnoText(errno));
}

struct Receiver::State : PollHandle {
  State(ChannelKind channel_kind, Fd receiver, std::size_t largest, std::function<void(const Arrival&)> callback)
      : kind(channel_kind), fd(std::move(receiver)), on_arrival(std::move(callback)) {
    if (IsDatagram(kind)) {
      messages.emplace(largest, kBurst);
    } else {
      buffer.resize(std::max(largest, kReadBytes));
    }
  }

  enum class Outcome { kMore, kEmpty, kEnded };

  // At most kBurst arrivals.
  Outcome ReadBurst() { return messages ? ReadMessages() : ReadBytes(); }

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
  const int fd = receiver.get();
  auto state = std::make_unique<State>(kind, std::move(receiver), largest, std::move(on_arrival));
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
