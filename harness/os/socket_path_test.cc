#include "harness/os/socket_path.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "harness/os/fd.h"

namespace corerig {
namespace {

namespace fs = std::filesystem;

class SocketPathTest : public testing::Test {
 protected:
  // Relative: with all of its folder it may be longer than a socket's path may be.
  void SetUp() override {
    ASSERT_EQ(chdir(getenv("TEST_TMPDIR")), 0);
    fs::remove(path);
  }
  static Fd Make(int type = SOCK_DGRAM) { return Fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0)); }
  static void BindTo(const Fd& socket, const std::string& to) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    to.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  std::string ErrorOf(const std::string& to) {
    const Fd socket = Make();
    const auto bound = SocketPath::Bind(socket.get(), to);
    return bound ? "no error" : bound.error().message;
  }
  const std::string path = "socket";
};

TEST_F(SocketPathTest, IsThereForEveryUserAsLongAsItIsHeld) {
  const Fd ours = Make();
  std::optional<SocketPath> held;
  {
    auto bound = SocketPath::Bind(ours.get(), path);
    ASSERT_TRUE(bound) << bound.error().message;
    held = std::move(*bound);
  }
  EXPECT_TRUE(fs::is_socket(path)) << "moved from is not removed";
  EXPECT_EQ(fs::status(path).permissions(), fs::perms(0666));
  held.reset();
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(SocketPathTest, OneThatAKilledProcessLeftIsReplaced) {
  {
    const Fd killed = Make();
    BindTo(killed, path);
  }
  ASSERT_TRUE(fs::is_socket(path));
  const Fd ours = Make();
  EXPECT_TRUE(SocketPath::Bind(ours.get(), path));
}

TEST_F(SocketPathTest, OneThatSomebodyHasAndWhatIsNoSocketStay) {
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    const Fd theirs = Make(type);
    BindTo(theirs, path);
    if (type == SOCK_STREAM) listen(theirs.get(), 1);
    EXPECT_EQ(ErrorOf(path), "a program has a socket there; end it, or choose another path");
    EXPECT_TRUE(fs::is_socket(path));
    fs::remove(path);
  }
  std::ofstream(path) << "mine";
  EXPECT_EQ(ErrorOf(path), "it is there, and no socket; choose another path, or remove it");
  EXPECT_TRUE(fs::is_regular_file(path));
}

TEST_F(SocketPathTest, AnotherThatTookItsPlaceStays) {
  const Fd ours = Make(), theirs = Make();
  {
    const auto held = SocketPath::Bind(ours.get(), path);
    ASSERT_TRUE(held);
    fs::remove(path);
    BindTo(theirs, path);
  }
  EXPECT_TRUE(fs::is_socket(path));
}

TEST_F(SocketPathTest, WhatCannotBeBoundIsSaid) {
  EXPECT_EQ(ErrorOf("none/x"), "cannot bind a socket there: No such file or directory (ENOENT)");
  EXPECT_EQ(ErrorOf(std::string(120, 'x')),
            "a socket's path has at most 107 bytes, and this one has 120; choose a shorter one");
}

}  // namespace
}  // namespace corerig
