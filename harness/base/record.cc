#include "harness/base/record.h"

#include "harness/base/quantity.h"
#include "harness/base/text.h"

namespace corerig {

std::string_view ToText(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "PASS";
    case Verdict::kFail:
      return "FAIL";
    case Verdict::kUndecided:
      return "UNDECIDED";
    case Verdict::kSkipped:
      return "SKIPPED";
  }
  return {};
}

// 1 is left to wrong use and internal errors.
int ExitCode(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return 0;
    case Verdict::kFail:
      return 2;
    case Verdict::kUndecided:
      return 3;
    case Verdict::kSkipped:
      return 4;
  }
  return 1;
}

int Severity(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFail:
      return 3;
    case Verdict::kUndecided:
      return 2;
    case Verdict::kSkipped:
      return 1;
    case Verdict::kPass:
      return 0;
  }
  return 0;
}

std::string_view ToText(EndRecord::Kind kind) {
  switch (kind) {
    case EndRecord::Kind::kExited:
      return "exited";
    case EndRecord::Kind::kSignalled:
      return "signalled";
    case EndRecord::Kind::kTimedOut:
      return "timed_out";
    case EndRecord::Kind::kKilledForMemory:
      return "killed_for_memory";
    case EndRecord::Kind::kFailedToStart:
      return "failed_to_start";
    case EndRecord::Kind::kRunning:
      return "running";
  }
  return {};
}

std::string_view ToText(MemoryTrend::Verdict verdict) {
  switch (verdict) {
    case MemoryTrend::Verdict::kGrows:
      return "grows";
    case MemoryTrend::Verdict::kSteady:
      return "steady";
    case MemoryTrend::Verdict::kUndecided:
      return "undecided";
  }
  return {};
}

std::string_view ToText(MemoryLimitRecord::By by) {
  switch (by) {
    case MemoryLimitRecord::By::kGroup:
      return "cgroup";
    case MemoryLimitRecord::By::kSampling:
      return "sampling";
    case MemoryLimitRecord::By::kAddressSpace:
      return "address-space";
  }
  return {};
}

std::string_view ToText(SpikeCause::Kind kind) {
  using Kind = SpikeCause::Kind;
  switch (kind) {
    case Kind::kUsual:
      return "usual";
    case Kind::kTimerLate:
      return "timer_late";
    case Kind::kIdleExit:
      return "idle_exit";
    case Kind::kCoreHeld:
      return "core_held";
    case Kind::kInterrupt:
      return "interrupt";
    case Kind::kSourceBusy:
      return "source_busy";
    case Kind::kNoRoom:
      return "no_room";
    case Kind::kEarlierCallback:
      return "earlier_callback";
    case Kind::kCallback:
      return "callback";
    case Kind::kBlocked:
      return "blocked";
    case Kind::kPageFault:
      return "page_fault";
    case Kind::kUnexplained:
      return "unexplained";
    case Kind::kLateness:
      return "lateness";
    case Kind::kTransport:
      return "transport";
    case Kind::kQueue:
      return "queue";
    case Kind::kService:
      return "service";
  }
  return {};
}

std::string_view ToText(CounterKind kind) {
  switch (kind) {
    case CounterKind::kTaskClock:
      return "task_clock";
    case CounterKind::kContextSwitches:
      return "context_switches";
    case CounterKind::kMigrations:
      return "migrations";
    case CounterKind::kMinorFaults:
      return "minor_faults";
    case CounterKind::kMajorFaults:
      return "major_faults";
    case CounterKind::kCycles:
      return "cycles";
    case CounterKind::kInstructions:
      return "instructions";
    case CounterKind::kCacheReferences:
      return "cache_references";
    case CounterKind::kCacheMisses:
      return "cache_misses";
    case CounterKind::kBranchMisses:
      return "branch_misses";
  }
  return {};
}

std::string Describe(const BreakRecord& at) {
  return StrCat("stream ", at.stream, " sample ", at.sample, " was ",
                FormatDuration(static_cast<double>((at.done - at.due).count())), " late, limit ",
                FormatDuration(static_cast<double>(at.limit.count())), " (break)");
}

std::string Describe(const EndRecord& end) {
  const std::string because = end.detail.empty() ? "" : StrCat(": ", end.detail);
  switch (end.kind) {
    case EndRecord::Kind::kExited:
      // Its status says nothing is wrong; the detail says what is: "exited 0 without a result".
      if (end.number == 0 && !end.detail.empty()) return StrCat("exited 0 ", end.detail);
      return StrCat("exited ", end.number, because);
    case EndRecord::Kind::kSignalled:
      if (end.detail.starts_with("SIG")) return StrCat(end.as_planned ? "ended by " : "killed by ", end.detail);
      if (end.detail.starts_with("killed ")) return end.detail;
      return end.number == 0 ? StrCat("killed", because) : StrCat("killed by signal ", end.number, because);
    case EndRecord::Kind::kTimedOut:
      return StrCat("timed out", because);
    case EndRecord::Kind::kKilledForMemory:
      return StrCat("killed for memory", because);
    case EndRecord::Kind::kFailedToStart:
      return StrCat("failed to start", because);
    case EndRecord::Kind::kRunning:
      return StrCat("has not ended", because);
  }
  return {};
}

}  // namespace corerig
