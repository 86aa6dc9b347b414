#include "tests/support/receiving_end.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <sstream>

namespace corerig {

std::string NewPath(const std::string& name) {
  static int count = 0;
  return std::string(getenv("TEST_TMPDIR")) + "/" + name + std::to_string(getpid()) + "-" + std::to_string(++count);
}

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

Bound Bind(int type, int port) {
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

std::string FreeAddress(int type) {
  const Bound bound = Bind(type);
  close(bound.fd);
  return bound.address;
}

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

}  // namespace corerig
