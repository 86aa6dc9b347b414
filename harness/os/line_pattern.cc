#include "harness/os/line_pattern.h"

#include <string.h>

namespace corerig {

void LinePattern::Free::operator()(regex_t* regex) const {
  regfree(regex);
  delete regex;
}

Result<LinePattern> LinePattern::Compile(const std::string& expression) {
  LinePattern pattern;
  if (expression.find_first_of("\\.[]()*+?{}|^$") == std::string::npos) {
    pattern.text_ = expression;
    return pattern;
  }
  for (std::size_t i = 0; i + 1 < expression.size(); ++i) {
    if (expression[i] != '\\') continue;
    const char escaped = expression[++i];
    if (escaped >= '1' && escaped <= '9') {
      return Fail("pattern \"", expression, "\" has the back-reference \\", std::string(1, escaped),
                  ", which cannot be matched in bounded time; write what it stands for");
    }
  }
  auto regex = std::make_unique<regex_t>();
  const int error = regcomp(regex.get(), expression.c_str(), REG_EXTENDED | REG_NOSUB);
  if (error != 0) {
    char text[128];
    regerror(error, regex.get(), text, sizeof text);
    return Fail("pattern \"", expression, "\": ", text, "; write an expression as grep -E takes it");
  }
  pattern.regex_.reset(regex.release());
  return pattern;
}

bool LinePattern::Matches(std::string_view line) const {
  if (!regex_) return memmem(line.data(), line.size(), text_.data(), text_.size()) != nullptr;
  regmatch_t range = {.rm_so = 0, .rm_eo = static_cast<regoff_t>(line.size())};
  // The range is the line, and no NUL ends it.
  return regexec(regex_.get(), line.empty() ? "" : line.data(), 1, &range, REG_STARTEND) == 0;
}

}  // namespace corerig
