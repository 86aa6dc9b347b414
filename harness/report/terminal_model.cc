#include "harness/report/terminal_model.h"

#include <algorithm>
#include <cstdlib>

namespace corerig {
namespace {

std::string Utf8(char32_t c) {
  std::string out;
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
  return out;
}

}  // namespace

void TerminalModel::Put(char32_t character) {
  if (column_ == static_cast<std::size_t>(columns_)) {
    lines_[row_].wrapped = true;
    Newline();
  }
  auto& cells = lines_[row_].cells;
  if (cells.size() <= column_) cells.resize(column_ + 1, U' ');
  cells[column_++] = character;
}

void TerminalModel::Newline() {
  column_ = 0;
  if (++row_ == lines_.size()) lines_.emplace_back();
}

void TerminalModel::Sequence(char final, int number) {
  auto& cells = lines_[row_].cells;
  if (final == 'A') {  // CUU, never beyond the screen's first line
    row_ = std::max(row_ - std::min(row_, static_cast<std::size_t>(std::max(number, 1))), Top());
  } else if (final == 'K' && number == 0) {  // EL
    cells.resize(std::min(cells.size(), column_));
    // Only a line erased as a whole is no longer part of a wrapped one.
    if (column_ == 0) lines_[row_].wrapped = false;
  } else if (final == 'J' && number == 0 && row_ == Top() && column_ == 0) {  // ED of the whole screen
    // Into the history with it, as tmux does; the cursor stays in the first line of what is an empty screen now.
    while (!lines_.empty() && lines_.back().cells.empty()) lines_.pop_back();
    row_ = lines_.size();
    lines_.resize(lines_.size() + static_cast<std::size_t>(rows_));
  } else if (final == 'J' && number == 0) {  // ED
    cells.resize(std::min(cells.size(), column_));
    for (std::size_t below = row_ + 1; below < lines_.size(); ++below) lines_[below] = {};
  } else {
    error_ += std::string("unknown sequence ") + final + "; ";
  }
}

void TerminalModel::Feed(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    if (byte == '\x1b') {
      if (bytes.substr(at, 2) != "\x1b[") error_ += "an escape that starts no control sequence; ";
      const std::size_t end = bytes.find_first_not_of("0123456789", at + 2);
      if (end == std::string_view::npos) {
        error_ += "a sequence that is cut off; ";
        return;
      }
      Sequence(bytes[end], std::atoi(std::string(bytes.substr(at + 2, end - at - 2)).c_str()));
      at = end + 1;
    } else if (byte == '\n' || byte == '\r') {
      if (byte == '\n') Newline();
      column_ = 0;
      ++at;
    } else {
      const std::size_t length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : 3;
      char32_t character = length == 1 ? byte : byte & (0x7F >> length);
      for (std::size_t i = 1; i < length; ++i)
        character = character << 6 | (static_cast<unsigned char>(bytes[at + i]) & 0x3F);
      if (character < 0x20) error_ += "a control character; ";
      Put(character);
      at += length;
    }
  }
}

void TerminalModel::Resize(int columns, int rows) {
  columns_ = columns;
  rows_ = rows;
  std::vector<Line> before;
  before.swap(lines_);
  const std::size_t old_row = row_, old_column = column_;
  lines_.emplace_back();
  row_ = column_ = 0;
  std::size_t cursor_row = 0, cursor_column = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    for (std::size_t j = 0; j <= before[i].cells.size(); ++j) {
      if (i == old_row && j == std::min(old_column, before[i].cells.size())) {
        cursor_row = row_;
        cursor_column = column_;
      }
      if (j < before[i].cells.size()) Put(before[i].cells[j]);
    }
    if (!before[i].wrapped && i + 1 < before.size()) Newline();
  }
  row_ = cursor_row;
  column_ = cursor_column;
}

std::vector<std::string> TerminalModel::Text() const {
  std::vector<std::string> out;
  for (const auto& line : lines_) {
    std::string text;
    for (const char32_t c : line.cells) text += Utf8(c);
    text.erase(text.find_last_not_of(' ') + 1);
    out.push_back(text);
  }
  while (!out.empty() && out.back().empty()) out.pop_back();
  return out;
}

}  // namespace corerig
