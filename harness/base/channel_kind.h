// The transports a stream can take.
#pragma once

#include <optional>
#include <string_view>

namespace corerig {

enum class ChannelKind {
  kTimer,      // none: the loop's own timerfd
  kSeqpacket,  // Unix seqpacket socket: messages, kernel receive stamps
  kPty,        // pseudo-terminal in raw mode: bytes, as a UART delivers them
  kUdp,        // UDP over IPv4 loopback: messages, kernel receive stamps
  kPipe,       // bytes
  kStream,     // Unix stream socket: bytes
  kTcp,        // TCP over IPv4 loopback, without Nagle's delay: bytes
  kCan,        // SocketCAN on vcan0: messages of one can_frame, kernel receive stamps; or what stands in for it
  kShm,        // ring of slots in shared memory with an eventfd as doorbell: messages that no kernel carries
};

std::string_view ToText(ChannelKind kind);  // as written in a scenario: "seqpacket"
std::optional<ChannelKind> ParseChannelKind(std::string_view text);

// Message borders survive the transport.
constexpr bool IsDatagram(ChannelKind kind) {
  return kind == ChannelKind::kSeqpacket || kind == ChannelKind::kUdp || kind == ChannelKind::kShm ||
         kind == ChannelKind::kCan;
}

// Its sender is told when it is full. A socket of UDP loses what its receiver has no room for, a CAN bus likewise.
constexpr bool HasBackPressure(ChannelKind kind) {
  return kind != ChannelKind::kTimer && kind != ChannelKind::kUdp && kind != ChannelKind::kCan;
}

// The kernel stamps every message when it is received.
constexpr bool HasKernelStamps(ChannelKind kind) { return IsDatagram(kind) && kind != ChannelKind::kShm; }

}  // namespace corerig
