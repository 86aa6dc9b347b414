#include "harness/plan/first_fault.h"

namespace corerig {
namespace {

// A text of the file, quoted in a message, may hold line breaks and other control characters.
std::string InOneLine(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      line += StrCat("\\x", kHex[byte >> 4], kHex[byte & 15]);
    } else {
      line += c;
    }
  }
  return line;
}

}  // namespace

Error FirstFault::ToError(std::string_view file, const std::vector<std::string>& overrides) const {
  const auto& [at, message] = *first_;
  const std::string where = at.override_number > 0 ? StrCat("--set ", overrides[at.override_number - 1])
                                                   : StrCat(file, ":", at.line, ":", at.column);
  return {InOneLine(StrCat(where, ": ", message))};
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  if (known.empty()) return "there is none to choose from";
  const std::string nearest = Nearest(word, known);
  return StrCat(nearest.empty() ? "" : StrCat("did you mean \"", nearest, "\"? "), "known: ", Join(known, ", "));
}

}  // namespace corerig
