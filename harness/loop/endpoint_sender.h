// The sending end of a stream whose receiver is somebody else's program.
//
//   auto opened = OpenEndpoint(endpoint, /*messages=*/false);     // by whoever lives as long as the run
//   EndpointSender sender(endpoint, false, std::move(opened->sender));   // by the source
//   sender.Send(frame);
//
// Nothing waits. Frames that nobody takes are lost, as a sensor's are whose cable is off: those sent before a program
// is there, while it does not read, and after it has gone. When one comes (again), the next frame begins at its border.
#pragma once

#include <poll.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "harness/base/endpoint.h"
#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/loop/endpoint_answers.h"
#include "harness/os/fd.h"
#include "harness/os/pty_link.h"
#include "harness/os/socket_path.h"

namespace corerig {

// A socket of ours where a program's answers arrive as datagrams, with the kernel's stamps. Its name in the file system
// lives as long as this.
struct AnswerSocket {
  Fd fd;
  SocketPath path = {};  // of unix
};

// What of an endpoint exists before there is a reader. The pty's link lives as long as this.
struct OpenedEndpoint {
  Fd sender;
  PtyLink link = {};
  AnswerSocket answers = {};  // if the program is to answer there
};

// pty: makes one, in raw mode, open to every user of the machine, and the link. udp: a socket connected to the address.
// can: a socket bound to the interface. tcp, unix: a socket. tcp-listen: listens. file: makes or empties it; two
// streams may share one, their frames in turn. All are non-blocking and close on exec. `messages`: the stream's frames
// are messages, not bytes. The error begins with the endpoint.
Result<OpenedEndpoint> OpenEndpoint(const Endpoint& endpoint, bool messages);

// Binds it to an endpoint of udp or unix.
Result<AnswerSocket> OpenAnswers(const Endpoint& endpoint);

// Used by one thread.
class EndpointSender {
 public:
  // Between two looks for a program to connect to, or for one that connects.
  static constexpr Nanos kRetry = std::chrono::milliseconds(20);

  // `answers` is told of the connections, and reads what the program sends back; it outlives this. For endpoints of
  // pty, tcp, tcp-listen and unix. Without it that is read and dropped.
  EndpointSender(Endpoint endpoint, bool messages, Fd opened, EndpointAnswers* answers = nullptr);

  // Whether frames have somewhere to go; looks for a reader if there is none. pty: a program has it open. tcp, unix:
  // connected. udp, can and file: always.
  bool Connect();
  // Why Connect said no the last time.
  const std::string& why_not() const { return why_not_; }

  // As Send() of channel.h: the bytes taken, or 0 (or less than all) when the reader is slow. An error: there is no
  // reader. udp learns from the next frame that nobody had the port, and says so then. The process ignores SIGPIPE.
  // Takes no memory.
  Result<std::size_t> Send(std::span<const std::byte> frame);

  // What to poll, after less than all was taken, for a reader to have made room; of no descriptor where none tells.
  pollfd Room() const;

 private:
  bool Accept();
  bool CallOut();
  void DropAnswers();
  Result<std::size_t> SendDatagram(std::span<const std::byte> frame);
  Result<std::size_t> SendToBus(std::span<const std::byte> frame);
  Result<std::size_t> SendToSocket(std::span<const std::byte> frame);
  Result<std::size_t> Write(std::span<const std::byte> frame);

  const Endpoint endpoint_;
  const bool messages_;
  Fd opened_;      // the listening socket, or the sending end
  Fd connection_;  // tcp, tcp-listen, unix: while connected, or while connecting
  EndpointAnswers* const answers_;
  bool connected_ = false, connecting_ = false;
  Nanos next_look_{0};
  std::string why_not_;
};

}  // namespace corerig
