// A pattern that lines are held against: a POSIX extended regular expression, as `grep -E` takes it, over bytes.
//
//   auto pattern = LinePattern::Compile("^frame [0-9]+ done");
//   if (pattern->Matches(line)) ++units;
//
// Not std::regex, whose time and stack grow without bound with pattern and line. Back-references are refused for the
// same reason. A pattern without special characters is searched for as plain text, which is faster. One thread at a
// time.
#pragma once

#include <regex.h>

#include <memory>
#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace corerig {

class LinePattern {
 public:
  // The error says what is wrong with the expression.
  static Result<LinePattern> Compile(const std::string& expression);

  // `line` is without its line break; it may hold NULs.
  bool Matches(std::string_view line) const;

 private:
  struct Free {
    void operator()(regex_t* regex) const;
  };
  std::string text_;  // to search for, if there is no expression
  std::unique_ptr<regex_t, Free> regex_;
};

}  // namespace corerig
