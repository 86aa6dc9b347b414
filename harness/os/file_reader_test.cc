#include "harness/os/file_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "harness/base/text.h"

namespace corerig {
namespace {

std::string FileWith(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string ReadAt(const FileReader& file, std::uint64_t offset, std::size_t size) {
  std::string out(size, '?');
  const auto n = file.ReadAt(offset, out);
  EXPECT_TRUE(n) << n.error().message;
  out.resize(*n);
  return out;
}

TEST(FileReader, ReadsAnyPlaceAndLessAtTheEnd) {
  const auto file = FileReader::Open(FileWith("digits", "0123456789"));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->size(), 10u);
  EXPECT_EQ(ReadAt(*file, 3, 4), "3456");
  EXPECT_EQ(ReadAt(*file, 0, 2), "01") << "a read leaves no place behind";
  EXPECT_EQ(ReadAt(*file, 8, 4), "89");
  EXPECT_EQ(ReadAt(*file, 10, 4), "");
  EXPECT_EQ(ReadAt(*file, 1000, 4), "");
}

TEST(FileReader, ReadsTheWholeUpToALimit) {
  const auto file = FileReader::Open(FileWith("whole", "0123456789"));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->ReadWhole(10).value(), "0123456789");
  EXPECT_EQ(file->ReadWhole(9).error().message,
            StrCat("cannot read ", file->path(), ": it has 10 bytes; at most 9 are taken"));
}

TEST(FileReader, AFileThatIsCutIsShort) {
  const std::string path = FileWith("cut", "0123456789");
  const auto file = FileReader::Open(path);
  ASSERT_TRUE(file);
  ASSERT_EQ(truncate(path.c_str(), 5), 0);
  EXPECT_EQ(ReadAt(*file, 3, 4), "34");
  EXPECT_EQ(file->size(), 10u);
}

TEST(FileReader, SaysWhatCannotBeRead) {
  EXPECT_EQ(FileReader::Open("/nowhere/x.csv").error().message,
            "cannot read /nowhere/x.csv: No such file or directory (ENOENT)");
  EXPECT_EQ(FileReader::Open("/").error().message, "cannot read /: it is no regular file");
  const std::string fifo = testing::TempDir() + "/fifo";
  unlink(fifo.c_str());
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(FileReader::Open(fifo).error().message, "cannot read " + fifo + ": it is no regular file");
}

}  // namespace
}  // namespace corerig
