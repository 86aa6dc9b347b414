// Starts children through the keeper: the slab, the job and the descriptors that each of them finds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/child/keeper.h"
#include "harness/run/launch.h"

namespace corerig {

class Launcher {
 public:
  Launcher(const LaunchContext& context, Keeper& keeper) : context_(context), keeper_(keeper) {}

  // The child's slab; its descriptor is for Start, and for children that read it.
  Result<Fd> MakeSlab(LaunchedChild& child, std::size_t size);

  // Besides what every child finds.
  struct Extra {
    std::vector<int> fds = {};        // at kFirstRoleFd and up
    std::uint64_t address_space = 0;  // RLIMIT_AS; 0: none
    bool zygote = false;
    pid_t forked_from = 0;  // a zygote; 0: it is executed
  };
  // Spawns it, unless it has a failure already; one that cannot be spawned gets one.
  Status Start(LaunchedChild& child, std::string_view verb, const std::string& job, const Fd& slab, const Extra& extra);

  const LaunchContext& context() const { return context_; }
  Keeper& keeper() { return keeper_; }

 private:
  const LaunchContext& context_;
  Keeper& keeper_;
};

}  // namespace corerig
