#include "harness/report/live.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "harness/base/text.h"
#include "harness/report/columns.h"
#include "harness/report/live_table.h"

namespace corerig {
namespace {

struct Size {
  int columns = 80;
  int rows = 24;
};

// Asked for every table: windows are resized. A serial console says 0: it is taken for the classic terminal.
Size SizeOf(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

// One column stays free, so that no terminal wraps a full line, and one row, for the cursor.
std::vector<std::string> Fit(const std::vector<std::string>& wanted, const Size& size) {
  const auto room = static_cast<std::size_t>(std::max(size.rows - 1, 1));
  std::vector<std::string> lines(wanted.begin(), wanted.begin() + static_cast<long>(std::min(room, wanted.size())));
  if (wanted.size() > room) lines.back() = StrCat("… ", wanted.size() - room + 1, " more lines");
  for (auto& line : lines) line = Cut(line, size.columns - 1);
  return lines;
}

// Lines drawn for a wider window now take more rows each: terminals wrap them anew when they are made narrower.
int RowsOf(const std::vector<std::string>& drawn, const Size& size) {
  int rows = 0;
  for (const auto& line : drawn) rows += std::max(1, (DisplayWidth(line) + size.columns - 1) / size.columns);
  return std::min(rows, size.rows - 1);
}

// ECMA-48 (and the VT100): CUU moves the cursor up, EL erases to the end of the line, ED to the end of the screen.
std::string CursorUp(int rows) { return rows > 0 ? StrCat("\x1b[", rows, "A") : ""; }
constexpr std::string_view kEraseLine = "\x1b[K";
constexpr std::string_view kEraseBelow = "\x1b[J";

constexpr int kNoPatience = 0;         // a table: the next one comes soon
constexpr int kMessagePatience = 200;  // ms

}  // namespace

LiveDisplay::LiveDisplay(int fd, bool terminal) : fd_(fd), terminal_(terminal) {}

LiveDisplay::~LiveDisplay() { Finish(); }

void LiveDisplay::Show(const LiveState& state) {
  if (!terminal_) return ShowLine(state);
  wanted_ = LiveTable(state);
  Redraw("");
}

void LiveDisplay::Message(std::string_view line) {
  const std::string message = Printable(line) + "\n";
  if (terminal_) {
    Redraw(message);
  } else {
    Write(message, kMessagePatience);
  }
}

void LiveDisplay::Finish() {
  wanted_.clear();
  drawn_.clear();
}

// `message` (a line, or nothing) takes the place of the old table's beginning, and the table comes below it.
void LiveDisplay::Redraw(std::string_view message) {
  const Size size = SizeOf(fd_);
  const int above = RowsOf(drawn_, size);
  auto lines = Fit(wanted_, size);
  std::string out = StrCat(CursorUp(above), "\r");
  if (!message.empty()) {
    // A message may wrap, so its place is cleared first. Not by ED: tmux keeps what ED erases from the top of the
    // screen in its history.
    for (int row = 0; row < above; ++row) out += StrCat(kEraseLine, "\n");
    out += StrCat(CursorUp(above), message);
  }
  // Line by line over the old table, in one write: erasing it all first would flicker. Each line is erased from its
  // beginning, so that the terminal also forgets that it was the rest of a wrapped one.
  for (const auto& line : lines) out += StrCat(kEraseLine, line, "\n");
  out += kEraseBelow;
  if (Write(out, message.empty() ? kNoPatience : kMessagePatience)) drawn_ = std::move(lines);
}

void LiveDisplay::ShowLine(const LiveState& state) {
  constexpr Nanos kBetween = std::chrono::seconds(2);
  const bool due = state.elapsed - shown_ >= kBetween || state.elapsed < shown_;
  if (state.phase == phase_ && !due) return;
  phase_ = state.phase;
  shown_ = state.elapsed;
  Write(LiveLine(state) + "\n", kNoPatience);
}

// False if nothing was written. The caller's thread runs the whole rig: it never waits long for a reader.
bool LiveDisplay::Write(std::string_view text, int patience_ms) {
  bool begun = false;
  while (!gone_ && !text.empty()) {
    pollfd ready{fd_, POLLOUT, 0};
    const int count = poll(&ready, 1, begun ? kMessagePatience : patience_ms);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return begun;
    // Before the write: into a pipe without a reader it would raise SIGPIPE.
    gone_ = (ready.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    if (gone_) return begun;
    const ssize_t written = write(fd_, text.data(), text.size());
    if (written > 0) {
      begun = true;
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      return begun;
    } else if (errno != EINTR) {
      gone_ = true;
    }
  }
  return text.empty();
}

}  // namespace corerig
