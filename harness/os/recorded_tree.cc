#include "harness/os/recorded_tree.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string_view>

#include "harness/base/text.h"
#include "harness/os/fd.h"

namespace corerig {

std::string LayOut(const std::string& recording) {
  const auto text = ReadFile(recording);
  if (!text) {
    std::fprintf(stderr, "%s\n", text.error().message.c_str());
    std::abort();
  }
  std::map<std::string, std::string> files;
  for (const auto line : Split(*text, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    files[std::string(line.substr(0, colon))] += StrCat(line.substr(colon + 1), "\n");
  }
  const std::filesystem::path folder =
      std::filesystem::path(std::getenv("TEST_TMPDIR")) / std::filesystem::path(recording).stem();
  for (const auto& [path, content] : files) {
    std::filesystem::create_directories((folder / path).parent_path());
    std::ofstream(folder / path) << content;
  }
  return folder;
}

}  // namespace corerig
