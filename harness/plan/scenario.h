// Reads a scenario file into a Plan.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/plan/plan.h"
#include "harness/plan/vocabulary.h"

namespace corerig {

// What the command line changes: `--set stream.imu.rate=2kHz` is {"stream.imu.rate", "2kHz"}; --duration and --seed are
// overrides of "duration" and "seed".
struct Override {
  std::string key;
  std::string value;
};

// The cores this process may run on, as the board numbers them.
struct Board {
  std::vector<CpuId> cores;
};

// Parses, validates, fills in the defaults and places everything on the board's cores. `file` is used in messages only.
// The error is one line, "file:line:column: what is wrong; what would be right", for the first fault in the order of
// the file; a fault in an override says "--set key=value: …".
Result<Plan> ReadScenario(std::string_view text, std::string_view file, const std::vector<Override>& overrides,
                          const Vocabulary& vocabulary, const Board& board);

}  // namespace corerig
