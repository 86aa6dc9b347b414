#include "scenarios/worker_results.h"

#include <vector>

#include "harness/base/text.h"

namespace corerig {

std::string NameOf(const WorkerJob& job, const WorkerResult& result) {
  return StrCat("worker ", job.group, ".", result.index);
}

Status CheckSenders(const WorkerJob& job, std::span<const WorkerResult> results) {
  std::vector<bool> seen(static_cast<std::size_t>(job.workers));
  for (const WorkerResult& result : results) {
    const std::string name = NameOf(job, result);
    if (result.index < 0 || result.index >= job.workers) {
      return Fail(name, ": there are only ", job.workers, " workers");
    }
    if (seen[static_cast<std::size_t>(result.index)]) return Fail(name, ": two results");
    seen[static_cast<std::size_t>(result.index)] = true;
  }
  return {};
}

Status CheckResults(const WorkerJob& job, std::span<const WorkerResult> results, std::size_t size) {
  if (auto checked = CheckSenders(job, results); !checked) return checked;
  for (const WorkerResult& result : results) {
    if (result.bytes.size() != size) {
      return Fail(NameOf(job, result), ": a result of ", result.bytes.size(), " bytes; ", size, " were expected");
    }
  }
  if (results.empty()) return Fail("worker ", job.group, ": no worker left a result");
  return {};
}

Status CheckUnits(const WorkerJob& job, const WorkerResult& result, std::uint64_t units) {
  WorkerJob its = job;
  its.index = result.index;
  if (!job.units || units <= its.UnitsOfWorker()) return {};
  return Fail(NameOf(job, result), ": it claims ", units, " units; ", its.UnitsOfWorker(), " were its own");
}

}  // namespace corerig
