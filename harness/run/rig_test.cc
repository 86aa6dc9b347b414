#include "harness/run/rig.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <string>

#include "harness/child/part_marker.h"
#include "harness/os/fd.h"

namespace corerig {
namespace {

std::string OwnName() {
  char name[16] = {};
  prctl(PR_GET_NAME, name, 0, 0, 0);
  return name;
}

// `corerig run a.toml 6>log`: the descriptor that is a child's marker is a file of the caller's.
TEST(ChildMain, TheUsersOwnCallKeepsItsNameAndTheCallersDescriptors) {
  const Fd kept(fcntl(kMarkerFd, F_DUPFD_CLOEXEC, 64));  // invalid if the test was started without one
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const Fd read_end(fcntl(ends[0], F_DUPFD_CLOEXEC, 64)), write_end(fcntl(ends[1], F_DUPFD_CLOEXEC, 64));
  for (const int end : ends) {
    if (end != kMarkerFd) close(end);
  }
  ASSERT_EQ(dup2(write_end.get(), kMarkerFd), kMarkerFd);

  const std::string name = OwnName();
  std::string words[] = {"corerig", "run", "a.toml"};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  EXPECT_EQ(ChildMain({}, 3, arguments), std::nullopt);
  EXPECT_EQ(OwnName(), name);
  char byte;
  EXPECT_EQ(read(read_end.get(), &byte, 1), -1) << "something was written to descriptor " << kMarkerFd;
  EXPECT_EQ(fcntl(kMarkerFd, F_GETFD) & FD_CLOEXEC, 0);

  if (kept.valid()) {
    dup2(kept.get(), kMarkerFd);
  } else {
    close(kMarkerFd);
  }
}

}  // namespace
}  // namespace corerig
