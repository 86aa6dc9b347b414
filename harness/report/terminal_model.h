// As much of a terminal as the live display uses, written from ECMA-48 and not from the display's code: what a person
// would see. Anything it does not know is an error, so that no unknown sequence goes by.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace corerig {

class TerminalModel {
 public:
  TerminalModel(int columns, int rows) : columns_(columns), rows_(rows), lines_(1) {}

  // Newlines also return the carriage, as after a tty's ONLCR.
  void Feed(std::string_view bytes);

  // A window made narrower or wider wraps its lines anew, as tmux, VTE and others do; the cursor stays where it was in
  // the text.
  void Resize(int columns, int rows);

  // What has scrolled out of sight and what stands on the screen; no blanks at the ends of lines, no empty lines at
  // the end.
  std::vector<std::string> Text() const;
  const std::string& error() const { return error_; }

 private:
  struct Line {
    std::u32string cells;
    bool wrapped = false;  // goes on in the next line
  };

  void Put(char32_t character);
  void Newline();
  void Sequence(char final, int number);
  std::size_t Top() const { return lines_.size() > static_cast<std::size_t>(rows_) ? lines_.size() - rows_ : 0; }

  int columns_, rows_;
  std::vector<Line> lines_;  // scrolled out and on the screen
  std::size_t row_ = 0;
  std::size_t column_ = 0;
  std::string error_;
};

}  // namespace corerig
