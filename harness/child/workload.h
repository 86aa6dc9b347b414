// What a workload brings: fixed units of work, a result per worker, and how results merge into a checked answer.
//
// One file in scenarios/ holds it and one WorkloadType row. The same source serves every model of running: it does not
// know whether it runs in a process of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "harness/base/record.h"
#include "harness/base/result.h"
#include "harness/plan/plan.h"
#include "harness/plan/vocabulary.h"

namespace corerig {

// What one worker is to do.
struct WorkerJob {
  std::string group;
  int index = 0;  // of `workers`
  int workers = 1;
  std::uint64_t seed = 0;
  std::optional<std::uint64_t> units;  // of the whole group; absent: until told to stop
  std::vector<Parameter> parameters;

  // This worker does units index, index + workers, index + 2·workers, …: `UnitsOfWorker` of them when `units` is fixed;
  // 0 when it is not.
  std::uint64_t UnitsOfWorker() const;
  // The parameter's value; the scenario reader has checked that it is there and of its kind.
  double Number(std::string_view parameter) const { return NumberOf(parameters, parameter); }
  std::string_view Word(std::string_view parameter) const { return WordOf(parameters, parameter); }
};

// One worker's computation. Made, driven and destroyed on one thread.
class Workload {
 public:
  virtual ~Workload() = default;
  // Does unit `unit` (the group's numbering). Returns within some milliseconds, so that a worker stops soon when told
  // to; a real-time worker's unit that takes 2 s or more is killed as a runaway.
  virtual void RunUnit(std::uint64_t unit) = 0;
  // What the units done so far come to, in at most ResultSize(job) bytes; returns the size. Plain values, no pointers.
  virtual std::size_t WriteResult(std::span<std::byte> out) const = 0;
};

// A worker's result as the supervisor received it: whole, its checksum verified, its content still untrusted.
struct WorkerResult {
  int index = 0;
  std::span<const std::byte> bytes;
};

// The answer of a group. Runs in the supervisor.
struct Answer {
  std::uint64_t units = 0;
  std::vector<Figure> figures;
  std::optional<CheckRecord> check;
};

struct WorkloadType {
  WorkloadInfo info;
  // Fails if the parameters contradict each other.
  Result<std::unique_ptr<Workload>> (*make)(const WorkerJob&) = nullptr;
  // The most bytes a worker's result can take; its slab is made that much larger.
  std::size_t (*result_size)(const WorkerJob&) = nullptr;
  // `job` is worker 0's. Results of workers that died are missing; the rest is merged and the answer says over how many
  // units.
  Result<Answer> (*merge)(const WorkerJob& job, std::span<const WorkerResult> results) = nullptr;
};

}  // namespace corerig
