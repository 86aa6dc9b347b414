// `corerig emit` to every kind of endpoint, read by the test itself.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "harness/os/fd.h"
#include "tests/support/receiving_end.h"
#include "tests/support/rig_run.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;

std::string First() { return std::to_string(TestCores().front()); }

// GNSS as NMEA over bytes, an IMU and a lidar over messages; received by a loop unless emitted.
std::string ScenarioFile() {
  const std::string path = NewPath("sensors");
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

TEST(Emit, APtyHasANameForItsTimeAndBringsWholeSentencesFromTheFirst) {
  const std::string path = NewPath("gps");
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
  const std::string first = NewPath("imu"), second = NewPath("imu"), other = NewPath("imu");
  const auto run_of = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--stream", "imu", "--duration", "500ms", "--to"});
    return Emit(arguments).Wait();
  };
  EXPECT_TRUE(EndedWell(run_of({"file:" + first})));
  EXPECT_TRUE(EndedWell(run_of({"imu=file:" + second})));
  EXPECT_TRUE(EndedWell(run_of({"file:" + other, "--seed", "8"})));
  const std::string bytes = *ReadFile(first);
  EXPECT_EQ(bytes.size(), 100u * 16u);
  EXPECT_EQ(bytes, *ReadFile(second));
  EXPECT_NE(bytes, *ReadFile(other));
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
  const std::string address = FreeAddress(SOCK_STREAM);
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
  const std::string path = NewPath("gps");
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
    const std::string path = NewPath("gps");
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
  RigRun rig = Emit({"--to", "gnss=tcp-listen:" + FreeAddress(SOCK_STREAM)});
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
  const std::string path = NewPath("all");
  const FinishedRun run = Emit(Lossless(stream, rate, "file:" + path)).Wait();
  EXPECT_TRUE(EndedWell(run));
  return *ReadFile(path);
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
  const std::string path = NewPath("gps");
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
  const std::string foreign = NewPath("mine");
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
  EXPECT_EQ(*ReadFile(foreign), "mine");
}

}  // namespace
}  // namespace corerig
