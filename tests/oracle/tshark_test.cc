// The lidar's datagrams as a capture, read by Wireshark's tshark. Needs Debian's packages tshark and gpsd-clients
// (tools/setup.sh oracle); without, it fails.
//
// And captures of others' making, as sensors/pcap_file.h reads them, against what tshark finds in them.
//
// Wireshark 4.0 brings no dissector for the lidar's payload nor for NMEA: it vouches for the envelope, the lengths and
// the bytes; what the bytes say is read here at the manual's offsets, and what the GPS sentence says by gpsdecode.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "sensors/pcap_file.h"
#include "tests/oracle/command.h"
#include "tests/oracle/frames.h"
#include "tests/support/pcap_writer.h"

namespace corerig {
namespace {

constexpr std::uint16_t kDataPort = 2368, kPositionPort = 8308;

// One line of tshark's answer.
struct Seen {
  std::string time, length, port, checksums, payload;
};

std::string Bytes(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::strtoul(hex.substr(i, 2).c_str(), nullptr, 16));
  }
  return bytes;
}

unsigned Little(const std::string& bytes, std::size_t at, int size) {
  unsigned word = 0;
  for (int i = size; i-- > 0;) word = word << 8 | static_cast<unsigned char>(bytes[at + i]);
  return word;
}

std::string Seconds(Nanos time) {
  char text[40];
  std::snprintf(text, sizeof text, "%lld.%09lld", static_cast<long long>(time.count() / 1'000'000'000),
                static_cast<long long>(time.count() % 1'000'000'000));
  return text;
}

class Tshark : public testing::Test {
 protected:
  // Ten seconds of both streams, as the sensor interleaves them: by time.
  static void SetUpTestSuite() {
    data_ = FramesOf("vlp16", "data", Rate::Hertz(754), 7540);
    position_ = FramesOf("vlp16", "position", Rate::Hertz(54), 540);
    PcapWriter capture;
    for (std::size_t d = 0, p = 0; d < data_.size() || p < position_.size();) {
      const bool data = p == position_.size() || (d < data_.size() && data_[d].time <= position_[p].time);
      const SentFrame& frame = data ? data_[d++] : position_[p++];
      const std::uint16_t port = data ? kDataPort : kPositionPort;
      capture.Add(frame.time, {.source_port = port, .destination_port = port}, frame.bytes);
    }
    file_ = WriteFile("vlp16.pcap", capture.bytes());
  }

  static ProgramOutput Ask(const std::string& arguments) {
    // It says on stderr that it runs as root.
    ProgramOutput said = OutputOf("tshark -n -r " + file_ + " " + arguments + " 2>/dev/null");
    EXPECT_EQ(said.error, "") << "is tshark installed? tools/setup.sh oracle";
    return said;
  }

  static std::vector<Seen> SeenOn(std::uint16_t port) {
    const ProgramOutput said =
        Ask("-o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -Y udp.dstport==" + std::to_string(port) +
            " -T fields -E separator=/s -e frame.time_epoch -e udp.length -e udp.srcport -e ip.checksum.status "
            "-e udp.checksum.status -e udp.payload");
    std::vector<Seen> all;
    for (const std::string& line : said.lines) {
      char time[64] = "", length[16] = "", from[16] = "", ip[8] = "", udp[8] = "";
      int end = 0;
      std::sscanf(line.c_str(), "%63s %15s %15s %7s %7s %n", time, length, from, ip, udp, &end);
      all.push_back({time, length, from, std::string(ip) + udp, line.substr(static_cast<std::size_t>(end))});
    }
    return all;
  }

  static void ExpectSame(const std::vector<Seen>& seen, const std::vector<SentFrame>& sent, const std::string& length,
                         std::uint16_t port) {
    ASSERT_EQ(seen.size(), sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
      ASSERT_EQ(seen[i].time, Seconds(sent[i].time)) << "packet " << i;
      ASSERT_EQ(seen[i].length, length) << "packet " << i;
      ASSERT_EQ(seen[i].port, std::to_string(port)) << "packet " << i;
      ASSERT_TRUE(seen[i].checksums == "11" || seen[i].checksums == "GoodGood") << i << ": " << seen[i].checksums;
      ASSERT_TRUE(Bytes(seen[i].payload) == sent[i].bytes) << "packet " << i;
    }
  }

  static std::vector<SentFrame> data_, position_;
  static std::string file_;
};

std::vector<SentFrame> Tshark::data_, Tshark::position_;
std::string Tshark::file_;

TEST_F(Tshark, SeesEveryPacketWholeInOrderAndNothingElse) {
  ExpectSame(SeenOn(kDataPort), data_, "1214", kDataPort);             // 1206 and the header of 8
  ExpectSame(SeenOn(kPositionPort), position_, "520", kPositionPort);  // 512
  EXPECT_EQ(Ask("").lines.size(), data_.size() + position_.size());
  // The manual's sizes of whole packets.
  EXPECT_EQ(Ask("-Y frame.len==1248").lines.size(), data_.size());
  EXPECT_EQ(Ask("-Y frame.len==554").lines.size(), position_.size());
  EXPECT_EQ(Ask("-Y '_ws.malformed || _ws.expert.severity==error'").lines.size(), 0u);
}

TEST_F(Tshark, FindsFlagsFactoryBytesAndStampsWhereTheManualHasThem) {
  // All twelve flags, and strongest return of a VLP-16, by Wireshark's own comparison of bytes.
  std::string filter = "udp.payload[1204:2]==37:22";
  for (int block = 0; block < 12; ++block) filter += "&&udp.payload[" + std::to_string(100 * block) + ":2]==ff:ee";
  EXPECT_EQ(Ask("-Y '" + filter + "'").lines.size(), data_.size());
  const auto seen = SeenOn(kDataPort);
  ASSERT_EQ(seen.size(), data_.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    // The capture's own time is the sensor's: the stamp is its microseconds past the hour.
    const std::string bytes = Bytes(seen[i].payload);
    ASSERT_EQ(Little(bytes, 1200, 4),
              std::strtoll(seen[i].time.c_str(), nullptr, 10) % 3600 * 1'000'000 +
                  std::strtol(seen[i].time.substr(seen[i].time.find('.') + 1, 6).c_str(), nullptr, 10))
        << "packet " << i;
    ASSERT_EQ(Little(bytes, 1200, 4), data_[i].wire_key);
    // 600 rpm: 36000 hundredths of a degree in 100 ms.
    const double azimuth = std::fmod(static_cast<double>(i) * 1000 / 754, 100) * 360;
    ASSERT_NEAR(std::remainder(Little(bytes, 2, 2) - azimuth, 36'000), 0, 1) << "packet " << i;
  }
}

TEST_F(Tshark, FindsTheSentenceInEveryPositionPacketAndGpsdecodeReadsIt) {
  EXPECT_EQ(Ask("-Y 'udp.dstport==8308 && udp.payload[206:7]==\"$GPRMC,\" && udp.payload[202:1]==02'").lines.size(),
            position_.size());
  EXPECT_EQ(Ask("-Y 'udp.dstport==2368 && frame contains \"$GPRMC\"'").lines.size(), 0u);
  std::string sentences, last;
  for (const Seen& seen : SeenOn(kPositionPort)) {
    const std::string text = Bytes(seen.payload).substr(206);
    const std::string sentence = text.substr(0, text.find('\n') + 1);
    if (sentence != last) sentences += sentence;
    last = sentence;
  }
  const ProgramOutput decoded = OutputOf("gpsdecode <" + WriteFile("position.nmea", sentences));
  EXPECT_EQ(decoded.error, "");
  // One a second; of the first, gpsdecode does not yet know that it is a whole epoch.
  ASSERT_GE(decoded.lines.size(), 9u);
  for (std::size_t i = 0; i < decoded.lines.size(); ++i) {
    const auto fix = nlohmann::json::parse(decoded.lines[i]);
    ASSERT_EQ(fix.at("class"), "TPV") << decoded.lines[i];
    const auto second = std::to_string(i + 10 - decoded.lines.size());
    EXPECT_EQ(fix.at("time"), "2026-02-28T18:00:0" + second + ".000Z");
    // It stands at the reference; errors of five deviations of 2.55 m.
    EXPECT_NEAR((fix.at("lat").get<double>() - 47.6) * 111'182, 0, 12.8);
    EXPECT_NEAR((fix.at("lon").get<double>() - 9.45) * 75'200, 0, 12.8);
    EXPECT_EQ(fix.value("speed", -1.0), 0);
  }
}

// Of an Ethernet, a loopback and a cooked capture, datagrams of IPv4 and IPv6, other protocols between them.
TEST(RecordedCaptures, HoldTheDatagramsThatTsharkFindsAtTheTimesItTells) {
  for (const std::string name : {"flows.pcap", "flight.pcap", "cooked.pcap", "loopback.pcap"}) {
    const std::string path = "sensors/testdata/recorded/" + name;
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const auto recording = ReadPcapFile(std::as_bytes(std::span(bytes)), 0);
    ASSERT_TRUE(recording) << name << ": " << recording.error().message;
    const ProgramOutput said = OutputOf("tshark -n -r " + path +
                                        " -Y 'udp and not icmp and not icmpv6' -T fields -e frame.time_epoch -e "
                                        "udp.payload 2>/dev/null");
    ASSERT_EQ(said.error, "") << "is tshark installed? tools/setup.sh oracle";
    ASSERT_EQ(said.lines.size(), recording->size()) << name;
    ASSERT_GE(said.lines.size(), 12u) << name;
    Nanos first{0};
    for (std::size_t i = 0; i < said.lines.size(); ++i) {
      std::string time, payload;
      std::istringstream(said.lines[i]) >> time >> payload;
      const auto frame = recording->frame(i);
      ASSERT_EQ(std::string(reinterpret_cast<const char*>(frame.data()), frame.size()), Bytes(payload)) << name << i;
      const auto at = ParseSeconds(time);
      ASSERT_TRUE(at) << said.lines[i];
      if (i == 0) first = *at;
      EXPECT_EQ(recording->at(i), *at - first) << name << " " << i;
    }
  }
}

}  // namespace
}  // namespace corerig
