#include "harness/loop/endpoint_sender.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>
#include <vector>

#include "harness/loop/endpoint_answers.h"
#include "harness/os/clock.h"

namespace corerig {
namespace {

std::span<const std::byte> BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

// A socket of the test's own, as somebody else's program would open it.
struct Listener {
  Fd fd;
  std::string address;  // "127.0.0.1:4711"
};
Listener Bind(int type, bool listens) {
  Listener made{Fd(socket(AF_INET, type | SOCK_CLOEXEC, 0)), ""};
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(made.fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  getsockname(made.fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  if (listens) {
    EXPECT_EQ(listen(made.fd.get(), 4), 0);
  }
  made.address = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  return made;
}
Fd CallTcp(const std::string& address) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
  EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  return fd;
}

std::string Read(int fd, std::size_t bytes) {
  std::string text;
  char buffer[4096];
  while (text.size() < bytes) {
    pollfd ready = {.fd = fd, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, 5000) != 1) break;
    const ssize_t n = read(fd, buffer, std::min(sizeof buffer, bytes - text.size()));
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

class EndpointTest : public testing::Test {
 protected:
  void SetUp() override { signal(SIGPIPE, SIG_IGN); }

  std::string Path(const std::string& name) const {
    return std::string(getenv("TEST_TMPDIR")) + "/" + name + std::to_string(getpid());
  }
  std::string ErrorOf(const std::string& text, bool messages = false) const {
    const auto opened = OpenEndpoint(*ParseEndpoint(text), messages);
    return opened ? "no error" : opened.error().message;
  }
  void Open(const std::string& text, bool messages = false) {
    const auto endpoint = ParseEndpoint(text);
    ASSERT_TRUE(endpoint) << endpoint.error().message;
    auto opened = OpenEndpoint(*endpoint, messages);
    ASSERT_TRUE(opened) << opened.error().message;
    link = std::move(opened->link);
    sender.emplace(*endpoint, messages, std::move(opened->sender));
  }
  // The bytes taken; -1: there is no reader.
  int Send(std::string_view text) {
    const auto taken = sender->Send(BytesOf(text));
    return taken ? static_cast<int>(*taken) : -1;
  }
  // Until someone is there, as the source does from frame to frame.
  bool Connected() {
    for (int i = 0; i < 500 && !sender->Connect(); ++i) std::this_thread::sleep_for(EndpointSender::kRetry);
    return sender->Connect();
  }

  PtyLink link;
  std::optional<EndpointSender> sender;
};

TEST_F(EndpointTest, PtyDropsFramesUntilAProgramHasItOpen) {
  const std::string path = Path("pty");
  Open("pty:" + path);
  EXPECT_EQ(Send("early"), -1);
  {
    const Fd reader(open(path.c_str(), O_RDWR | O_NOCTTY));
    ASSERT_TRUE(reader.valid());
    EXPECT_EQ(Send("first\r\n"), 7);
    EXPECT_EQ(Read(reader.get(), 7), "first\r\n") << "raw, and from the first frame after it was opened";
  }
  EXPECT_EQ(Send("nobody"), -1);
  const Fd next(open(path.c_str(), O_RDWR | O_NOCTTY));
  EXPECT_EQ(Send("second"), 6);
  EXPECT_EQ(Read(next.get(), 6), "second") << "raw still";
}

TEST_F(EndpointTest, PtyIsOpenToEveryUserAndItsLinkGoesWithIt) {
  const std::string path = Path("everyone");
  Open("pty:" + path);
  struct stat mode = {};
  ASSERT_EQ(stat(path.c_str(), &mode), 0);
  // In a sandbox's user namespace nobody may change it.
  if (chmod(path.c_str(), mode.st_mode) == 0) {
    EXPECT_EQ(mode.st_mode & 0777u, 0666u);
  }
  link = PtyLink();
  EXPECT_FALSE(std::filesystem::is_symlink(path));
}

TEST_F(EndpointTest, FullPtyTakesNoMoreAndGoesOnWhenItIsRead) {
  const std::string path = Path("full");
  Open("pty:" + path);
  const Fd reader(open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK));
  const std::string frame(512, 'x');
  std::size_t taken = 0;
  int last = 0;
  for (int i = 0; i < 10'000 && (last = Send(frame)) == 512; ++i) taken += static_cast<std::size_t>(last);
  ASSERT_GE(last, 0);
  ASSERT_LT(last, 512) << taken << " bytes taken, and nobody reads";
  EXPECT_EQ(Read(reader.get(), taken).size(), taken);
  for (int i = 0; i < 500 && (last = Send(frame)) != 512; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(last, 512);
}

TEST_F(EndpointTest, PtyProgramThatTalksIsNotHeldUp) {
  const std::string path = Path("talks");
  Open("pty:" + path);
  const Fd program(open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK));
  const std::string probe(1000, 'p');
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(write(program.get(), probe.data(), probe.size()), 1000) << "after " << i << " writes";
    ASSERT_EQ(Send("x"), 1);
    ASSERT_EQ(Read(program.get(), 1), "x") << "no echo of what the program wrote";
  }
}

TEST_F(EndpointTest, UdpSendsOneDatagramPerFrame) {
  const Listener reader = Bind(SOCK_DGRAM, false);
  Open("udp:" + reader.address, true);
  EXPECT_EQ(Send("one"), 3);
  EXPECT_EQ(Send("two!"), 4);
  EXPECT_EQ(Read(reader.fd.get(), 3), "one");
  EXPECT_EQ(Read(reader.fd.get(), 4), "two!");
}

TEST_F(EndpointTest, UdpCountsFramesThatNobodyTook) {
  std::string address;
  {
    const Listener gone = Bind(SOCK_DGRAM, false);
    address = gone.address;
  }
  Open("udp:" + address, true);
  Send("the first is taken by the kernel");
  int refused = 0;
  for (int i = 0; i < 20; ++i) refused += Send("x") == -1;
  EXPECT_EQ(refused, 20);
}

TEST_F(EndpointTest, TcpConnectsWhenTheProgramIsThereAndAgainWhenItIsBack) {
  std::string address;
  {
    const Listener later = Bind(SOCK_STREAM, false);
    address = later.address;
  }
  Open("tcp:" + address);
  EXPECT_EQ(Send("nobody"), -1);
  EXPECT_EQ(sender->why_not(), "Connection refused (ECONNREFUSED)");
  const auto serve = [&](const std::string& text) {
    Fd listening(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    setsockopt(listening.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
    ASSERT_EQ(bind(listening.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    ASSERT_EQ(listen(listening.get(), 1), 0);
    ASSERT_TRUE(Connected()) << sender->why_not();
    const Fd connection(accept(listening.get(), nullptr, nullptr));
    EXPECT_EQ(Send(text), static_cast<int>(text.size()));
    EXPECT_EQ(Read(connection.get(), text.size()), text);
  };
  serve("hello");
  // Gone: the kernel takes one frame more before it hears of it.
  for (int i = 0; i < 500 && Send("x") != -1; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(Send("x"), -1);
  serve("again");
}

TEST_F(EndpointTest, TcpListenTakesOneReaderAfterTheOther) {
  std::string address;
  {
    const Listener free = Bind(SOCK_STREAM, false);
    address = free.address;
  }
  Open("tcp-listen:" + address);
  EXPECT_EQ(Send("nobody"), -1);
  EXPECT_EQ(sender->why_not(), "nobody has connected");
  for (const std::string text : {"first", "second"}) {
    Fd reader = CallTcp(address);
    ASSERT_TRUE(Connected());
    ASSERT_EQ(Send(text), static_cast<int>(text.size()));
    EXPECT_EQ(Read(reader.get(), text.size()), text);
    // A request, and then no more: it still listens.
    ASSERT_EQ(write(reader.get(), "GET /\r\n", 7), 7);
    shutdown(reader.get(), SHUT_WR);
    EXPECT_EQ(Send("more"), 4);
    EXPECT_EQ(Send("more"), 4);
    EXPECT_EQ(Read(reader.get(), 8), "moremore");
    reader.Close();
    for (int i = 0; i < 500 && Send("x") != -1; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST_F(EndpointTest, TcpReaderThatDoesNotReadFillsUp) {
  const Listener listening = Bind(SOCK_STREAM, true);
  Open("tcp:" + listening.address);
  ASSERT_TRUE(Connected());
  const Fd reader(accept(listening.fd.get(), nullptr, nullptr));
  const std::string frame(65536, 'x');
  int last = 0;
  for (int i = 0; i < 10'000 && (last = Send(frame)) == 65536; ++i) {
  }
  EXPECT_GE(last, 0);
  EXPECT_LT(last, 65536);
}

class UnixEndpointTest : public EndpointTest, public testing::WithParamInterface<bool> {};

TEST_P(UnixEndpointTest, ConnectsToASocketOfTheStreamsKind) {
  const bool messages = GetParam();
  // From here: with all of its folder it may be longer than a socket's path may be.
  ASSERT_EQ(chdir(getenv("TEST_TMPDIR")), 0);
  const std::string path = messages ? "messages" : "bytes";
  Open("unix:" + path, messages);
  EXPECT_EQ(Send("nobody"), -1);
  EXPECT_EQ(sender->why_not(), "No such file or directory (ENOENT)");
  const Fd listening(socket(AF_UNIX, (messages ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC, 0));
  sockaddr_un at = {};
  at.sun_family = AF_UNIX;
  path.copy(at.sun_path, sizeof at.sun_path - 1);
  ASSERT_EQ(bind(listening.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(listen(listening.get(), 1), 0);
  ASSERT_TRUE(Connected()) << sender->why_not();
  {
    const Fd reader(accept(listening.get(), nullptr, nullptr));
    EXPECT_EQ(Send("one"), 3);
    EXPECT_EQ(Send("two"), 3);
    char buffer[16];
    EXPECT_EQ(read(reader.get(), buffer, sizeof buffer), messages ? 3 : 6);
  }
  EXPECT_EQ(Send("x"), -1) << "a Unix socket tells at once";

  // The other kind of socket is refused, with the reason.
  const auto endpoint = *ParseEndpoint("unix:" + path);
  auto other = OpenEndpoint(endpoint, !messages);
  ASSERT_TRUE(other);
  EndpointSender wrong(endpoint, !messages, std::move(other->sender));
  EXPECT_FALSE(wrong.Connect());
  EXPECT_EQ(wrong.why_not(), messages ? "it is no stream socket" : "it is no seqpacket socket");
}

INSTANTIATE_TEST_SUITE_P(Kinds, UnixEndpointTest, testing::Bool());

TEST_F(EndpointTest, FileHoldsTheFramesAndNothingElse) {
  const std::string path = Path("file");
  std::ofstream(path) << "what was there before is longer than that";
  Open("file:" + path, true);
  EXPECT_EQ(Send("one"), 3);
  EXPECT_EQ(Send("two"), 3);
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), "onetwo");
}

TEST_F(EndpointTest, FileOnAFullDiskTakesNothing) {
  Open("file:/dev/full");
  EXPECT_EQ(Send("x"), 0);
}

TEST_F(EndpointTest, AnswersAreReceivedAtAnAddressOfOurs) {
  std::string address;
  {
    const Listener free = Bind(SOCK_DGRAM, false);
    address = free.address;
  }
  const auto answers = OpenAnswers(*ParseEndpoint("udp:" + address));
  ASSERT_TRUE(answers) << answers.error().message;
  Open("udp:" + address, true);
  EXPECT_EQ(Send("done"), 4);
  EXPECT_EQ(Read(answers->fd.get(), 4), "done");
  const auto again = OpenAnswers(*ParseEndpoint("udp:" + address));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message,
            "udp:" + address + ": cannot receive answers there: Address already in use (EADDRINUSE)");
}

TEST_F(EndpointTest, AnswersAreReceivedAtAPathOfOursThatGoesWithIt) {
  ASSERT_EQ(chdir(getenv("TEST_TMPDIR")), 0);
  const Endpoint endpoint = *ParseEndpoint("unix:answers");
  {
    const auto answers = OpenAnswers(endpoint);
    ASSERT_TRUE(answers) << answers.error().message;
    sockaddr_un to = {};
    to.sun_family = AF_UNIX;
    endpoint.path.copy(to.sun_path, sizeof to.sun_path - 1);
    const Fd program(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(sendto(program.get(), "done", 4, 0, reinterpret_cast<sockaddr*>(&to), sizeof to), 4);
    EXPECT_EQ(Read(answers->fd.get(), 4), "done");
    EXPECT_EQ(
        OpenAnswers(endpoint).error().message,
        "unix:answers: cannot receive answers there: a program has a socket there; end it, or choose another path");
  }
  EXPECT_FALSE(std::filesystem::exists("answers"));
}

// The times at which a program's answers came, read as the source's thread of answers does.
struct Heard {
  std::vector<Nanos> at;
  // Until so many were heard, or five seconds are over; what more there is within a moment as well.
  static Heard From(EndpointAnswers& answers, std::size_t expected) {
    Heard heard;
    pollfd ready = {.fd = answers.fd(), .events = POLLIN, .revents = 0};
    while (poll(&ready, 1, heard.at.size() < expected ? 5000 : 20) == 1) {
      answers.Read([&](Nanos at) { heard.at.push_back(at); });
    }
    return heard;
  }
};

class AnsweringTest : public EndpointTest {
 protected:
  void OpenAnswering(const std::string& text, bool messages = false) {
    const auto endpoint = ParseEndpoint(text);
    ASSERT_TRUE(endpoint) << endpoint.error().message;
    auto opened = OpenEndpoint(*endpoint, messages);
    ASSERT_TRUE(opened) << opened.error().message;
    auto made = EndpointAnswers::Create(messages);
    ASSERT_TRUE(made);
    answers = std::move(*made);
    link = std::move(opened->link);
    sender.emplace(*endpoint, messages, std::move(opened->sender), answers.get());
  }
  std::size_t HeardOf(std::size_t expected) { return Heard::From(*answers, expected).at.size(); }

  std::unique_ptr<EndpointAnswers> answers;
};

void Write(const Fd& fd, std::string_view text) {
  ASSERT_EQ(write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

TEST_F(AnsweringTest, EachLineOnATerminalIsOneAlsoOfTheNextProgram) {
  const std::string path = Path("answers");
  OpenAnswering("pty:" + path);
  EXPECT_EQ(HeardOf(0), 0u);
  for (int program = 0; program < 3; ++program) {
    const Fd reader(open(path.c_str(), O_RDWR | O_NOCTTY));
    EXPECT_EQ(Send("frame\r\n"), 7);
    EXPECT_EQ(Read(reader.get(), 7), "frame\r\n");
    EXPECT_EQ(HeardOf(0), 0u) << "what is sent is no answer";
    Write(reader, "on");
    EXPECT_EQ(HeardOf(0), 0u) << "half a line is none";
    Write(reader, "e\ntwo\n\n");
    EXPECT_EQ(Send("next"), 4) << "which leaves the answers alone";
    EXPECT_EQ(Read(reader.get(), 4), "next");
    EXPECT_EQ(HeardOf(3), 3u);
  }
  EXPECT_EQ(HeardOf(0), 0u);
  pollfd state = {.fd = answers->fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&state, 1, 0), 0) << "a terminal without a program does not keep the thread busy";
}

TEST_F(AnsweringTest, EachLineOverTcpIsOneAlsoOfTheNextProgram) {
  std::string address;
  {
    const Listener free = Bind(SOCK_STREAM, false);
    address = free.address;
  }
  OpenAnswering("tcp-listen:" + address);
  for (int program = 0; program < 3; ++program) {
    Fd reader = CallTcp(address);
    ASSERT_TRUE(Connected());
    ASSERT_EQ(Send("frame"), 5);
    EXPECT_EQ(Read(reader.get(), 5), "frame");
    Write(reader, "done\ndone\n");
    EXPECT_EQ(HeardOf(2), 2u);
    // It says no more, and still listens.
    shutdown(reader.get(), SHUT_WR);
    EXPECT_EQ(HeardOf(0), 0u);
    EXPECT_EQ(Send("more"), 4);
    EXPECT_EQ(Read(reader.get(), 4), "more");
    reader.Close();
    for (int i = 0; i < 500 && Send("x") != -1; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST_F(AnsweringTest, ManyLinesAtOnceAreAllHeard) {
  const Listener listening = Bind(SOCK_STREAM, true);
  OpenAnswering("tcp:" + listening.address);
  ASSERT_TRUE(Connected());
  const Fd reader(accept(listening.fd.get(), nullptr, nullptr));
  // More than is read at a time.
  constexpr std::size_t kLines = 300'000;
  std::thread writer([&] {
    const std::string lines(kLines, '\n');
    for (std::size_t at = 0; at < kLines;) {
      const ssize_t n = write(reader.get(), lines.data() + at, kLines - at);
      if (n <= 0) break;
      at += static_cast<std::size_t>(n);
    }
  });
  EXPECT_EQ(HeardOf(kLines), kLines);
  writer.join();
}

TEST_F(AnsweringTest, EachMessageIsOneWithTheKernelsStamp) {
  ASSERT_EQ(chdir(getenv("TEST_TMPDIR")), 0);
  const Fd listening(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un at = {};
  at.sun_family = AF_UNIX;
  std::strcpy(at.sun_path, "answering");
  ASSERT_EQ(bind(listening.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(listen(listening.get(), 1), 0);
  OpenAnswering("unix:answering", true);
  ASSERT_TRUE(Connected()) << sender->why_not();
  Fd reader(accept(listening.get(), nullptr, nullptr));
  const Nanos before = MonotonicNow();
  Write(reader, "one\nwith two lines\n");
  Write(reader, "two");
  const Nanos after = MonotonicNow();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const Heard heard = Heard::From(*answers, 2);
  ASSERT_EQ(heard.at.size(), 2u);
  // The clocks are converted to within some microseconds; it was read much later.
  const Nanos tolerance = std::chrono::milliseconds(20);
  for (const Nanos stamp : heard.at) {
    EXPECT_GE(stamp, before - tolerance);
    EXPECT_LE(stamp, after + tolerance);
  }
  // More than are read at a time.
  for (int i = 0; i < 150; ++i) Write(reader, "x");
  EXPECT_EQ(HeardOf(150), 150u);
  reader.Close();
  EXPECT_EQ(HeardOf(0), 0u);
  EXPECT_EQ(Send("x"), -1);
}

TEST_F(EndpointTest, WithoutACanBusTheCommandsForOneAreSaid) {
  const std::string error = ErrorOf("can:vcan-none", true);
  EXPECT_EQ(error.find("can:vcan-none: th"), 0u) << "this kernel has no CAN, there is no interface: " << error;
  EXPECT_NE(error.find("as root: modprobe vcan && ip link add vcan-none type vcan && ip link set vcan-none up"),
            std::string::npos)
      << error;
}

TEST_F(EndpointTest, WhatCannotBeOpenedIsSaid) {
  EXPECT_EQ(ErrorOf("file:/none/x"), "file:/none/x: cannot open it for writing: No such file or directory (ENOENT)");
  EXPECT_EQ(ErrorOf("file:/tmp"), "file:/tmp: cannot open it for writing: Is a directory (EISDIR)");
  EXPECT_EQ(ErrorOf("udp:[12345::1]:5"), "udp:[12345::1]:5: \"12345::1\" is no address; write one such as 127.0.0.1");
  EXPECT_EQ(ErrorOf("tcp-listen:203.0.113.1:5"),
            "tcp-listen:203.0.113.1:5: cannot listen there: Cannot assign requested address (EADDRNOTAVAIL)");
  const Listener taken = Bind(SOCK_STREAM, true);
  EXPECT_EQ(ErrorOf("tcp-listen:" + taken.address),
            "tcp-listen:" + taken.address + ": cannot listen there: Address already in use (EADDRINUSE)");
  const std::string deep = "/" + std::string(120, 'x');
  EXPECT_EQ(ErrorOf("unix:" + deep), "unix:" + deep +
                                         ": a socket's path has at most 107 bytes, and this one has 121; choose a "
                                         "shorter one");
  const std::string path = Path("foreign");
  std::ofstream(path) << "mine";
  EXPECT_EQ(ErrorOf("pty:" + path),
            "pty:" + path + ": it is there, and no link that corerig made; choose another path, or remove it");
}

}  // namespace
}  // namespace corerig
