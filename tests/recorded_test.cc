// Recordings as streams: whole runs of a rig that receive them, and `corerig emit` that plays them into files.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/rig_run.h"

namespace corerig {
namespace {

const std::string kFolder = "sensors/testdata/recorded/";

std::string Stream(const std::string& name, const std::string& format, const std::string& file,
                   const std::string& more = "") {
  return "[stream." + name + "]\nsensor = \"recorded\"\nloop = \"l\"\nformat = \"" + format + "\"\nfile = \"" +
         kFolder + file + "\"\n" + more + "\n";
}

std::string Head(const std::string& duration) {
  const std::string core = std::to_string(TestCores().front());
  return "name = \"replay\"\nduration = \"" + duration + "\"\nwarmup = \"300ms\"\nseed = 3\n[source]\ncores = [" +
         core + "]\n[loop.l]\ncores = [" + core + "]\n";
}

// Each format over its channel, with damage on every wire. The recordings take 0.3 to 8 s, so most come round.
std::string Scenario() {
  return Head("3s") +
         Stream("bus", "candump", "drive.log",
                "fault = [{ kind = \"drop\", at = [3, 200] }, { kind = \"garbage\", at = [50] }]") +
         Stream("clean", "candump", "drive.log", "interface = \"can1\"\nspeed = 0.7") +
         Stream("gps", "nmea", "track.nmea",
                "speed = 4\nfault = [{ kind = \"bit-flip\", at = [5, 6, 40] }, { kind = \"drop\", at = [10] }]") +
         Stream("tcp", "nmea", "track.nmea", "channel = \"tcp\"\nspeed = 10") +
         Stream("lidar", "pcap", "flows.pcap", "fault = [{ kind = \"bit-flip\", at = [7, 8, 9, 300] }]") +
         Stream(
             "imu", "imu-csv", "imu.csv",
             "clock_ppm = 50\nfault = [{ kind = \"duplicate\", at = [20] }, { kind = \"reorder\", at = [100] }, { kind "
             "= \"burst\", from = \"2s\", for = \"200ms\", frames = 5 }]") +
         Stream("fc", "mavlink", "flight.pcap", "fault = [{ kind = \"truncate\", at = [11, 12] }]");
}

class RecordedRun : public testing::Test {
 protected:
  static void SetUpTestSuite() { run_ = new FinishedRun(RigRun(Scenario()).Wait()); }
  static void TearDownTestSuite() { delete run_; }
  const FinishedRun& run() { return *run_; }
  double Figure(const std::string& stream, const std::string& figure) {
    return run().Metric("stream." + stream + "." + figure);
  }
  nlohmann::json Fault(const std::string& stream, const std::string& kind) {
    const auto part = run().Part("streams", stream);
    for (const auto& fault : part["faults"]) {
      if (fault["kind"] == kind) return fault;
    }
    return {};
  }
  static FinishedRun* run_;
};
FinishedRun* RecordedRun::run_ = nullptr;

TEST_F(RecordedRun, EverySampleIsAccountedFor) {
  ASSERT_TRUE(run().report.is_object()) << run().err;
  for (const std::string name : {"bus", "clean", "gps", "tcp", "lidar", "imu", "fc"}) {
    const auto stream = run().Part("streams", name);
    EXPECT_EQ(Figure(name, "sent"), stream["expected"].get<double>()) << name;
    EXPECT_EQ(Figure(name, "sent"),
              Figure(name, "received") - Figure(name, "duplicated") + Figure(name, "lost") + Figure(name, "unread"))
        << stream;
    EXPECT_EQ(Figure(name, "truth_lost"), 0) << name;
    EXPECT_EQ(Figure(name, "unread"), 0) << name;
    EXPECT_EQ(Figure(name, "reordered"), name == "imu" ? 1 : 0) << name;
    EXPECT_EQ(Figure(name, "duplicated"), name == "imu" ? 1 : 0) << name;
    EXPECT_EQ(stream["value_error_rms"], 0) << name << ": a frame was matched to another one";
  }
  // Cycles and what is left of one: 119 frames in 286.78 ms, 126 sentences in 8 s at four times the speed.
  EXPECT_NEAR(Figure("bus", "sent"), 3 * 119 / 0.28678, 60);
  EXPECT_NEAR(Figure("gps", "sent"), 3 * 128 / 2.0, 8);
  EXPECT_NEAR(Figure("imu", "sent"), 3 * 200.0, 4);
}

TEST_F(RecordedRun, FaultsAreFoundAsFarAsEachWireCanTell) {
  EXPECT_EQ(Figure("bus", "lost"), 3);
  EXPECT_EQ(Fault("bus", "drop")["detected"], 2);
  const auto garbage = Fault("bus", "garbage");
  EXPECT_EQ(garbage["injected"], 1);
  EXPECT_EQ(garbage["detected"].get<int>() + garbage["ambiguous"].get<int>(), 1)
      << "it has no frame's shape, or no sample's";
  EXPECT_EQ(Figure("clean", "lost"), 0);
  EXPECT_EQ(Figure("tcp", "lost"), 0);

  EXPECT_EQ(Fault("gps", "bit-flip")["detected"], 3) << "a sentence's checksum";
  EXPECT_EQ(Figure("gps", "lost"), 4);

  // Nothing is known of a datagram; but one that nobody sent is of no sample.
  const auto flips = Fault("lidar", "bit-flip");
  EXPECT_EQ(flips["injected"], 4);
  EXPECT_EQ(flips["detected"], 0);
  EXPECT_EQ(flips["ambiguous"], 4);
  EXPECT_EQ(Figure("lidar", "lost"), 4);
  EXPECT_EQ(Figure("lidar", "corrupt"), 0);
  EXPECT_EQ(Figure("lidar", "ambiguous"), 4);

  EXPECT_EQ(Fault("imu", "reorder")["detected"], 1);
  EXPECT_EQ(Figure("imu", "lost"), 0);
  const auto burst = Fault("imu", "burst");
  EXPECT_GT(burst["injected"], 20);
  EXPECT_EQ(burst["detected"], burst["injected"]) << burst;

  EXPECT_EQ(Fault("fc", "truncate")["detected"], 2) << "a message that is cut";
  EXPECT_EQ(Figure("fc", "corrupt"), 2);
}

TEST_F(RecordedRun, TheReportSaysWhatWasPlayedAndIsAsItsDescriptionSays) {
  const auto& streams = run().report["scenario"]["streams"];
  ASSERT_EQ(streams.size(), 7u);
  EXPECT_EQ(streams[0]["recording"]["about"], "119 frames in 286510us; skipped 1: error frame");
  EXPECT_EQ(streams[0]["recording"]["frames"], 119);
  EXPECT_FALSE(streams[0]["recording"].contains("due_ns"));
  for (const auto& complaint : CheckReport(run())) ADD_FAILURE() << complaint;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Path(const std::string& name) {
  return std::string(getenv("TEST_TMPDIR")) + "/" + name + std::to_string(getpid());
}

FinishedRun Call(const std::string& verb, const std::string& scenario, const std::vector<std::string>& more = {}) {
  const std::string path = Path("scenario");
  std::ofstream(path) << scenario;
  std::vector<std::string> arguments = {verb, path};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return RigRun::Call(arguments).Wait();
}

TEST(EmitRecorded, AFileHoldsWhatWasRecordedOnceAndAgain) {
  const std::string out = Path("nmea");
  const FinishedRun run = Call("emit", Head("1s") + Stream("gps", "nmea", "track.nmea", "speed = 10"),
                               {"--duration", "1s", "--to", "gps=file:" + out});
  EXPECT_TRUE(run.exit_status == 0 || run.exit_status == 3) << run.err;
  std::string once;
  std::istringstream lines(Contents(kFolder + "track.nmea"));
  for (std::string line; std::getline(lines, line);) {
    if (line[0] != '#') once += line + "\r\n";
  }
  const std::string text = Contents(out);
  ASSERT_GT(text.size(), once.size()) << "8 s, ten times as fast";
  EXPECT_EQ(text.substr(0, once.size()), once);
  EXPECT_EQ(text.substr(once.size()), once.substr(0, text.size() - once.size()));
}

// The bytes of struct can_frame, put together here from the log's own text.
TEST(EmitRecorded, ACanLogBecomesCanFrames) {
  const std::string out = Path("can");
  const FinishedRun run = Call("emit", Head("1s") + Stream("bus", "candump", "drive.log"),
                               {"--duration", "200ms", "--to", "bus=file:" + out});
  EXPECT_TRUE(run.exit_status == 0 || run.exit_status == 3) << run.err;
  const std::string bytes = Contents(out);
  ASSERT_GT(bytes.size(), 16u * 40);
  ASSERT_EQ(bytes.size() % 16, 0u);
  std::istringstream lines(Contents(kFolder + "drive.log"));
  std::size_t frame = 0;
  for (std::string stamp, name, text, rest; lines >> stamp >> name >> text && frame < bytes.size() / 16;) {
    std::getline(lines, rest);
    const auto hash = text.find('#');
    std::uint32_t id = static_cast<std::uint32_t>(std::stoul(text.substr(0, hash), nullptr, 16));
    if ((id & 0x20000000) != 0) continue;
    if (hash == 8) id |= 0x80000000;
    std::string data;
    for (std::size_t at = hash + 1; at < text.size() && text[at] != 'R' && text[at] != '_';) {
      if (text[at] == '.') ++at;
      data += static_cast<char>(std::stoi(text.substr(at, 2), nullptr, 16));
      at += 2;
    }
    if (text[hash + 1] == 'R') id |= 0x40000000;
    const std::string sent = bytes.substr(16 * frame++, 16);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(static_cast<std::uint8_t>(sent[i]), id >> 8 * i & 0xFF) << text;
    EXPECT_EQ(sent.substr(8, data.size()), data) << text;
    EXPECT_EQ(sent.substr(8 + data.size()), std::string(8 - data.size(), '\0')) << text;
  }
  EXPECT_EQ(frame, bytes.size() / 16);
}

TEST(CheckRecorded, TellsWhatIsWrongWithARecordingAndWhere) {
  const std::string log = Path("bad.log");
  std::ofstream(log) << "(1.0) can0 123#\n(1.1) can0 123#1\n";
  const std::string scenario =
      Head("1s") + "[stream.bus]\nsensor = \"recorded\"\nloop = \"l\"\nfile = \"" + log + "\"\n";
  const FinishedRun bad = Call("check", scenario);
  EXPECT_EQ(bad.exit_status, 1);
  EXPECT_NE(bad.err.find(":12:8: " + log +
                         ":2: \"123#1\" has no 0 to 8 bytes of two hexadecimal digits each; write one "
                         "such as 123#DEADBEEF"),
            std::string::npos)
      << bad.err;
  const FinishedRun good = Call("check", Scenario());
  EXPECT_EQ(good.exit_status, 0) << good.err;
  EXPECT_NE(good.out.find("119 frames in 286510us; skipped 1: error frame"), std::string::npos) << good.out;
}

}  // namespace
}  // namespace corerig
