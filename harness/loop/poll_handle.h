// A descriptor watched by a libuv loop: the one kind of handle everything in this package is made of.
//
// libuv keeps a closed handle's memory until the loop has turned once more. So a PollHandle lives on the heap, belongs
// to libuv from Start on, and is deleted by libuv's close callback: whoever is called from OnReadable may close the
// very handle that is calling.
#pragma once

#include <uv.h>

#include <memory>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/loop/loop_turn.h"

namespace corerig {

// A loop's uv_loop_t::data is its LoopTurn: handles note their callbacks there, the loop the turn's end.
class PollHandle {
 public:
  // Watches `fd` for reading. On failure the handle is deleted.
  static Status Start(std::unique_ptr<PollHandle> handle, uv_loop_t* loop, int fd);

  PollHandle(const PollHandle&) = delete;
  virtual ~PollHandle() = default;

  // Ends the watching and, later, this object. Whoever was called from OnReadable may call it; once.
  void Close();
  bool closed() const { return closed_; }

  // Ends the watching alone.
  void StopPolling() { uv_poll_stop(&handle_); }

 protected:
  PollHandle() = default;

 private:
  // `woken` was read first thing after libuv's poll called. After an error condition of the descriptor (EPOLLERR) libuv
  // has ended the watching: then this is the last call.
  virtual void OnReadable(Nanos woken) = 0;

  uv_poll_t handle_;
  bool closed_ = false;
};

}  // namespace corerig
