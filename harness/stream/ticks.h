// The accounts of a stream on channel `timer`: the loop's own ticks, which have no sender and no truth.
#pragma once

#include "harness/base/units.h"
#include "harness/child/control.h"
#include "harness/loop/loop_turn.h"
#include "harness/loop/ticker.h"
#include "harness/stream/sample_break.h"
#include "harness/stream/schedule.h"
#include "harness/stream/slabs.h"

namespace corerig {

// One tick, done at `done`; `turn` is of the loop that calls.
void CountTick(const Tick& tick, Nanos done, const ControlPage& control, const LoopTurn& turn, HandlerStream& figures,
               const StreamBreak& at_break = {});

// At the end: the ticks due in the window and not delivered are lost.
void FinishTicks(const StreamSchedule& schedule, const ControlPage& control, HandlerStream& figures);

}  // namespace corerig
