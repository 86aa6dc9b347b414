#include "harness/loop/poll_handle.h"

#include "harness/os/clock.h"

namespace corerig {

Status PollHandle::Start(std::unique_ptr<PollHandle> handle, uv_loop_t* loop, int fd) {
  if (const int error = uv_poll_init(loop, &handle->handle_, fd); error != 0) {
    return Fail("cannot watch descriptor ", fd, ": ", uv_strerror(error), " (", uv_err_name(error), ")");
  }
  PollHandle* const owned_by_libuv = handle.release();
  owned_by_libuv->handle_.data = owned_by_libuv;
  const auto on_poll = [](uv_poll_t* poll, int /*status*/, int /*events*/) {
    const Nanos woken = MonotonicNow();
    static_cast<LoopTurn*>(poll->loop->data)->OnCallback(woken);
    static_cast<PollHandle*>(poll->data)->OnReadable(woken);
  };
  if (const int error = uv_poll_start(&owned_by_libuv->handle_, UV_READABLE, on_poll); error != 0) {
    owned_by_libuv->Close();
    return Fail("cannot watch descriptor ", fd, ": ", uv_strerror(error), " (", uv_err_name(error), ")");
  }
  return {};
}

void PollHandle::Close() {
  closed_ = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_),
           [](uv_handle_t* handle) { delete static_cast<PollHandle*>(handle->data); });
}

}  // namespace corerig
