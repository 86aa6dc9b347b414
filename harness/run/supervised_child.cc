#include "harness/run/supervised_child.h"

namespace corerig {
namespace {

// What a thread that has ended said of itself at its end.
Result<SchedulingReading> EndOfThread(const SlabHeader& header) {
  const auto& end = header.thread_end;
  const auto nanos = [](const Counter& counter) { return Nanos(static_cast<std::int64_t>(counter.Get())); };
  if (end.at.Get() == 0) return Fail("the thread ended without its last figures");
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
