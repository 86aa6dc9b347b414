#include "harness/child/workload.h"

namespace corerig {

// Units are dealt to the shards in turn, and a shard's units to its workers in turn: shards may have different numbers
// of workers.
std::uint64_t WorkerJob::FirstUnit() const {
  return static_cast<std::uint64_t>(shard) + static_cast<std::uint64_t>(shards) * static_cast<std::uint64_t>(index);
}

std::uint64_t WorkerJob::UnitStep() const {
  return static_cast<std::uint64_t>(shards) * static_cast<std::uint64_t>(workers);
}

std::uint64_t WorkerJob::UnitsOfWorker() const {
  if (!units || *units <= FirstUnit()) return 0;
  return (*units - FirstUnit() - 1) / UnitStep() + 1;
}

}  // namespace corerig
