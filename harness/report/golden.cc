#include "harness/report/golden.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "harness/base/text.h"

namespace corerig {

std::string ReadDataFile(const std::string& path) {
  // The working directory of a test is the root of its runfiles.
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string GoldenDifference(std::string_view found, std::string_view golden) {
  if (found == golden) return "";
  const auto ours = Split(found, '\n');
  const auto theirs = Split(golden, '\n');
  std::size_t at = 0;
  while (at < ours.size() && at < theirs.size() && ours[at] == theirs[at]) ++at;
  const auto line = [at](const std::vector<std::string_view>& lines) {
    return at < lines.size() ? StrCat("\"", lines[at], "\"") : std::string("nothing");
  };
  return StrCat("line ", at + 1, "\n  is     ", line(ours), "\n  golden ", line(theirs));
}

std::string GoldenFileDifference(std::string_view found, const std::string& golden_path) {
  const std::string difference = GoldenDifference(found, ReadDataFile(golden_path));
  const char* outputs = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  if (!difference.empty() && outputs != nullptr) {
    std::ofstream(StrCat(outputs, "/", golden_path.substr(golden_path.rfind('/') + 1)), std::ios::binary) << found;
  }
  return difference.empty() ? "" : StrCat(golden_path, ": ", difference);
}

}  // namespace corerig
