// Where the frames of a stream go when a program that is not corerig's receives them.
//
//   auto endpoint = ParseEndpoint("udp:127.0.0.1:5000");
//   endpoint->kind;                          // EndpointKind::kUdp
//   ToText(*endpoint);                       // "udp:127.0.0.1:5000"
#pragma once

#include <cstdint>
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
  kFile,       // a file, made or overwritten, or a device: bytes, or messages one after another without their borders
};

struct Endpoint {
  EndpointKind kind = EndpointKind::kFile;
  std::string path = {};   // pty, unix, file
  std::string host = {};   // udp, tcp, tcp-listen: an address in numbers, IPv4 or IPv6 ("::1")
  std::uint16_t port = 0;  // of them
  bool operator==(const Endpoint&) const = default;
};

// "pty:/tmp/gps", "udp:127.0.0.1:5000", "tcp:[::1]:5000", "tcp-listen:0.0.0.0:2101", "unix:/run/x", "file:out.bin".
// "localhost" is 127.0.0.1. Names are not looked up: a source that waits for a name server is late.
Result<Endpoint> ParseEndpoint(std::string_view text);

std::string ToText(const Endpoint& endpoint);

// Who sends there is told when it is full: everywhere but where datagrams go.
bool HasBackPressure(const Endpoint& endpoint);

// Fails where messages would lose their borders, of which terminals and TCP know nothing. Bytes go anywhere: of frames
// that are no messages, udp makes one datagram each.
Status CheckCarries(const Endpoint& endpoint, ChannelKind channel);

}  // namespace corerig
