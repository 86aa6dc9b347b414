// A single-threaded process that has loaded what the workers of a group share and forks them, as Android's zygote does:
// its main function.
//
//   supervisor: spawns it as a zygote (spawn.h), waits until it is armed: the input is loaded;
//               has the keeper fork a worker from it for each of the group; lets go of it
//   zygote:     forks on each request, ends when it is let go of
//   worker:     becomes a child like any other, then waits until the zygote has ended: it is the keeper's child then
//
// So a forked worker starts with the zygote's pages, shared until written to, and is supervised, killed and reaped as
// an executed one is.
#pragma once

#include <span>
#include <string_view>

#include "harness/child/workload.h"

namespace corerig {

inline constexpr std::string_view kZygoteVerb = "__zygote";  // argv[1]; argv[2] is the group's name, for people's ps

// Takes the job of worker 0 from kJobFd and requests from kZygoteSocketFd. Returns the exit status; in a forked worker
// it does not return.
int ZygoteMain(std::span<const WorkloadType> workloads);

}  // namespace corerig
