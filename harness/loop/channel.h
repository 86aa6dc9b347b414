// The transports of streams: both ends as descriptors, sending, and receiving in an event loop.
//
// The supervisor opens a channel and hands one end to the source and one to the handler.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "harness/base/channel_kind.h"
#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/loop/event_loop.h"
#include "harness/loop/shm_ring.h"
#include "harness/os/fd.h"

namespace corerig {

// seqpacket: a socketpair. udp: a socket bound to 127.0.0.1 and another connected to it. pty: the master sends, the
// slave (raw mode, as a UART's driver leaves it to a GNSS daemon) receives. stream: a socketpair. tcp: two sockets of
// 127.0.0.1. shm: a socketpair on which a ring of slots in shared memory was laid (shm_ring.h); frames go through the
// ring. can: two raw sockets on vcan0, of which only one reads. All are non-blocking and close on exec. Receivers'
// kernel stamps are switched on where the kernel has them, message by message.
//
// What is in a pty is lost when its last sender is closed: keep one open until the receiver is drained. The other kinds
// deliver what was sent before.
struct ChannelEnds {
  Fd sender;
  Fd receiver;
};

// Why a channel of this board is not what its name says, and what stands in for it; empty where nothing does. Only
// `can` has a stand-in, a seqpacket socket: "this kernel has no CAN …".
std::string SubstituteFor(ChannelKind kind);

// `ring` is for kShm alone.
Result<ChannelEnds> OpenChannel(ChannelKind kind, RingShape ring = {});  // not for kTimer

// Hands one frame to the kernel without waiting; for every kind but kShm. Returns the bytes taken: all of them, or 0
// when the channel is full, or, on a byte channel, part of them. A full udp channel takes the frame and loses it, as
// UDP does. A CAN bus takes no damaged frame: 0 as well. An error is a channel that is broken (the receiver is gone;
// udp and tcp notice at the next frame) or a frame it can never take. The frame is not empty. The process ignores
// SIGPIPE: a pipe has no other way to tell that its receiver is gone.
Result<std::size_t> Send(int fd, std::span<const std::byte> frame);

// The sending end of any kind of channel.
//
//   auto sender = Sender::Open(ChannelKind::kShm, std::move(ends.sender));
//   sender->Send(frame);
class Sender {
 public:
  // In the process that will send: of kShm it takes the ring, whose memory is then all present.
  static Result<Sender> Open(ChannelKind kind, Fd end);
  Sender(Sender&&) noexcept = default;
  ~Sender();  // the receiver notices, where the kind has an end

  // As Send above. A ring without a free slot takes nothing, as a camera's driver drops the frame for which no buffer
  // is queued. An error of kShm: the receiver is gone, or the frame is larger than a slot.
  // A frame that is larger than the socket's buffer (of kStream and kTcp, where we may not enlarge it: an image) goes
  // in parts, as the receiver makes room: this one case waits, up to kPatience once a part of the frame was taken.
  Result<std::size_t> Send(std::span<const std::byte> frame);
  static constexpr Nanos kPatience = std::chrono::milliseconds(100);

  // As Send, but never waits: of a frame that is larger than the socket's buffer it takes a part. Room() is what to
  // poll after less than all was taken, for the rest or the whole to be offered again.
  Result<std::size_t> Offer(std::span<const std::byte> frame);
  pollfd Room() const;

 private:
  Result<std::size_t> SendInParts(std::span<const std::byte> frame);
  Result<std::size_t> Put(std::span<const std::byte> frame);  // into the ring
  Sender(Fd end, std::optional<ShmRing> ring, std::size_t room)
      : end_(std::move(end)), ring_(std::move(ring)), room_(room) {}
  Fd end_;
  std::optional<ShmRing> ring_;  // of kShm
  bool asked_for_room_ = false;
  std::size_t room_;  // in the socket's buffer; of what has none, without end
};

// Bytes as they came out of one read: a whole message, or on a byte channel any piece.
struct Arrival {
  std::span<const std::byte> bytes;
  std::uint64_t offset = 0;           // of bytes[0] in the stream of bytes received on this channel
  std::optional<Nanos> kernel_stamp;  // when the kernel queued it, CLOCK_MONOTONIC; absent where it does not stamp
  Nanos begin{0};                     // read for this arrival, when its turn had come
};

class Receiver {
 public:
  // Starts on the loop's thread and reads everything there is at every wake-up, but at most `kBurst` arrivals (fewer
  // messages, if they are larger than 4 KiB) before other handles get their turn. `largest` is the largest message
  // expected; a longer one is cut to one byte more than that, and so corrupt. When all senders are gone and everything
  // is read, the descriptor is watched no more. Of kShm the bytes of an arrival lie in the sender's memory; that it was
  // killed does not show, as its bell is silent then: it shows when a Sender is closed.
  static constexpr int kBurst = 64;
  static Result<Receiver> Start(EventLoop& loop, ChannelKind kind, Fd receiver, std::size_t largest,
                                std::function<void(const Arrival&)> on_arrival);

  Receiver(Receiver&&) noexcept;
  Receiver& operator=(Receiver&&) noexcept;
  ~Receiver();  // stops and closes the descriptor; safe inside on_arrival

  // Reads until the channel is empty, without waiting, through the same callback.
  void Drain();

  // Messages that came when the socket's buffer was full, and were lost there.
  std::uint64_t Overflows();

  // Kernel stamps that were thrown away because CLOCK_REALTIME was stepped.
  std::uint64_t discarded_stamps() const;

 private:
  struct State;
  explicit Receiver(State* state);
  State* state_;
};

}  // namespace corerig
