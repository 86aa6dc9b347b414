// What the run is doing, shown while it goes on.
//
//   LiveDisplay display(STDERR_FILENO, isatty(STDERR_FILENO));
//   display.Show(state);               // every so often; the display decides what of it to print
//   display.Message("loop flight: ");  // a line that stays, above the table
//   display.Finish();                  // the last table stays; the cursor stands below it
//
// On a terminal: one table, redrawn in place, cut to the terminal's size. Elsewhere (a file, a CI log): one plain line
// at each change of phase and otherwise every 2 s of the run. Not for several threads at a time. Writing is best
// effort: a terminal that is stopped (Ctrl-S) or went away costs the display and never the run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/live_state.h"

namespace corerig {

class LiveDisplay {
 public:
  // `fd` stays the caller's. `terminal`: it understands cursor movements (isatty, and TERM is not "dumb").
  LiveDisplay(int fd, bool terminal);
  LiveDisplay(const LiveDisplay&) = delete;
  LiveDisplay& operator=(const LiveDisplay&) = delete;
  ~LiveDisplay();  // finishes

  void Show(const LiveState& state);
  void Message(std::string_view line);
  void Finish();

 private:
  void Redraw(std::string_view message);
  void ShowLine(const LiveState& state);
  bool Write(std::string_view text, int patience_ms);

  int fd_;
  bool terminal_;
  bool gone_ = false;                // nobody reads any more
  std::vector<std::string> wanted_;  // the table, as long and as wide as it needs to be
  std::vector<std::string> drawn_;   // the lines that stand above the cursor
  std::string phase_;                // of the latest plain line
  Nanos shown_{0};                   // its elapsed time
};

}  // namespace corerig
