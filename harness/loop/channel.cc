#include "harness/loop/channel.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>
#include <vector>

#include "harness/loop/kernel_stamps.h"
#include "harness/loop/poll_handle.h"
#include "harness/os/clock.h"

namespace corerig {
namespace {

constexpr int kBufferBytes = 4 << 20;

// As large as we are allowed: root beyond net.core.{r,w}mem_max, others up to it.
void EnlargeBuffer(int socket, int force_option, int option) {
  if (setsockopt(socket, SOL_SOCKET, force_option, &kBufferBytes, sizeof kBufferBytes) != 0) {
    setsockopt(socket, SOL_SOCKET, option, &kBufferBytes, sizeof kBufferBytes);
  }
}

// A kernel without stamps refuses, and arrivals then have none.
void AskForStamps(int receiver) {
  const int on = 1;
  setsockopt(receiver, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

Result<ChannelEnds> OpenSeqpacket() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return Fail("cannot open a seqpacket channel: ", ErrnoText(errno));
  }
  ChannelEnds channel{.sender = Fd(ends[0]), .receiver = Fd(ends[1])};
  // What is queued is charged to the sender's buffer; the receiver's has no say in Unix sockets (unix(7)).
  EnlargeBuffer(channel.sender.get(), SO_SNDBUFFORCE, SO_SNDBUF);
  AskForStamps(channel.receiver.get());
  return channel;
}

// A socket bound to a port of 127.0.0.1 that was free, and where that is.
Result<Fd> BindToLoopback(sockaddr_in& address) {
  Fd bound(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!bound.valid()) return Fail("cannot open a udp channel: ", ErrnoText(errno));
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(bound.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(bound.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return Fail("cannot bind a udp channel to 127.0.0.1: ", ErrnoText(errno));
  }
  return bound;
}

Result<ChannelEnds> OpenUdp() {
  sockaddr_in sender_address, receiver_address;
  auto sender = BindToLoopback(sender_address);
  if (!sender) return Forward(sender);
  auto receiver = BindToLoopback(receiver_address);
  if (!receiver) return Forward(receiver);
  // Each to the other: from then on the kernel keeps strangers' packets out.
  if (connect(receiver->get(), reinterpret_cast<sockaddr*>(&sender_address), sizeof sender_address) != 0 ||
      connect(sender->get(), reinterpret_cast<sockaddr*>(&receiver_address), sizeof receiver_address) != 0) {
    return Fail("cannot connect a udp channel on 127.0.0.1: ", ErrnoText(errno));
  }
  char stranger;  // came between bind and connect
  while (recv(receiver->get(), &stranger, sizeof stranger, MSG_DONTWAIT) >= 0) {
  }
  EnlargeBuffer(receiver->get(), SO_RCVBUFFORCE, SO_RCVBUF);
  AskForStamps(receiver->get());
  return ChannelEnds{.sender = std::move(*sender), .receiver = std::move(*receiver)};
}

Result<ChannelEnds> OpenPty() {
  Fd master(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!master.valid()) return Fail("cannot open a pty channel: ", ErrnoText(errno));
  char path[PATH_MAX];
  if (unlockpt(master.get()) != 0) return Fail("cannot unlock a pty: ", ErrnoText(errno));
  if (const int error = ptsname_r(master.get(), path, sizeof path); error != 0) {
    return Fail("cannot name the slave of a pty: ", ErrnoText(error));
  }
  Fd slave(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!slave.valid()) return Fail("cannot open ", path, ": ", ErrnoText(errno));
  termios mode = {};
  if (tcgetattr(slave.get(), &mode) != 0) return Fail("cannot read the mode of ", path, ": ", ErrnoText(errno));
  cfmakeraw(&mode);
  // With VMIN 0 a read that finds nothing would return 0, as it does when the sender is gone; with 1 it says EAGAIN.
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  if (tcsetattr(slave.get(), TCSANOW, &mode) != 0) return Fail("cannot set ", path, " raw: ", ErrnoText(errno));
  return ChannelEnds{.sender = std::move(master), .receiver = std::move(slave)};
}

Result<std::size_t> WriteToPty(int master, std::span<const std::byte> frame) {
  const ssize_t n = write(master, frame.data(), frame.size());
  if (n < 0 && errno != EAGAIN) return Fail("cannot write to a pty: ", ErrnoText(errno));
  // The kernel goes on taking bytes when nobody has the slave open (seen on 6.18); only poll tells.
  pollfd state = {.fd = master, .events = 0, .revents = 0};
  if (poll(&state, 1, 0) == 1 && (state.revents & POLLHUP) != 0) return Fail("the pty's receiver is gone");
  return n < 0 ? 0 : static_cast<std::size_t>(n);
}

}  // namespace

Result<ChannelEnds> OpenChannel(ChannelKind kind) {
  switch (kind) {
    case ChannelKind::kSeqpacket:
      return OpenSeqpacket();
    case ChannelKind::kUdp:
      return OpenUdp();
    case ChannelKind::kPty:
      return OpenPty();
    case ChannelKind::kTimer:
      break;
  }
  return Fail("channel ", ToText(kind), " has no ends: it is the loop's own timer");
}

Result<std::size_t> Send(int fd, std::span<const std::byte> frame) {
  const ssize_t n = send(fd, frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return static_cast<std::size_t>(n);
  if (errno == EAGAIN || errno == ENOBUFS) return 0;
  // A descriptor that is no socket is refused before anything else is done.
  if (errno == ENOTSOCK) return WriteToPty(fd, frame);
  return Fail("cannot send ", frame.size(), " bytes: ", ErrnoText(errno));
}

struct Receiver::State : PollHandle {
  State(ChannelKind channel_kind, Fd receiver, std::size_t largest, std::function<void(const Arrival&)> callback)
      : kind(channel_kind), fd(std::move(receiver)), buffer(largest + 1), on_arrival(std::move(callback)) {}

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
          kind == ChannelKind::kPty ? read(fd.get(), buffer.data(), buffer.size()) : ReceiveMessage(realtime_stamp);
      if (n < 0 && errno == EAGAIN) {
        stamps.ChannelIsEmpty();
        return Outcome::kEmpty;
      }
      // All senders gone: seqpacket and pty read as 0 bytes, and an error is the end as well. UDP has no end.
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
