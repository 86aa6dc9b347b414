// Whether this kernel counts and records for this process, found out by doing it.
//
//   if (auto tried = TryHardwareCounter(); !tried) say(tried.error().message);
//
// Each opens a perf event for the calling thread, user space only (what an unprivileged process may ask for), makes
// happen what it counts, and holds it against what was counted (man 2 perf_event_open). The error says what the kernel
// answered and what would help.
#pragma once

#include "harness/base/result.h"

namespace corerig {

Status TrySoftwareCounter();  // page faults
Status TryHardwareCounter();  // instructions
Status TrySwitchRecords();    // PERF_RECORD_SWITCH in a ring

// What helps against an errno of perf_event_open, given the text of perf_event_paranoid ("" if there is none).
std::string PerfRemedy(int error, std::string_view paranoid, bool hardware);

}  // namespace corerig
