#include "harness/child/workload.h"

namespace corerig {

std::uint64_t WorkerJob::UnitsOfWorker() const {
  const auto first = static_cast<std::uint64_t>(index), step = static_cast<std::uint64_t>(workers);
  if (!units || *units <= first) return 0;
  return (*units - first - 1) / step + 1;
}

}  // namespace corerig
