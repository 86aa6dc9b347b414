// The numbers of the fields that our Perfetto traces use. Source: Perfetto's protos/perfetto/trace, where each message
// has the file named beside it; tests/perfetto/trace.proto says the same as a schema.
#pragma once

#include <cstdint>

namespace corerig::perfetto {

// trace.proto, trace_packet.proto
constexpr std::uint32_t kTracePacket = 1;
struct Packet {
  static constexpr std::uint32_t kFtraceEvents = 1, kProcessTree = 2, kClockSnapshot = 6, kTimestamp = 8,
                                 kSequence = 10, kTrackEvent = 11, kSequenceFlags = 13, kPreviousPacketDropped = 42,
                                 kSystemInfo = 45, kTimestampClock = 58, kTrackDescriptor = 60,
                                 kFirstPacketOnSequence = 87;
  static constexpr std::uint32_t kIncrementalStateCleared = 1;  // of kSequenceFlags
};

// clock_snapshot.proto, builtin_clock.proto
struct ClockSnapshot {
  static constexpr std::uint32_t kClocks = 1, kPrimaryTraceClock = 2;
  static constexpr std::uint32_t kClockId = 1, kTimestamp = 2;  // of a clock
};
enum Clock : std::uint32_t { kRealtime = 1, kMonotonic = 3, kBoottime = 6 };

// system_info.proto
struct SystemInfo {
  static constexpr std::uint32_t kUtsname = 1, kCpus = 8;
  static constexpr std::uint32_t kSysname = 1, kVersion = 2, kRelease = 3, kMachine = 4;  // of kUtsname
};

// process_tree.proto
struct ProcessTree {
  static constexpr std::uint32_t kProcesses = 1, kThreads = 2;
  static constexpr std::uint32_t kPid = 1, kParentPid = 2, kCommandLine = 3;   // of a process
  static constexpr std::uint32_t kTid = 1, kThreadName = 2, kThreadGroup = 3;  // of a thread
};

// track_descriptor.proto, counter_descriptor.proto
struct TrackDescriptor {
  static constexpr std::uint32_t kUuid = 1, kName = 2, kParentUuid = 5, kCounter = 8;
  static constexpr std::uint32_t kUnit = 3, kUnitName = 6;  // of kCounter
};
enum CounterUnit : std::uint32_t { kUnitNanos = 1, kUnitCount = 2, kUnitBytes = 3 };

// track_event.proto, debug_annotation.proto
struct TrackEvent {
  static constexpr std::uint32_t kDebugAnnotations = 4, kType = 9, kTrackUuid = 11, kName = 23, kCounterValue = 30;
  static constexpr std::uint32_t kAnnotationInt = 4, kAnnotationText = 6, kAnnotationName = 10;
};
enum TrackEventType : std::uint32_t { kSliceBegin = 1, kSliceEnd = 2, kInstant = 3, kCounterSample = 4 };

// ftrace_event_bundle.proto
struct Bundle {
  static constexpr std::uint32_t kCpu = 1, kEvent = 2, kLostEvents = 3, kCompactSched = 4;
};
struct CompactSched {
  static constexpr std::uint32_t kSwitchTimestamp = 1, kSwitchPrevState = 2, kSwitchNextPid = 3, kSwitchNextPrio = 4,
                                 kInternTable = 5, kSwitchNextComm = 6, kWakingTimestamp = 7, kWakingPid = 8,
                                 kWakingTargetCpu = 9, kWakingPrio = 10, kWakingComm = 11, kWakingCommonFlags = 12;
};

// ftrace_event.proto; the events' own fields are in sched.proto, irq.proto, irq_vectors.proto and power.proto
struct FtraceEvent {
  static constexpr std::uint32_t kTimestamp = 1, kPid = 2, kCpuFrequency = 11, kCpuIdle = 13, kSoftirqEntry = 24,
                                 kSoftirqExit = 25, kIrqHandlerEntry = 36, kIrqHandlerExit = 37, kSchedWakeupNew = 114,
                                 kSchedProcessExec = 237, kSchedProcessExit = 238, kSchedProcessFork = 239,
                                 kSchedProcessFree = 240, kSchedMigrateTask = 491, kLocalTimerEntry = 559,
                                 kLocalTimerExit = 560;
};

}  // namespace corerig::perfetto
