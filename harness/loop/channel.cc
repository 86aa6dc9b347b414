#include "harness/loop/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "harness/loop/kernel_stamps.h"
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
      : kind(channel_kind),
        fd(std::move(receiver)),
        buffer(IsDatagram(kind) ? largest + 1 : std::max(largest, kReadBytes)),
        on_arrival(std::move(callback)) {}

  // Fills in a stamp if the message has one.
  ssize_t ReceiveMessage(std::optional<Nanos>& realtime_stamp) {
    iovec piece = {.iov_base = buffer.data(), .iov_len = buffer.size()};
    alignas(cmsghdr) char control[128];
    msghdr message = {};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t n = recvmsg(fd.get(), &message, MSG_DONTWAIT);
    if (n < 0) return n;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
      timespec stamp;
      if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS ||
          part->cmsg_len != CMSG_LEN(sizeof stamp)) {
        continue;
      }
      std::memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
      realtime_stamp = std::chrono::seconds(stamp.tv_sec) + Nanos(stamp.tv_nsec);
    }
    return n;
  }

  enum class Outcome { kMore, kEmpty, kEnded };

  // At most kBurst arrivals.
  Outcome ReadBurst() {
    bool stamps_checked = false;
    for (int i = 0; i < kBurst; ++i) {
      std::optional<Nanos> realtime_stamp;
      const ssize_t n =
          IsDatagram(kind) ? ReceiveMessage(realtime_stamp) : read(fd.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EAGAIN) {
        stamps.ChannelIsEmpty();
        return Outcome::kEmpty;
      }
      // All senders gone: that reads as 0 bytes, and an error is the end as well. UDP has no end.
      if (n < 0 || (n == 0 && kind != ChannelKind::kUdp)) return Outcome::kEnded;
      Arrival arrival;
      arrival.begin = MonotonicNow();
      arrival.bytes = {buffer.data(), static_cast<std::size_t>(n)};
      arrival.offset = offset;
      if (realtime_stamp) {
        if (!std::exchange(stamps_checked, true)) stamps.Check(ReadOffsetBracket());
        arrival.kernel_stamp = stamps.Convert(*realtime_stamp);
      }
      offset += static_cast<std::uint64_t>(n);
      on_arrival(arrival);
      if (closed()) return Outcome::kEnded;
    }
    return Outcome::kMore;
  }

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
  std::vector<std::byte> buffer;
  std::function<void(const Arrival&)> on_arrival;
  KernelStamps stamps{RealtimeConverter()};
  std::uint64_t offset = 0;
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
