#include "harness/run/supervised_child.h"

#include "harness/os/clock.h"

namespace corerig {
namespace {

// What a thread that has ended said of itself at its end.
Result<SchedulingReading> EndOfThread(const SlabHeader& header) {
  const auto& end = header.thread_end;
  const auto nanos = [](const Counter& counter) { return Nanos(static_cast<std::int64_t>(counter.Get())); };
  if (end.at.Get() == 0) return Fail("the thread ended without its last figures");
  // The workload could write there, by mistake. Of times that shows: none is longer than the board is up.
  const Nanos now = MonotonicNow();
  for (const Counter* each : {&end.at, &end.run, &end.wait}) {
    if (nanos(*each) < Nanos(0) || nanos(*each) > now) return Fail("the thread's last figures were overwritten");
  }
  return SchedulingReading{.at = nanos(end.at),
                           .run = nanos(end.run),
                           .wait = nanos(end.wait),
                           .timeslices = end.timeslices.Get(),
                           .voluntary = end.voluntary.Get(),
                           .involuntary = end.involuntary.Get(),
                           .migrations = std::nullopt,
                           .minor_faults = end.minor_faults.Get(),
                           .major_faults = end.major_faults.Get()};
}

}  // namespace

Result<SchedulingReading> SupervisedChild::ReadScheduling(const ProcFs& procfs) {
  if (tree) return tree->Read();
  if (!is_thread()) return ReadProcess(procfs, pid());
  auto reading = ReadThread(procfs, pid(), tid());
  return reading ? reading : EndOfThread(header());
}

}  // namespace corerig
