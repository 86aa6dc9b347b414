// What tests of workloads do to one: run it as worker N of a group, and merge what the workers leave.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/child/workload.h"

namespace corerig {

class WorkloadGroup {
 public:
  // Parameters that are not named have their defaults.
  explicit WorkloadGroup(const WorkloadType& type, const std::vector<Parameter>& parameters = {}, int workers = 1);

  WorkerJob& job() { return job_; }
  // Fails as the workload does.
  Result<std::unique_ptr<Workload>> Make(int index = 0, const Surroundings& surroundings = {}) const;
  std::string Refusal() const;  // why it cannot be made; "none" if it can

  // What this worker leaves behind.
  std::vector<std::byte> ResultOf(const Workload& workload) const;
  // The results of workers 0, 1, ….
  Result<Answer> Merge(const std::vector<std::vector<std::byte>>& results) const;

 private:
  const WorkloadType& type_;
  WorkerJob job_;
};

// NaN if there is none of that name.
double FigureOf(const Answer& answer, std::string_view name);

// What a damaged slab may hold: merging each of many mutations of `result` gives an answer, or fails with a message;
// neither crashes nor is empty.
void ExpectThatMergeEndures(const WorkloadGroup& group, const std::vector<std::byte>& result);

}  // namespace corerig
