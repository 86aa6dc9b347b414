// A board's files, recorded in one text and laid out in a folder for a test.
//
//   const BoardTree board(LayOut("harness/os/testdata/board-pi5.tree"));
//
// Each line is "PATH:LINE", as `grep -r "" proc sys` prints; lines of one path make one file, an empty file is "PATH:".
#pragma once

#include <string>

namespace corerig {

// Returns the folder, which is below the test's own. A recording that cannot be read or laid out ends the test.
std::string LayOut(const std::string& recording);

}  // namespace corerig
