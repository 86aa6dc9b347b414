#include "harness/os/cpu_cache.h"

#include <algorithm>
#include <tuple>

#include "harness/base/text.h"

namespace corerig {

std::optional<Bytes> ParseCacheSize(std::string_view text) {
  if (!text.ends_with('K')) return std::nullopt;
  const auto kibibytes = ParseNumber<std::uint32_t>(text.substr(0, text.size() - 1));
  return kibibytes ? std::optional(Bytes{std::uint64_t{*kibibytes} * 1024}) : std::nullopt;
}

std::vector<CpuCache> ReadCaches(const BoardTree& board, const std::vector<CpuId>& cpus) {
  std::vector<CpuCache> caches;
  for (const CpuId cpu : cpus) {
    const std::string folder = StrCat("/sys/devices/system/cpu/cpu", cpu.value, "/cache");
    for (const int index : board.Numbered(folder, "index")) {
      const std::string file = StrCat(folder, "/index", index, "/");
      const auto level = board.Figure<int>(file + "level");
      if (!level) continue;
      CpuCache cache{.level = *level, .type = board.TextOrUnknown(file + "type")};
      cache.size = ParseCacheSize(board.Text(file + "size").value_or(""));
      cache.line = board.Figure<int>(file + "coherency_line_size");
      cache.shared = board.Cpus(file + "shared_cpu_list").value_or(std::vector<CpuId>{cpu});
      const bool known = std::any_of(caches.begin(), caches.end(), [&](const CpuCache& other) {
        return other.level == cache.level && other.type == cache.type && other.shared == cache.shared;
      });
      if (!known) caches.push_back(std::move(cache));
    }
  }
  const auto order = [](const CpuCache& cache) { return std::tie(cache.level, cache.type, cache.shared); };
  std::stable_sort(caches.begin(), caches.end(),
                   [&](const CpuCache& a, const CpuCache& b) { return order(a) < order(b); });
  return caches;
}

}  // namespace corerig
