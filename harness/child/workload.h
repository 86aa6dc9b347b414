// What a workload brings: fixed units of work, a result per worker, and how results merge into a checked answer.
//
// One file in scenarios/ holds it and one WorkloadType row. The same source serves every model of running: it does not
// know whether it runs in a process of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "harness/base/record.h"
#include "harness/base/result.h"
#include "harness/base/tally.h"
#include "harness/plan/plan.h"
#include "harness/plan/vocabulary.h"

namespace corerig {

// What one worker is to do.
struct WorkerJob {
  std::string group;
  int index = 0;  // of `workers`
  int workers = 1;
  std::uint64_t seed = 0;
  std::optional<std::uint64_t> units;  // of the whole group, in all shards; absent: until told to stop
  std::vector<Parameter> parameters;
  int shard = 0;  // of `shards`: the parts of a run that are computed apart, each by `workers` of its own
  int shards = 1;

  // This worker does units FirstUnit(), FirstUnit() + UnitStep(), …: `UnitsOfWorker` of them when `units` is fixed; 0
  // when it is not.
  std::uint64_t FirstUnit() const;
  std::uint64_t UnitStep() const;
  std::uint64_t UnitsOfWorker() const;
  // The parameter's value; the scenario reader has checked that it is there and of its kind.
  double Number(std::string_view parameter) const { return NumberOf(parameters, parameter); }
  Nanos Duration(std::string_view parameter) const { return DurationOf(parameters, parameter); }
  Bytes Size(std::string_view parameter) const { return SizeOf(parameters, parameter); }
  std::string_view Word(std::string_view parameter) const { return WordOf(parameters, parameter); }
};

// What a group's workers only read, such as rows of a file: loaded once for all workers of a process. It holds no
// descriptors and no threads: forked workers have its memory alone.
class WorkloadInput {
 public:
  virtual ~WorkloadInput() = default;
};

// What a worker finds beside its job.
struct Surroundings {
  const WorkloadInput* input = nullptr;  // what `load` made; outlives the worker
  // Memory that all workers of the group read and write, zeroed at first: for what they compute together. Empty where a
  // group is only checked, before anything starts.
  std::span<std::byte> exchange = {};
  // Whether the worker is to end: for a unit that waits for other workers. Empty: never.
  std::function<bool()> told_to_stop = {};
};

// One worker's computation. Made, driven and destroyed on one thread.
class Workload {
 public:
  virtual ~Workload() = default;
  // Does unit `unit` (the group's numbering). Returns within some milliseconds, so that a worker stops soon when told
  // to; a real-time worker's unit that takes 2 s or more is killed as a runaway. May throw: what() is told as the
  // reason why the worker cannot go on.
  virtual void RunUnit(std::uint64_t unit) = 0;
  // Whether the last unit was left before its end because `told_to_stop` said so: it does not count as done.
  virtual bool CutShort() const { return false; }
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
  std::optional<Tally> tally = {};  // what it was concluded from, of workloads that have `conclude`
};

struct WorkloadType {
  WorkloadInfo info;
  // Fails if the parameters contradict each other; a message begins with the name of the one to change. Cheap: it is
  // also how a group is checked before anything starts.
  Result<std::unique_ptr<Workload>> (*make)(const WorkerJob&, const Surroundings&) = nullptr;
  // The most bytes a worker's result can take; its slab is made that much larger.
  std::size_t (*result_size)(const WorkerJob&) = nullptr;
  // `job` is worker 0's. Results of workers that died are missing; the rest is merged and the answer says over how many
  // units.
  Result<Answer> (*merge)(const WorkerJob& job, std::span<const WorkerResult> results) = nullptr;
  // Present if the answer is a function of one Tally: shards of a run can then be computed apart and merged. The tally
  // may come from a file: fails if it has another number of sums than this workload's.
  Result<Answer> (*conclude)(const WorkerJob& job, const Tally& tally) = nullptr;
  // Present if its workers share an input. Fails with what is wrong with it: "data.csv:17: 5 columns, the first row has
  // 6".
  Result<std::unique_ptr<WorkloadInput>> (*load)(const WorkerJob&) = nullptr;
  // Present if its workers exchange something: how many bytes they need for that; 0: none, with these parameters.
  std::size_t (*exchange_size)(const WorkerJob&) = nullptr;
};

}  // namespace corerig
