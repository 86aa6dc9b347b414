// Text from pieces, and pieces from text: what std::format will do once the compilers of our boards have it.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace corerig {

namespace text_internal {
inline void Append(std::string& out, std::string_view piece) { out += piece; }
inline void Append(std::string& out, const char* piece) { out += piece; }
inline void Append(std::string& out, char piece) { out += piece; }
inline void Append(std::string& out, bool piece) { out += piece ? "true" : "false"; }
template <typename Number>
requires(std::integral<Number> || std::floating_point<Number>) void Append(std::string& out, Number piece) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, piece).ptr;
  out.append(buffer, end);
}
}  // namespace text_internal

// Strings and numbers side by side; a floating-point number in the shortest form that reads back equal.
template <typename... Pieces>
std::string StrCat(const Pieces&... pieces) {
  std::string out;
  (text_internal::Append(out, pieces), ...);
  return out;
}

// A whole number (or floating-point number) that fills all of `text`; nothing for anything else.
template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Parts of `text` between separators; "a,,b" has an empty middle part, "" is one empty part.
std::vector<std::string_view> Split(std::string_view text, char separator);

// Without blanks (space, tab, CR, LF) at both ends.
std::string_view Trim(std::string_view text);

std::string Join(const std::vector<std::string>& parts, std::string_view separator);

// The candidate nearest to a mistyped `word` (edit distance at most 2), for "did you mean"; empty if none is near.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace corerig
