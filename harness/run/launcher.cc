#include "harness/run/launcher.h"

#include <algorithm>
#include <utility>

#include "harness/child/child_context.h"
#include "harness/child/part_marker.h"

namespace corerig {
namespace {

// A memfd holding the child's orders.
Result<Fd> JobMemory(const std::string& text) {
  auto fd = CreateSharedMemory("corerig-job", text.size());
  if (!fd) return fd;
  auto mapping = Mapping::Map(fd->get(), text.size(), Mapping::Access::kReadWrite);
  if (!mapping) return Forward(mapping);
  std::copy(text.begin(), text.end(), reinterpret_cast<char*>(mapping->data()));
  return fd;
}

}  // namespace

Result<Fd> Launcher::MakeSlab(LaunchedChild& child, std::size_t size) {
  auto slab = CreateSharedMemory("corerig-slab", size);
  if (!slab) return Forward(slab);
  auto mapping = Mapping::Map(slab->get(), size, Mapping::Access::kRead);
  if (!mapping) return Forward(mapping);
  child.slab = std::move(*mapping);
  return slab;
}

Status Launcher::Start(LaunchedChild& child, std::string_view verb, const std::string& job, const Fd& slab,
                       const Extra& extra) {
  if (!child.failure.empty()) return {};
  auto job_memory = JobMemory(job);
  if (!job_memory) return Forward(job_memory);

  SpawnRequest request;
  request.argv = {context_.program, std::string(verb), child.name};
  request.fds = {{job_memory->get(), kJobFd},
                 {slab.get(), kSlabFd},
                 {context_.control.fd(), kControlFd},
                 {context_.marker, kMarkerFd}};
  for (std::size_t i = 0; i < extra.fds.size(); ++i) {
    request.fds.emplace_back(extra.fds[i], kFirstRoleFd + static_cast<int>(i));
  }
  request.cores = child.cores;
  request.policy = child.policy;
  request.address_space = extra.address_space;
  request.zygote = extra.zygote;
  request.forked_from = extra.forked_from;
  if (child.memory_group) {
    request.group = child.memory_group->procs();
    request.group_directory = child.memory_group->directory();
  }
  auto process = keeper_.Spawn(request);
  if (process) {
    child.process = std::move(*process);
  } else {
    child.failure = process.error().message;
  }
  return {};
}

}  // namespace corerig
