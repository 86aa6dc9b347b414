#include "scenarios/worker_results.h"

#include <vector>

#include "harness/base/text.h"

namespace corerig {

std::string NameOf(const WorkerJob& job, const WorkerResult& result) {
  return StrCat("worker ", job.group, ".", result.index);
}

Status CheckResults(const WorkerJob& job, std::span<const WorkerResult> results, std::size_t size) {
  std::vector<bool> seen(static_cast<std::size_t>(job.workers));
  for (const WorkerResult& result : results) {
    const std::string name = NameOf(job, result);
    if (result.index < 0 || result.index >= job.workers)
      return Fail(name, ": there are only ", job.workers, " workers");
    if (seen[static_cast<std::size_t>(result.index)]) return Fail(name, ": two results");
    seen[static_cast<std::size_t>(result.index)] = true;
    if (result.bytes.size() != size) {
      return Fail(name, ": a result of ", result.bytes.size(), " bytes; ", size, " were expected");
    }
  }
  if (results.empty()) return Fail("worker ", job.group, ": no worker left a result");
  return {};
}

}  // namespace corerig
