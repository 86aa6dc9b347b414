// What the run is doing, shown while it goes on.
//
//   LiveDisplay display(STDERR_FILENO, isatty(STDERR_FILENO));
//   display.Show(state);               // every so often; the display decides what of it to print
//   display.Message("loop flight: ");  // a line that stays, above the table
//   display.Finish();                  // the last table stays; the cursor stands below it
//
// On a terminal: one table, redrawn in place, cut to the terminal's size. Elsewhere (a file, a CI log): one plain line
// at each change of phase and otherwise every 2 s of the run. Not for several threads at a time. Writing is best
// effort: a terminal that went away costs the display and never the run.
#pragma once

#include <string>
#include <string_view>

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
  void Erase();
  void Write(std::string_view text);

  int fd_;
  bool terminal_;
  std::string table_;  // as it stands on the terminal, newlines included
  std::string phase_;  // of the latest plain line
  Nanos shown_{0};     // elapsed time of the latest plain line
};

}  // namespace corerig
