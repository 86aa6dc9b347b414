// The keeper's own side: see keeper.h.
#pragma once

#include <string_view>

namespace corerig {

inline constexpr int kKeeperSocketFd = 3;      // to the supervisor
inline constexpr int kKeeperSupervisorFd = 4;  // the supervisor's pidfd

// The keeper's main function: argv[1] is kKeeperVerb. Returns its exit status.
inline constexpr std::string_view kKeeperVerb = "__keeper";
int KeeperMain(int argc, char** argv);

}  // namespace corerig
