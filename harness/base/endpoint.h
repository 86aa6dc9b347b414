// Where the frames of a stream go when a program that is not corerig's receives them.
//
//   auto endpoint = ParseEndpoint("udp:127.0.0.1:5000");
//   endpoint->kind;                          // EndpointKind::kUdp
//   ToText(*endpoint);                       // "udp:127.0.0.1:5000"
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/channel_kind.h"
#include "harness/base/result.h"

namespace corerig {

enum class EndpointKind {
  kPty,        // a pseudo-terminal of ours, its slave behind a link at `path`: bytes
  kUdp,        // datagrams to an address
  kTcp,        // connects: bytes
  kTcpListen,  // waits for one reader at a time: bytes
  kUnix,       // connects to a socket at `path`: messages (seqpacket) or bytes (stream), as the stream has them
  kCan,        // a CAN interface, named by `path`: one can_frame per message
  kFile,       // a file, made or overwritten, or a device: bytes, or messages one after another without their borders
};

struct Endpoint {
  EndpointKind kind = EndpointKind::kFile;
  std::string path = {};   // pty, unix, file; of can the interface
  std::string host = {};   // udp, tcp, tcp-listen: an address in numbers, IPv4 or IPv6 ("::1")
  std::uint16_t port = 0;  // of them
  bool operator==(const Endpoint&) const = default;
};

// "pty:/tmp/gps", "udp:127.0.0.1:5000", "tcp:[::1]:5000", "tcp-listen:0.0.0.0:2101", "unix:/run/x", "can:vcan0",
// "file:out.bin".
// "localhost" is 127.0.0.1. Names are not looked up: a source that waits for a name server is late.
Result<Endpoint> ParseEndpoint(std::string_view text);

std::string ToText(const Endpoint& endpoint);

// Who sends there is told when it is full: everywhere but where datagrams go, and on a CAN bus, whose queue is not
// ours.
bool HasBackPressure(const Endpoint& endpoint);

// Fails where messages would lose their borders, of which terminals and TCP know nothing, and where frames that are no
// can_frame would go to a CAN bus. Bytes go anywhere else: of frames that are no messages, udp makes one datagram each.
Status CheckCarries(const Endpoint& endpoint, ChannelKind channel);

// Where that program answers: it sends datagrams to a socket of ours, at udp or unix, or writes back on the endpoint.
struct Answers {
  std::optional<Endpoint> at = {};  // nothing: on the endpoint
  bool operator==(const Answers&) const = default;
};

// "udp:127.0.0.1:6000", "unix:/run/x" (a socket of datagrams), "endpoint".
Result<Answers> ParseAnswers(std::string_view text);

std::string ToText(const Answers& answers);

// Fails where the program can write nothing back, or nothing that is read.
Status CheckAnswers(const Answers& answers, const Endpoint& endpoint);

// Whether the kernel stamps them as they come; else they count from when they are read. `messages`: the frames are.
bool AreStamped(const Answers& answers, const Endpoint& endpoint, bool messages);

}  // namespace corerig
