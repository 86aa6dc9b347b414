#include "harness/report/live.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/report/terminal_model.h"

namespace corerig {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// A pseudo-terminal whose other side is read on demand.
class Pty {
 public:
  Pty() {
    master_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) return;
    slave_ = open(ptsname(master_), O_RDWR | O_NOCTTY | O_CLOEXEC);
    termios raw{};
    tcgetattr(slave_, &raw);
    cfmakeraw(&raw);  // the bytes as they were written
    tcsetattr(slave_, TCSANOW, &raw);
  }
  ~Pty() {
    Close();
    close(slave_);
  }
  void Close() {
    if (master_ >= 0) close(master_);
    master_ = -1;
  }
  void SetSize(int columns, int rows) {
    winsize size{};
    size.ws_col = static_cast<unsigned short>(columns);
    size.ws_row = static_cast<unsigned short>(rows);
    ASSERT_EQ(ioctl(master_, TIOCSWINSZ, &size), 0);
  }
  // All that was written before: up to a mark of our own, since what is written arrives a moment later.
  std::string Read() {
    constexpr char kMark = '\x1e';
    EXPECT_EQ(write(slave_, &kMark, 1), 1);
    std::string out;
    for (char c = 0; read(master_, &c, 1) == 1 && c != kMark;) out += c;
    return out;
  }
  int slave() const { return slave_; }

 private:
  int master_ = -1;
  int slave_ = -1;
};

LiveState Streams(int count) {
  LiveState state;
  state.phase = "measuring";
  state.elapsed = 1s;
  state.total = 4s;
  for (int i = 0; i < count; ++i) {
    state.streams.push_back(
        {.name = "s" + std::to_string(i), .rate = 10, .latency = 18'900ns, .received = 5, .lost = 0, .corrupt = 0});
  }
  return state;
}

class LiveOnATerminal : public testing::Test {
 protected:
  void SetUp() override {
    if (pty_.slave() < 0) GTEST_SKIP() << "no pseudo-terminal can be opened here";
    pty_.SetSize(60, 10);
  }
  std::vector<std::string> Screen() {
    screen_.Feed(pty_.Read());
    EXPECT_EQ(screen_.error(), "");
    return screen_.Text();
  }
  void Resize(int columns, int rows) {
    Screen();
    pty_.SetSize(columns, rows);
    screen_.Resize(columns, rows);
  }

  Pty pty_;
  TerminalModel screen_{60, 10};
};

const char* const kPhase = "measuring  1.0 s of 4.0 s  ████████░░░░░░░░░░░░░░░░░░░░░░";
const char* const kTitle = "stream     rate  latency  received  lost  corrupt";
const char* const kS0 = "s0      10.0 Hz  18.9 µs         5     0        0";
const char* const kS1 = "s1      10.0 Hz  18.9 µs         5     0        0";

TEST_F(LiveOnATerminal, TableIsRedrawnInItsPlace) {
  LiveDisplay display(pty_.slave(), true);
  for (int i = 0; i < 5; ++i) display.Show(Streams(2));
  EXPECT_THAT(Screen(), ElementsAre(kPhase, kTitle, kS0, kS1));
}

TEST_F(LiveOnATerminal, FirstFrameIsTheseBytes) {
  LiveDisplay display(pty_.slave(), true);
  LiveState state;
  state.phase = "starting";
  display.Show(state);
  EXPECT_EQ(pty_.Read(), "\r\x1b[Kstarting  0.0 s\n\x1b[J");
  display.Show(state);
  EXPECT_EQ(pty_.Read(), "\x1b[1A\r\x1b[Kstarting  0.0 s\n\x1b[J");
}

TEST_F(LiveOnATerminal, ShrinkingTableLeavesNoRests) {
  LiveDisplay display(pty_.slave(), true);
  display.Show(Streams(4));
  display.Show(Streams(1));
  EXPECT_THAT(Screen(), ElementsAre(kPhase, kTitle, kS0));
  LiveState bare;
  bare.phase = "draining";
  display.Show(bare);
  EXPECT_THAT(Screen(), ElementsAre("draining  0.0 s"));
}

TEST_F(LiveOnATerminal, LinesAreCutAndNeverWrap) {
  Resize(20, 10);
  LiveDisplay display(pty_.slave(), true);
  for (int i = 0; i < 3; ++i) display.Show(Streams(1));
  EXPECT_THAT(Screen(), ElementsAre("measuring  1.0 s o…", "stream     rate  l…", "s0      10.0 Hz  1…"));
}

TEST_F(LiveOnATerminal, TableTallerThanTheScreenIsCutAndSaysSo) {
  LiveDisplay display(pty_.slave(), true);
  for (int i = 0; i < 3; ++i) display.Show(Streams(20));
  const auto screen = Screen();
  ASSERT_EQ(screen.size(), 9u) << testing::PrintToString(screen);
  EXPECT_EQ(screen[0], kPhase);
  EXPECT_EQ(screen[8], "… 14 more lines");
}

TEST_F(LiveOnATerminal, WindowMadeNarrowerLeavesNoRests) {
  LiveDisplay display(pty_.slave(), true);
  display.Message("before");
  display.Show(Streams(1));
  Resize(30, 10);
  ASSERT_EQ(Screen().size(), 7u) << "the three lines take six rows now";
  display.Show(Streams(1));
  EXPECT_THAT(Screen(), ElementsAre("before", "measuring  1.0 s of 4.0 s  █…", "stream     rate  latency  re…",
                                    "s0      10.0 Hz  18.9 µs    …"));
}

TEST_F(LiveOnATerminal, WindowMadeNarrowerAndWiderAgainLeavesNoRests) {
  LiveDisplay display(pty_.slave(), true);
  display.Message("first");
  display.Message("second");
  display.Show(Streams(1));
  Resize(30, 10);
  display.Show(Streams(1));
  Resize(60, 10);
  display.Show(Streams(1));
  EXPECT_THAT(Screen(), ElementsAre("first", "second", kPhase, kTitle, kS0));
}

TEST_F(LiveOnATerminal, WindowMadeWiderShowsMore) {
  Resize(20, 10);
  LiveDisplay display(pty_.slave(), true);
  display.Show(Streams(1));
  Resize(60, 10);
  display.Show(Streams(1));
  EXPECT_THAT(Screen(), ElementsAre(kPhase, kTitle, kS0));
}

TEST_F(LiveOnATerminal, MessagesStayAboveTheTable) {
  LiveDisplay display(pty_.slave(), true);
  display.Message("first");
  display.Show(Streams(1));
  display.Message("second, which is wider than the sixty columns of this terminal");
  display.Message("third");
  display.Show(Streams(2));
  EXPECT_THAT(Screen(), ElementsAre("first", "second, which is wider than the sixty columns of this termin", "al",
                                    "third", kPhase, kTitle, kS0, kS1));
}

TEST_F(LiveOnATerminal, MessagesScrollOutAndTheTableStaysWhole) {
  LiveDisplay display(pty_.slave(), true);
  std::vector<std::string> expected;
  for (int i = 0; i < 15; ++i) {
    display.Show(Streams(1));
    display.Message("message " + std::to_string(i));
    expected.push_back("message " + std::to_string(i));
  }
  expected.insert(expected.end(), {kPhase, kTitle, kS0});
  EXPECT_EQ(Screen(), expected);
}

TEST_F(LiveOnATerminal, LastTableStaysAndWhatComesNextStandsBelowIt) {
  LiveDisplay display(pty_.slave(), true);
  display.Show(Streams(1));
  display.Finish();
  display.Message("report: corerig-out/report.json");
  EXPECT_THAT(Screen(), ElementsAre(kPhase, kTitle, kS0, "report: corerig-out/report.json"));
}

TEST_F(LiveOnATerminal, EscapesInAMessageAreNotObeyed) {
  LiveDisplay display(pty_.slave(), true);
  display.Message("exec \x1b[2J failed\n");
  EXPECT_THAT(Screen(), ElementsAre("exec  [2J failed"));
}

TEST_F(LiveOnATerminal, StoppedTerminalCostsFramesAndNotTheRun) {
  LiveDisplay display(pty_.slave(), true);
  display.Show(Streams(1));
  Screen();
  ASSERT_EQ(tcflow(pty_.slave(), TCOOFF), 0);
  display.Show(Streams(4));
  display.Show(Streams(3));
  ASSERT_EQ(tcflow(pty_.slave(), TCOON), 0);
  display.Show(Streams(2));
  EXPECT_THAT(Screen(), ElementsAre(kPhase, kTitle, kS0, kS1));
}

TEST_F(LiveOnATerminal, TerminalThatWentAwayCostsNothing) {
  LiveDisplay display(pty_.slave(), true);
  pty_.Close();
  display.Show(Streams(1));
  display.Message("nobody reads this");
  display.Finish();
}

class LiveInALog : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe2(ends_, O_CLOEXEC | O_NONBLOCK), 0); }
  void TearDown() override {
    for (const int end : ends_) close(end);
  }
  std::string Read() {
    std::string out(65536, '\0');
    const ssize_t got = read(ends_[0], out.data(), out.size());
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }
  static LiveState At(std::string_view phase, Nanos elapsed) {
    LiveState state;
    state.phase = phase;
    state.elapsed = elapsed;
    state.total = 22s;
    return state;
  }

  int ends_[2];
};

TEST_F(LiveInALog, OneLineEvery2SecondsAndAtEachChangeOfPhase) {
  LiveDisplay display(ends_[1], false);
  for (int ms = 0; ms <= 5000; ms += 250) {
    display.Show(At(ms < 1000 ? "warm-up" : "measuring", std::chrono::milliseconds(ms)));
  }
  EXPECT_EQ(Read(),
            "0.0 s of 22.0 s warm-up\n"
            "1.0 s of 22.0 s measuring\n"
            "3.0 s of 22.0 s measuring\n"
            "5.0 s of 22.0 s measuring\n");
}

TEST_F(LiveInALog, NextRunStartsAnew) {
  LiveDisplay display(ends_[1], false);
  display.Show(At("measuring", 21s));
  display.Show(At("measuring", 500ms));
  EXPECT_EQ(Read(), "21.0 s of 22.0 s measuring\n0.5 s of 22.0 s measuring\n");
}

TEST_F(LiveInALog, MessageIsALineAndFinishNothing) {
  LiveDisplay display(ends_[1], false);
  display.Message("loop flight: SCHED_FIFO 80 refused");
  display.Finish();
  EXPECT_EQ(Read(), "loop flight: SCHED_FIFO 80 refused\n");
}

// Without SIGPIPE being ignored: the signal would end this test.
TEST_F(LiveInALog, ReaderThatWentAwayRaisesNoSignal) {
  LiveDisplay display(ends_[1], false);
  close(ends_[0]);
  display.Show(At("measuring", 1s));
  display.Message("nobody reads this");
  ends_[0] = dup(ends_[1]);
}

TEST_F(LiveInALog, FullPipeDoesNotHoldTheRunUp) {
  LiveDisplay display(ends_[1], false);
  const std::string block(4096, 'x');
  while (write(ends_[1], block.data(), block.size()) > 0) {
  }
  ASSERT_EQ(fcntl(ends_[1], F_SETFL, 0), 0) << "from here on a write would wait for a reader";
  display.Show(At("measuring", 1s));
  const std::string seen = Read();
  EXPECT_EQ(seen.find("measuring"), std::string::npos);
}

}  // namespace
}  // namespace corerig
