// The first fault of a scenario, in the order of the file, whatever the order in which it is read: a stream that names
// a missing loop in line 5 comes before a wrong duration in line 9.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/text.h"

namespace corerig {

// Where something stands. Faults of the file come before those of overrides.
struct Position {
  std::size_t override_number = 0;  // 0: in the file; n: in the n-th --set
  std::uint32_t line = 1;           // of the file, from 1
  std::uint32_t column = 1;         // in characters, from 1
  auto operator<=>(const Position&) const = default;
};

class FirstFault {
 public:
  // "what is wrong; what would be right". Of two faults at one place the one added first stays.
  template <typename... Pieces>
  void Add(Position at, const Pieces&... pieces) {
    if (first_ && first_->first <= at) return;
    first_ = std::pair(at, StrCat(pieces...));
  }

  bool found() const { return first_.has_value(); }

  // "file:line:column: message", or "--set key=value: message"; always one line. Only if a fault was found. `overrides`
  // are "key=value".
  Error ToError(std::string_view file, const std::vector<std::string>& overrides) const;

 private:
  std::optional<std::pair<Position, std::string>> first_;
};

// "did you mean "rate"? known: rate, channel", as the second half of a message about an unknown word.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& known);

}  // namespace corerig
