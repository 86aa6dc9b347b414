// A run for people, on stdout: read in ten seconds, at most 100 columns wide.
//
// A pure function of the record. What was not measured shows as "–", never as 0.
#pragma once

#include <string>

#include "harness/base/record.h"

namespace corerig {

// `report_path` is where report.json was written; empty if it was not. Colour adds ANSI escapes to the verdict, the
// budgets' marks and the warnings, and changes nothing else.
std::string Summary(const RunRecord& record, const std::string& report_path, bool colour = false);

}  // namespace corerig
