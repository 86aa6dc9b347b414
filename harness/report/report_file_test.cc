#include "harness/report/report_file.h"

#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace corerig {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::string ReadAll(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> NamesIn(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

// No file of this process may grow beyond `bytes`: a write stops half-way, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

class ReportFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(ReportFile, FolderIsCreatedWithItsParentsAndLeftEmpty) {
  ASSERT_TRUE(PrepareFolder(folder_ / "a" / "b"));
  EXPECT_THAT(NamesIn(folder_ / "a" / "b"), IsEmpty());
}

TEST_F(ReportFile, FolderThatExistsKeepsItsContent) {
  fs::create_directories(folder_);
  std::ofstream(folder_ / "report.json") << "old";
  ASSERT_TRUE(PrepareFolder(folder_));
  EXPECT_THAT(NamesIn(folder_), ElementsAre("report.json"));
}

TEST_F(ReportFile, FileInTheWayIsOneLineThatNamesTheFolder) {
  fs::create_directories(folder_);
  std::ofstream(folder_ / "file") << "x";
  for (const auto& wrong : {folder_ / "file", folder_ / "file" / "below"}) {
    const Status status = PrepareFolder(wrong);
    ASSERT_FALSE(status) << wrong;
    EXPECT_THAT(status.error().message, StartsWith(wrong.string() + ": cannot be created: "));
    EXPECT_THAT(status.error().message, HasSubstr("a file stands where a folder is to be"));
    EXPECT_THAT(status.error().message, Not(HasSubstr("\n")));
  }
}

TEST_F(ReportFile, FolderThatCannotBeWrittenIsFoundBeforehand) {
  // Not even root can make a file there.
  const Status status = PrepareFolder("/proc/self");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, StartsWith("/proc/self: cannot be written: "));
  EXPECT_THAT(status.error().message, HasSubstr("; choose a folder that can be written"));
}

TEST_F(ReportFile, FullDiskIsFoundBeforehand) {
  fs::create_directories(folder_);
  const FileSizeLimit limit(0);
  const Status status = PrepareFolder(folder_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            folder_.string() + ": cannot be written: File too large; make room, or choose a folder with room");
  EXPECT_THAT(NamesIn(folder_), IsEmpty());
}

TEST_F(ReportFile, EmptyNameIsAnError) {
  const Status status = PrepareFolder("");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "the output folder has no name; write --out DIR");
}

TEST_F(ReportFile, ReportIsWrittenWholeAndAlone) {
  ASSERT_TRUE(PrepareFolder(folder_));
  const std::string text(3'000'000, 'x');
  ASSERT_TRUE(WriteReport(folder_, text));
  EXPECT_TRUE(ReadAll(folder_ / "report.json") == text);
  ASSERT_TRUE(WriteReport(folder_, "{}\n"));
  EXPECT_EQ(ReadAll(folder_ / "report.json"), "{}\n");
  EXPECT_THAT(NamesIn(folder_), ElementsAre("report.json"));
}

TEST_F(ReportFile, FullDiskLeavesThePreviousReportAndNoTemporaryFile) {
  ASSERT_TRUE(PrepareFolder(folder_));
  ASSERT_TRUE(WriteReport(folder_, "previous"));
  {
    const FileSizeLimit limit(4096);
    const Status status = WriteReport(folder_, std::string(100'000, 'x'));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message,
              (folder_ / "report.json").string() +
                  ": cannot be written: File too large; make room, or choose a folder with room");
  }
  EXPECT_EQ(ReadAll(folder_ / "report.json"), "previous");
  EXPECT_THAT(NamesIn(folder_), ElementsAre("report.json"));
}

TEST_F(ReportFile, FolderInTheReportsPlaceLeavesNoTemporaryFile) {
  fs::create_directories(folder_ / "report.json");
  const Status status = WriteReport(folder_, "{}");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("report.json: cannot be replaced: Is a directory; "));
  EXPECT_THAT(NamesIn(folder_), ElementsAre("report.json"));
}

TEST_F(ReportFile, FolderThatWentAwayIsAnError) {
  const Status status = WriteReport(folder_, "{}");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("report.json: cannot be written: No such file or directory; "));
}

TEST_F(ReportFile, ReaderSeesAWholeReportAtAnyInstant) {
  ASSERT_TRUE(PrepareFolder(folder_));
  const std::string a(200'000, 'a'), b(300'000, 'b');
  ASSERT_TRUE(WriteReport(folder_, a));
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 50; ++i) {
      if (!WriteReport(folder_, i % 2 == 0 ? b : a)) ADD_FAILURE() << "write " << i;
    }
    done = true;
  });
  int torn = 0;
  do {
    const std::string seen = ReadAll(folder_ / "report.json");
    if (seen != a && seen != b) ++torn;
  } while (!done);
  writer.join();
  EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace corerig
