// One thread's event loop: libuv's, owned, with the accounting a rig needs.
//
//   auto loop = EventLoop::Create();
//   auto receiver = Receiver::Start(**loop, ...);
//   (*loop)->Run();            // until Stop(), or until nothing is watched any more
//
// A handle's callback may destroy the handle itself. Handles are destroyed before their loop: the loop's destructor
// closes what the loop itself watches (At, OnWake), demands that uv_loop_close() then returns 0, and aborts with a list
// of the handles that are left otherwise: a handle that outlives its loop is a bug of ours.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "harness/base/counter.h"
#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/loop/loop_turn.h"

struct uv_loop_s;

namespace corerig {

// What a loop did, for a reader on another thread or in another process; lives in a slab.
struct LoopActivity {
  Counter wakeups;  // returns from the kernel's poll that led to at least one callback
  // Of each of these turns the time from just before the first callback to just after the last, by the wall: work of
  // the kernel for the callbacks and time in which the thread was preempted are in it, sleeping in poll is not.
  Counter busy_ns;
  LoopTurn turn;  // for the loop's own thread alone
};

class EventLoop {
 public:
  // `activity` may be null; else it outlives the loop and this loop is its one writer. The first call in a process sets
  // UV_USE_IO_URING=0 in the environment (libuv 1.45 to 1.48 start a kernel polling thread for every loop otherwise):
  // make it before other threads read the environment.
  static Result<std::unique_ptr<EventLoop>> Create(LoopActivity* activity = nullptr);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;

  void Run();   // on the loop's thread
  void Stop();  // from a callback on the loop's thread; Run returns after it

  // Calls `callback` on the loop's thread once, at an instant of CLOCK_MONOTONIC (a timerfd: never early).
  // Calls made before are not revoked; the loop keeps running until they are made or it is stopped.
  Status At(Nanos when, std::function<void()> callback);

  // Wakes the loop from any thread or from a signal handler: `callback` runs on the loop's thread, once for any number
  // of wake-ups that came before it ran, and sees what their callers wrote before. Set once, before Run; from then on
  // Run returns by Stop() only. Wake() without OnWake does nothing.
  Status OnWake(std::function<void()> callback);
  void Wake();

  // Watches a descriptor for reading while the returned handle lives; the descriptor must outlive it, is made
  // non-blocking, and is watched once at a time. For the supervisor's pidfds, signalfds and the like. The callback is
  // called as long as the descriptor is readable or hung up, but once only for an error condition (EPOLLERR).
  class Watch;
  Result<std::unique_ptr<Watch>> WatchReadable(int fd, std::function<void()> callback);

  uv_loop_s* raw();  // for this package only

 private:
  struct State;
  explicit EventLoop(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Defined here so that a unique_ptr of it can be destroyed anywhere.
class EventLoop::Watch {
 public:
  struct Handle;
  explicit Watch(Handle* handle) : handle_(handle) {}
  Watch(const Watch&) = delete;
  ~Watch();

 private:
  Handle* handle_;
};

}  // namespace corerig
