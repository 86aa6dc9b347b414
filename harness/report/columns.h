// Text laid out by the columns it takes on a screen, not by its bytes: "18.9 µs" is 7 columns wide.
//
//   Table table({{"stream"}, {"rate", Align::kRight}});
//   table.Add({"imu", "1.00 kHz"});
//   for (const auto& line : table.Lines(100)) ...
//
// Pure. Text from elsewhere (an error's detail, a name) goes through Printable first: no escape sequence of a user's
// program reaches the terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace corerig {

// One line of valid UTF-8: control characters become blanks, broken sequences U+FFFD.
std::string Printable(std::string_view text);

// Of printable text: combining marks take no column, East Asian wide characters two, all else one.
int DisplayWidth(std::string_view text);

// At most `width` columns of printable text; what was cut off shows as "…".
std::string Cut(std::string_view text, int width);

// Printable text in lines of at most `width` columns, broken at blanks; a longer word is broken where it must be.
std::vector<std::string> Wrap(std::string_view text, int width);

enum class Align { kLeft, kRight };

// Columns as wide as their widest cell, two blanks between them, the title on top.
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell per column, or fewer: the others stay empty. Cells are made printable.
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  // The title and the rows, each cut to `width` columns, without blanks at the end.
  std::vector<std::string> Lines(int width) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace corerig
