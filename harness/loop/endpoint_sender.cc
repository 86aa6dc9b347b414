#include "harness/loop/endpoint_sender.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "harness/loop/raw_can.h"
#include "harness/os/clock.h"

namespace corerig {
namespace {

// Of any kind that an endpoint has.
struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;
  const sockaddr* plain() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Result<Address> AddressOf(const Endpoint& endpoint) {
  Address address;
  if (endpoint.kind == EndpointKind::kUnix) {
    auto& unix_address = reinterpret_cast<sockaddr_un&>(address.storage);
    unix_address.sun_family = AF_UNIX;
    if (endpoint.path.size() >= sizeof unix_address.sun_path) {
      return Fail("a socket's path has at most ", sizeof unix_address.sun_path - 1, " bytes, and this one has ",
                  endpoint.path.size(), "; choose a shorter one");
    }
    std::memcpy(unix_address.sun_path, endpoint.path.c_str(), endpoint.path.size() + 1);
    address.size = sizeof unix_address;
    return address;
  }
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (inet_pton(AF_INET, endpoint.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    address.size = sizeof v4;
  } else if (inet_pton(AF_INET6, endpoint.host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    address.size = sizeof v6;
  } else {
    return Fail("\"", endpoint.host, "\" is no address; write one such as 127.0.0.1");
  }
  return address;
}

Result<Fd> Socket(const Endpoint& endpoint, const Address& address, bool messages) {
  const int type = endpoint.kind == EndpointKind::kUdp                ? SOCK_DGRAM
                   : endpoint.kind == EndpointKind::kUnix && messages ? SOCK_SEQPACKET
                                                                      : SOCK_STREAM;
  Fd made(socket(address.storage.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made.valid()) return Fail("cannot open a socket: ", ErrnoText(errno));
  return made;
}

Result<OpenedEndpoint> OpenPty(const Endpoint& endpoint) {
  Fd master(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!master.valid()) return Fail("cannot open a pty: ", ErrnoText(errno));
  char path[PATH_MAX];
  if (unlockpt(master.get()) != 0) return Fail("cannot unlock a pty: ", ErrnoText(errno));
  if (const int error = ptsname_r(master.get(), path, sizeof path); error != 0) {
    return Fail("cannot name the slave of a pty: ", ErrnoText(error));
  }
  {
    // Opened once and closed: from then on the master tells whether anyone has it open (POLLHUP). Its mode stays.
    Fd slave(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (!slave.valid()) return Fail("cannot open ", path, ": ", ErrnoText(errno));
    termios mode = {};
    if (tcgetattr(slave.get(), &mode) != 0) return Fail("cannot read the mode of ", path, ": ", ErrnoText(errno));
    cfmakeraw(&mode);
    if (tcsetattr(slave.get(), TCSANOW, &mode) != 0) return Fail("cannot set ", path, " raw: ", ErrnoText(errno));
    // The program may be another user's, and a daemon gives up root before it opens its device.
    fchmod(slave.get(), 0666);
  }
  auto link = PtyLink::Make(endpoint.path, path);
  if (!link) return Forward(link);
  return OpenedEndpoint{.sender = std::move(master), .link = std::move(*link)};
}

Result<OpenedEndpoint> OpenFile(const Endpoint& endpoint) {
  // A folder or a socket is refused by open; a fifo without a reader as well.
  Fd file(
      open(endpoint.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0644));
  if (!file.valid()) return Fail("cannot open it for writing: ", ErrnoText(errno));
  return OpenedEndpoint{.sender = std::move(file)};
}

Result<OpenedEndpoint> OpenCan(const Endpoint& endpoint) {
  auto bus = OpenRawCan(endpoint.path, CanSide::kSends);
  if (!bus) return Forward(bus);
  return OpenedEndpoint{.sender = std::move(*bus)};
}

Result<OpenedEndpoint> OpenSocket(const Endpoint& endpoint, bool messages) {
  const auto address = AddressOf(endpoint);
  if (!address) return Forward(address);
  auto made = Socket(endpoint, *address, messages);
  if (!made) return Forward(made);
  const int on = 1;
  if (endpoint.kind == EndpointKind::kUdp && connect(made->get(), address->plain(), address->size) != 0) {
    return Fail("cannot send there: ", ErrnoText(errno));
  }
  if (endpoint.kind == EndpointKind::kTcpListen) {
    setsockopt(made->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(made->get(), address->plain(), address->size) != 0 || listen(made->get(), 1) != 0) {
      return Fail("cannot listen there: ", ErrnoText(errno));
    }
  }
  return OpenedEndpoint{.sender = std::move(*made)};
}

Result<OpenedEndpoint> OpenAny(const Endpoint& endpoint, bool messages) {
  switch (endpoint.kind) {
    case EndpointKind::kPty:
      return OpenPty(endpoint);
    case EndpointKind::kFile:
      return OpenFile(endpoint);
    case EndpointKind::kCan:
      return OpenCan(endpoint);
    case EndpointKind::kUdp:
    case EndpointKind::kTcp:
    case EndpointKind::kTcpListen:
    case EndpointKind::kUnix:
      break;
  }
  return OpenSocket(endpoint, messages);
}

// Short: one is made for every frame that nobody takes, and takes no memory.
tl::unexpected<Error> NoReader() { return tl::unexpected<Error>(Error{"no reader"}); }

}  // namespace

Result<OpenedEndpoint> OpenEndpoint(const Endpoint& endpoint, bool messages) {
  auto opened = OpenAny(endpoint, messages);
  if (!opened) return ForwardWith(opened, ToText(endpoint), ": ");
  return opened;
}

Result<AnswerSocket> OpenAnswers(const Endpoint& endpoint) {
  AnswerSocket answers;
  const auto where = ToText(endpoint);
  if (endpoint.kind == EndpointKind::kUnix) {
    answers.fd = Fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!answers.fd.valid()) return Fail(where, ": cannot open a socket: ", ErrnoText(errno));
    auto path = SocketPath::Bind(answers.fd.get(), endpoint.path);
    if (!path) return ForwardWith(path, where, ": cannot receive answers there: ");
    answers.path = std::move(*path);
  } else {
    const auto address = AddressOf(endpoint);
    if (!address) return ForwardWith(address, where, ": ");
    auto made = Socket(endpoint, *address, /*messages=*/true);
    if (!made) return ForwardWith(made, where, ": ");
    answers.fd = std::move(*made);
    if (bind(answers.fd.get(), address->plain(), address->size) != 0) {
      return Fail(where, ": cannot receive answers there: ", ErrnoText(errno));
    }
  }
  const int on = 1;
  setsockopt(answers.fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  return answers;
}

EndpointSender::EndpointSender(Endpoint endpoint, bool messages, Fd opened, EndpointAnswers* answers)
    : endpoint_(std::move(endpoint)), messages_(messages), opened_(std::move(opened)), answers_(answers) {
  if (answers_ != nullptr && endpoint_.kind == EndpointKind::kPty) answers_->Watch(opened_.get());
}

bool EndpointSender::Connect() {
  switch (endpoint_.kind) {
    case EndpointKind::kUdp:
    case EndpointKind::kCan:
    case EndpointKind::kFile:
      return true;
    case EndpointKind::kPty: {
      pollfd state = {.fd = opened_.get(), .events = 0, .revents = 0};
      return poll(&state, 1, 0) == 0 || (state.revents & POLLHUP) == 0;
    }
    case EndpointKind::kTcp:
    case EndpointKind::kTcpListen:
    case EndpointKind::kUnix:
      break;
  }
  if (connected_) return true;
  const Nanos now = MonotonicNow();
  if (now < next_look_) return false;
  next_look_ = now + kRetry;
  connected_ = endpoint_.kind == EndpointKind::kTcpListen ? Accept() : CallOut();
  if (connected_ && answers_ != nullptr) answers_->Watch(connection_.get());
  return connected_;
}

bool EndpointSender::Accept() {
  connection_ = Fd(accept4(opened_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!connection_.valid()) {
    why_not_ = "nobody has connected";
    return false;
  }
  const int on = 1;
  setsockopt(connection_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return true;
}

bool EndpointSender::CallOut() {
  const auto give_up = [&](int error) {
    connecting_ = false;
    connection_.Close();
    why_not_ = ErrnoText(error);
    if (error == EPROTOTYPE) {
      why_not_ = messages_ ? "it is no seqpacket socket" : "it is no stream socket";
    }
    return false;
  };
  if (!connecting_) {
    const auto address = AddressOf(endpoint_);
    if (!address) return give_up(EINVAL);
    auto made = opened_.valid() ? Result<Fd>(std::move(opened_)) : Socket(endpoint_, *address, messages_);
    if (!made) return give_up(errno);
    connection_ = std::move(*made);
    const int on = 1;
    if (endpoint_.kind == EndpointKind::kTcp) {
      setsockopt(connection_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (connect(connection_.get(), address->plain(), address->size) == 0) return true;
    if (errno != EINPROGRESS) return give_up(errno);
    connecting_ = true;
  }
  pollfd state = {.fd = connection_.get(), .events = POLLOUT, .revents = 0};
  if (poll(&state, 1, 0) != 1) {
    why_not_ = "no answer yet";
    return false;
  }
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connection_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return give_up(error);
  connecting_ = false;
  return true;
}

void EndpointSender::DropAnswers() {
  if (answers_ != nullptr) return;  // it reads them
  // One piece with every frame: a program that says more than it hears is held up in time. Where it is half closed
  // this reads as nothing for ever, and the program may still listen: only sending tells that it has gone.
  std::array<char, 4096> dropped;
  const int fd = connection_.valid() ? connection_.get() : opened_.get();
  [[maybe_unused]] const ssize_t ignored = read(fd, dropped.data(), dropped.size());
}

Result<std::size_t> EndpointSender::Send(std::span<const std::byte> frame) {
  if (!Connect()) return NoReader();
  switch (endpoint_.kind) {
    case EndpointKind::kUdp:
      return SendDatagram(frame);
    case EndpointKind::kCan:
      return SendToBus(frame);
    case EndpointKind::kFile:
      return Write(frame);
    case EndpointKind::kPty:
      DropAnswers();
      return Write(frame);
    case EndpointKind::kTcp:
    case EndpointKind::kTcpListen:
    case EndpointKind::kUnix:
      break;
  }
  DropAnswers();
  return SendToSocket(frame);
}

pollfd EndpointSender::Room() const {
  // A disk tells nobody that there is room again, and poll always calls it ready.
  const bool tells = connected_ || endpoint_.kind == EndpointKind::kPty;
  return {.fd = !tells ? -1 : connected_ ? connection_.get() : opened_.get(), .events = POLLOUT, .revents = 0};
}

Result<std::size_t> EndpointSender::SendDatagram(std::span<const std::byte> frame) {
  for (const bool again : {false, true}) {
    const ssize_t n = send(opened_.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0 && again) return NoReader();  // stands for the frame before, which nobody took
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EAGAIN || errno == ENOBUFS) return 0;
    if (errno != ECONNREFUSED) break;
  }
  return NoReader();
}

Result<std::size_t> EndpointSender::SendToBus(std::span<const std::byte> frame) {
  const ssize_t n = send(opened_.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return static_cast<std::size_t>(n);
  // Down or removed; anything else is a full queue, or no can_frame that the kernel takes.
  if (errno == ENETDOWN || errno == ENODEV || errno == ENXIO) return NoReader();
  return 0;
}

Result<std::size_t> EndpointSender::SendToSocket(std::span<const std::byte> frame) {
  const ssize_t n = send(connection_.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return static_cast<std::size_t>(n);
  if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE) return 0;
  connected_ = false;
  connection_.Close();
  return NoReader();
}

Result<std::size_t> EndpointSender::Write(std::span<const std::byte> frame) {
  const ssize_t n = write(opened_.get(), frame.data(), frame.size());
  if (n >= 0) return static_cast<std::size_t>(n);
  if (errno == EPIPE || errno == EIO) return NoReader();  // a fifo's reader, a device is gone
  return 0;                                               // full: a terminal's buffer, or the disk
}

}  // namespace corerig
