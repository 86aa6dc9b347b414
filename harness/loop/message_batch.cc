#include "harness/loop/message_batch.h"

#include <time.h>

#include <algorithm>
#include <cstring>

namespace corerig {
namespace {

constexpr std::size_t kMostBytes = 256 << 10;  // of all messages together

}  // namespace

MessageBatch::MessageBatch(std::size_t largest, int most)
    : room_(largest + 1), headers_(std::clamp<std::size_t>(kMostBytes / room_, 1, static_cast<std::size_t>(most))) {
  memory_.resize(headers_.size() * room_);
  controls_.resize(headers_.size());
  pieces_.resize(headers_.size());
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    pieces_[i] = {.iov_base = memory_.data() + i * room_, .iov_len = room_};
    headers_[i] = {};
    headers_[i].msg_hdr.msg_iov = &pieces_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
    headers_[i].msg_hdr.msg_control = controls_[i].bytes;
  }
}

int MessageBatch::Receive(int fd) {
  for (auto& header : headers_) header.msg_hdr.msg_controllen = kControlBytes;
  return recvmmsg(fd, headers_.data(), static_cast<unsigned>(headers_.size()), MSG_DONTWAIT, nullptr);
}

std::span<const std::byte> MessageBatch::bytes(int i) const {
  return {memory_.data() + static_cast<std::size_t>(i) * room_, headers_[static_cast<std::size_t>(i)].msg_len};
}

template <typename Value>
std::optional<Value> MessageBatch::Find(int i, int type) const {
  auto* const message = const_cast<msghdr*>(&headers_[static_cast<std::size_t>(i)].msg_hdr);
  for (cmsghdr* part = CMSG_FIRSTHDR(message); part != nullptr; part = CMSG_NXTHDR(message, part)) {
    Value value;
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != type || part->cmsg_len != CMSG_LEN(sizeof value)) continue;
    std::memcpy(&value, CMSG_DATA(part), sizeof value);
    return value;
  }
  return std::nullopt;
}

std::optional<Nanos> MessageBatch::stamp(int i) const {
  const auto stamp = Find<timespec>(i, SCM_TIMESTAMPNS);
  if (!stamp) return std::nullopt;
  return std::chrono::seconds(stamp->tv_sec) + Nanos(stamp->tv_nsec);
}

std::optional<std::uint32_t> MessageBatch::overflows(int i) const { return Find<std::uint32_t>(i, SO_RXQ_OVFL); }

}  // namespace corerig
