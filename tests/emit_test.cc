// Streams that programs receive which are not corerig's: `corerig emit` to every kind of endpoint, read by the test
// itself, and receiver = "external" beside the user's own command.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/rig_run.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;

std::string Program() {
  return std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") + "/tests/rig/program";
}
std::string First() { return std::to_string(TestCores().front()); }
std::string Last() { return std::to_string(TestCores().back()); }

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Path(const std::string& name) {
  static int count = 0;
  return std::string(getenv("TEST_TMPDIR")) + "/" + name + std::to_string(getpid()) + "-" + std::to_string(++count);
}

// GNSS as NMEA over bytes, an IMU and a lidar over messages; received by a loop unless emitted.
std::string ScenarioFile() {
  const std::string path = Path("sensors");
  std::ofstream(path)
      << "name = \"sensors\"\nduration = \"1s\"\nseed = 7\n[source]\ncores = [" + First() + "]\n[loop.l]\ncores = [" +
             First() +
             "]\n[stream.gnss]\nsensor = \"zed-f9p\"\nformat = \"nmea\"\nrate = \"20Hz\"\nloop = \"l\"\n"
             "[stream.imu]\nsensor = \"icm42688p\"\nrate = \"200Hz\"\nloop = \"l\"\n"
             "[stream.lidar]\nsensor = \"vlp16\"\nrate = \"100Hz\"\nloop = \"l\"\n";
  return path;
}

RigRun Emit(const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {"emit", ScenarioFile()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return RigRun::Call(all);
}

// A number of the line that concludes a stream: "gnss: 20 frames sent, 3020 bytes, 0 refused".
long Concluded(const std::string& err, const std::string& stream, const std::string& word) {
  std::istringstream lines(err);
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find(word);
    if (line.find(": " + stream + ": ") == std::string::npos || at == std::string::npos || at < 2) continue;
    const auto digits = line.find_last_not_of("0123456789", at - 2);
    return std::stol(line.substr(digits + 1, at - digits - 2));
  }
  return -1;
}

// 0; or 3, because others kept it from the CPU: here it has no priority.
testing::AssertionResult EndedWell(const FinishedRun& run) {
  const bool late = run.exit_status == 3 && run.err.find("UNDECIDED: more than 1 % of a stream's") != std::string::npos;
  if (run.exit_status == 0 || late) return testing::AssertionSuccess();
  return testing::AssertionFailure() << run.exit_status << "\n" << run.err;
}
// The same of a whole run.
testing::AssertionResult Passed(const FinishedRun& run) {
  const bool late = run.verdict() == "UNDECIDED" &&
                    run.report_text.find("frames were sent more than one period late") != std::string::npos;
  if (run.verdict() == "PASS" || late) return testing::AssertionSuccess();
  return testing::AssertionFailure() << run.out << run.err;
}

// What can be had of it until it ends or nothing came for two seconds (ten, for the first).
std::string ReadAll(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    pollfd ready = {.fd = fd, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, text.empty() ? 10'000 : 2000) != 1) return text;
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
  }
}
std::vector<std::size_t> ReadMessages(int fd, std::size_t most = SIZE_MAX) {
  std::vector<std::size_t> sizes;
  static char buffer[65536];
  while (sizes.size() < most) {
    pollfd ready = {.fd = fd, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, sizes.empty() ? 10'000 : 2000) != 1) break;
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    sizes.push_back(static_cast<std::size_t>(n));
  }
  return sizes;
}

// Opens a terminal as soon as it is there.
int OpenTerminal(const std::string& path) {
  for (int i = 0; i < 4000; ++i) {
    if (const int fd = open(path.c_str(), O_RDWR | O_NOCTTY); fd >= 0) return fd;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return -1;
}

// Whether each line is a whole NMEA sentence with its checksum: IEC 61162-1, 7.2.6.
testing::AssertionResult IsNmea(const std::string& text) {
  std::istringstream lines(text);
  int sentences = 0;
  for (std::string line; std::getline(lines, line); ++sentences) {
    const auto star = line.find('*');
    if (line.size() < 4 || line[0] != '$' || line.back() != '\r' || star == std::string::npos) {
      return testing::AssertionFailure() << "sentence " << sentences << ": " << line;
    }
    int sum = 0;
    for (std::size_t i = 1; i < star; ++i) sum ^= line[i];
    if (std::stoi(line.substr(star + 1, 2), nullptr, 16) != sum) return testing::AssertionFailure() << line;
  }
  return sentences > 0 ? testing::AssertionSuccess() : testing::AssertionFailure() << "no sentence";
}

struct Bound {
  int fd = -1;
  std::string address;
};
Bound Bind(int type, int port = 0) {
  Bound bound{socket(AF_INET, type | SOCK_CLOEXEC, 0), ""};
  const int on = 1;
  setsockopt(bound.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(bound.fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  getsockname(bound.fd, reinterpret_cast<sockaddr*>(&address), &size);
  bound.address = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  return bound;
}
std::string FreePort(int type) {
  const Bound bound = Bind(type);
  close(bound.fd);
  return bound.address;
}
// Seen from a folder of ours, which the rig shares: with all of that it may be longer than a socket's path may be.
std::string SocketPath() {
  static int count = 0;
  EXPECT_EQ(chdir(getenv("TEST_TMPDIR")), 0);
  return "s" + std::to_string(getpid()) + "-" + std::to_string(++count);
}
int ListenAt(const std::string& path, int type) {
  const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  sockaddr_un at = {};
  at.sun_family = AF_UNIX;
  path.copy(at.sun_path, sizeof at.sun_path - 1);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at), 0) << path;
  EXPECT_EQ(listen(fd, 4), 0);
  return fd;
}

TEST(Emit, APtyHasANameForItsTimeAndBringsWholeSentencesFromTheFirst) {
  const std::string path = Path("gps");
  RigRun rig = Emit({"--to", "gnss=pty:" + path, "--duration", "2s"});
  const int terminal = OpenTerminal(path);
  ASSERT_GE(terminal, 0);
  const std::string text = ReadAll(terminal);
  close(terminal);
  const FinishedRun run = rig.Wait();
  EXPECT_TRUE(EndedWell(run));
  EXPECT_TRUE(IsNmea(text));
  EXPECT_EQ(Concluded(run.err, "gnss", "bytes"), static_cast<long>(text.size())) << run.err;
  EXPECT_EQ(Concluded(run.err, "gnss", "frames sent") + Concluded(run.err, "gnss", "refused"), 40) << run.err;
  EXPECT_NE(run.err.find("imu: not emitted, it has no endpoint"), std::string::npos) << run.err;
  EXPECT_FALSE(std::filesystem::is_symlink(path));
  EXPECT_EQ(run.out, "");
}

TEST(Emit, ADatagramIsOneFrame) {
  const Bound lidar = Bind(SOCK_DGRAM), gnss = Bind(SOCK_DGRAM);
  RigRun rig = Emit({"--to", "lidar=udp:" + lidar.address, "--to", "gnss=udp:" + gnss.address});
  const auto sizes = ReadMessages(lidar.fd);
  const FinishedRun run = rig.Wait();
  EXPECT_TRUE(EndedWell(run));
  ASSERT_EQ(sizes.size(), 100u) << run.err;
  for (const std::size_t size : sizes) EXPECT_EQ(size, 1206u);
  EXPECT_EQ(Concluded(run.err, "lidar", "frames sent"), 100) << run.err;
  EXPECT_EQ(ReadMessages(gnss.fd, 20).size(), 20u) << "of a stream of bytes, too";
  close(lidar.fd);
  close(gnss.fd);
}

TEST(Emit, AFileHoldsTheSameBytesForTheSameSeed) {
  const std::string first = Path("imu"), second = Path("imu"), other = Path("imu");
  const auto run_of = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--stream", "imu", "--duration", "500ms", "--to"});
    return Emit(arguments).Wait();
  };
  EXPECT_TRUE(EndedWell(run_of({"file:" + first})));
  EXPECT_TRUE(EndedWell(run_of({"imu=file:" + second})));
  EXPECT_TRUE(EndedWell(run_of({"file:" + other, "--seed", "8"})));
  const std::string bytes = Contents(first);
  EXPECT_EQ(bytes.size(), 100u * 16u);
  EXPECT_EQ(bytes, Contents(second));
  EXPECT_NE(bytes, Contents(other));
}

TEST(Emit, TcpCallsAndIsCalled) {
  const Bound listening = Bind(SOCK_STREAM);
  ASSERT_EQ(listen(listening.fd, 1), 0);
  RigRun calls = Emit({"--to", "gnss=tcp:" + listening.address});
  const int reader = accept(listening.fd, nullptr, nullptr);
  EXPECT_TRUE(IsNmea(ReadAll(reader)));
  close(reader);
  close(listening.fd);
  const FinishedRun called = calls.Wait();
  EXPECT_EQ(Concluded(called.err, "gnss", "frames sent"), 20) << called.err;

  // As gpsd or an NTRIP client would: it waits for one before the first sample is due.
  const std::string address = FreePort(SOCK_STREAM);
  RigRun waits = Emit({"--to", "gnss=tcp-listen:" + address});
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
  int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  for (int i = 0; i < 4000 && connect(client, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0; ++i) {
    std::this_thread::sleep_for(milliseconds(5));
    close(client);
    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  }
  const std::string text = ReadAll(client);
  close(client);
  const FinishedRun run = waits.Wait();
  EXPECT_TRUE(EndedWell(run));
  EXPECT_TRUE(IsNmea(text));
  EXPECT_NE(run.err.find("gnss: waiting for a reader at tcp-listen:" + address), std::string::npos) << run.err;
  EXPECT_EQ(Concluded(run.err, "gnss", "frames sent"), 20) << run.err;
  EXPECT_EQ(Concluded(run.err, "gnss", "bytes"), static_cast<long>(text.size()));
}

TEST(Emit, GoesOnWhenAReaderDiesAndSendsToTheNext) {
  const std::string path = SocketPath();
  const int listening = ListenAt(path, SOCK_SEQPACKET);
  RigRun rig = Emit({"--to", "imu=unix:" + path, "--duration", "3s"});
  const int first = accept(listening, nullptr, nullptr);
  EXPECT_EQ(ReadMessages(first, 20), std::vector<std::size_t>(20, 16u));
  close(first);
  std::this_thread::sleep_for(milliseconds(200));
  const int second = accept(listening, nullptr, nullptr);
  const auto sizes = ReadMessages(second);
  close(second);
  close(listening);
  const FinishedRun run = rig.Wait();
  EXPECT_TRUE(EndedWell(run));
  EXPECT_GT(sizes.size(), 20u) << run.err;
  EXPECT_EQ(Concluded(run.err, "imu", "frames sent") + Concluded(run.err, "imu", "refused"), 600) << run.err;
}

TEST(Emit, CountsWhatNobodyTookAfterTheReaderDied) {
  const std::string path = SocketPath();
  int listening = ListenAt(path, SOCK_SEQPACKET);
  RigRun rig = Emit({"--to", "imu=unix:" + path});
  const int reader = accept(listening, nullptr, nullptr);
  close(listening);
  ReadMessages(reader, 20);
  close(reader);
  const FinishedRun run = rig.Wait();
  EXPECT_TRUE(EndedWell(run));
  const long refused = Concluded(run.err, "imu", "refused");
  EXPECT_GT(refused, 0) << run.err;
  EXPECT_EQ(Concluded(run.err, "imu", "without a reader"), refused) << run.err;
  EXPECT_EQ(Concluded(run.err, "imu", "frames sent") + refused, 200) << run.err;
}

TEST(Emit, AFullPtyCostsFramesAndNothingElse) {
  const std::string path = Path("gps");
  RigRun rig = Emit({"--to", "gnss=pty:" + path, "--set", "stream.gnss.rate=20Hz", "--duration", "60s"});
  const int terminal = OpenTerminal(path);
  ASSERT_GE(terminal, 0);
  // Nobody reads. Some 20 kB fill it, at 3 kB a second.
  std::this_thread::sleep_for(std::chrono::seconds(12));
  kill(rig.pid(), SIGINT);
  const FinishedRun run = rig.Wait();
  close(terminal);
  EXPECT_TRUE(EndedWell(run));
  EXPECT_GT(Concluded(run.err, "gnss", "refused"), std::max(Concluded(run.err, "gnss", "without a reader"), 0L))
      << run.err;
}

TEST(Emit, EndsAtASignalWithItsFigures) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string path = Path("gps");
    RigRun rig = Emit({"--to", "gnss=pty:" + path, "--duration", "1h"});
    const int terminal = OpenTerminal(path);
    ASSERT_GE(terminal, 0);
    pollfd ready = {.fd = terminal, .events = POLLIN, .revents = 0};
    ASSERT_EQ(poll(&ready, 1, 10'000), 1);
    const auto told = std::chrono::steady_clock::now();
    kill(rig.pid(), signal);
    const FinishedRun run = rig.Wait();
    EXPECT_LT(std::chrono::steady_clock::now() - told, std::chrono::seconds(2));
    close(terminal);
    EXPECT_TRUE(EndedWell(run));
    EXPECT_GT(Concluded(run.err, "gnss", "frames sent"), 0) << run.err;
    EXPECT_FALSE(std::filesystem::is_symlink(path));
  }
}

TEST(Emit, EndsAtASignalWhileItWaitsForAReader) {
  RigRun rig = Emit({"--to", "gnss=tcp-listen:" + FreePort(SOCK_STREAM)});
  std::this_thread::sleep_for(milliseconds(300));
  kill(rig.pid(), SIGINT);
  const int status = rig.Wait().exit_status;
  // Told before it had blocked the signal, it dies by it.
  EXPECT_TRUE(status == 0 || status == -SIGINT) << status;
}

// --- pace = "lossless"

std::vector<std::string> Lossless(const std::string& stream, const std::string& rate, const std::string& to) {
  const std::string key = "stream." + stream + ".";
  return {"--stream",           stream,  "--to",         stream + "=" + to, "--set", key + "pace=lossless", "--set",
          key + "rate=" + rate, "--set", key + "batch=1"};
}
// What the stream is, to the last byte: a file has room for all of it.
std::string AllOf(const std::string& stream, const std::string& rate) {
  const std::string path = Path("all");
  const FinishedRun run = Emit(Lossless(stream, rate, "file:" + path)).Wait();
  EXPECT_TRUE(EndedWell(run));
  return Contents(path);
}

TEST(Emit, ALosslessStreamWaitsForAReaderOfMessagesThatIsSlow) {
  const std::string path = SocketPath();
  const int listening = ListenAt(path, SOCK_SEQPACKET);
  RigRun rig = Emit(Lossless("imu", "8kHz", "unix:" + path));
  const int reader = accept(listening, nullptr, nullptr);
  // Longer than the stream lasts: some hundred frames fill the socket.
  std::this_thread::sleep_for(milliseconds(1500));
  std::string text;
  char frame[64];
  for (int n = 1;; ++n) {
    pollfd ready = {.fd = reader, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, 10'000) != 1) break;
    const ssize_t size = recv(reader, frame, sizeof frame, 0);
    if (size <= 0) break;
    text.append(frame, static_cast<std::size_t>(size));
    if (n % 100 == 0) std::this_thread::sleep_for(milliseconds(3));
  }
  close(reader);
  close(listening);
  const FinishedRun run = rig.Wait();
  EXPECT_TRUE(EndedWell(run));
  EXPECT_EQ(text.size(), 8000u * 16);
  EXPECT_TRUE(text == AllOf("imu", "8kHz")) << "not the same frames in the same order";
  EXPECT_EQ(Concluded(run.err, "imu", "frames sent"), 8000) << run.err;
  EXPECT_EQ(Concluded(run.err, "imu", "refused"), 0) << run.err;
  EXPECT_NE(run.err.find(" for room, "), std::string::npos) << run.err;
}

TEST(Emit, ALosslessStreamWaitsForATerminalToBeOpenedAndRead) {
  const std::string path = Path("gps");
  RigRun rig = Emit(Lossless("gnss", "1kHz", "pty:" + path));
  std::this_thread::sleep_for(milliseconds(700));
  const int terminal = OpenTerminal(path);
  ASSERT_GE(terminal, 0);
  std::this_thread::sleep_for(milliseconds(700));
  const std::string all = AllOf("gnss", "1kHz");
  std::string text;
  char buffer[512];
  while (text.size() < all.size()) {
    pollfd ready = {.fd = terminal, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, 10'000) != 1) break;
    const ssize_t size = read(terminal, buffer, sizeof buffer);
    if (size <= 0) break;
    text.append(buffer, static_cast<std::size_t>(size));
  }
  const FinishedRun run = rig.Wait();
  close(terminal);
  EXPECT_TRUE(EndedWell(run));
  EXPECT_GT(all.size(), 100'000u) << "more than a terminal holds";
  EXPECT_TRUE(text == all) << text.size() << " of " << all.size() << " bytes";
  EXPECT_EQ(Concluded(run.err, "gnss", "frames sent"), 1000) << run.err;
}

TEST(Emit, ALosslessStreamThatIsInterruptedSaysWhatWasNotSent) {
  const std::string path = SocketPath();
  const int listening = ListenAt(path, SOCK_SEQPACKET);
  RigRun rig = Emit(Lossless("imu", "8kHz", "unix:" + path));
  const int reader = accept(listening, nullptr, nullptr);
  std::this_thread::sleep_for(milliseconds(2500));  // a second after its end it is still there
  kill(rig.pid(), SIGINT);
  const FinishedRun run = rig.Wait();
  EXPECT_TRUE(EndedWell(run));
  const long sent = Concluded(run.err, "imu", "frames sent"), left = Concluded(run.err, "imu", "not sent for want");
  EXPECT_EQ(std::ssize(ReadMessages(reader)), sent) << run.err;
  EXPECT_LT(sent, 8000);
  EXPECT_GT(left, 0) << run.err;
  EXPECT_LE(sent + left, 8000) << run.err;
  close(reader);
  close(listening);
}

TEST(Emit, SaysInOneLineWhatIsWrong) {
  const std::string foreign = Path("mine");
  std::ofstream(foreign) << "mine";
  const struct {
    std::vector<std::string> arguments;
    std::string said;
  } cases[] = {
      {{}, "no stream has an endpoint; write --to NAME=udp:127.0.0.1:5000\n"},
      {{"--to", "gnss=can:vcan0"}, "is a CAN bus, and channel pty has no CAN frames"},
      {{"--to", "gnss=pty:" + foreign}, "it is there, and no link that corerig made; choose another path"},
      {{"--to", "imu=pty:/tmp/x"}, "carries bytes, and channel seqpacket has messages"},
      {{"--to", "gnss=unix:/none/x"}, "No such file or directory (ENOENT); start the program that listens"},
      {{"--to", "imu=udp:127.0.0.1:5000", "--set", "stream.imu.pace=lossless"},
       "stream imu is lossless, and udp:127.0.0.1:5000 loses frames without telling"},
      {{"--to", "gnss=file:/none/x"}, "cannot open it for writing: No such file or directory"},
  };
  for (const auto& each : cases) {
    const FinishedRun run = Emit(each.arguments).Wait();
    EXPECT_EQ(run.exit_status, 1) << run.err;
    EXPECT_NE(run.err.find(each.said), std::string::npos) << run.err;
  }
  EXPECT_EQ(Contents(foreign), "mine");
}

// --- receiver = "external"

std::string External(const std::string& stream, const std::string& sensor, const std::string& rate,
                     const std::string& endpoint) {
  return "[stream." + stream + "]\nsensor = \"" + sensor + "\"\nrate = \"" + rate +
         "\"\nreceiver = \"external\"\nendpoint = \"" + endpoint + "\"\n";
}
std::string Command(const std::string& name, const std::string& verb, const std::string& argument) {
  return "[worker." + name + "]\nworkload = \"exec\"\ncommand = [\"" + Program() + "\", \"" + verb + "\", \"" +
         argument + "\"]\ncores = [" + Last() + "]\nunits_pattern = \"^(.GNGGA|datagram 1206$)\"\n";
}
std::string Head() {
  return "name = \"external\"\nduration = \"1500ms\"\nwarmup = \"2s\"\ndrain = \"300ms\"\n[source]\ncores = [" +
         First() + "]\n";
}

TEST(External, TheUsersProgramReceivesWhileALoopDoes) {
  const std::string path = Path("gps"), address = FreePort(SOCK_DGRAM);
  const FinishedRun run =
      RigRun(Head() + "[loop.l]\ncores = [" + First() + "]\n" + External("gnss", "zed-f9p", "20Hz", "pty:" + path) +
             "[stream.imu]\nsensor = \"icm42688p\"\nrate = \"100Hz\"\nloop = \"l\"\n" +
             External("lidar", "vlp16", "100Hz", "udp:" + address) + Command("gps", "read", path) +
             Command("cloud", "datagrams", address.substr(address.find(':') + 1)) +
             "[budget]\nlimits = [\"stream.gnss.overruns == 0\", \"stream.imu.lost == 0\"]\n")
          .Wait();
  EXPECT_TRUE(Passed(run));
  EXPECT_EQ(run.Metric("stream.gnss.sent"), 30);
  EXPECT_EQ(run.Metric("stream.gnss.lateness.count"), 30);
  EXPECT_GT(run.Metric("stream.gnss.bytes_per_s"), 1000);
  EXPECT_EQ(run.Metric("stream.lidar.sent"), 150);
  EXPECT_EQ(run.Metric("stream.lidar.bytes_per_s"), 120600);
  EXPECT_EQ(run.Metric("stream.imu.received"), 150);
  EXPECT_TRUE(std::isnan(run.Metric("stream.gnss.latency.p50")));
  EXPECT_EQ(run.report["metrics"]["stream.gnss.received"]["absent"], "the receiver is external");
  EXPECT_TRUE(run.Part("streams", "gnss")["received"].is_null());
  EXPECT_EQ(run.Part("streams", "gnss")["endpoint"], "pty:" + path);
  // What the programs say they got: the window's at least, and what came before and after.
  EXPECT_GE(run.Part("workers", "gps", 0)["units"].get<int>(), 30);
  EXPECT_GE(run.Part("workers", "cloud", 0)["units"].get<int>(), 150);
  EXPECT_EQ(CheckReport(run), std::vector<std::string>());
  EXPECT_FALSE(std::filesystem::is_symlink(path));
}

// Reads ten messages every ten milliseconds; returns how many there were. The path's listener is the test's.
long ReadSlowly(int listening) {
  long frames = 0;
  const int reader = accept(listening, nullptr, nullptr);
  char frame[64];
  while (recv(reader, frame, sizeof frame, 0) > 0) {
    if (++frames % 10 == 0) std::this_thread::sleep_for(milliseconds(10));
  }
  close(reader);
  return frames;
}

TEST(External, ALosslessStreamTellsWhatItsReceiverTakes) {
  for (const bool enough : {false, true}) {
    const std::string path = SocketPath();
    const int listening = ListenAt(path, SOCK_SEQPACKET);
    long frames = 0;
    std::thread reader([&] { frames = ReadSlowly(listening); });
    const FinishedRun run =
        RigRun(Head() + External("imu", "icm42688p", "8kHz", "unix:" + path) + "batch = 1\npace = \"lossless\"\n" +
               External("gnss", "zed-f9p", "20Hz", "file:" + Path("gnss")) +
               (enough ? "[budget]\nlimits = [\"stream.imu.rate > 1\", \"stream.gnss.sent == 30\"]\n" : ""))
            .Wait();
    reader.join();
    close(listening);
    const double expected = run.Part("streams", "imu")["expected"].get<double>();
    EXPECT_EQ(expected, 12'000);
    EXPECT_EQ(run.Metric("stream.imu.overruns"), 0);
    EXPECT_LE(run.Metric("stream.imu.sent") + run.Metric("stream.imu.backlog"), expected);
    EXPECT_GT(run.Metric("stream.imu.backlog"), 6'000);
    EXPECT_GT(run.Metric("stream.imu.blocked"), 0.5);
    // A thousand a second at most; the socket was full when the window began.
    EXPECT_GT(run.Metric("stream.imu.rate"), 1);
    EXPECT_LE(run.Metric("stream.imu.rate") * 1.5, static_cast<double>(frames));
    EXPECT_LE(run.Metric("stream.imu.rate"), 1100);
    EXPECT_EQ(run.Metric("stream.gnss.sent"), 30) << "which is not kept";
    EXPECT_EQ(CheckReport(run), std::vector<std::string>());
    if (enough) {
      EXPECT_TRUE(Passed(run));
    } else {
      EXPECT_EQ(run.verdict(), "FAIL");
      EXPECT_NE(run.out.find("samples were not delivered, for want of room at its receiver"), std::string::npos)
          << run.out;
    }
  }
}

TEST(External, WithoutALoopThereIsNoHandler) {
  const std::string path = Path("gps");
  RigRun rig(Head() + External("gnss", "zed-f9p", "20Hz", "pty:" + path) + Command("gps", "read", path));
  const FinishedRun run = rig.Wait();
  EXPECT_TRUE(Passed(run));
  EXPECT_TRUE(run.report["handler"].is_null());
  EXPECT_EQ(run.Metric("stream.gnss.sent"), 30);
  EXPECT_EQ(run.Metric("stream.gnss.overruns"), 0);
  const std::string text = Contents(rig.folder() + "/worker.gps.0.stdout");
  EXPECT_TRUE(IsNmea(text.substr(0, text.rfind('\n') + 1)));  // it was ended in the middle of one, perhaps
}

// A run whose program answers the first so many frames, `to` there; `answers` is the scenario's key.
FinishedRun Answering(const std::string& answers, const std::string& to, int most) {
  const std::string path = Path("gps");
  return RigRun(Head() + External("gnss", "zed-f9p", "20Hz", "pty:" + path) + "answers = \"" + answers +
                "\"\n[worker.gps]\nworkload = \"exec\"\ncommand = [\"" + Program() + "\", \"answer\", \"" + path +
                "\", \"" + to + "\", \"" + std::to_string(most) + "\"]\ncores = [" + Last() +
                "]\n[budget]\nlimits = [\"stream.gnss.reaction.p50 < 1s\"]\n")
      .Wait();
}

void ExpectAllAnswered(const FinishedRun& run, const std::string& stamps) {
  EXPECT_TRUE(Passed(run));
  EXPECT_EQ(run.Metric("stream.gnss.reaction.count"), 30);
  EXPECT_EQ(run.Part("streams", "gnss")["unanswered"], 0);
  EXPECT_EQ(run.Part("streams", "gnss")["unasked"], 0);
  EXPECT_EQ(run.Part("streams", "gnss")["answer_stamps"], stamps);
  EXPECT_GE(run.Metric("stream.gnss.reaction.min"), 20e6);
  EXPECT_LT(run.Metric("stream.gnss.reaction.p50"), 60e6);
  EXPECT_EQ(CheckReport(run), std::vector<std::string>());
}

TEST(External, TheReactionIsFromDueToTheAnswer) {
  const std::string address = FreePort(SOCK_DGRAM), port = address.substr(address.find(':') + 1);
  ExpectAllAnswered(Answering("udp:" + address, port, 1000), "kernel");

  // Some 40 of the warm-up's frames, and ten of the window's.
  const FinishedRun some = Answering("udp:" + address, port, 50);
  const double answered = some.Metric("stream.gnss.reaction.count");
  EXPECT_GT(answered, 5);
  EXPECT_LT(answered, 25);
  EXPECT_EQ(some.Part("streams", "gnss")["unanswered"], 30 - static_cast<int>(answered));
  EXPECT_EQ(some.Metric("stream.gnss.reaction.max"), INFINITY);
}

TEST(External, AnswersComeAsDatagramsToAPathThatGoesWithTheRun) {
  const std::string path = "/tmp/corerig-answers" + std::to_string(getpid());
  ExpectAllAnswered(Answering("unix:" + path, path, 1000), "kernel");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(External, AnswersComeBackOnTheEndpoint) { ExpectAllAnswered(Answering("endpoint", "back", 1000), "read"); }

TEST(External, WhoDoesNotComeIsSaid) {
  const FinishedRun run = RigRun(Head() + External("gnss", "zed-f9p", "20Hz", "tcp-listen:" + FreePort(SOCK_STREAM)) +
                                     "[budget]\nlimits = [\"stream.gnss.overruns == 0\"]\n",
                                 // A hypervisor that takes time makes a doubt of what a busy board can be blamed for.
                                 {"--set", "max_foreign=100%", "--set", "max_steal=100%"})
                              .Wait();
  EXPECT_EQ(run.exit_status, 2) << run.out << run.err;
  EXPECT_EQ(run.Metric("stream.gnss.sent"), 30);
  EXPECT_EQ(run.Metric("stream.gnss.overruns"), 30);
  EXPECT_EQ(run.Part("streams", "gnss")["unheard"], 30);
  EXPECT_NE(run.out.find("30 of 30 frames were not taken at tcp-listen:"), std::string::npos) << run.out;
  EXPECT_EQ(CheckReport(run), std::vector<std::string>());
}

TEST(External, AnEndpointThatCannotBeHadIsWrongUse) {
  const FinishedRun run = RigRun(Head() + External("gnss", "zed-f9p", "20Hz", "file:/none/x")).Wait();
  EXPECT_EQ(run.exit_status, 1) << run.out;
  EXPECT_NE(run.err.find("stream gnss: file:/none/x: cannot open it for writing"), std::string::npos) << run.err;
}

}  // namespace
}  // namespace corerig
