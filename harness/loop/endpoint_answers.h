// What a program writes back on the very connection that it receives a stream from. On bytes each line end is one
// answer, on messages each message is.
//
//   auto answers = EndpointAnswers::Create(/*messages=*/false);
//   EndpointSender sender(endpoint, false, std::move(opened), answers->get());   // tells it of each connection
//   auto watch = loop.WatchReadable((*answers)->fd(), [&] { (*answers)->Read(on_answer); });
//
// Messages have the kernel's stamps; bytes have none, and count from when they are read.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/loop/kernel_stamps.h"
#include "harness/loop/message_batch.h"
#include "harness/os/fd.h"

namespace corerig {

class EndpointAnswers {
 public:
  static Result<std::unique_ptr<EndpointAnswers>> Create(bool messages);
  EndpointAnswers(const EndpointAnswers&) = delete;
  ~EndpointAnswers();

  // From now on what comes on this connection (a socket, or the master of a pty) is read here and nowhere else. Until
  // the other side closes it: what the caller closes, this holds open. Any thread; takes no memory, never waits.
  void Watch(int connection);

  // The reading thread's. Readable while there may be something to read; Read then reads it, or a good part of it.
  int fd() const { return epoll_.get(); }
  // `at` is CLOCK_MONOTONIC.
  void Read(const std::function<void(Nanos at)>& on_answer);

 private:
  enum class Outcome { kEmpty, kMore, kEnded };
  explicit EndpointAnswers(bool messages);
  Outcome ReadLines(int connection, const std::function<void(Nanos)>& on_answer);
  Outcome ReadMessages(int connection, const std::function<void(Nanos)>& on_answer);

  const bool messages_;
  Fd epoll_;
  // Duplicates of the connections that have not ended, so that the sender may close and open others meanwhile; -1 where
  // there is none. Sixty-four come in a second at most (EndpointSender::kRetry): more than that nobody has to read.
  std::array<std::atomic<int>, 64> connections_;
  MessageBatch batch_;
  KernelStamps stamps_{RealtimeConverter()};
};

}  // namespace corerig
