// What README.md shows of the skeleton is what the skeleton has.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace corerig {
namespace {

constexpr std::string_view kHeading = "## A sensor of your own", kFolder = "sensors/skeleton/", kIndent = "    ";

std::string Contents(const std::string& path) {
  std::ifstream file(std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") + "/" + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// A piece of code without a gap, and the file that it is said to be of.
struct Excerpt {
  std::string file, code;
};

// The file is the one that was named last, by a link, before the code; a line "…" is a gap.
std::vector<Excerpt> ExcerptsOf(const std::string& readme) {
  std::vector<Excerpt> excerpts;
  std::istringstream lines(readme);
  std::string file;
  bool inside = false, goes_on = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## ")) inside = line == kHeading;
    if (!inside) continue;
    const bool code = line.starts_with(kIndent), gap = code && line.find("…") != std::string::npos;
    if (code && !gap) {
      if (!goes_on) excerpts.push_back({file, ""});
      excerpts.back().code += line.substr(kIndent.size()) + "\n";
    } else if (goes_on && line.empty()) {
      excerpts.back().code += "\n";
      continue;
    } else if (const auto at = line.rfind("(" + std::string(kFolder)); at != std::string::npos) {
      file = line.substr(at + 1, line.find(')', at) - at - 1);
    }
    goes_on = code && !gap;
  }
  for (Excerpt& excerpt : excerpts) excerpt.code.erase(excerpt.code.find_last_not_of('\n') + 2);
  return excerpts;
}

TEST(Readme, ShowsTheSkeletonAsItIs) {
  const auto excerpts = ExcerptsOf(Contents("README.md"));
  ASSERT_GE(excerpts.size(), 3u);
  for (const Excerpt& excerpt : excerpts) {
    EXPECT_NE(Contents(excerpt.file).find(excerpt.code), std::string::npos)
        << excerpt.file << " has not, without a gap:\n"
        << excerpt.code;
  }
}

TEST(Readme, ALineThatIsNotInTheFileIsFound) {
  std::string readme = Contents("README.md");
  const auto code = readme.find("    int main(", readme.find(kHeading));
  ASSERT_NE(code, std::string::npos);
  readme.insert(code + kIndent.size(), "x");
  int missing = 0;
  for (const Excerpt& excerpt : ExcerptsOf(readme)) {
    missing += Contents(excerpt.file).find(excerpt.code) == std::string::npos;
  }
  EXPECT_EQ(missing, 1);
}

}  // namespace
}  // namespace corerig
