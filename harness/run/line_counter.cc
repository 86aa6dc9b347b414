#include "harness/run/line_counter.h"

#include <algorithm>

namespace corerig {

bool LineCounter::Matches(std::string_view line) const {
  // One byte more is kept than is looked at: it may be the CR that ends a line of just that length.
  if (line.size() <= kSeen + 1 && line.ends_with('\r')) line.remove_suffix(1);
  return pattern_.Matches(line.substr(0, kSeen));
}

std::uint64_t LineCounter::Take(std::string_view piece) {
  std::uint64_t matching = 0;
  for (;;) {
    const auto end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    if (begun_.empty() && end != std::string_view::npos) {
      matching += Matches(part);
    } else {
      begun_.append(part.substr(0, kSeen + 2 - std::min(kSeen + 2, begun_.size())));
      if (end != std::string_view::npos) {
        matching += Matches(begun_);
        begun_.clear();
      }
    }
    if (end == std::string_view::npos) return matching;
    piece.remove_prefix(end + 1);
  }
}

std::uint64_t LineCounter::End() {
  const bool matches = !begun_.empty() && Matches(begun_);
  begun_.clear();
  return matches;
}

}  // namespace corerig
