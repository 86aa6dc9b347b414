// A worker that becomes the user's own command: takes the job from kJobFd, gets everything ready, waits for the common
// start, and executes the program in its own place, at the pid that was spawned.
//
// The program finds standard input at /dev/null, its output where the supervisor put it (kCommandStdoutFd,
// kCommandStderrFd), no other descriptor, the timer slack and signals of a fresh program, a session of its own, and the
// caller's environment, in which CORERIG_WORKER, CORERIG_INDEX, CORERIG_WORKERS and CORERIG_CORE say which worker it
// is.
//
// What keeps it from being executed is published in the slab; a slab without an error belongs to a program that ran.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/child/child_context.h"
#include "harness/plan/plan.h"

namespace corerig {

inline constexpr std::string_view kCommandVerb = "__exec";  // argv[1]; argv[2] is the worker's name, for people's ps
inline constexpr int kCommandStdoutFd = kFirstRoleFd;
inline constexpr int kCommandStderrFd = kFirstRoleFd + 1;

struct CommandJob {
  CommandPlan command;
  std::vector<CommandPlan::Variable> added;  // to the environment, besides command.env
  std::vector<std::string> removed;          // from the environment: what is ours and not the caller's
};

// Returns only if the command could not be executed: the exit status, 1.
int CommandMain();

std::string WriteCommandJob(const CommandJob& job);
// The inverse of WriteCommandJob.
Result<CommandJob> ReadCommandJob(std::string_view json);

// The environment "NAME=value" of a command: `inherited` without `removed`, then command.env, then `added`; of two
// values of one name the later one alone.
std::vector<std::string> EnvironmentOf(const CommandJob& job, const char* const* inherited);

}  // namespace corerig
