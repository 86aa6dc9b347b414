// Counts the lines of a byte stream that match a pattern, however the stream is cut into pieces.
//
// A line ends with LF; a CR before it is no part of it. What follows the last LF counts as a line at the end. Memory is
// bounded: of a line, only the first kSeen bytes are looked at.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/os/line_pattern.h"

namespace corerig {

class LineCounter {
 public:
  static constexpr std::size_t kSeen = 4096;

  explicit LineCounter(LinePattern pattern) : pattern_(std::move(pattern)) {}

  // The next piece; returns how many lines ended in it and match.
  std::uint64_t Take(std::string_view piece);
  // The stream is over; returns 1 if its last line had no LF and matches.
  std::uint64_t End();

 private:
  bool Matches(std::string_view line) const;

  LinePattern pattern_;
  std::string begun_;  // of the line that has not ended: as much as tells whether it is longer than what is looked at
};

}  // namespace corerig
