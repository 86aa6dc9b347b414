#include "harness/os/board_tree.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "harness/os/cpu_list.h"
#include "harness/os/fd.h"

namespace corerig {

std::optional<std::string> BoardTree::Text(std::string_view path) const {
  const auto text = ReadFile(StrCat(root_, path));
  if (!text) return std::nullopt;
  std::string_view content = *text;
  while (content.ends_with('\0')) content.remove_suffix(1);
  return std::string(Trim(content));
}

std::string BoardTree::TextOrUnknown(std::string_view path) const {
  const auto text = Text(path);
  return text && !text->empty() ? *text : "unknown";
}

std::optional<std::vector<CpuId>> BoardTree::Cpus(std::string_view path) const {
  const auto text = Text(path);
  if (!text) return std::nullopt;
  auto cpus = ParseCpuList(*text);
  return cpus ? std::optional(std::move(*cpus)) : std::nullopt;
}

std::vector<int> BoardTree::Numbered(std::string_view folder, std::string_view prefix) const {
  std::vector<int> numbers;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(StrCat(root_, folder).c_str()), closedir);
  if (!entries) return numbers;
  while (const dirent* entry = readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(prefix)) continue;
    const auto number = ParseNumber<int>(name.substr(prefix.size()));
    if (number && *number >= 0) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

bool BoardTree::Has(std::string_view path) const { return access(StrCat(root_, path).c_str(), F_OK) == 0; }

}  // namespace corerig
