// What the figures of a finished run warn of.
#pragma once

#include <vector>

#include "harness/base/record.h"

namespace corerig {

// Pure.
std::vector<Warning> WarningsFrom(const RunRecord& record);

}  // namespace corerig
