// Whether and as what the user's own command can be executed on this machine.
//
// Paths are seen from command.workdir, as the command itself will see them. Nothing here goes through a shell.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/plan/plan.h"

namespace corerig {

// Fails unless the command's working directory is one that can be entered.
Status CheckWorkdir(const CommandPlan& command);

// The path to execute, for a process that stands in the working directory: argv[0] itself if it has a slash, else the
// first executable file of that name in PATH (the command's own if its env has one, else ours). `from` is where the
// working directory is seen from: "" by a process that stands in it, else command.workdir.
//
// Fails if it is not there, no program (a directory), not executable, or a script whose interpreter is one of these.
Result<std::string> FindProgram(const CommandPlan& command, const std::string& from);

// Why execve of `path` was refused with `error`, from where this process stands: the same errno stands for a missing
// program, a missing interpreter and a missing dynamic loader.
std::string ExecRefusal(const std::string& path, int error);

}  // namespace corerig
