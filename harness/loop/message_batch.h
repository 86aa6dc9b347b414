// Takes several messages from a socket in one call, with the kernel's receive stamps and its count of what a full
// buffer lost.
//
//   MessageBatch batch(1206, 64);
//   const int count = batch.Receive(fd);       // -1: errno, EAGAIN when there is nothing
//   for (int i = 0; i < count; ++i) Use(batch.bytes(i), batch.stamp(i));
//
// Takes memory at construction only. Sources: recvmmsg(2), socket(7) on SO_TIMESTAMPNS and SO_RXQ_OVFL.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "harness/base/units.h"

namespace corerig {

class MessageBatch {
 public:
  // `largest` is the largest message expected; a longer one is cut to one byte more. At most `most` are taken at a
  // time, fewer if they are large.
  MessageBatch(std::size_t largest, int most);
  MessageBatch(const MessageBatch&) = delete;

  // Without waiting. How many came; those of the call before are gone.
  int Receive(int fd);
  int most() const { return static_cast<int>(headers_.size()); }

  std::span<const std::byte> bytes(int i) const;
  std::optional<Nanos> stamp(int i) const;              // CLOCK_REALTIME
  std::optional<std::uint32_t> overflows(int i) const;  // messages the socket has lost up to this one; it wraps

 private:
  // Room for a timespec and a counter, each with its header.
  static constexpr std::size_t kControlBytes = 128;
  struct alignas(cmsghdr) Control {
    char bytes[kControlBytes];
  };
  template <typename Value>
  std::optional<Value> Find(int i, int type) const;

  std::size_t room_;  // per message
  std::vector<std::byte> memory_;
  std::vector<Control> controls_;
  std::vector<iovec> pieces_;
  std::vector<mmsghdr> headers_;
};

}  // namespace corerig
