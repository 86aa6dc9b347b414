// Holds a report against its documentation, both ways: the table of fields in docs/report.md is the schema.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace corerig {

// What is wrong, one complaint per line; nothing if the report and the documents agree. A path of the report that no
// row describes, a value of another type than its row says, a field said to be there and missing, a row that cannot
// be read: each is a complaint.
std::vector<std::string> CheckAgainstDocs(std::string_view report_json, std::string_view docs_markdown);

}  // namespace corerig
