// One loop of the plan: a pinned thread with an event loop that receives and accounts its streams.
//
//   LoopThread thread(parts);        // takes all memory it will need
//   thread.Start();                  // the thread prepares itself
//   if (auto ready = thread.WaitReady(); !ready) ...
//   context.Arm();                   // the thread waits for the schedule by itself
//   thread.Reconsider();             // window or drain end earlier now
//   thread.Join();                   // its figures are final
#pragma once

#include <pthread.h>

#include <memory>
#include <optional>
#include <semaphore>
#include <span>
#include <vector>

#include "harness/base/result.h"
#include "harness/child/child_context.h"
#include "harness/loop/channel.h"
#include "harness/loop/event_loop.h"
#include "harness/loop/ticker.h"
#include "harness/os/fd.h"
#include "harness/plan/plan.h"
#include "harness/stream/matcher.h"
#include "harness/stream/sample_break.h"
#include "harness/stream/schedule.h"
#include "harness/stream/sensor.h"
#include "harness/stream/slabs.h"

namespace corerig {

class LoopThread {
 public:
  // Everything referred to outlives it. `done_event` is an eventfd: 1 is added when the thread has ended.
  LoopThread(const Plan& plan, const LoopPlan& loop, ChildContext& context, HandlerLoop& figures, int done_event);
  LoopThread(const LoopThread&) = delete;

  // Before Start. The decoder for a stream on a channel, with the channel's receiving end and the stream's truth.
  void AddChannel(const StreamPlan& stream, const SensorType& sensor, Fd receiver, Matcher::Source truth,
                  HandlerStream& figures, const StreamBreak& at_break);
  void AddTicks(const StreamPlan& stream, HandlerStream& figures, const StreamBreak& at_break);

  Status Start();
  // Waits until the thread is pinned and listens to its channels.
  Status WaitReady();
  // From any thread, after WaitReady: looks at the control page again.
  void Reconsider();
  // Waits for the end, which comes when the drain ends.
  Status Join();

 private:
  struct Stream {
    const StreamPlan* plan;
    HandlerStream* figures;
    StreamBreak at_break = {};
    std::size_t max_frame_size = 0;
    Fd end;
    std::unique_ptr<Decoder> decoder;
    std::unique_ptr<Matcher> matcher;
    std::optional<Receiver> receiver;
    std::optional<Ticker> ticker;
    StreamSchedule schedule;
    std::uint64_t overflows_before = 0;  // of the receiver, when the window began
  };

  void Body();
  Status Prepare();
  Status Begin(Nanos start);
  Status LookAgain(Stream& stream);
  Status SetEnds();
  void OnWindowBegin();
  void OnWindowEnd();
  void OnDrainEnd();
  bool MoreMayCome() const;

  const Plan& plan_;
  const LoopPlan& loop_plan_;
  ChildContext& context_;
  HandlerLoop& figures_;
  const int done_event_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::unique_ptr<EventLoop> loop_;
  std::binary_semaphore ready_{0};
  Status status_;  // the thread's; read by others after ready_ or Join
  pthread_t thread_{};

  struct Snapshot {
    std::uint64_t wakeups, busy_ns;
  };
  std::optional<Snapshot> at_window_begin_;
  bool window_ended_ = false, drained_ = false;
};

}  // namespace corerig
