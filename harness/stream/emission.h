// Emits all streams of a plan at absolute due times, in the calling thread: what the source does in a run, and `corerig
// emit` by itself.
//
//   auto emission = Emission::Create(plan, sensors, {.fd = signal_fd, .on_readable = [&] { ... }});
//   emission->Begin(start, control, slab, std::move(outlets));   // encodes the first frames
//   SleepUntil(start);
//   emission->Run();                                           // to the window's end, however late it gets
//
// Streams that wait for room in their channels wait here together, and keep no other waiting: a frame of theirs is sent
// when none of a real-time stream is due, or about to be, and theirs go in turn.
#pragma once

#include <poll.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/child/control.h"
#include "harness/os/fd.h"
#include "harness/os/shared_memory.h"
#include "harness/plan/plan.h"
#include "harness/stream/emitter.h"
#include "harness/stream/sensor.h"

namespace corerig {

class Emission {
 public:
  // A descriptor that ends a sleep early, and what is done then: it reads the descriptor empty. The control page is
  // looked at anew after it.
  struct Interruption {
    int fd = -1;
    std::function<void()> on_readable;
  };

  // Makes the models. `plan` outlives it. Fails if the rig has not all sensors of the plan, one
  // cannot be made, or there is no timer.
  static Result<Emission> Create(const Plan& plan, std::span<const SensorType> sensors, Interruption interruption);

  // A stream's way out: see Emitter::Output.
  struct Outlet {
    Emitter::SendFrame send;
    std::function<pollfd()> room = {};
    const std::atomic<std::uint64_t>* settled = nullptr;
  };
  // `slab` is laid out by SourceSlabLayout; `outlets` are of the streams that have a channel, in the plan's order.
  // `control` has the instants that go with `start`. All outlive it.
  void Begin(Nanos start, const ControlPage& control, const Mapping& slab, std::vector<Outlet> outlets);

  // Emits every sample due before the window's end, all of them, however late; but no later than the drain's end.
  void Run();

  // Sleeps until that instant, an interruption, or until there is room that an emitter waits for.
  void SleepTo(Nanos when);

 private:
  Emission(const Plan& plan, Interruption interruption) : plan_(&plan), interruption_(std::move(interruption)) {}
  bool PrepareOne(Nanos now, Nanos earliest_due);
  void Sleep(Nanos when, bool for_room);
  // A lossless stream.
  struct Patient {
    Emitter* emitter;
    Nanos took{0};          // its latest frame
    bool gave_way = false;  // to a real-time frame, since then
  };
  // Of those that can go on now the one whose turn it is.
  Patient* NextInTurn(Nanos now);
  void GoOn(Patient& patient, Nanos now, Nanos urgent_at);

  struct Stream {
    const StreamPlan* plan;
    std::unique_ptr<SensorModel> model;
    std::size_t frame_size;
  };
  const Plan* plan_;
  const ControlPage* control_ = nullptr;
  Interruption interruption_;
  Fd timer_;
  std::vector<Stream> streams_;
  std::vector<std::unique_ptr<Emitter>> emitters_;

  std::vector<Patient> patient_;
  std::size_t turn_ = 0;  // of `patient_`, the one that went last
  Nanos slept_at_{0};
  long times_slept_ = 0;
  std::vector<pollfd> polled_;  // timer, interruption, and the room that `patient_` wait for
};

}  // namespace corerig
