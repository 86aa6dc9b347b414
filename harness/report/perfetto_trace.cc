#include "harness/report/perfetto_trace.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "harness/base/text.h"
#include "harness/report/perfetto_fields.h"
#include "harness/report/track_event.h"

namespace corerig {

using namespace perfetto;

namespace {

// Chunks of the scheduling trace and of all else: 512 KiB, two seconds of a usual trace.
constexpr int kSchedulingChunks = 6, kOtherChunks = 2;
// Rows of all cores together; a core has at most CoreEvents::kMaxRows.
constexpr int kRows = 8192;
// Slices of a stream that overlap, in rows of their own: as many as still can be told apart.
constexpr std::size_t kStreamRows = 16;
constexpr std::size_t kMaxText = 1000;
// So much of a trace is missing at most if the process is killed.
constexpr Nanos kHandOverEvery = std::chrono::seconds(1);

// Packet sequences: what each thread writes is in order.
constexpr std::uint32_t kSchedulingSequence = 1, kOtherSequence = 2;

constexpr std::uint64_t kCoresTrack = 1, kStreamsTrack = 2, kFirstOwnTrack = 3;
// Where the tracks of cores begin: beyond all that a run can have of others.
constexpr std::uint64_t kFirstCoreTrack = 1ull << 32;

void WriteFirst(ProtoWriter& writer) {
  writer.Number(Packet::kSequenceFlags, Packet::kIncrementalStateCleared);
  writer.Number(Packet::kFirstPacketOnSequence, 1);
}

void WriteClocks(ProtoWriter& writer, const Anchor& anchor) {
  const auto snapshot = writer.Open(Packet::kClockSnapshot);
  const auto clock = [&](Clock id, Nanos at) {
    const auto one = writer.Open(ClockSnapshot::kClocks);
    writer.Number(ClockSnapshot::kClockId, id);
    writer.Signed(ClockSnapshot::kTimestamp, at.count());
  };
  clock(kMonotonic, anchor.monotonic);
  clock(kRealtime, anchor.realtime);
  clock(kBoottime, anchor.boottime);
  // The time that Perfetto shows.
  writer.Number(ClockSnapshot::kPrimaryTraceClock, kMonotonic);
}

void WriteSystem(ProtoWriter& writer, const PerfettoTrace::Options& options) {
  const auto system = writer.Open(Packet::kSystemInfo);
  writer.Number(SystemInfo::kCpus, static_cast<std::uint64_t>(options.cpus));
  const auto utsname = writer.Open(SystemInfo::kUtsname);
  const std::string_view kernel = std::string_view(options.kernel).substr(0, kMaxText);
  const std::size_t blank = std::min(kernel.find(' '), kernel.size());
  writer.Text(SystemInfo::kSysname, "Linux");
  writer.Text(SystemInfo::kRelease, kernel.substr(0, blank));
  writer.Text(SystemInfo::kVersion, kernel.substr(std::min(blank + 1, kernel.size())));
  writer.Text(SystemInfo::kMachine, std::string_view(options.machine).substr(0, kMaxText));
}

// What every reader of the file needs first.
std::vector<std::uint8_t> Head(const PerfettoTrace::Options& options) {
  std::array<std::uint8_t, 8192> room;
  ProtoWriter writer(room);
  WritePacket(writer, kSchedulingSequence, [&] {
    WriteFirst(writer);
    WriteClocks(writer, options.anchor);
  });
  WritePacket(writer, kSchedulingSequence, [&] {
    writer.Signed(Packet::kTimestamp, options.anchor.monotonic.count());
    writer.Number(Packet::kTimestampClock, kMonotonic);
    WriteSystem(writer, options);
  });
  WritePacket(writer, kSchedulingSequence, [&] { WriteTrackDescriptor(writer, kCoresTrack, 0, "cores", [] {}); });
  WritePacket(writer, kOtherSequence, [&] {
    WriteFirst(writer);
    WriteTrackDescriptor(writer, kStreamsTrack, 0, "streams", [] {});
  });
  return {room.data(), room.data() + writer.size()};
}

}  // namespace

Result<std::unique_ptr<PerfettoTrace>> PerfettoTrace::Create(const Options& options) {
  auto sink = ChunkFile(options.file);
  if (!sink) return Forward(sink);
  return Create(options, *std::move(sink));
}

Result<std::unique_ptr<PerfettoTrace>> PerfettoTrace::Create(const Options& options, ChunkSink sink) {
  if (const int error = sink(Head(options))) {
    return Fail(options.file, ": cannot be written: ", std::strerror(error),
                "; make room, or choose a folder with room");
  }
  auto writer = ChunkWriter::Start(std::move(sink), {kSchedulingChunks, kOtherChunks});
  if (!writer) return Forward(writer);
  return std::unique_ptr<PerfettoTrace>(new PerfettoTrace(options, *std::move(writer)));
}

PerfettoTrace::PerfettoTrace(const Options& options, std::unique_ptr<ChunkWriter> writer)
    : file_(options.file),
      writer_(std::move(writer)),
      scheduling_(writer_->lane(0)),
      rest_(writer_->lane(1)),
      next_uuid_(kFirstOwnTrack) {
  encoding_.boottime_offset = options.anchor.boottime - options.anchor.monotonic;
  encoding_.sequence = kSchedulingSequence;
  encoding_.parent_track = kCoresTrack;
  encoding_.first_track_uuid = kFirstCoreTrack;
  encoding_.SetKernel(options.kernel);
  const int cpus = std::max(options.cpus, 1);
  for (int cpu = 0; cpu < cpus; ++cpu) {
    cores_.push_back(std::make_unique<CoreEvents>(cpu, kRows / cpus, encoding_, interrupts_));
  }
}

void PerfettoTrace::OnEvents(std::span<const TraceEvent> events, const TraceNames& names) {
  if (events.empty()) return;
  ++batch_;
  if (scheduling_losses_ != scheduling_.losses()) BreakAllCores();
  std::uint64_t unknown = 0;
  for (const TraceEvent& event : events) {
    const auto cpu = static_cast<std::size_t>(event.cpu);
    if (cpu >= cores_.size()) [[unlikely]] {  // a negative one too
      ++unknown;
      continue;
    }
    CoreEvents& core = *cores_[cpu];
    if (core.MustWait(event)) [[unlikely]]
      WriteCore(core);
    core.Add(event, names, batch_);
  }
  if (unknown > 0) LoseScheduling(unknown);
  const Nanos now = events.back().at;
  if (now - scheduling_handed_ < kHandOverEvery) return;
  scheduling_handed_ = now;
  for (auto& core : cores_) WriteCore(*core);
  scheduling_.HandOver();
}

void PerfettoTrace::WriteCore(CoreEvents& core) {
  if (core.empty()) return;
  // Into what is left of the chunk, or else into the next.
  for (int attempt = 0; attempt < 2; ++attempt) {
    ProtoWriter writer(scheduling_.room());
    core.Encode(writer);
    if (!writer.overflowed()) {
      scheduling_.Commit(writer.size(), core.events());
      core.Clear();
      return;
    }
    scheduling_.HandOver();
  }
  LoseScheduling(core.events());
  core.Drop();
  core.Break();
}

// A loss that concerns no other core.
void PerfettoTrace::LoseScheduling(std::uint64_t events) {
  scheduling_.Lose(events);
  ++scheduling_losses_;
}

// Chunks did not get to the disk: whose events they held is not known.
void PerfettoTrace::BreakAllCores() {
  scheduling_losses_ = scheduling_.losses();
  for (auto& core : cores_) {
    // Who left the core at the first of the switches held depends on those that are lost.
    if (!core->empty()) LoseScheduling(core->events());
    core->Drop();
    core->Break();
  }
}

template <typename Write>
void PerfettoTrace::Put(std::uint64_t events, Write write) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    ProtoWriter writer(rest_.room());
    write(writer);
    if (!writer.overflowed()) {
      rest_.Commit(writer.size(), events);
      return;
    }
    rest_.HandOver();
  }
  rest_.Lose(events);
}

template <typename Write>
void PerfettoTrace::Describe(Write write) {
  std::array<std::uint8_t, 4096> room;
  ProtoWriter writer(room);
  WritePacket(writer, kOtherSequence, [&] { write(writer); });
  if (writer.overflowed()) return;
  const std::string_view packet(reinterpret_cast<const char*>(room.data()), writer.size());
  descriptions_.emplace_back(packet);
  Put(0, [&](ProtoWriter& to) { to.Bytes(packet); });
}

PerfettoTrace::Track PerfettoTrace::AddGroup(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t uuid = next_uuid_++;
  Describe([&](ProtoWriter& writer) { WriteTrackDescriptor(writer, uuid, 0, name.substr(0, kMaxText), [] {}); });
  return {uuid};
}

PerfettoTrace::Track PerfettoTrace::AddStream(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const std::string_view cut = name.substr(0, kMaxText);
  // The uuids of all its rows; a row is described when it is first used.
  const std::uint64_t uuid = next_uuid_;
  next_uuid_ += kStreamRows;
  streams_.push_back({.track = {uuid}, .name = std::string(cut), .rows_end = {Nanos::min()}});
  Describe([&](ProtoWriter& writer) { WriteTrackDescriptor(writer, uuid, kStreamsTrack, cut, [] {}); });
  return {uuid};
}

PerfettoTrace::Track PerfettoTrace::AddCounter(Track parent, std::string_view name, Unit unit,
                                               std::string_view unit_name) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t uuid = next_uuid_++;
  Describe([&](ProtoWriter& writer) {
    WriteTrackDescriptor(writer, uuid, parent.uuid, name.substr(0, kMaxText), [&] {
      const auto counter = writer.Open(TrackDescriptor::kCounter);
      const CounterUnit code = unit == Unit::kBytes ? kUnitBytes : unit == Unit::kNanos ? kUnitNanos : kUnitCount;
      writer.Number(TrackDescriptor::kUnit, code);
      if (!unit_name.empty()) writer.Text(TrackDescriptor::kUnitName, unit_name.substr(0, kMaxText));
    });
  });
  return {uuid};
}

void PerfettoTrace::NameProcess(Nanos at, std::int32_t pid, std::string_view name, const std::vector<Thread>& threads) {
  const std::lock_guard lock(mutex_);
  const auto describe = [&](auto write) {
    Describe([&](ProtoWriter& writer) {
      writer.Signed(Packet::kTimestamp, at.count());
      writer.Number(Packet::kTimestampClock, kMonotonic);
      const auto tree = writer.Open(Packet::kProcessTree);
      write(writer);
    });
  };
  describe([&](ProtoWriter& writer) {
    const auto process = writer.Open(ProcessTree::kProcesses);
    writer.Signed(ProcessTree::kPid, pid);
    writer.Text(ProcessTree::kCommandLine, name.substr(0, kMaxText));
    // A command line of one word that has blanks is cut at the first by Perfetto's importer; this is one of two words.
    writer.Text(ProcessTree::kCommandLine, "");
  });
  for (const Thread& thread : threads) {
    describe([&](ProtoWriter& writer) {
      const auto one = writer.Open(ProcessTree::kThreads);
      writer.Signed(ProcessTree::kTid, thread.tid);
      writer.Signed(ProcessTree::kThreadGroup, pid);
      writer.Text(ProcessTree::kThreadName, std::string_view(thread.name).substr(0, kMaxText));
    });
  }
}

void PerfettoTrace::LateSample(Track stream, const Late& late) {
  const std::lock_guard lock(mutex_);
  const auto at =
      std::find_if(streams_.begin(), streams_.end(), [&](const Stream& one) { return one.track.uuid == stream.uuid; });
  if (at == streams_.end()) return;
  // Slices of one row must not overlap. Perfetto shows tracks of one name and parent as one, row below row.
  std::vector<Nanos>& rows = at->rows_end;
  auto row = std::find_if(rows.begin(), rows.end(), [&](Nanos end) { return end <= late.due; });
  if (row == rows.end() && rows.size() < kStreamRows) {
    const std::uint64_t added = stream.uuid + rows.size();
    Describe([&](ProtoWriter& writer) { WriteTrackDescriptor(writer, added, kStreamsTrack, at->name, [] {}); });
    row = rows.insert(rows.end(), Nanos::min());
  }
  const bool slice = row != rows.end();  // else an instant when it was done: no row is free
  const std::uint64_t uuid = stream.uuid + (slice ? static_cast<std::uint64_t>(row - rows.begin()) : 0);
  Put(1, [&](ProtoWriter& writer) {
    WritePacket(writer, kOtherSequence, [&] {
      WriteTrackEvent(writer, slice ? late.due : late.done, slice ? kSliceBegin : kInstant, uuid, [&] {
        writer.Text(TrackEvent::kName, "late sample");
        Annotate(writer, "sample", static_cast<std::int64_t>(late.number));
        Annotate(writer, "latency ns", (late.done - late.due).count());
        if (!late.reason.empty()) Annotate(writer, "reason", late.reason.substr(0, kMaxText));
      });
    });
    if (!slice) return;
    WritePacket(writer, kOtherSequence, [&] { WriteTrackEvent(writer, late.done, kSliceEnd, uuid, [] {}); });
  });
  if (slice) *row = late.done;
  HandOverEverySecond(late.done);
}

void PerfettoTrace::Counter(Track counter, Nanos at, std::int64_t value) {
  const std::lock_guard lock(mutex_);
  Put(1, [&](ProtoWriter& writer) {
    WritePacket(writer, kOtherSequence, [&] {
      WriteTrackEvent(writer, at, kCounterSample, counter.uuid,
                      [&] { writer.Signed(TrackEvent::kCounterValue, value); });
    });
  });
  HandOverEverySecond(at);
}

void PerfettoTrace::HandOverEverySecond(Nanos now) {
  if (now - rest_handed_ < kHandOverEvery) return;
  rest_handed_ = now;
  rest_.HandOver();
}

Status PerfettoTrace::Finish(std::chrono::milliseconds patience) {
  const std::lock_guard lock(mutex_);
  // A disk that is only slow makes room for the last events.
  writer_->Drain(patience);
  for (auto& core : cores_) WriteCore(*core);
  if (scheduling_.losses() + rest_.losses() > 0) {
    for (const std::string& packet : descriptions_) Put(0, [&](ProtoWriter& to) { to.Bytes(packet); });
  }
  const Status written = writer_->Finish(patience);
  const std::uint64_t missing = dropped();
  if (!written) return Fail(file_, ": ", written.error().message, "; ", missing, " events are missing from the trace");
  if (missing > 0) {
    return Fail(file_, ": the disk was too slow; ", missing, " events are missing from the trace");
  }
  return {};
}

}  // namespace corerig
