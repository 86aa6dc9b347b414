// The satellite receiver's frames, read by software that shares nothing with corerig: gpsd 3.22 or later, as the filter
// `gpsdecode` and as the daemon on a pseudo-terminal. Needs Debian's packages gpsd and gpsd-clients (tools/setup.sh
// oracle), and root or a group that may open the terminal; without, it fails.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/oracle/command.h"
#include "tests/oracle/frames.h"

namespace corerig {
namespace {

constexpr double kNoise = 1.5;           // m, the sensor's default
constexpr double kVelocityNoise = 0.05;  // m/s
constexpr double kPerCep = 1.17741;      // deviations of one axis in the circle that holds half

// "2026-02-28T18:00:01.050Z" as gpsd prints it.
std::string Iso(Nanos time) {
  const std::time_t seconds = time / std::chrono::seconds(1);
  char text[40];
  const auto end = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", std::gmtime(&seconds));
  std::snprintf(text + end, sizeof text - end, ".%03dZ", static_cast<int>(time.count() / 1'000'000 % 1000));
  return text;
}

// What gpsd says, taken apart: its fixes, and every line that is none and says of an error, or is no JSON.
struct GpsdOutput {
  std::vector<nlohmann::json> fixes;  // TPV, "time-position-velocity"
  std::vector<std::string> complaints;
};

void Take(const std::string& line, GpsdOutput& output) {
  auto object = nlohmann::json::parse(line, nullptr, false);
  const std::string kind = object.is_object() ? object.value("class", "") : "";
  if (kind == "TPV") {
    output.fixes.push_back(std::move(object));
  } else if (kind.empty() || kind == "ERROR") {
    output.complaints.push_back(line);
  }
}

GpsdOutput Decoded(const std::string& name, const std::string& bytes) {
  const ProgramOutput said = OutputOf("gpsdecode <" + WriteFile(name, bytes));
  GpsdOutput output;
  for (const std::string& line : said.lines) Take(line, output);
  if (!said.error.empty()) output.complaints.push_back(said.error + " (tools/setup.sh oracle)");
  return output;
}

std::string Joined(const std::vector<SentFrame>& frames) {
  std::string bytes;
  for (const SentFrame& frame : frames) bytes += frame.bytes;
  return bytes;
}

// Every epoch but the first `learned` was told once, in order, with its time.
void ExpectEveryEpoch(const GpsdOutput& output, const std::vector<SentFrame>& sent, std::size_t learned) {
  EXPECT_EQ(output.complaints, std::vector<std::string>{});
  ASSERT_EQ(output.fixes.size() + learned, sent.size());
  for (std::size_t i = learned; i < sent.size(); ++i) {
    ASSERT_EQ(output.fixes[i - learned].value("time", ""), Iso(sent[i].time)) << "epoch " << i;
    ASSERT_EQ(output.fixes[i - learned].value("mode", 0), 3) << "epoch " << i;
  }
}

struct Deviations {
  double within = 0;                     // share of positions in the circle of kNoise
  double position = 0;                   // rms of one horizontal axis, in standard deviations as stated
  double velocity = 0;                   // the same of velocity
  double farthest = 0;                   // m
  double height = 0;                     // rms, in standard deviations, which are twice those of an axis
  double north_bias = 0, east_bias = 0;  // m
};

// Against the path of sensors/gnss_fix.h, with arithmetic of this test: degrees by the series of DMA TM 8358.2.
Deviations DeviationsOf(const std::vector<nlohmann::json>& fixes, const std::vector<SentFrame>& sent,
                        std::size_t learned) {
  const double p = 47.6 * M_PI / 180;
  const double per_latitude = 111132.954 - 559.822 * std::cos(2 * p) + 1.175 * std::cos(4 * p);
  const double per_longitude = 111412.84 * std::cos(p) - 93.5 * std::cos(3 * p) + 0.118 * std::cos(5 * p);
  const double sigma = kNoise / kPerCep, velocity_sigma = kVelocityNoise / kPerCep, turn = 2 * M_PI / 60;
  const double count = static_cast<double>(fixes.size());
  Deviations all;
  for (std::size_t i = 0; i < fixes.size(); ++i) {
    const auto& fix = fixes[i];
    const double angle =
        turn * std::fmod(static_cast<double>((sent[i + learned].time - kOracleEpoch).count()) / 1e9, 60);
    const double north = (fix.at("lat").get<double>() - 47.6) * per_latitude - 20 * std::cos(angle);
    const double east = (fix.at("lon").get<double>() - 9.45) * per_longitude - 20 * std::sin(angle);
    const double up = fix.at("altMSL").get<double>() - (450 + 3 * std::sin(2 * angle));
    const double speed = fix.at("speed").get<double>(), track = fix.at("track").get<double>() * M_PI / 180;
    const double velocity_north = speed * std::cos(track) + 20 * turn * std::sin(angle);
    const double velocity_east = speed * std::sin(track) - 20 * turn * std::cos(angle);
    const double off = std::hypot(north, east);
    all.within += (off <= kNoise) / count;
    all.position += off * off / 2 / count / (sigma * sigma);
    all.velocity += (velocity_north * velocity_north + velocity_east * velocity_east) / 2 / count /
                    (velocity_sigma * velocity_sigma);
    all.height += up * up / count / (4 * sigma * sigma);
    all.north_bias += north / count;
    all.east_bias += east / count;
    all.farthest = std::max(all.farthest, off);
  }
  all.position = std::sqrt(all.position);
  all.velocity = std::sqrt(all.velocity);
  all.height = std::sqrt(all.height);
  return all;
}

struct Format {
  const char* name;
  std::size_t
      learned;  // epochs until gpsd knows what ends one: NMEA tells it only by the next, and of the first nothing
};

class Gpsd : public testing::TestWithParam<Format> {};
INSTANTIATE_TEST_SUITE_P(Formats, Gpsd, testing::Values(Format{"nmea", 1}, Format{"ubx", 0}),
                         [](const auto& test) { return test.param.name; });

TEST_P(Gpsd, DecodesTenHoursWithoutErrorAndItsPositionsAreTheTruthWithinTheStatedNoise) {
  const auto [name, learned] = GetParam();
  // Ten hours from 18:00, over midnight, the month and the GPS week; errors forget each other in two minutes: some 300
  // independent ones, shares good to 3 % and deviations to 4 % (one standard error of the mean).
  const auto sent = FramesOf("zed-f9p", name, Rate::Hertz(1), 36'000);
  const GpsdOutput output = Decoded(std::string(name) + "-1Hz", Joined(sent));
  ExpectEveryEpoch(output, sent, learned);
  if (HasFatalFailure()) return;
  const Deviations found = DeviationsOf(output.fixes, sent, learned);
  EXPECT_NEAR(found.within, 0.5, 0.09);
  EXPECT_NEAR(found.position, 1, 0.12);
  EXPECT_NEAR(found.height, 1, 0.12);
  EXPECT_NEAR(found.velocity, 1, 0.02);
  EXPECT_NEAR(found.north_bias, 0, 0.25);
  EXPECT_NEAR(found.east_bias, 0, 0.25);
  EXPECT_LT(found.farthest, 5.5 * kNoise / kPerCep);
  std::printf(
      "%s: %zu of %zu epochs, %.3f within %.1f m, deviation of position %.3f, height %.3f, velocity %.3f of stated\n",
      name, output.fixes.size(), sent.size(), found.within, kNoise, found.position, found.height, found.velocity);
}

TEST_P(Gpsd, DecodesEveryEpochAtTheHighestAndAnOddRate) {
  const auto [name, learned] = GetParam();
  for (const Rate rate : {Rate::Hertz(20), Rate{8000}}) {
    const auto sent = FramesOf("zed-f9p", name, rate, 12'000);
    const GpsdOutput output = Decoded(std::string(name) + "-fast", Joined(sent));
    // 8 Hz: 125 ms; NMEA has hundredths of a second, cut off.
    if (rate == Rate::Hertz(20)) {
      ExpectEveryEpoch(output, sent, learned);
    } else {
      EXPECT_EQ(output.complaints, std::vector<std::string>{});
      EXPECT_EQ(output.fixes.size() + learned, sent.size());
    }
    if (HasFatalFailure()) return;
    EXPECT_LT(DeviationsOf(output.fixes, sent, learned).farthest, 5.5 * kNoise / kPerCep);
  }
}

TEST(GpsdUbx, DoesNotTellAnEpochWhoseFrameHasOneFlippedBitAndTellsTheOthers) {
  auto sent = FramesOf("zed-f9p", "ubx", Rate::Hertz(10), 1600);
  std::vector<SentFrame> good;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    // Each bit behind the header once, in every other frame.
    const std::size_t bit = i / 2, at = 6 + bit / 8;
    if (i % 2 == 1 && at < 100) {
      sent[i].bytes[at] = static_cast<char>(sent[i].bytes[at] ^ (1 << bit % 8));
    } else {
      good.push_back(sent[i]);
    }
  }
  ASSERT_EQ(good.size(), 1600u - 94 * 8);
  ExpectEveryEpoch(Decoded("ubx-flipped", Joined(sent)), good, 0);
}

// A file descriptor, closed at the end.
struct Closed {
  int fd = -1;
  ~Closed() {
    if (fd >= 0) close(fd);
  }
};

// The daemon in the foreground on a port and a terminal of its own.
class Daemon {
 public:
  Daemon() {
    master_.fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master_.fd < 0 || grantpt(master_.fd) != 0 || unlockpt(master_.fd) != 0) return;
    const std::string terminal = ptsname(master_.fd);
    // Raw from the first byte on, and open also while gpsd opens it anew.
    slave_.fd = open(terminal.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    termios raw{};
    tcgetattr(slave_.fd, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave_.fd, TCSANOW, &raw);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    {  // a port that is free now
      const Closed probe{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
      socklen_t size = sizeof address_;
      if (bind(probe.fd, reinterpret_cast<sockaddr*>(&address_), sizeof address_) != 0) return;
      getsockname(probe.fd, reinterpret_cast<sockaddr*>(&address_), &size);
    }
    const std::string port = std::to_string(ntohs(address_.sin_port));
    const std::string log = WriteFile("gpsd.log", "");
    pid_ = fork();
    if (pid_ == 0) {
      const int out = open(log.c_str(), O_WRONLY | O_TRUNC);
      dup2(out, 1);
      dup2(out, 2);
      setenv("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin", 1);
      // -N foreground, -n open the device at once, -b write nothing to it.
      execlp("gpsd", "gpsd", "-N", "-n", "-b", "-S", port.c_str(), terminal.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
  }
  ~Daemon() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    for (int i = 0; i < 100 && waitpid(pid_, nullptr, WNOHANG) == 0; ++i) usleep(50'000);
    if (waitpid(pid_, nullptr, WNOHANG) == 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }

  // Connected and told to watch, the terminal opened; false after half a minute.
  bool Watch() {
    for (int i = 0; i < 600 && !Connect(); ++i) usleep(50'000);
    constexpr std::string_view kWatch = "?WATCH={\"enable\":true,\"json\":true};\n";
    if (client_.fd < 0 || write(client_.fd, kWatch.data(), kWatch.size()) != static_cast<ssize_t>(kWatch.size())) {
      return false;
    }
    for (int i = 0; i < 600; ++i) {
      Read(50);
      if (watched_) return true;
    }
    return false;
  }

  bool Send(const std::string& bytes) {
    return write(master_.fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  }

  // Takes what comes within so many milliseconds, or at once if something is there.
  void Read(int millis) {
    pollfd ready{.fd = client_.fd, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, millis) <= 0) return;
    char buffer[65536];
    const ssize_t size = read(client_.fd, buffer, sizeof buffer);
    if (size <= 0) return;
    text_.append(buffer, static_cast<std::size_t>(size));
    for (std::size_t end; (end = text_.find('\n')) != std::string::npos; text_.erase(0, end + 1)) {
      const std::string line = text_.substr(0, end);
      watched_ = watched_ || line.find("\"class\":\"WATCH\"") != std::string::npos;
      if (line.find("\"driver\":") != std::string::npos) driver_ = line;
      Take(line, output_);
    }
  }

  const GpsdOutput& output() const { return output_; }
  const std::string& driver() const { return driver_; }

 private:
  bool Connect() {
    Closed attempt{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (connect(attempt.fd, reinterpret_cast<sockaddr*>(&address_), sizeof address_) != 0) return false;
    std::swap(client_.fd, attempt.fd);
    return true;
  }

  Closed master_, slave_, client_;
  sockaddr_in address_{};
  pid_t pid_ = 0;
  std::string text_, driver_;
  bool watched_ = false;
  GpsdOutput output_;
};

TEST_P(Gpsd, TheDaemonOnATerminalTellsEveryEpochToItsClients) {
  const char* const name = GetParam().name;
  const auto sent = FramesOf("zed-f9p", name, Rate::Hertz(10), 600);
  Daemon daemon;
  ASSERT_TRUE(daemon.Watch()) << "gpsd does not answer; is it installed? tools/setup.sh oracle";
  for (const SentFrame& frame : sent) {
    ASSERT_TRUE(daemon.Send(frame.bytes));
    daemon.Read(5);
  }
  const std::string last = Iso(sent.back().time);
  const auto finished = [&] {
    return !daemon.output().fixes.empty() && daemon.output().fixes.back().value("time", "") == last;
  };
  for (int i = 0; i < 600 && !finished(); ++i) daemon.Read(50);
  // While it learns what ends an epoch, it may tell one of the first twice, or not at all.
  constexpr std::size_t kLearning = 5;
  GpsdOutput output = daemon.output();
  std::erase_if(output.fixes, [&](const auto& fix) { return fix.value("time", "") < Iso(sent[kLearning].time); });
  ExpectEveryEpoch(output, sent, kLearning);
  if (HasFatalFailure()) return;
  EXPECT_LT(DeviationsOf(output.fixes, sent, kLearning).farthest, 5.5 * kNoise / kPerCep);
  EXPECT_NE(daemon.driver().find(std::string(name) == "ubx" ? "\"u-blox\"" : "\"NMEA0183\""), std::string::npos)
      << "gpsd took it for another receiver: " << daemon.driver();
}

}  // namespace
}  // namespace corerig
