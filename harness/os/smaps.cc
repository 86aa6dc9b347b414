#include "harness/os/smaps.h"

#include <optional>

namespace corerig {

Result<SmapsRollup> ParseSmapsRollup(std::string_view text) {
  std::optional<std::uint64_t> rss, pss, private_clean, private_dirty, shared_clean, shared_dirty, swap;
  const struct {
    std::string_view name;
    std::optional<std::uint64_t>* bytes;
  } wanted[] = {{"Rss", &rss},
                {"Pss", &pss},
                {"Private_Clean", &private_clean},
                {"Private_Dirty", &private_dirty},
                {"Shared_Clean", &shared_clean},
                {"Shared_Dirty", &shared_dirty},
                {"Swap", &swap}};
  for (const std::string_view line : Split(text, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    for (const auto& [name, bytes] : wanted) {
      if (line.substr(0, colon) != name) continue;
      std::string_view value = Trim(line.substr(colon + 1));
      const bool kilobytes = value.ends_with(" kB");
      if (kilobytes) value = Trim(value.substr(0, value.size() - 3));
      const auto number = ParseNumber<std::uint64_t>(value);
      if (!kilobytes || !number || *number > UINT64_MAX / 1024) {
        return Fail("smaps_rollup line \"", line, "\": a whole number of kB was expected");
      }
      *bytes = *number * 1024;
    }
  }
  for (const auto& [name, bytes] : wanted) {
    if (!bytes->has_value()) return Fail("smaps_rollup has no line \"", name, ":\"");
  }
  return SmapsRollup{.rss = *rss,
                     .pss = *pss,
                     .uss = *private_clean + *private_dirty,
                     .shared = *shared_clean + *shared_dirty,
                     .swap = *swap};
}

}  // namespace corerig
