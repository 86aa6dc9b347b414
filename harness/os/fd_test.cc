#include "harness/os/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

namespace corerig {
namespace {

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) != -1; }

int OpenNull() { return open("/dev/null", O_RDWR | O_CLOEXEC); }

std::string FileWith(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

TEST(Fd, ClosesWhatItOwnsWhenItGoes) {
  int number = -1;
  {
    const Fd fd(OpenNull());
    number = fd.get();
    EXPECT_TRUE(fd.valid());
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(Fd, OwnsNothingByDefaultAndAfterAFailedOpen) {
  EXPECT_FALSE(Fd().valid());
  EXPECT_FALSE(Fd(-1).valid());
}

TEST(Fd, MovingLeavesTheSourceEmptyAndTheDescriptorOpen) {
  Fd first(OpenNull());
  const int number = first.get();
  Fd second(std::move(first));
  EXPECT_FALSE(first.valid());
  EXPECT_EQ(second.get(), number);
  EXPECT_TRUE(IsOpen(number));
}

TEST(Fd, AssignmentClosesWhatWasOwnedBefore) {
  Fd kept(OpenNull());
  Fd replaced(OpenNull());
  const int old = replaced.get(), moved = kept.get();
  replaced = std::move(kept);
  EXPECT_FALSE(IsOpen(old));
  EXPECT_EQ(replaced.get(), moved);
  EXPECT_TRUE(IsOpen(moved));
}

TEST(Fd, AssigningItToItselfKeepsTheDescriptor) {
  Fd fd(OpenNull());
  Fd& same = fd;
  fd = std::move(same);
  ASSERT_TRUE(fd.valid());
  EXPECT_TRUE(IsOpen(fd.get()));
}

TEST(Fd, ReleaseHandsTheDescriptorOver) {
  int number = -1;
  {
    Fd fd(OpenNull());
    number = fd.Release();
    EXPECT_FALSE(fd.valid());
  }
  EXPECT_TRUE(IsOpen(number));
  close(number);
}

TEST(Fd, ClosingTwiceClosesOnce) {
  Fd fd(OpenNull());
  const int number = fd.get();
  fd.Close();
  const int reused = OpenNull();
  EXPECT_EQ(reused, number) << "the kernel gives the lowest free number";
  fd.Close();
  EXPECT_TRUE(IsOpen(reused)) << "somebody else's descriptor was closed";
  close(reused);
}

TEST(ErrnoText, NamesTheErrorInWordsAndAsAConstant) {
  EXPECT_EQ(ErrnoText(EACCES), "Permission denied (EACCES)");
  EXPECT_EQ(ErrnoText(ENOENT), "No such file or directory (ENOENT)");
}

TEST(ErrnoText, GivesTheNumberOfAnUnknownError) { EXPECT_EQ(ErrnoText(4711), "unknown error (4711)"); }

TEST(ReadFile, ReadsAFileLargerThanItsBuffer) {
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += static_cast<char>(i % 251);
  EXPECT_EQ(ReadFile(FileWith("large", text)).value(), text);
}

TEST(ReadFile, ReadsAnEmptyFile) { EXPECT_EQ(ReadFile(FileWith("empty", "")).value(), ""); }

TEST(ReadFile, ReadsAProcFileWhoseSizeIsZero) {
  struct stat status = {};
  ASSERT_EQ(stat("/proc/self/stat", &status), 0);
  ASSERT_EQ(status.st_size, 0);
  const auto text = ReadFile("/proc/self/stat");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->substr(0, text->find(' ')), std::to_string(getpid()));
}

TEST(ReadFile, NamesPathAndCause) {
  EXPECT_EQ(ReadFile("/proc/no-such-file").error().message,
            "cannot read /proc/no-such-file: No such file or directory (ENOENT)");
  EXPECT_EQ(ReadFile("/proc").error().message, "cannot read /proc: Is a directory (EISDIR)");
}

TEST(WriteExisting, WritesAllOfTheText) {
  const std::string path = FileWith("existing", "old");
  const auto written = WriteExisting(path, "newer");
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(ReadFile(path).value(), "newer");
}

TEST(WriteExisting, CreatesNothing) {
  const std::string path = testing::TempDir() + "/absent";
  EXPECT_EQ(WriteExisting(path, "x").error().message, "cannot write " + path + ": No such file or directory (ENOENT)");
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST(WriteExisting, HandsOnWhatTheKernelSays) {
  EXPECT_EQ(WriteExisting("/dev/full", "x").error().message,
            "cannot write /dev/full: No space left on device (ENOSPC)");
}

}  // namespace
}  // namespace corerig
