#include "harness/measure/trace_decoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr std::size_t kTimers = 1024, kTold = 256;  // powers of two
constexpr std::string_view kEntry = "_entry", kExit = "_exit";

// prev_state of sched_switch: bits of include/linux/sched.h, cut to those that are reported.
TraceEvent::State StateFrom(std::int64_t bits) {
  // Running when it was switched: nothing, or the one bit above all that are reported ("R+").
  const std::int64_t reported = bits & 0xff;
  if (reported == 0) return TraceEvent::State::kPreempted;
  if (reported & 0x01) return TraceEvent::State::kSleeping;
  if (reported & 0x02) return TraceEvent::State::kUninterruptible;
  if (reported & 0x0c) return TraceEvent::State::kStopped;
  if (reported & 0x30) return TraceEvent::State::kDead;
  return TraceEvent::State::kOther;
}

TraceNames::Comm CommAt(const TraceField& field, const std::byte* raw) {
  TraceNames::Comm comm{};
  std::memcpy(comm.data(), raw + field.offset, std::min(field.size, comm.size() - 1));
  return comm;
}

std::int32_t Int32(std::int64_t value) { return static_cast<std::int32_t>(value); }

}  // namespace

Status TraceDecoder::Add(const TraceFs& tracefs, const std::string& event, Known::Shape shape, Kind kind,
                         std::initializer_list<const char*> fields, std::uint16_t vector) {
  const auto text = tracefs.Read(StrCat("events/", event, "/format"));
  if (!text) return Forward(text);
  const auto format = ParseTraceFormat(*text);
  if (!format) return ForwardWith(format, event, ": ");
  Known known = {.shape = shape, .kind = kind, .vector = vector};
  std::size_t count = 0;
  for (const char* name : fields) {
    const TraceField* const field = format->Find(name);
    if (field == nullptr) return Fail("event ", event, " has no field ", name, " on this kernel");
    known.least_size = std::max(known.least_size, field->offset + field->size);
    known.fields[count++] = *field;
  }
  const TraceField* const type = format->Find("common_type");
  const TraceField* const pid = format->Find("common_pid");
  if (type == nullptr || pid == nullptr) return Fail("event ", event, " has no common_type and common_pid");
  type_ = *type;
  pid_ = *pid;
  known.least_size = std::max({known.least_size, type->offset + type->size, pid->offset + pid->size});
  const auto id = static_cast<std::size_t>(format->id);
  if (by_id_.size() <= id) by_id_.resize(id + 1);
  by_id_[id] = known;
  events_.push_back(event);
  return {};
}

// Every pair NAME_entry and NAME_exit of a system whose events are interrupts.
void TraceDecoder::AddInterrupts(const TraceFs& tracefs, const std::string& system) {
  for (const auto& event : tracefs.List(StrCat("events/", system))) {
    if (!event.ends_with(kEntry)) continue;
    const std::string name = event.substr(0, event.size() - kEntry.size());
    const auto number = static_cast<std::uint16_t>(vectors_.size());
    const std::string path = StrCat(system, "/", name);
    // One without the other would leave the core in an interrupt for good.
    if (!tracefs.Has(StrCat("events/", path, kExit, "/format"))) continue;
    if (!Add(tracefs, StrCat(path, kEntry), Known::Shape::kVector, Kind::kVectorEntry, {}, number)) continue;
    if (!Add(tracefs, StrCat(path, kExit), Known::Shape::kVector, Kind::kVectorExit, {}, number)) continue;
    vectors_.push_back(name);
  }
}

Result<TraceDecoder> TraceDecoder::Create(const TraceFs& tracefs, std::vector<std::string> parts) {
  TraceDecoder decoder;
  decoder.parts_ = std::move(parts);
  decoder.timers_.resize(kTimers);
  decoder.told_.resize(kTold);
  const auto page_text = tracefs.Read("events/header_page");
  if (!page_text) return Forward(page_text);
  const auto page = ParseTraceFormat(*page_text);
  if (!page) return ForwardWith(page, "events/header_page: ");
  const auto layout = LayoutFrom(*page);
  if (!layout) return Forward(layout);
  decoder.layout_ = *layout;

  using Shape = Known::Shape;
  struct Wanted {
    const char* event;
    Shape shape;
    Kind kind;
    std::initializer_list<const char*> fields;
  };
  const Wanted needed[] = {
      {"sched/sched_switch",
       Shape::kSwitch,
       Kind::kSwitch,
       {"next_pid", "prev_pid", "prev_state", "next_prio", "next_comm", "prev_comm"}},
      {"sched/sched_waking", Shape::kWaking, Kind::kWaking, {"pid", "target_cpu", "prio", "comm"}},
      {"sched/sched_wakeup_new", Shape::kWaking, Kind::kWakeupNew, {"pid", "target_cpu", "prio", "comm"}},
      {"sched/sched_migrate_task", Shape::kMigrate, Kind::kMigrate, {"pid", "orig_cpu", "dest_cpu", "prio"}},
      {"sched/sched_process_fork", Shape::kFork, Kind::kFork, {"child_pid", "parent_pid"}},
      {"sched/sched_process_exec", Shape::kTask, Kind::kExec, {"pid"}},
      {"sched/sched_process_exit", Shape::kTask, Kind::kExit, {"pid"}},
  };
  for (const auto& [event, shape, kind, fields] : needed) {
    if (auto added = decoder.Add(tracefs, event, shape, kind, fields); !added) return Forward(added);
  }
  const Wanted useful[] = {
      {"irq/irq_handler_entry", Shape::kNumber, Kind::kIrqEntry, {"irq"}},
      {"irq/irq_handler_exit", Shape::kNumber, Kind::kIrqExit, {"irq"}},
      {"irq/softirq_entry", Shape::kNumber, Kind::kSoftirqEntry, {"vec"}},
      {"irq/softirq_exit", Shape::kNumber, Kind::kSoftirqExit, {"vec"}},
      {"timer/hrtimer_start", Shape::kTimerStart, Kind::kTimerExpire, {"hrtimer", "softexpires"}},
      {"timer/hrtimer_expire_entry", Shape::kTimerExpire, Kind::kTimerExpire, {"hrtimer"}},
      {"ftrace/print", Shape::kMarker, Kind::kPart, {"buf"}},
      {"power/cpu_idle", Shape::kIdle, Kind::kIdleEnter, {"state"}},
      {"power/cpu_frequency", Shape::kNumber, Kind::kFrequency, {"state"}},
      {"exceptions/page_fault_user", Shape::kNumber, Kind::kPageFault, {"address"}},
  };
  for (const auto& [event, shape, kind, fields] : useful) {
    (void)decoder.Add(tracefs, event, shape, kind, fields);
  }
  decoder.AddInterrupts(tracefs, "irq_vectors");  // x86
  decoder.AddInterrupts(tracefs, "ipi");          // Arm
  return decoder;
}

TraceDecoder::Timer& TraceDecoder::TimerAt(std::int64_t address) {
  // Timers lie in structures of tens to hundreds of bytes; Knuth's multiplicative hash spreads them.
  const auto hash = static_cast<std::uint64_t>(address) * 0x9E3779B97F4A7C15u;
  return timers_[hash >> 54];
}

void TraceDecoder::Forget(std::int32_t tid, TraceNames& names) {
  Told& told = told_[static_cast<std::uint32_t>(tid) % kTold];
  if (told.tid == tid) told = {};
  names.ForgetTask(tid);
}

TraceEvent TraceDecoder::Switch(const Known& known, const std::byte* raw, TraceEvent event, TraceNames& names) {
  const auto& [next_pid, prev_pid, prev_state, next_prio, next_comm, prev_comm] = known.fields;
  event.tid = Int32(next_pid.Number(raw));
  event.other = Int32(prev_pid.Number(raw));
  event.state = StateFrom(prev_state.Number(raw));
  event.priority = static_cast<std::int16_t>(next_prio.Number(raw));
  const auto tell = [&](std::int32_t tid, const TraceField& field) {
    if (tid == 0) return;
    Told& told = told_[static_cast<std::uint32_t>(tid) % kTold];
    const auto comm = CommAt(field, raw);
    if (told.tid == tid && told.comm == comm) return;
    told = {tid, comm};
    names.SetTask(tid, comm);
  };
  tell(event.tid, next_comm);
  tell(event.other, prev_comm);
  return event;
}

std::optional<TraceEvent> TraceDecoder::Decode(Nanos at, int cpu, std::span<const std::byte> raw, TraceNames& names) {
  if (raw.size() < type_.offset + type_.size) return std::nullopt;
  const auto id = static_cast<std::size_t>(type_.Number(raw.data()));
  if (id >= by_id_.size()) return std::nullopt;
  const Known& known = by_id_[id];
  if (raw.size() < known.least_size) return std::nullopt;
  const auto number = [&](std::size_t field) { return known.fields[field].Number(raw.data()); };
  TraceEvent event = {.at = at, .cpu = static_cast<std::int16_t>(cpu), .kind = known.kind};
  switch (known.shape) {
    case Known::Shape::kUnknown:
      return std::nullopt;
    case Known::Shape::kSwitch:
      return Switch(known, raw.data(), event, names);
    case Known::Shape::kWaking:
      event.tid = Int32(number(0));
      event.value = number(1);
      event.priority = static_cast<std::int16_t>(number(2));
      event.other = Int32(pid_.Number(raw.data()));
      if (known.kind == Kind::kWakeupNew) {
        // CPUs are decoded one after another, so this may come after the task's later name on another CPU: then its
        // next switch must tell it anew.
        told_[static_cast<std::uint32_t>(event.tid) % kTold] = {};
        names.SetTask(event.tid, CommAt(known.fields[3], raw.data()));
      }
      return event;
    case Known::Shape::kMigrate:
      event.tid = Int32(number(0));
      event.value = number(1) << 32 | number(2);
      event.priority = static_cast<std::int16_t>(number(3));
      return event;
    case Known::Shape::kFork:
      event.tid = Int32(number(0));
      event.other = Int32(number(1));
      return event;
    case Known::Shape::kTask:
      event.tid = Int32(number(0));
      return event;
    case Known::Shape::kNumber:
      event.value = number(0);
      event.tid = Int32(pid_.Number(raw.data()));
      return event;
    case Known::Shape::kIdle: {
      // (u32)-1 is the exit (include/linux/cpuidle.h, PWR_EVENT_EXIT).
      const auto state = static_cast<std::uint32_t>(number(0));
      event.kind = state == UINT32_MAX ? Kind::kIdleExit : Kind::kIdleEnter;
      event.value = state == UINT32_MAX ? 0 : state;
      return event;
    }
    case Known::Shape::kVector:
      event.value = known.vector;
      event.tid = Int32(pid_.Number(raw.data()));
      return event;
    case Known::Shape::kMarker: {
      // Text to the end of the event, of which the kernel pads the tail with zeros.
      const auto text = raw.subspan(std::min(known.fields[0].offset, raw.size()));
      std::string_view marker(reinterpret_cast<const char*>(text.data()), text.size());
      marker = Trim(marker.substr(0, marker.find('\0')));
      if (!marker.starts_with(kTraceMarkerPrefix)) return std::nullopt;
      const auto part = std::find(parts_.begin(), parts_.end(), marker.substr(kTraceMarkerPrefix.size()));
      if (part == parts_.end()) return std::nullopt;
      event.value = part - parts_.begin();
      event.tid = Int32(pid_.Number(raw.data()));
      return event;
    }
    case Known::Shape::kTimerStart:
      TimerAt(number(0)) = {.address = number(0), .expires = number(1)};
      return std::nullopt;
    case Known::Shape::kTimerExpire: {
      Timer& timer = TimerAt(number(0));
      // One that has given way takes nothing from the timer that has its place.
      if (timer.address == number(0)) event.value = std::exchange(timer, {}).expires;
      event.tid = Int32(pid_.Number(raw.data()));
      return event;
    }
  }
  return std::nullopt;
}

}  // namespace corerig
