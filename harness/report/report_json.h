// The content of report.json: one JSON object, schema corerig-report/1, every field of it described in docs/report.md.
//
//   auto written = WriteReport(folder, ReportToJson(record));
//
// A pure function of the record. Keys come in the order of the documentation, indented by two spaces; the text ends
// with a newline. JSON knows no infinity: it is written as the string "inf".
#pragma once

#include <string>

#include "harness/base/record.h"

namespace corerig {

std::string ReportToJson(const RunRecord& record);

}  // namespace corerig
