#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string_view>
#include <utility>

#include "harness/base/text.h"
#include "harness/loop/channel.h"
#include "harness/loop/raw_can.h"

namespace corerig {
namespace {

constexpr int kBufferBytes = 4 << 20;
constexpr const char* kCanInterface = "vcan0";

// As large as we are allowed: root beyond net.core.{r,w}mem_max, others up to it.
void EnlargeBuffer(int socket, int force_option, int option) {
  if (setsockopt(socket, SOL_SOCKET, force_option, &kBufferBytes, sizeof kBufferBytes) != 0) {
    setsockopt(socket, SOL_SOCKET, option, &kBufferBytes, sizeof kBufferBytes);
  }
}

// Stamps, and the count of what a full buffer lost. A kernel without one of them refuses, and arrivals have none.
void AskForMore(int receiver) {
  const int on = 1;
  setsockopt(receiver, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  setsockopt(receiver, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
}

Result<ChannelEnds> OpenSeqpacket() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return Fail("cannot open a seqpacket channel: ", ErrnoText(errno));
  }
  ChannelEnds channel{.sender = Fd(ends[0]), .receiver = Fd(ends[1])};
  // What is queued is charged to the sender's buffer; the receiver's has no say in Unix sockets (unix(7)).
  EnlargeBuffer(channel.sender.get(), SO_SNDBUFFORCE, SO_SNDBUF);
  AskForMore(channel.receiver.get());
  return channel;
}

sockaddr* Plain(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

// A socket bound to a port of 127.0.0.1 that was free, and where that is.
Result<Fd> BindToLoopback(int type, sockaddr_in& address) {
  const std::string_view what = type == SOCK_DGRAM ? "udp" : "tcp";
  Fd bound(socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!bound.valid()) return Fail("cannot open a ", what, " channel: ", ErrnoText(errno));
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(bound.get(), Plain(address), size) != 0 || getsockname(bound.get(), Plain(address), &size) != 0) {
    return Fail("cannot bind a ", what, " channel to 127.0.0.1: ", ErrnoText(errno));
  }
  return bound;
}

Result<ChannelEnds> OpenUdp() {
  sockaddr_in sender_address, receiver_address;
  auto sender = BindToLoopback(SOCK_DGRAM, sender_address);
  if (!sender) return Forward(sender);
  auto receiver = BindToLoopback(SOCK_DGRAM, receiver_address);
  if (!receiver) return Forward(receiver);
  // Each to the other: from then on the kernel keeps strangers' packets out.
  if (connect(receiver->get(), Plain(sender_address), sizeof sender_address) != 0 ||
      connect(sender->get(), Plain(receiver_address), sizeof receiver_address) != 0) {
    return Fail("cannot connect a udp channel on 127.0.0.1: ", ErrnoText(errno));
  }
  char stranger;  // came between bind and connect
  while (recv(receiver->get(), &stranger, sizeof stranger, MSG_DONTWAIT) >= 0) {
  }
  EnlargeBuffer(receiver->get(), SO_RCVBUFFORCE, SO_RCVBUF);
  AskForMore(receiver->get());
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

Result<ChannelEnds> OpenStream() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return Fail("cannot open a stream channel: ", ErrnoText(errno));
  }
  ChannelEnds channel{.sender = Fd(ends[0]), .receiver = Fd(ends[1])};
  EnlargeBuffer(channel.sender.get(), SO_SNDBUFFORCE, SO_SNDBUF);
  return channel;
}

Result<ChannelEnds> OpenPipe() {
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return Fail("cannot open a pipe channel: ", ErrnoText(errno));
  ChannelEnds channel{.sender = Fd(ends[1]), .receiver = Fd(ends[0])};
  // As large as we are allowed: root beyond fs.pipe-max-size, others up to it (by default 1 MiB).
  for (int bytes = kBufferBytes; bytes > 64 << 10; bytes /= 2) {
    if (fcntl(channel.sender.get(), F_SETPIPE_SZ, bytes) >= 0) break;
  }
  return channel;
}

Result<ChannelEnds> OpenTcp() {
  sockaddr_in server_address, sender_address, peer;
  auto server = BindToLoopback(SOCK_STREAM, server_address);
  if (!server) return Forward(server);
  auto sender = BindToLoopback(SOCK_STREAM, sender_address);
  if (!sender) return Forward(sender);
  const int on = 1;
  if (listen(server->get(), 8) != 0 ||
      (connect(sender->get(), Plain(server_address), sizeof server_address) != 0 && errno != EINPROGRESS)) {
    return Fail("cannot connect a tcp channel on 127.0.0.1: ", ErrnoText(errno));
  }
  setsockopt(sender->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  EnlargeBuffer(sender->get(), SO_SNDBUFFORCE, SO_SNDBUF);
  // The port was open to anyone for a moment: strangers are turned away.
  constexpr int kPatienceMs = 5000;
  while (true) {
    pollfd coming = {.fd = server->get(), .events = POLLIN, .revents = 0};
    if (poll(&coming, 1, kPatienceMs) != 1) return Fail("cannot connect a tcp channel on 127.0.0.1: no answer in 5 s");
    socklen_t size = sizeof peer;
    Fd receiver(accept4(server->get(), Plain(peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!receiver.valid()) return Fail("cannot accept a tcp channel on 127.0.0.1: ", ErrnoText(errno));
    if (peer.sin_port == sender_address.sin_port && peer.sin_addr.s_addr == sender_address.sin_addr.s_addr) {
      return ChannelEnds{.sender = std::move(*sender), .receiver = std::move(receiver)};
    }
  }
}

Result<ChannelEnds> OpenCan() {
  auto sender = OpenRawCan(kCanInterface, CanSide::kSends);
  if (!sender) return OpenSeqpacket();
  auto receiver = OpenRawCan(kCanInterface, CanSide::kReceives);
  if (!receiver) return Fail("cannot open a can channel: ", receiver.error().message);
  EnlargeBuffer(receiver->get(), SO_RCVBUFFORCE, SO_RCVBUF);
  AskForMore(receiver->get());
  return ChannelEnds{.sender = std::move(*sender), .receiver = std::move(*receiver)};
}

Result<ChannelEnds> OpenShm(RingShape ring) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return Fail("cannot open a shm channel: ", ErrnoText(errno));
  }
  ChannelEnds channel{.sender = Fd(ends[0]), .receiver = Fd(ends[1])};
  if (auto laid = ShmRing::Lay(ring, ends[0], ends[1]); !laid) return ForwardWith(laid, "cannot open a shm channel: ");
  return channel;
}

}  // namespace

std::string SubstituteFor(ChannelKind kind) {
  if (kind != ChannelKind::kCan) return "";
  const auto bus = OpenRawCan(kCanInterface, CanSide::kSends);
  if (bus) return "";
  // Why, without the remedy behind it.
  const std::string_view why = std::string_view(bus.error().message).substr(0, bus.error().message.find(';'));
  return StrCat("a Unix seqpacket socket carries its frames, as ", why);
}

Result<ChannelEnds> OpenChannel(ChannelKind kind, RingShape ring) {
  switch (kind) {
    case ChannelKind::kSeqpacket:
      return OpenSeqpacket();
    case ChannelKind::kUdp:
      return OpenUdp();
    case ChannelKind::kPty:
      return OpenPty();
    case ChannelKind::kPipe:
      return OpenPipe();
    case ChannelKind::kStream:
      return OpenStream();
    case ChannelKind::kTcp:
      return OpenTcp();
    case ChannelKind::kCan:
      return OpenCan();
    case ChannelKind::kShm:
      return OpenShm(ring);
    case ChannelKind::kTimer:
      break;
  }
  return Fail("channel ", ToText(kind), " has no ends: it is the loop's own timer");
}

}  // namespace corerig
