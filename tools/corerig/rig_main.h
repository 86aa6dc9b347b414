// The command `corerig`, for any tables of sensors and workloads.
#pragma once

#include "harness/run/rig.h"

namespace corerig {

inline constexpr std::string_view kVersion = "0.1.0";
// The exit status of wrong use and of internal errors; the others are those of verdicts (ExitCode).
inline constexpr int kWrongUse = 1;

// Parses the command line and does what it says. Returns the exit status: 0 pass, 1 wrong use or internal error, 2
// fail, 3 undecided, 4 skipped. The same binary is also every child process of a run: then this is the child's main
// function.
int RigMain(const RigTables& tables, int argc, char** argv);

}  // namespace corerig
