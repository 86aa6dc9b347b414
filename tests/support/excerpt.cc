#include "tests/support/excerpt.h"

#include <stdlib.h>

#include <fstream>
#include <sstream>

namespace corerig {

std::vector<Excerpt> ExcerptsOf(const std::string& document, std::string_view heading, std::string_view folder) {
  constexpr std::string_view kIndent = "    ";
  std::vector<Excerpt> excerpts;
  std::istringstream lines(document);
  std::string file;
  bool inside = false, goes_on = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## ")) inside = line == heading;
    if (!inside) continue;
    const bool code = line.starts_with(kIndent), gap = code && line.find("…") != std::string::npos;
    if (code && !gap) {
      if (!goes_on) excerpts.push_back({file, ""});
      excerpts.back().code += line.substr(kIndent.size()) + "\n";
    } else if (goes_on && line.empty()) {
      excerpts.back().code += "\n";
      continue;
    } else if (const auto at = line.rfind("(" + std::string(folder)); at != std::string::npos) {
      file = line.substr(at + 1, line.find(')', at) - at - 1);
    }
    goes_on = code && !gap;
  }
  for (Excerpt& excerpt : excerpts) excerpt.code.erase(excerpt.code.find_last_not_of('\n') + 2);
  return excerpts;
}

std::string Contents(const std::string& path) {
  std::ifstream file(std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") + "/" + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Excerpt> Strangers(const std::vector<Excerpt>& excerpts) {
  std::vector<Excerpt> strangers;
  for (const Excerpt& excerpt : excerpts) {
    if (Contents(excerpt.file).find(excerpt.code) == std::string::npos) strangers.push_back(excerpt);
  }
  return strangers;
}

}  // namespace corerig
