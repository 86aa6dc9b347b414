#include "harness/report/core_events.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "harness/base/text.h"
#include "harness/report/perfetto_fields.h"
#include "harness/report/track_event.h"

namespace corerig {

using namespace perfetto;

std::uint16_t InterruptNames::IndexOf(const TraceEvent& event, const TraceNames& names) {
  const bool vector = event.kind == TraceEvent::Kind::kVectorEntry || event.kind == TraceEvent::Kind::kVectorExit;
  const auto [at, added] = indices_.try_emplace(2 * event.value + vector, static_cast<std::uint16_t>(names_.size()));
  if (added) {
    std::string name = names.Interrupt(event);
    // "irq 24 virtio0": Perfetto writes the number itself.
    const std::string number = StrCat("irq ", event.value, " ");
    if (!vector && name.starts_with(number)) name.erase(0, number.size());
    names_.push_back(std::move(name));
  }
  return at->second;
}

void CoreEncoding::SetKernel(std::string_view kernel) {
  const std::size_t dot = kernel.find('.');
  if (dot == std::string_view::npos) return;
  const std::string_view rest = kernel.substr(dot + 1);
  const auto major = ParseNumber<int>(kernel.substr(0, dot));
  const auto minor = ParseNumber<int>(rest.substr(0, rest.find_first_not_of("0123456789")));
  if (!major || !minor) return;
  // include/linux/sched.h: what TASK_STATE_MAX and TASK_PARKED, TASK_NOLOAD were before 4.14 and before 4.8.
  if (std::pair(*major, *minor) >= std::pair(4, 14)) return;
  idle = 0x402;
  preempted = std::pair(*major, *minor) >= std::pair(4, 8) ? 0x1000 : 0x800;
}

CoreEvents::CoreEvents(int cpu, int rows, const CoreEncoding& encoding, InterruptNames& interrupts)
    : cpu_(cpu),
      capacity_(std::clamp(rows, 8, kMaxRows)),
      encoding_(encoding),
      interrupts_(interrupts),
      rows_(new Row[static_cast<std::size_t>(capacity_)]),
      names_(new TraceNames::Comm[static_cast<std::size_t>(capacity_)]) {}

std::uint16_t CoreEvents::NameIndex(std::int32_t tid, const TraceNames& names, std::uint32_t batch) {
  CachedName& cached = cache_[static_cast<std::uint32_t>(tid) % cache_.size()];
  const bool held = cached.tid == tid && cached.bundle == bundle_;
  if (held && cached.batch == batch) return cached.index;
  char number[16];
  std::string_view name = names.Task(tid);
  if (name.empty()) name = {number, std::to_chars(number, number + sizeof number, tid).ptr};
  cached.batch = batch;
  if (held && Name(cached.index) == name) return cached.index;
  cached.tid = tid;
  cached.bundle = bundle_;
  cached.index = static_cast<std::uint16_t>(name_count_);
  TraceNames::Comm& comm = names_[static_cast<std::size_t>(name_count_++)];
  comm = {};
  std::memcpy(comm.data(), name.data(), std::min(name.size(), comm.size()));
  return cached.index;
}

std::string_view CoreEvents::Name(std::uint16_t index) const {
  const TraceNames::Comm& comm = names_[index];
  return {comm.data(), strnlen(comm.data(), comm.size())};
}

CoreEvents::Row& CoreEvents::Append(const TraceEvent& event) {
  Row& row = rows_[static_cast<std::size_t>(row_count_++)];
  row = {.event = event, .running = std::max(running_, 0)};
  return row;
}

void CoreEvents::Add(const TraceEvent& event, const TraceNames& names, std::uint32_t batch) {
  ++event_count_;
  if (!seen_) {
    seen_ = true;
    since_ = last_ = event.at;
  }
  switch (event.kind) {
    case Kind::kSwitch: {
      if (written_ != event.other) {
        const bool known = running_ == event.other;
        Row& row = Append({.at = since_,
                           .tid = event.other,
                           .priority = known ? running_priority_ : std::int16_t{-1},
                           .kind = Kind::kSwitch});
        row.name = NameIndex(event.other, names, batch);
        row.put_in = true;
      }
      Row& row = Append(event);
      row.name = NameIndex(event.tid, names, batch);
      running_ = written_ = event.tid;
      running_priority_ = event.priority;
      since_ = event.at;
      break;
    }
    case Kind::kWaking: {
      Row& row = Append(event);
      row.name = NameIndex(event.tid, names, batch);
      row.irq_flags = static_cast<std::uint8_t>((hard_ > 0 ? 0x08 : 0) | (soft_ > 0 ? 0x10 : 0));
      break;
    }
    case Kind::kWakeupNew:
    case Kind::kMigrate:
    case Kind::kExit: {
      Row& row = Append(event);
      row.name = NameIndex(event.tid, names, batch);
      break;
    }
    case Kind::kFork: {
      Row& row = Append(event);
      row.name = NameIndex(event.tid, names, batch);
      row.other_name = NameIndex(event.other, names, batch);
      break;
    }
    case Kind::kIrqEntry:
    case Kind::kIrqExit:
    case Kind::kVectorEntry:
    case Kind::kVectorExit: {
      const bool entry = event.kind == Kind::kIrqEntry || event.kind == Kind::kVectorEntry;
      hard_ = std::max(hard_ + (entry ? 1 : -1), 0);
      Row& row = Append(event);
      row.name = interrupts_.IndexOf(event, names);
      if (TrackOf(row) == kVectors) needed_[kVectors] = true;
      break;
    }
    case Kind::kSoftirqEntry:
    case Kind::kSoftirqExit:
      soft_ = std::max(soft_ + (event.kind == Kind::kSoftirqEntry ? 1 : -1), 0);
      Append(event);
      break;
    case Kind::kTimerExpire:
      needed_[kTimers] = true;
      Append(event);
      break;
    case Kind::kPageFault:
      needed_[kFaults] = true;
      Append(event);
      break;
    case Kind::kExec:
    case Kind::kIdleEnter:
    case Kind::kIdleExit:
    case Kind::kFrequency:
      Append(event);
      break;
    case Kind::kLost: {
      needed_[kLosses] = true;
      lost_ = true;
      Append(event);
      gap_begin_ = std::min(last_, event.at);
      running_ = written_ = -1;
      running_priority_ = -1;
      since_ = event.at;
      hard_ = soft_ = 0;
      break;
    }
    case Kind::kPart:  // told by names
      break;
  }
  last_ = event.at;
}

void CoreEvents::Clear() {
  for (int track = 0; track < kTracks; ++track) told_[track] = told_[track] || needed_[track];
  lost_ = false;
  Drop();
}

void CoreEvents::Drop() {
  row_count_ = name_count_ = 0;
  event_count_ = 0;
  needed_ = {};
  ++bundle_;
}

void CoreEvents::Break() {
  lost_ = true;
  told_ = {};
  written_ = -1;
}

std::uint32_t CoreEvents::RawState(const Row& row) const {
  // include/linux/sched.h; what differs between kernels is in encoding_.
  if (row.put_in) return 0;
  switch (row.event.state) {
    case TraceEvent::State::kPreempted:
      return encoding_.preempted;
    case TraceEvent::State::kSleeping:
      return 0x01;
    case TraceEvent::State::kUninterruptible:
      return 0x02;
    case TraceEvent::State::kStopped:
      return 0x04;
    case TraceEvent::State::kDead:
      return 0x10;
    case TraceEvent::State::kOther:
      return encoding_.idle;
  }
  return 0;
}

void CoreEvents::Encode(ProtoWriter& writer) const {
  EncodeBundle(writer);
  for (int track = 0; track < kTracks; ++track) {
    if (needed_[track] && !told_[track]) EncodeDescriptor(writer, static_cast<Track>(track));
  }
  for (int i = 0; i < row_count_; ++i) {
    if (TrackOf(rows_[i]) != kTracks) EncodeTrackEvent(writer, rows_[i]);
  }
}

void CoreEvents::EncodeBundle(ProtoWriter& writer) const {
  const auto packet = writer.Open(kTracePacket);
  writer.Number(Packet::kSequence, encoding_.sequence);
  const auto bundle = writer.Open(Packet::kFtraceEvents);
  writer.Number(Bundle::kCpu, static_cast<std::uint64_t>(cpu_));
  if (lost_) writer.Number(Bundle::kLostEvents, 1);

  std::array<std::uint16_t, kMaxRows> switches, wakings;
  int switch_count = 0, waking_count = 0;
  for (int i = 0; i < row_count_; ++i) {
    const Row& row = rows_[i];
    const auto index = static_cast<std::uint16_t>(i);
    if (row.event.kind == Kind::kSwitch) {
      switches[static_cast<std::size_t>(switch_count++)] = index;
      if (row.event.state == TraceEvent::State::kDead && !row.put_in) EncodeFree(writer, row);
    } else if (row.event.kind == Kind::kWaking) {
      wakings[static_cast<std::size_t>(waking_count++)] = index;
    } else if (TrackOf(row) == kTracks) {
      EncodeFtraceEvent(writer, row);
    }
  }
  if (switch_count + waking_count == 0) return;
  const auto compact = writer.Open(Bundle::kCompactSched);
  for (int i = 0; i < name_count_; ++i) {
    writer.Text(CompactSched::kInternTable, Name(static_cast<std::uint16_t>(i)));
  }
  EncodeSwitches(writer, {switches.data(), static_cast<std::size_t>(switch_count)});
  EncodeWakings(writer, {wakings.data(), static_cast<std::size_t>(waking_count)});
}

template <typename Value>
void CoreEvents::EncodeColumn(ProtoWriter& writer, std::uint32_t field, Rows rows, Value value) const {
  const auto column = writer.Open(field);
  for (const std::uint16_t row : rows) writer.Varint(static_cast<std::uint64_t>(value(rows_[row])));
}

void CoreEvents::EncodeTimes(ProtoWriter& writer, std::uint32_t field, Rows rows) const {
  std::uint64_t before = 0;
  EncodeColumn(writer, field, rows, [&](const Row& row) {
    const std::uint64_t at = Boottime(row.event.at);
    return at - std::exchange(before, at);
  });
}

void CoreEvents::EncodeSwitches(ProtoWriter& writer, Rows rows) const {
  if (rows.empty()) return;
  using Field = CompactSched;
  EncodeTimes(writer, Field::kSwitchTimestamp, rows);
  EncodeColumn(writer, Field::kSwitchPrevState, rows, [this](const Row& row) { return RawState(row); });
  EncodeColumn(writer, Field::kSwitchNextPid, rows, [](const Row& row) { return row.event.tid; });
  EncodeColumn(writer, Field::kSwitchNextPrio, rows, [](const Row& row) { return row.event.priority; });
  EncodeColumn(writer, Field::kSwitchNextComm, rows, [](const Row& row) { return row.name; });
}

void CoreEvents::EncodeWakings(ProtoWriter& writer, Rows rows) const {
  if (rows.empty()) return;
  using Field = CompactSched;
  EncodeTimes(writer, Field::kWakingTimestamp, rows);
  EncodeColumn(writer, Field::kWakingPid, rows, [](const Row& row) { return row.event.tid; });
  EncodeColumn(writer, Field::kWakingTargetCpu, rows, [](const Row& row) { return row.event.value; });
  EncodeColumn(writer, Field::kWakingPrio, rows, [](const Row& row) { return row.event.priority; });
  EncodeColumn(writer, Field::kWakingComm, rows, [](const Row& row) { return row.name; });
  EncodeColumn(writer, Field::kWakingCommonFlags, rows, [](const Row& row) { return row.irq_flags; });
}

// The kernel frees a task after its last switch; Perfetto then takes a later task of the same number for another one.
void CoreEvents::EncodeFree(ProtoWriter& writer, const Row& row) const {
  const auto event = writer.OpenSmall(Bundle::kEvent);
  writer.Number(FtraceEvent::kTimestamp, Boottime(row.event.at));
  writer.Signed(FtraceEvent::kPid, row.event.tid);
  const auto fields = writer.OpenSmall(FtraceEvent::kSchedProcessFree);
  writer.Signed(2, row.event.other);
}

void CoreEvents::EncodeFtraceEvent(ProtoWriter& writer, const Row& row) const {
  const TraceEvent& e = row.event;
  const auto event = writer.OpenSmall(Bundle::kEvent);
  writer.Number(FtraceEvent::kTimestamp, Boottime(e.at));
  writer.Signed(FtraceEvent::kPid, row.running);
  // Field numbers are those of the event's message, whose name is that of the field.
  switch (e.kind) {
    case Kind::kWakeupNew: {
      const auto fields = writer.OpenSmall(FtraceEvent::kSchedWakeupNew);
      writer.Text(1, Name(row.name));
      writer.Signed(2, e.tid);
      writer.Signed(3, e.priority);
      writer.Signed(5, e.value);
      break;
    }
    case Kind::kMigrate: {
      const auto fields = writer.OpenSmall(FtraceEvent::kSchedMigrateTask);
      writer.Text(1, Name(row.name));
      writer.Signed(2, e.tid);
      writer.Signed(3, e.priority);
      writer.Signed(4, e.value >> 32);
      writer.Signed(5, e.value & 0xffffffff);
      break;
    }
    case Kind::kFork: {
      const auto fields = writer.OpenSmall(FtraceEvent::kSchedProcessFork);
      writer.Text(1, Name(row.other_name));
      writer.Signed(2, e.other);
      writer.Text(3, Name(row.name));
      writer.Signed(4, e.tid);
      break;
    }
    case Kind::kExec: {
      const auto fields = writer.OpenSmall(FtraceEvent::kSchedProcessExec);
      writer.Signed(2, e.tid);
      break;
    }
    case Kind::kExit: {
      const auto fields = writer.OpenSmall(FtraceEvent::kSchedProcessExit);
      writer.Text(1, Name(row.name));
      writer.Signed(2, e.tid);
      writer.Signed(4, e.priority);
      break;
    }
    case Kind::kIrqEntry: {
      const auto fields = writer.Open(FtraceEvent::kIrqHandlerEntry);
      writer.Signed(1, e.value);
      writer.Text(2, interrupts_.Name(row.name));
      break;
    }
    case Kind::kIrqExit: {
      const auto fields = writer.OpenSmall(FtraceEvent::kIrqHandlerExit);
      writer.Signed(1, e.value);
      break;
    }
    case Kind::kSoftirqEntry:
    case Kind::kSoftirqExit: {
      const auto fields =
          writer.OpenSmall(e.kind == Kind::kSoftirqEntry ? FtraceEvent::kSoftirqEntry : FtraceEvent::kSoftirqExit);
      writer.Signed(1, e.value);
      break;
    }
    case Kind::kVectorEntry:
    case Kind::kVectorExit: {
      const auto fields =
          writer.OpenSmall(e.kind == Kind::kVectorEntry ? FtraceEvent::kLocalTimerEntry : FtraceEvent::kLocalTimerExit);
      break;
    }
    case Kind::kIdleEnter:
    case Kind::kIdleExit: {
      const auto fields = writer.OpenSmall(FtraceEvent::kCpuIdle);
      writer.Number(1, e.kind == Kind::kIdleEnter ? static_cast<std::uint64_t>(e.value) : 0xffffffff);
      writer.Number(2, static_cast<std::uint64_t>(cpu_));
      break;
    }
    case Kind::kFrequency: {
      const auto fields = writer.OpenSmall(FtraceEvent::kCpuFrequency);
      writer.Signed(1, e.value);
      writer.Number(2, static_cast<std::uint64_t>(cpu_));
      break;
    }
    default:  // a column's or a track's
      break;
  }
}

CoreEvents::Track CoreEvents::TrackOf(const Row& row) const {
  switch (row.event.kind) {
    case Kind::kVectorEntry:
    case Kind::kVectorExit:
      // The one vector that Perfetto has an event for.
      return interrupts_.Name(row.name) == "local_timer" ? kTracks : kVectors;
    case Kind::kTimerExpire:
      return kTimers;
    case Kind::kPageFault:
      return kFaults;
    case Kind::kLost:
      return kLosses;
    default:
      return kTracks;
  }
}

std::uint64_t CoreEvents::Uuid(Track track) const {
  return encoding_.first_track_uuid + static_cast<std::uint64_t>(cpu_) * kTracks + track;
}

void CoreEvents::EncodeDescriptor(ProtoWriter& writer, Track track) const {
  static constexpr std::string_view kNames[kTracks] = {"vectors", "timers", "page faults", "lost events"};
  WritePacket(writer, encoding_.sequence, [&] {
    WriteTrackDescriptor(writer, Uuid(track), encoding_.parent_track, StrCat("cpu ", cpu_, " ", kNames[track]), [] {});
  });
}

void CoreEvents::EncodeTrackEvent(ProtoWriter& writer, const Row& row) const {
  const TraceEvent& e = row.event;
  const std::uint64_t uuid = Uuid(TrackOf(row));
  const auto write = [&](Nanos at, TrackEventType type, std::string_view name, auto annotate) {
    WritePacket(writer, encoding_.sequence, [&] {
      WriteTrackEvent(writer, at, type, uuid, [&] {
        if (!name.empty()) writer.Text(TrackEvent::kName, name);
        annotate();
      });
    });
  };
  const auto nothing = [] {};
  switch (e.kind) {
    case Kind::kVectorEntry:
      write(e.at, kSliceBegin, interrupts_.Name(row.name), nothing);
      break;
    case Kind::kVectorExit:
      write(e.at, kSliceEnd, "", nothing);
      break;
    case Kind::kTimerExpire:
      write(e.at, kInstant, "timer", [&] {
        if (e.value == 0) return;
        Annotate(writer, "set to", e.value);
        Annotate(writer, "late ns", e.at.count() - e.value);
      });
      break;
    case Kind::kPageFault:
      write(e.at, kInstant, "page fault", [&] { Annotate(writer, "tid", std::int64_t{e.tid}); });
      break;
    case Kind::kLost:
      write(gap_begin_, kSliceBegin, "lost events", [&] { Annotate(writer, "at least", e.value); });
      write(e.at, kSliceEnd, "", nothing);
      break;
    default:
      break;
  }
}

}  // namespace corerig
