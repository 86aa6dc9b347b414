#include "harness/loop/event_loop.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "harness/loop/poll_handle.h"
#include "harness/os/clock.h"
#include "harness/os/fd.h"

namespace corerig {
namespace {

// A handle nobody but the loop can close.
class LoopOwned : public PollHandle {
 protected:
  LoopOwned(Fd fd, std::function<void()> callback) : fd_(std::move(fd)), callback_(std::move(callback)) {}
  Fd fd_;
  std::function<void()> callback_;
};

class OneShot : public LoopOwned {
 public:
  OneShot(Fd timer, std::function<void()> callback) : LoopOwned(std::move(timer), std::move(callback)) {}

 private:
  void OnReadable(Nanos) override {
    Close();
    callback_();
  }
};

// An eventfd and not a uv_async_t: uv_async_send() marks the handle busy while it writes, and the loop yields until the
// mark is gone (libuv 1.44: src/unix/async.c, uv__async_spin). A SCHED_FIFO loop that the write itself woke on the
// sender's core would yield forever, as the sender never runs again.
class WakeHandle : public LoopOwned {
 public:
  WakeHandle(Fd event, std::function<void()> callback) : LoopOwned(std::move(event), std::move(callback)) {}

 private:
  void OnReadable(Nanos) override {
    // Cleared before the callback: a wake-up that comes while it runs calls it again.
    std::uint64_t wakes = 0;
    if (read(fd_.get(), &wakes, sizeof wakes) == sizeof wakes) callback_();
  }
};

// Before the first loop of the process: libuv asks once and remembers.
void KeepLibuvFromIoUring() {
  static const int done = setenv("UV_USE_IO_URING", "0", 1);
  static_cast<void>(done);
}

}  // namespace

struct EventLoop::State {
  uv_loop_t loop;
  uv_check_t after_poll;
  LoopActivity unread;  // where nobody asked for it
  LoopActivity* activity = nullptr;
  int wake_fd = -1;

  void EndTurn() {
    LoopTurn& turn = activity->turn;
    if (turn.woken == Nanos(0)) return;
    const Nanos now = MonotonicNow();
    activity->wakeups.Add();
    activity->busy_ns.Add(static_cast<std::uint64_t>((now - turn.woken).count()));
    turn.OnEnd(now);
  }
};

Result<std::unique_ptr<EventLoop>> EventLoop::Create(LoopActivity* activity) {
  KeepLibuvFromIoUring();
  auto state = std::make_unique<State>();
  if (const int error = uv_loop_init(&state->loop); error != 0) {
    return Fail("cannot create an event loop: ", uv_strerror(error), " (", uv_err_name(error), ")");
  }
  state->activity = activity != nullptr ? activity : &state->unread;
  state->loop.data = &state->activity->turn;
  state->after_poll.data = state.get();
  // Neither call can fail: the first initializes fields, the second fails for a null callback only.
  uv_check_init(&state->loop, &state->after_poll);
  uv_check_start(&state->after_poll, [](uv_check_t* check) { static_cast<State*>(check->data)->EndTurn(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(&state->after_poll));
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(state)));
}

EventLoop::EventLoop(std::unique_ptr<State> state) : state_(std::move(state)) {}

EventLoop::~EventLoop() {
  uv_loop_t& loop = state_->loop;
  const auto close_or_silence = [](uv_handle_t* handle, void*) {
    if (uv_is_closing(handle)) return;
    if (handle->type == UV_CHECK) return uv_close(handle, nullptr);
    auto* const poll = static_cast<PollHandle*>(handle->data);
    if (dynamic_cast<LoopOwned*>(poll) != nullptr) return poll->Close();
    poll->StopPolling();  // No callback any more. A callback of the loop's own may own it: then it closes below.
  };
  uv_walk(&loop, close_or_silence, nullptr);
  // Nothing is active, so this waits for nothing; it deletes what is closed, and what that owned.
  do {
    uv_run(&loop, UV_RUN_DEFAULT);
  } while (uv_loop_alive(&loop));
  if (uv_loop_close(&loop) == 0) return;
  std::string left;
  uv_walk(
      &loop,
      [](uv_handle_t* handle, void* text) {
        int fd = -1;
        uv_fileno(handle, &fd);
        *static_cast<std::string*>(text) += StrCat(" ", uv_handle_type_name(handle->type), " of descriptor ", fd);
      },
      &left);
  std::fprintf(stderr, "corerig: an event loop was destroyed before its handles:%s\n", left.c_str());
  std::abort();
}

void EventLoop::Run() { uv_run(&state_->loop, UV_RUN_DEFAULT); }
void EventLoop::Stop() { uv_stop(&state_->loop); }
uv_loop_s* EventLoop::raw() { return &state_->loop; }

Status EventLoop::At(Nanos when, std::function<void()> callback) {
  Fd timer(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer.valid()) return Fail("cannot create a timerfd: ", ErrnoText(errno));
  // 0 would disarm it; an instant that is past is due at once.
  const std::int64_t at = std::max<std::int64_t>(when.count(), 1);
  itimerspec once = {};
  once.it_value.tv_sec = static_cast<time_t>(at / 1'000'000'000);
  once.it_value.tv_nsec = static_cast<long>(at % 1'000'000'000);
  if (timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &once, nullptr) != 0) {
    return Fail("cannot set a timerfd: ", ErrnoText(errno));
  }
  const int fd = timer.get();
  return PollHandle::Start(std::make_unique<OneShot>(std::move(timer), std::move(callback)), &state_->loop, fd);
}

Status EventLoop::OnWake(std::function<void()> callback) {
  Fd event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event.valid()) return Fail("cannot create an eventfd: ", ErrnoText(errno));
  const int fd = event.get();
  auto started =
      PollHandle::Start(std::make_unique<WakeHandle>(std::move(event), std::move(callback)), &state_->loop, fd);
  if (started) state_->wake_fd = fd;
  return started;
}

void EventLoop::Wake() {
  if (state_->wake_fd < 0) return;
  const int interrupted = errno;
  const std::uint64_t one = 1;
  // EAGAIN: the counter is full, so the loop will wake anyway.
  while (write(state_->wake_fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
  errno = interrupted;
}

struct EventLoop::Watch::Handle : PollHandle {
  explicit Handle(std::function<void()> on_readable) : callback(std::move(on_readable)) {}
  void OnReadable(Nanos) override { callback(); }
  std::function<void()> callback;
};

Result<std::unique_ptr<EventLoop::Watch>> EventLoop::WatchReadable(int fd, std::function<void()> callback) {
  auto handle = std::make_unique<Watch::Handle>(std::move(callback));
  Watch::Handle* const owned_by_libuv = handle.get();
  auto started = PollHandle::Start(std::move(handle), &state_->loop, fd);
  if (!started) return Forward(started);
  return std::make_unique<Watch>(owned_by_libuv);
}

EventLoop::Watch::~Watch() { handle_->Close(); }

}  // namespace corerig
