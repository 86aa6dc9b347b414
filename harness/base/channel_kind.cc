#include "harness/base/channel_kind.h"

#include <utility>

namespace corerig {
namespace {

constexpr std::pair<ChannelKind, std::string_view> kNames[] = {
    {ChannelKind::kTimer, "timer"}, {ChannelKind::kSeqpacket, "seqpacket"},
    {ChannelKind::kPty, "pty"},     {ChannelKind::kUdp, "udp"},
    {ChannelKind::kPipe, "pipe"},   {ChannelKind::kStream, "stream"},
    {ChannelKind::kTcp, "tcp"},     {ChannelKind::kShm, "shm"},
    {ChannelKind::kCan, "can"},
};

}  // namespace

std::string_view ToText(ChannelKind kind) {
  for (const auto& [known, name] : kNames) {
    if (known == kind) return name;
  }
  return {};
}

std::optional<ChannelKind> ParseChannelKind(std::string_view text) {
  for (const auto& [kind, name] : kNames) {
    if (name == text) return kind;
  }
  return std::nullopt;
}

}  // namespace corerig
