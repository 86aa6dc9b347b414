// Turns the kernel's events, laid out as its tracefs says, into TraceEvents.
//
//   auto decoder = TraceDecoder::Create(tracefs, {"rig", "source", "loop flight"});
//   for (const auto& path : decoder->events()) enable(path);
//   ... ForEachRecord(page, decoder->layout(), [&](Nanos at, auto raw) {
//         if (auto event = decoder->Decode(at, cpu, raw, names)) use(*event);
//       });
//
// What a kernel does not have (power:cpu_frequency on a virtual machine, irq_vectors on Arm) is not traced; without the
// scheduler's own events there is no decoder.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/trace_event.h"
#include "harness/os/trace_format.h"
#include "harness/os/trace_fs.h"
#include "harness/os/trace_page.h"

namespace corerig {

class TraceDecoder {
 public:
  // Reads the formats of all events that are of use. The error names the event that is missing. `parts` are the names
  // that markers tell, numbered in this order.
  static Result<TraceDecoder> Create(const TraceFs& tracefs, std::vector<std::string> parts);

  // "sched/sched_switch", …: the events that Decode knows on this kernel.
  const std::vector<std::string>& events() const { return events_; }
  const TracePageLayout& layout() const { return layout_; }
  // The vectors' names, in the order of their numbers.
  const std::vector<std::string>& vectors() const { return vectors_; }

  // The task in whose context an event was recorded: 0 for the idle task.
  std::int32_t ContextOf(std::span<const std::byte> raw) const {
    return raw.size() < pid_.offset + pid_.size ? -1 : static_cast<std::int32_t>(pid_.Number(raw.data()));
  }
  // Nothing for an event that is unknown or too short, and for the start of a timer, which is kept for its end. Names
  // that the event tells go to `names`.
  std::optional<TraceEvent> Decode(Nanos at, int cpu, std::span<const std::byte> raw, TraceNames& names);
  // Takes a task that has ended out of `names`.
  void Forget(std::int32_t tid, TraceNames& names);

 private:
  using Kind = TraceEvent::Kind;

  // Fields of one event, in the order that its kind takes them in.
  struct Known {
    enum class Shape : std::uint8_t {
      kUnknown,
      kSwitch,
      kWaking,
      kMigrate,
      kFork,
      kTask,
      kNumber,
      kIdle,
      kVector,
      kMarker,
      kTimerStart,
      kTimerExpire,
    } shape = Shape::kUnknown;
    Kind kind = Kind::kSwitch;
    std::uint16_t vector = 0;    // of kVector
    std::size_t least_size = 0;  // of an event that holds all the fields
    std::array<TraceField, 6> fields = {};
  };

  // Timers that were started and have not fired, by their address; an older one gives way.
  struct Timer {
    std::int64_t address = 0, expires = 0;
  };

  TraceDecoder() = default;
  Status Add(const TraceFs& tracefs, const std::string& event, Known::Shape shape, Kind kind,
             std::initializer_list<const char*> fields, std::uint16_t vector = 0);
  void AddInterrupts(const TraceFs& tracefs, const std::string& system);
  TraceEvent Switch(const Known& known, const std::byte* raw, TraceEvent event, TraceNames& names);
  Timer& TimerAt(std::int64_t address);

  TracePageLayout layout_;
  std::vector<std::string> events_, vectors_, parts_;
  std::vector<Known> by_id_;
  TraceField type_, pid_;  // of every event: its id, and the task that was running
  std::vector<Timer> timers_;
  // Which names are known already, by the lower bits of the tid, so that telling them again costs a comparison.
  struct Told {
    std::int32_t tid = 0;
    TraceNames::Comm comm{};
  };
  std::vector<Told> told_;
};

}  // namespace corerig
