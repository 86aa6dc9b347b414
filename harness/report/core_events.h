// The scheduling events of one core on their way into a Perfetto trace: kept as they come, then encoded at once,
// columns and all, as one FtraceEventBundle and what that format has no event for as TrackEvents.
//
// Perfetto infers who left a core from who was given it before. Where that is not known (at the trace's start, after
// lost events) a switch to the task that turns out to have been running is put in, at the earliest instant it is known
// to have run, its predecessor's state given as plain R; the core's next bundle says that events were lost.
//
// One thread. Allocates in its constructor only. Sources: Perfetto's ftrace_event_bundle.proto and, for what its
// importer makes of each field, src/trace_processor/importers/ftrace.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "harness/base/trace_event.h"
#include "harness/base/units.h"
#include "harness/report/proto_writer.h"

namespace corerig {

// The names of interrupts, each asked for once. Shared by the cores of a trace.
class InterruptNames {
 public:
  // For an event of interrupt or vector, entry or exit.
  std::uint16_t IndexOf(const TraceEvent& event, const TraceNames& names);
  std::string_view Name(std::uint16_t index) const { return names_[index]; }

 private:
  std::unordered_map<std::int64_t, std::uint16_t> indices_;  // by 2 * number, + 1 for a vector
  std::vector<std::string> names_;
};

// What all cores of a trace have in common.
struct CoreEncoding {
  Nanos boottime_offset{0};  // CLOCK_BOOTTIME - CLOCK_MONOTONIC
  std::uint32_t sequence = 1;
  std::uint64_t parent_track = 0;      // of the cores' tracks
  std::uint64_t first_track_uuid = 0;  // of the cores' tracks; core N has four from this + 4 N
  // sched_switch's prev_state as Perfetto reads it for this kernel.
  std::uint16_t preempted = 0x100, idle = 0x80;

  // `kernel` is the release, "6.1.0-18-arm64".
  void SetKernel(std::string_view kernel);
};

class CoreEvents {
 public:
  static constexpr int kMaxRows = 256;

  // Holds up to `rows` events, 8 to kMaxRows.
  CoreEvents(int cpu, int rows, const CoreEncoding& encoding, InterruptNames& interrupts);

  bool empty() const { return event_count_ == 0; }
  // Whether `event` must wait until what is held was written (Clear) or given up (Drop, Break).
  bool MustWait(const TraceEvent& event) const {
    // A loss is said to be before a bundle.
    return row_count_ + 2 > capacity_ || name_count_ + 2 > capacity_ || (event.kind == Kind::kLost && !empty());
  }
  std::uint64_t events() const { return event_count_; }  // those added, without those put in

  // `batch` numbers the calls of a reader: within one batch a task's name is asked for once.
  void Add(const TraceEvent& event, const TraceNames& names, std::uint32_t batch);

  // Writes all that is held as whole packets. Changes nothing, so it can be repeated where there is more room.
  void Encode(ProtoWriter& writer) const;
  // What is held was written.
  void Clear();
  // What is held is given up.
  void Drop();
  // Something of this trace, of whatever core, did not reach the file.
  void Break();

 private:
  using Kind = TraceEvent::Kind;
  using Rows = std::span<const std::uint16_t>;  // indices
  enum Track : std::uint8_t { kVectors, kTimers, kFaults, kLosses, kTracks };
  struct Row {
    TraceEvent event;
    std::int32_t running = 0;  // the task on this core
    std::uint16_t name = 0;    // of event.tid in names_, or of the interrupt in interrupts_
    std::uint16_t other_name = 0;
    std::uint8_t irq_flags = 0;  // TRACE_FLAG_HARDIRQ, TRACE_FLAG_SOFTIRQ as this trace shows it
    bool put_in = false;         // a switch that is no event
  };
  struct CachedName {
    std::int32_t tid = -1;
    std::uint32_t batch = 0, bundle = 0;
    std::uint16_t index = 0;
  };

  std::uint16_t NameIndex(std::int32_t tid, const TraceNames& names, std::uint32_t batch);
  std::string_view Name(std::uint16_t index) const;
  Row& Append(const TraceEvent& event);
  std::uint64_t Boottime(Nanos at) const {
    return static_cast<std::uint64_t>((at + encoding_.boottime_offset).count());
  }
  std::uint32_t RawState(const Row& row) const;

  void EncodeBundle(ProtoWriter& writer) const;
  template <typename Value>
  void EncodeColumn(ProtoWriter& writer, std::uint32_t field, Rows rows, Value value) const;
  void EncodeTimes(ProtoWriter& writer, std::uint32_t field, Rows rows) const;
  void EncodeSwitches(ProtoWriter& writer, Rows rows) const;
  void EncodeWakings(ProtoWriter& writer, Rows rows) const;
  void EncodeFtraceEvent(ProtoWriter& writer, const Row& row) const;
  void EncodeFree(ProtoWriter& writer, const Row& row) const;
  Track TrackOf(const Row& row) const;
  std::uint64_t Uuid(Track track) const;
  void EncodeDescriptor(ProtoWriter& writer, Track track) const;
  void EncodeTrackEvent(ProtoWriter& writer, const Row& row) const;

  const int cpu_;
  const int capacity_;
  const CoreEncoding& encoding_;
  InterruptNames& interrupts_;

  std::unique_ptr<Row[]> rows_;
  int row_count_ = 0;
  std::uint64_t event_count_ = 0;
  std::unique_ptr<TraceNames::Comm[]> names_;
  int name_count_ = 0;
  std::array<CachedName, 128> cache_;
  std::uint32_t bundle_ = 1;

  bool lost_ = false;                   // said by the next bundle
  std::array<bool, kTracks> told_{};    // the track's descriptor is in the file
  std::array<bool, kTracks> needed_{};  // by what is held
  // The task on this core as the events tell (-1: not known), since when, and as the file tells.
  std::int32_t running_ = -1;
  std::int16_t running_priority_ = -1;
  Nanos since_{0};
  bool seen_ = false;  // an event: since_ and last_ are set
  Nanos last_{0};
  Nanos gap_begin_{0};  // of the lost events that the first row tells
  std::int32_t written_ = -1;
  int hard_ = 0, soft_ = 0;  // depth of interrupts
};

}  // namespace corerig
