#include "harness/child/exchange.h"

#include <fcntl.h>

namespace corerig {

std::size_t ExchangeSize(const WorkloadType& type, const WorkerJob& job) {
  return type.exchange_size == nullptr ? 0 : type.exchange_size(job);
}

Result<Mapping> MapExchange(const WorkloadType& type, const WorkerJob& job, int fd) {
  const std::size_t size = ExchangeSize(type, job);
  if (size == 0) return Mapping();
  auto mapping = Mapping::Map(fd, size, Mapping::Access::kReadWrite);
  if (!mapping) return ForwardWith(mapping, "the memory its group exchanges: ");
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return mapping;
}

}  // namespace corerig
