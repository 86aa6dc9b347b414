// Text held against a file under testdata, byte for byte.
#pragma once

#include <string>
#include <string_view>

namespace corerig {

// The content of a file that the test lists as data, by its path in the workspace.
std::string ReadDataFile(const std::string& path);

// Empty if equal; else the first line that differs, of both. When the golden is to change, the text that was found
// stands in the test's undeclared outputs, under the golden's name.
std::string GoldenDifference(std::string_view found, std::string_view golden);
std::string GoldenFileDifference(std::string_view found, const std::string& golden_path);

}  // namespace corerig
