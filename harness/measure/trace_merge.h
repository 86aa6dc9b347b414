// Events of several CPUs, each in order, made one sequence ordered by time.
//
//   TraceMerge merge(cpus);
//   merge.Add(index, event);                                // per CPU in the order of its buffer
//   merge.TakeUntil(horizon, [&](const TraceEvent& e) {});  // those before `horizon`, in order of time
//
// What a CPU delivers too late, behind the horizon of an earlier call, comes with the next one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "harness/base/trace_event.h"

namespace corerig {

class TraceMerge {
 public:
  explicit TraceMerge(std::size_t cpus) : queues_(cpus) {}

  // The trace's clock may step back by a fraction of a microsecond when the kernel adjusts it
  // (Documentation/core-api/timekeeping.rst, fast timekeepers): then the event counts as simultaneous.
  void Add(std::size_t index, const TraceEvent& event) {
    Queue& queue = queues_[index];
    queue.events.push_back(event);
    queue.latest = std::max(queue.latest, event.at);
    queue.events.back().at = queue.latest;
  }

  template <typename OnEvent>
  void TakeUntil(Nanos horizon, const OnEvent& on_event) {
    for (;;) {
      // The queue that is furthest behind, and how far it may go before another one is.
      Queue* first = nullptr;
      Nanos until = horizon;
      for (auto& queue : queues_) {
        if (queue.next == queue.events.size()) continue;
        const Nanos at = queue.events[queue.next].at;
        if (first == nullptr || at < first->events[first->next].at) {
          if (first != nullptr) until = std::min(until, first->events[first->next].at);
          first = &queue;
        } else {
          until = std::min(until, at);
        }
      }
      if (first == nullptr || first->events[first->next].at >= horizon) break;
      do {
        on_event(first->events[first->next++]);
      } while (first->next < first->events.size() && first->events[first->next].at < until);
    }
    for (auto& queue : queues_) queue.DropTaken();
  }

 private:
  struct Queue {
    std::vector<TraceEvent> events;
    std::size_t next = 0;
    Nanos latest = Nanos::min();

    void DropTaken() {
      events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(next));
      next = 0;
    }
  };
  std::vector<Queue> queues_;
};

}  // namespace corerig
