#include "harness/stream/ticks.h"

#include <algorithm>

namespace corerig {

void CountTick(const Tick& tick, Nanos done, const ControlPage& control, const LoopTurn& turn, HandlerStream& figures,
               const StreamBreak& at_break) {
  const Nanos latency = done - tick.due;
  figures.received_in_all.Add();
  figures.latest_latency_ns.Set(static_cast<std::uint64_t>(std::max(latency, Nanos(0)).count()));
  if (!control.InWindow(tick.due)) return;
  figures.received.Add();
  figures.done.Add();
  figures.latency.Record(latency);
  figures.queue.Record(tick.begin - tick.due);
  figures.service.Record(done - tick.begin);
  // Later than the limit for a break, as no tick before was, it is among the worst.
  if (figures.worst.Qualifies(latency) && !at_break.Over()) {
    const LoopTurn::Span earlier = turn.LongestBetween(tick.due, tick.begin);
    const SampleStamps stamps = {.sequence = tick.index,
                                 .due = tick.due,
                                 .woken = turn.woken,
                                 .earlier_begin = earlier.begin,
                                 .earlier_done = earlier.end,
                                 .begin = tick.begin,
                                 .done = done};
    figures.worst.Add(stamps);
    if (at_break.Hits(latency)) at_break.Fire(stamps);
  }
}

void FinishTicks(const StreamSchedule& schedule, const ControlPage& control, HandlerStream& figures) {
  const SampleRange window = schedule.DueIn(Nanos(control.window_begin.load(std::memory_order_relaxed)),
                                            Nanos(control.window_end.load(std::memory_order_relaxed)));
  const std::uint64_t received = figures.received.Get();
  if (window.count > received) figures.lost.Add(window.count - received);
}

}  // namespace corerig
