#include "sensors/recorded.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "harness/plan/plan_json.h"
#include "sensors/received.h"

namespace corerig {
namespace {

const SensorType kRecorded = Recorded();

constexpr std::string_view kFolder = "sensors/testdata/recorded/";

StreamPlan StreamOf(std::string_view format, std::string_view file) {
  StreamPlan stream;
  stream.name = "bus";
  stream.sensor = kRecorded.info.name;
  stream.format = format;
  stream.channel = ChannelsOf(kRecorded.info, format)[0];
  for (const ParameterInfo& parameter : kRecorded.info.parameters) {
    stream.parameters.push_back({std::string(parameter.name), std::string(parameter.default_value)});
  }
  stream.parameters[0].value = file;
  return stream;
}

void Set(StreamPlan& stream, std::string_view name, std::string_view value) {
  for (Parameter& parameter : stream.parameters) {
    if (parameter.name == name) parameter.value = value;
  }
}

SensorContext ContextOf(const StreamPlan& stream) {
  SensorContext context = ContextAt(stream.rate);
  context.format = stream.format;
  context.channel = stream.channel;
  context.parameters = stream.parameters;
  return context;
}

std::string FileOf(std::string_view content) {
  static int count = 0;
  const std::string path = StrCat(std::string_view(getenv("TEST_TMPDIR")), "/a recording ", ++count);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

StreamPlan Read(StreamPlan stream) {
  const auto read = kRecorded.info.read_recording(stream);
  EXPECT_TRUE(read) << read.error().message;
  return stream;
}
std::string Refusal(StreamPlan stream) {
  const auto read = kRecorded.info.read_recording(stream);
  return read ? "taken" : read.error().message;
}

constexpr std::string_view kLog =
    "(100.000000) can0 123#01\n(100.010000) can0 123#02\n(100.010000) can0 124#02\n(100.030000) can0 123#03\n";

TEST(Recorded, FillsInRateAndPatternAndSaysWhatItPlays) {
  const StreamPlan stream = Read(StreamOf("candump", FileOf(kLog)));
  using std::chrono::milliseconds;
  EXPECT_EQ(stream.pattern,
            (std::vector<Nanos>{milliseconds(0), milliseconds(10), milliseconds(10), milliseconds(30)}));
  ASSERT_TRUE(stream.recording);
  EXPECT_EQ(stream.recording->cycle, milliseconds(50)) << "the median of 10 and 20 ms is taken to be the longer one";
  EXPECT_EQ(stream.recording->largest_frame, 16u);
  EXPECT_EQ(stream.recording->about, "4 frames in 30ms");
  EXPECT_EQ(stream.rate, Rate::Hertz(80));
  // cksum(1) of it.
  EXPECT_EQ(WordOf(stream.parameters, "cksum"), "2016623197:100");
}

TEST(Recorded, SpeedStretchesTimeAndNothingElse) {
  StreamPlan slow = StreamOf("candump", FileOf(kLog));
  Set(slow, "speed", "0.25");
  slow = Read(slow);
  EXPECT_EQ(slow.pattern[3], std::chrono::milliseconds(120));
  EXPECT_EQ(slow.recording->cycle, std::chrono::milliseconds(200));
  EXPECT_EQ(slow.rate, Rate::Hertz(20));
  EXPECT_EQ(slow.recording->about, "4 frames in 30ms");
  Set(slow, "speed", "3");
  slow = Read(slow);
  EXPECT_EQ(slow.pattern[1], Nanos(3'333'333));
  EXPECT_EQ(slow.recording->cycle, Nanos(16'666'667));
  EXPECT_EQ(slow.rate, Rate{240'000});
  Set(slow, "speed", "20000");
  EXPECT_EQ(Refusal(slow), "speed 20000 makes 1600000 frames per second; at most 1000000 can be played: lower it");
  Set(slow, "speed", "1e-10");
  EXPECT_EQ(Refusal(slow), "speed 1e-10 makes the recording longer than a year; raise it");
}

TEST(Recorded, ARecordingOfOneInstantIsPlayedOnceASecond) {
  const StreamPlan stream = Read(StreamOf("candump", FileOf("(5.5) can0 123#\n(5.5) can0 124#\n")));
  EXPECT_EQ(stream.pattern, (std::vector<Nanos>{Nanos(0), Nanos(0)}));
  EXPECT_EQ(stream.recording->cycle, std::chrono::seconds(1));
  EXPECT_EQ(stream.rate, Rate::Hertz(2));
}

TEST(Recorded, PlaysFramesByteForByteOverAndOver) {
  const StreamPlan stream = Read(StreamOf("nmea", StrCat(kFolder, "track.nmea")));
  std::ifstream file(std::string(kFolder) + "track.nmea");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (line[0] != '#') lines.push_back(line + "\r\n");
  }
  ASSERT_EQ(lines.size(), stream.pattern.size());
  ASSERT_EQ(lines.size(), 128u);
  const auto model = kRecorded.make_model(ContextOf(stream));
  ASSERT_TRUE(model->Ready());
  for (std::uint64_t n = 0; n < 3 * lines.size(); ++n) {
    EXPECT_EQ(Text(Encode(kRecorded, *model, n).bytes), lines[n % lines.size()]);
  }
}

TEST(Recorded, StampsOfScansGoOnAsInTheRecordingFromCycleToCycle) {
  StreamPlan stream =
      StreamOf("imu-csv", FileOf("time,ax,ay,az,gx,gy,gz\n5,0,0,1,0,0,0\n5.25,0,0,2,0,0,0\n6,0,0,3,0,0,0\n"));
  Set(stream, "speed", "10");
  stream = Read(stream);
  SensorContext context = ContextOf(stream);
  context.clock_offset = std::chrono::milliseconds(3);
  const auto model = kRecorded.make_model(context);
  const auto decoder = kRecorded.make_decoder(context);
  const std::int64_t offsets[] = {3, 253, 1003, 1753, 2003, 2753, 3503};  // ms; a cycle has 1000 and 750
  for (std::uint64_t n = 0; n < std::size(offsets); ++n) {
    const Encoded sent = Encode(kRecorded, *model, n);
    Received received;
    decoder->Feed(sent.bytes, 24 * n, received);
    ASSERT_EQ(received.frames.size(), 1u);
    const Nanos stamp = kPiDay + std::chrono::milliseconds(offsets[n]);
    EXPECT_EQ(received.frames[0].wire_key, static_cast<std::uint64_t>(stamp.count())) << n;
    EXPECT_EQ(received.frames[0].value, sent.frame.value) << "what is sent is the truth";
    EXPECT_NEAR(received.frames[0].value, static_cast<double>(1 + n % 3), 0.0025) << "half a count";
  }
}

TEST(Recorded, OtherFilesThanTheOneMeantAreNotPlayed) {
  const std::string path = FileOf(kLog);
  const StreamPlan stream = Read(StreamOf("candump", path));
  EXPECT_TRUE(kRecorded.make_model(ContextOf(stream))->Ready());
  EXPECT_EQ(Refusal(stream), "taken") << "the user may pin it by its cksum";
  std::ofstream(path, std::ios::app) << "(100.040000) can0 123#\n";
  const auto changed = kRecorded.make_model(ContextOf(stream))->Ready();
  ASSERT_FALSE(changed);
  EXPECT_TRUE(changed.error().message.starts_with(StrCat(path, ": is another file than was meant: its cksum is ")));
  EXPECT_TRUE(changed.error().message.ends_with(", not 2016623197:100; bring the file back, or leave cksum out"))
      << changed.error().message;
  EXPECT_EQ(Refusal(stream), changed.error().message);
  std::filesystem::remove(path);
  EXPECT_FALSE(kRecorded.make_model(ContextOf(stream))->Ready());
}

TEST(Recorded, WhatIsWrongIsToldWithFileAndPlace) {
  EXPECT_EQ(Refusal(StreamOf("candump", "")),
            "file is missing; write file = \"drive.log\", the recording to be played");
  const std::string none = Refusal(StreamOf("candump", "no/such.log"));
  EXPECT_NE(none.find("no/such.log"), std::string::npos) << none;
  EXPECT_NE(none.find("No such file"), std::string::npos) << none;
  EXPECT_NE(none.find("; give the path of a recording, seen from where corerig is called"), std::string::npos) << none;
  EXPECT_EQ(Refusal(StreamOf("candump", "/dev/zero")), "/dev/zero: is no regular file; give the path of a recording");
  EXPECT_EQ(Refusal(StreamOf("candump", "/")), "/: is no regular file; give the path of a recording");
  const std::string empty = FileOf("");
  EXPECT_EQ(Refusal(StreamOf("candump", empty)), StrCat(empty, ": has no frame to play (0 frames in 0s)"));
  const std::string bad = FileOf("(1.0) can0 123#\n(1.1) can0 123#1\n");
  EXPECT_TRUE(Refusal(StreamOf("candump", bad)).starts_with(StrCat(bad, ":2: \"123#1\" has no 0 to 8 bytes")));
  EXPECT_TRUE(Refusal(StreamOf("nmea", bad)).starts_with(StrCat(bad, ":1: \"(1.0) can0 123#\" is no sentence")));
  EXPECT_TRUE(Refusal(StreamOf("imu-csv", bad)).starts_with(StrCat(bad, ":1: there is no column")));
  EXPECT_TRUE(Refusal(StreamOf("pcap", bad)).starts_with(StrCat(bad, ":byte 0: this is no classic pcap file")));
  EXPECT_TRUE(Refusal(StreamOf("mavlink", StrCat(kFolder, "flows.pcap")))
                  .starts_with(StrCat(kFolder, "flows.pcap:byte 24: the datagram is no MAVLink message")));

  StreamPlan selected = StreamOf("pcap", StrCat(kFolder, "flows.pcap"));
  EXPECT_EQ(Read(selected).recording->about.find("skipped"), std::string::npos);
  Set(selected, "port", "2368");
  EXPECT_NE(Read(selected).recording->about.find("skipped 33: to another port"), std::string::npos)
      << Read(selected).recording->about;
  Set(selected, "port", "9");
  EXPECT_TRUE(Refusal(selected).ends_with(": has no frame to play (0 frames in 0s; skipped 66: to another port)"));
  Set(selected, "port", "65536");
  EXPECT_EQ(Refusal(selected), "port 65536 is none; write one from 1 to 65535, or 0 for all");
  Set(selected, "port", "-1");
  EXPECT_EQ(Refusal(selected), "port -1 is none; write one from 1 to 65535, or 0 for all");
  StreamPlan log = StreamOf("nmea", bad);
  Set(log, "port", "5");
  EXPECT_EQ(Refusal(log), "port selects the datagrams of a capture; leave it out of nmea");
  log = StreamOf("nmea", bad);
  Set(log, "interface", "can0");
  EXPECT_EQ(Refusal(log), "interface selects lines of a candump log; leave it out of nmea");
}

TEST(Recorded, AFileThatIsTooLargeIsRefusedUnread) {
  const std::string path = FileOf("");
  std::filesystem::resize_file(path, kRecorded.max_frame_size * 8000);  // sparse
  EXPECT_EQ(Refusal(StreamOf("pcap", path)),
            StrCat(path, ": has 524056000 bytes; a recording has at most 268435456; cut it"));
  std::filesystem::remove(path);
}

// On a wire without a check a flipped bit is found by no receiver, but nothing is known of such a frame either.
TEST(Recorded, ADamagedDatagramHasTheKeyOfNoFrameOfTheRecording) {
  const StreamPlan stream = Read(StreamOf("pcap", StrCat(kFolder, "flows.pcap")));
  const auto model = kRecorded.make_model(ContextOf(stream));
  std::map<std::uint64_t, std::vector<std::byte>> known;
  for (std::uint64_t n = 0; n < stream.pattern.size(); ++n) {
    const Encoded sent = Encode(kRecorded, *model, n);
    EXPECT_EQ(known.emplace(sent.frame.wire_key, sent.bytes).first->second, sent.bytes);
  }
  for (std::uint64_t n = 0; n < stream.pattern.size(); ++n) {
    Encoded sent = Encode(kRecorded, *model, n);
    for (std::size_t bit = 0; bit < std::min<std::size_t>(8 * sent.bytes.size(), 800); ++bit) {
      sent.bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
      Received received;
      kRecorded.make_decoder(ContextOf(stream))->Feed(sent.bytes, 0, received);
      ASSERT_EQ(received.frames.size(), 1u);
      const auto found = known.find(received.frames[0].wire_key);
      EXPECT_TRUE(found == known.end() || found->second == sent.bytes) << n << " " << bit;
      sent.bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    }
  }
}

}  // namespace
}  // namespace corerig
