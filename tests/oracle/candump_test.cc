// SocketCAN, with can-utils' candump as the witness: what `corerig emit` sends to can:vcan0, and the channel `can` of a
// run. Needs Debian's package can-utils and, up, an interface vcan0; most kernels have no CAN, and there it is skipped.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "harness/loop/raw_can.h"
#include "tests/oracle/command.h"
#include "tests/support/rig_run.h"

namespace corerig {
namespace {

// 180 frames per second, so that a board in emulation keeps up, for five seconds.
constexpr int kFrames = 900;

std::string Scenario(const std::string& receiver) {
  const std::string core = "[" + std::to_string(TestCores().front()) + "]";
  return "name = \"can\"\nduration = \"5s\"\nwarmup = \"0s\"\nseed = 7\ntrace = false\n[source]\ncores = " + core +
         "\n[stream.car]\nsensor = \"can-powertrain\"\nrate = \"180Hz\"\n" + receiver;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Whether a socket listens to all of vcan0: the table has a line for it, which begins with the interface.
bool SomebodyListens() { return Contents("/proc/net/can/rcvlist_all").find("  vcan0 ") != std::string::npos; }

// candump in a thread, until it has seen so many frames or none for twenty seconds.
class Candump {
 public:
  explicit Candump(int frames)
      : thread_([this, frames] {
          output_ = OutputOf("candump -L -n " + std::to_string(frames) + " -T 20000 vcan0 2>/dev/null");
        }) {
    for (int i = 0; i < 500 && !SomebodyListens(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(SomebodyListens());
  }
  // "0A0#E000F31B4B1A0300", one a frame.
  std::vector<std::string> Frames() {
    thread_.join();
    EXPECT_EQ(output_.error, "");
    std::vector<std::string> frames;
    for (const std::string& line : output_.lines) frames.push_back(line.substr(line.rfind(' ') + 1));
    return frames;
  }

 private:
  ProgramOutput output_;
  std::thread thread_;
};

// struct can_frame as candump's log has it (linux/can.h; can-utils lib.h, sprint_canframe): identifier of 11 bits in
// three digits, length not shown, data.
std::vector<std::string> AsLogged(const std::string& bytes) {
  constexpr std::size_t kSize = 16, kLengthAt = 4, kDataAt = 8;
  std::vector<std::string> frames;
  for (std::size_t at = 0; at + kSize <= bytes.size(); at += kSize) {
    unsigned id = 0;
    std::memcpy(&id, bytes.data() + at, sizeof id);
    char text[8];
    std::snprintf(text, sizeof text, "%03X#", id);
    frames.emplace_back(text);
    for (int i = 0; i < bytes[at + kLengthAt]; ++i) {
      std::snprintf(text, sizeof text, "%02X", static_cast<unsigned char>(bytes[at + kDataAt + i]));
      frames.back() += text;
    }
  }
  return frames;
}

class CandumpTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto bus = OpenRawCan("vcan0", CanSide::kSends);
    if (!bus) GTEST_SKIP() << bus.error().message;
    ASSERT_FALSE(SomebodyListens()) << "vcan0 is in use";
  }
};

TEST_F(CandumpTest, SeesTheFramesThatEmitSends) {
  const std::string base = std::string(getenv("TEST_TMPDIR")) + "/", scenario = base + "can.toml";
  std::ofstream(scenario) << Scenario("receiver = \"external\"\nendpoint = \"can:vcan0\"\n");
  Candump candump(kFrames);
  const FinishedRun emitted = RigRun::Call({"emit", scenario}).Wait();
  EXPECT_TRUE(emitted.exit_status == 0 || emitted.exit_status == 3) << emitted.err;  // 3: late
  EXPECT_NE(emitted.err.find("car: 900 frames sent, 14400 bytes, 0 refused"), std::string::npos) << emitted.err;
  const FinishedRun truth = RigRun::Call({"emit", scenario, "--to", "file:" + base + "truth"}).Wait();
  EXPECT_TRUE(truth.exit_status == 0 || truth.exit_status == 3) << truth.err;
  const auto sent = AsLogged(Contents(base + "truth"));
  EXPECT_EQ(sent.size(), std::size_t{kFrames});
  EXPECT_EQ(candump.Frames(), sent);
}

TEST_F(CandumpTest, SeesTheFramesThatALoopReceives) {
  const std::string core = "[" + std::to_string(TestCores().back()) + "]";
  Candump candump(kFrames);
  const FinishedRun run = RigRun(Scenario("loop = \"bus\"\n[loop.bus]\ncores = " + core + "\n")).Wait();
  const auto stream = run.Part("streams", "car");
  ASSERT_TRUE(stream.is_object()) << run.out << run.err;
  EXPECT_EQ(stream["substitute"], "");
  EXPECT_EQ(stream["sent"], kFrames);
  EXPECT_EQ(stream["received"], kFrames);
  for (const char* none : {"lost", "corrupt", "ambiguous", "duplicated", "overruns", "overflows"}) {
    EXPECT_EQ(stream[none], 0) << none;
  }
  EXPECT_EQ(run.Metric("stream.car.transport.count"), kFrames) << "the kernel stamps them";
  EXPECT_EQ(candump.Frames().size(), std::size_t{kFrames});
  EXPECT_EQ(CheckReport(run), std::vector<std::string>());
}

}  // namespace
}  // namespace corerig
