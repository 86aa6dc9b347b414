// Where a run has no scheduling trace: the kernel's records of its own tasks' switches, if it gives those.
//
//   SwitchWatch watch(plan, tracing.absent());   // does nothing where there is a trace
//   watch.Follow(children);                      // all armed, none started
//   watch.SetWindow(begin, end);
//   watch.Read();                                // every kInterval, while active()
//   watch.Stop();                                // when all have ended
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/base/record.h"
#include "harness/measure/switch_records.h"
#include "harness/plan/plan.h"
#include "harness/run/supervised_child.h"

namespace corerig {

class SwitchWatch {
 public:
  // The rings hold two seconds of what is expected.
  static constexpr Nanos kInterval = std::chrono::milliseconds(100);

  // `no_trace`: why there is no trace; empty if there is one.
  SwitchWatch(const Plan& plan, const std::string& no_trace);

  void Follow(const std::vector<SupervisedChild>& children);
  void SetWindow(Nanos begin, Nanos end);
  void Read();
  void Stop();
  bool active() const { return records_ != nullptr; }

  // After Stop.
  SwitchesRecord Record() const;

 private:
  Status FollowAll(const std::vector<SupervisedChild>& children);

  const Plan& plan_;
  ProcFs procfs_;
  std::vector<std::string> parts_;
  std::unique_ptr<SwitchRecords> records_;
  std::string absent_, too_small_;
};

}  // namespace corerig
