#include "harness/os/pty_link.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace corerig {
namespace {

namespace fs = std::filesystem;

class PtyLinkTest : public testing::Test {
 protected:
  const std::string path =
      std::string(getenv("TEST_TMPDIR")) + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();

  std::string ErrorOfMaking() const {
    const auto link = PtyLink::Make(path, "/dev/pts/7");
    return link ? "no error" : link.error().message;
  }
};

TEST_F(PtyLinkTest, LeadsToTheTerminalAsLongAsItLives) {
  {
    auto link = PtyLink::Make(path, "/dev/pts/7");
    ASSERT_TRUE(link) << link.error().message;
    EXPECT_EQ(fs::path(fs::read_symlink(path)).lexically_normal(), "/dev/pts/7");
    const PtyLink moved = std::move(*link);
    EXPECT_TRUE(fs::is_symlink(path));
  }
  EXPECT_FALSE(fs::is_symlink(path));
}

TEST_F(PtyLinkTest, OfADeadProcessIsReplaced) {
  // What a killed one leaves: the link, and nobody who holds its place.
  if (const pid_t pid = fork(); pid == 0) {
    auto link = PtyLink::Make(path, "/dev/pts/7");
    _exit(link ? 0 : 1);
  } else {
    int status = 0;
    waitpid(pid, &status, 0);
    ASSERT_EQ(status, 0);
  }
  ASSERT_TRUE(fs::is_symlink(path));
  const auto link = PtyLink::Make(path, "/dev/pts/8");
  ASSERT_TRUE(link) << link.error().message;
  EXPECT_EQ(fs::path(fs::read_symlink(path)).lexically_normal(), "/dev/pts/8");
}

TEST_F(PtyLinkTest, OfALivingProcessIsNotTaken) {
  const auto link = PtyLink::Make(path, "/dev/pts/7");
  ASSERT_TRUE(link) << link.error().message;
  EXPECT_EQ(ErrorOfMaking(), "another corerig has its terminal there now; choose another path");
  // The same place by another name.
  const auto other =
      PtyLink::Make(fs::path(path).parent_path().string() + "/./" + fs::path(path).filename().string(), "/dev/pts/8");
  EXPECT_FALSE(other);
  EXPECT_TRUE(fs::is_symlink(path));
}

TEST_F(PtyLinkTest, LeavesWhatIsNotOurs) {
  const std::string refused = "it is there, and no link that corerig made; choose another path, or remove it";
  std::ofstream(path) << "mine";
  EXPECT_EQ(ErrorOfMaking(), refused);
  EXPECT_EQ(fs::file_size(path), 4u);
  fs::remove(path);
  // socat and others make such links, too.
  fs::create_symlink("/dev/pts/7", path);
  EXPECT_EQ(ErrorOfMaking(), refused);
  EXPECT_EQ(fs::read_symlink(path), "/dev/pts/7");
  fs::remove(path);
  fs::create_directory(path);
  EXPECT_EQ(ErrorOfMaking(), refused);
}

TEST_F(PtyLinkTest, DoesNotRemoveWhatTookItsPlace) {
  {
    const auto link = PtyLink::Make(path, "/dev/pts/7");
    ASSERT_TRUE(link) << link.error().message;
    fs::remove(path);
    std::ofstream(path) << "mine";
  }
  EXPECT_TRUE(fs::is_regular_file(path));
}

TEST_F(PtyLinkTest, NeedsAFolder) {
  const auto link = PtyLink::Make(path + "/none/gps", "/dev/pts/7");
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().message, "cannot make a link in " + path + "/none/: No such file or directory (ENOENT)");
}

}  // namespace
}  // namespace corerig
