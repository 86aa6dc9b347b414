// A run as a native Perfetto trace: a track per core and per task from the scheduling trace, a track per stream with
// its late samples, counters. For the Perfetto UI and its trace processor; fields: perfetto_fields.h.
//
//   auto trace = PerfettoTrace::Create({.file = folder + "/trace.perfetto-trace", .anchor = ReadAnchor(),
//                                       .kernel = board.kernel, .machine = board.machine, .cpus = 4});
//   const auto imu = (*trace)->AddStream("imu");
//   const auto depth = (*trace)->AddCounter(imu, "imu queue", PerfettoTrace::Unit::kCount, "frames");
//   (*trace)->NameProcess(at, pid, "worker price.0", {{pid, "worker price.0"}});
//   (*trace)->OnEvents(batch, names);                       // the reader's thread
//   (*trace)->LateSample(imu, {.number = 41, .due = due, .done = done, .reason = "runnable, not running"});
//   (*trace)->Counter(depth, at, 3);
//   if (Status written = (*trace)->Finish(5s); !written) ... // "FILE: No space left on device; 812 events are missing"
//
// Nothing here waits for the disk, but Create, Drain and Finish: what the disk does not take in time is dropped() and
// counted, and the file stays readable. Times are CLOCK_MONOTONIC, and so is the time that Perfetto shows: that of
// report.json. Takes 512 KiB for what waits to be written, touched as it fills, and 18 KiB per core (from 32 cores on
// 0.6 MiB in all). A switch or a waking takes 27 ns of the reader's thread and nine bytes of the file
// (tests/bench/perfetto_bench.cc). What is shown of a core where events were lost: core_events.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/record.h"
#include "harness/base/result.h"
#include "harness/base/trace_event.h"
#include "harness/base/units.h"
#include "harness/report/chunk_writer.h"
#include "harness/report/core_events.h"

namespace corerig {

class PerfettoTrace {
 public:
  struct Options {
    std::string file = {};
    Anchor anchor = {};        // an instant of the run, before its events
    std::string kernel = {};   // "6.1.0-18-arm64 #1 SMP …", as BoardRecord has it
    std::string machine = {};  // "aarch64"
    int cpus = 1;              // one more than the highest number of a CPU
  };
  // A row of the UI, or several below one name.
  struct Track {
    std::uint64_t uuid = 0;
  };
  enum class Unit { kBytes, kNanos, kCount };
  struct Thread {
    std::int32_t tid = 0;
    std::string name;
  };
  struct Late {
    std::uint64_t number = 0;  // of the sample in its stream
    Nanos due{0}, done{0};
    std::string_view reason = {};  // why it was late, if that is known; cut to 1000 bytes
  };

  // Creates the file and the thread that writes it. To be called by a thread whose affinity suits the writer's.
  static Result<std::unique_ptr<PerfettoTrace>> Create(const Options& options);
  // The same into any sink.
  static Result<std::unique_ptr<PerfettoTrace>> Create(const Options& options, ChunkSink sink);

  // The scheduling trace, batch by batch. One thread; allocates nothing but for an interrupt that is new. The names of
  // the batch's tasks must still be known, those of tasks that ended in it too. An event of a CPU beyond
  // Options::cpus is dropped.
  void OnEvents(std::span<const TraceEvent> events, const TraceNames& names);

  // All that follow: any thread, one after the other.

  // A track for a stream, below "streams"; slices that overlap get rows of their own.
  Track AddStream(std::string_view name);
  // A track that holds others: "memory".
  Track AddGroup(std::string_view name);
  // A counter below a stream or a group. `unit_name` says what kCount counts: "frames".
  Track AddCounter(Track parent, std::string_view name, Unit unit, std::string_view unit_name = {});

  // What a process of the scheduling trace and its threads are for, the main thread among them: takes the place of
  // their command names in all of the trace. To be called once it is known, and again for threads found later.
  void NameProcess(Nanos at, std::int32_t pid, std::string_view name, const std::vector<Thread>& threads);

  // A slice from due to done. A stream's samples come in the order of `done`.
  void LateSample(Track stream, const Late& late);
  void Counter(Track counter, Nanos at, std::int64_t value);

  // Waits until all chunks that were filled are written, for a producer that may wait; false if the disk takes nothing
  // for `patience`. Any thread.
  bool Drain(std::chrono::milliseconds patience) { return writer_->Drain(patience); }

  // Writes what is left; nothing may be called any more, but dropped(). A disk that takes nothing for `patience` is
  // given up. Fails if anything is missing from the file.
  Status Finish(std::chrono::milliseconds patience);

  // Events, samples and counter values that are not in the file.
  std::uint64_t dropped() const { return writer_->lost_events(); }

 private:
  struct Stream {
    Track track;
    std::string name;
    std::vector<Nanos> rows_end;  // where the last slice of each of its rows ends
  };

  PerfettoTrace(const Options& options, std::unique_ptr<ChunkWriter> writer);

  void WriteCore(CoreEvents& core);
  void LoseScheduling(std::uint64_t events);
  void BreakAllCores();
  // Adds packets that `write` writes, which tell `events` events; mutex_ is held.
  template <typename Write>
  void Put(std::uint64_t events, Write write);
  // The same for a packet that others need: told again at the end if anything was lost.
  template <typename Write>
  void Describe(Write write);
  void HandOverEverySecond(Nanos now);

  const std::string file_;
  const std::unique_ptr<ChunkWriter> writer_;

  // The reader's thread.
  ChunkWriter::Lane& scheduling_;
  CoreEncoding encoding_;
  InterruptNames interrupts_;
  std::vector<std::unique_ptr<CoreEvents>> cores_;
  std::uint32_t batch_ = 0;
  std::uint64_t scheduling_losses_ = 0;
  Nanos scheduling_handed_{0};

  // All the others'.
  std::mutex mutex_;
  ChunkWriter::Lane& rest_;
  std::vector<Stream> streams_;
  std::uint64_t next_uuid_;
  std::vector<std::string> descriptions_;  // packets that others need
  Nanos rest_handed_{0};
};

}  // namespace corerig
