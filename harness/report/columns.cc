#include "harness/report/columns.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace corerig {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kEllipsis = "…";

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 1;  // bytes
  bool valid = false;
};

// The first code point of text that is not empty (RFC 3629, section 3: the shortest form only, no surrogates).
CodePoint FirstOf(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  std::uint32_t value = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0) != 0x80) return {};
    value = value << 6 | (next & 0x3Fu);
  }
  constexpr std::array<std::uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, length, true};
}

bool IsControl(std::uint32_t c) {
  // C0, DEL and C1; the marks that turn the direction of writing; the separators of lines and paragraphs.
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
         c == 0x2028 || c == 0x2029;
}

int WidthOf(std::uint32_t c) {
  struct Range {
    std::uint32_t first, last;
  };
  // Combining marks and invisible joiners (Unicode general categories Mn and Cf, the common blocks).
  constexpr Range kNone[] = {{0x300, 0x36F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}};
  // East Asian Width W and F (Unicode Standard Annex #11), by blocks.
  constexpr Range kWide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},  {0xAC00, 0xD7A3},
                             {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},  {0xFFE0, 0xFFE6},
                             {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
  const auto holds = [c](const Range& range) { return c >= range.first && c <= range.last; };
  if (std::any_of(std::begin(kNone), std::end(kNone), holds)) return 0;
  return std::any_of(std::begin(kWide), std::end(kWide), holds) ? 2 : 1;
}

// The bytes at the beginning of `text` that fit into `width` columns.
std::size_t Fitting(std::string_view text, int width) {
  std::size_t at = 0;
  for (int used = 0; at < text.size();) {
    const CodePoint next = FirstOf(text.substr(at));
    used += WidthOf(next.value);
    if (used > width) break;
    at += next.length;
  }
  return at;
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = FirstOf(text.substr(at));
    if (!next.valid) {
      out += kReplacement;
    } else if (IsControl(next.value)) {
      out += ' ';
    } else {
      out += text.substr(at, next.length);
    }
    at += next.length;
  }
  return out;
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = FirstOf(text.substr(at));
    width += WidthOf(next.value);
    at += next.length;
  }
  return width;
}

std::string Cut(std::string_view text, int width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width <= 0) return "";
  return std::string(text.substr(0, Fitting(text, width - 1))).append(kEllipsis);
}

std::vector<std::string> Wrap(std::string_view text, int width) {
  std::vector<std::string> lines;
  while (true) {
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) return lines;
    text.remove_prefix(first);
    // At least one character a line, else a width of 0 would never end.
    std::size_t end = std::max(Fitting(text, width), FirstOf(text).length);
    if (end < text.size() && text[end] != ' ') {
      const std::size_t blank = text.substr(0, end).rfind(' ');
      if (blank != std::string_view::npos) end = blank;
    }
    const std::string_view line = text.substr(0, end);
    lines.emplace_back(line.substr(0, line.find_last_not_of(' ') + 1));
    text.remove_prefix(end);
  }
}

void Table::Add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (auto& cell : cells) cell = Printable(cell);
  rows_.push_back(std::move(cells));
}

std::vector<std::string> Table::Lines(int width) const {
  std::vector<std::string> titles;
  std::vector<int> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    titles.push_back(columns_[i].title);
    widths.push_back(DisplayWidth(columns_[i].title));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  std::vector<std::string> lines;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string fill(static_cast<std::size_t>(widths[i] - DisplayWidth(row[i])), ' ');
      if (i > 0) line += "  ";
      line += columns_[i].align == Align::kRight ? fill + row[i] : row[i] + fill;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(Cut(line, width));
  };
  add(titles);
  for (const auto& row : rows_) add(row);
  return lines;
}

}  // namespace corerig
