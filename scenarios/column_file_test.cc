#include "scenarios/column_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <fstream>

namespace corerig {
namespace {

using Format = ColumnFileName::Format;
constexpr std::size_t kChunkSize = ColumnFileName().chunk_size;

std::string Write(const std::string& text) {
  std::string path = testing::TempDir() + "/data";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

template <typename Number>
std::string Bytes(const std::vector<Number>& numbers) {
  std::string bytes(numbers.size() * sizeof(Number), '\0');
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

Result<ColumnFile> Open(const std::string& text, Format format = Format::kCsv, std::size_t channels = 1) {
  return ColumnFile::Open({.path = Write(text), .format = format, .channels = channels});
}

// What opening, or else the first chunk that fails, says; without the folder.
std::string ErrorOf(const std::string& text, Format format = Format::kCsv, std::size_t channels = 1) {
  const auto strip = [](std::string message) {
    const auto folder = message.find(testing::TempDir() + "/");
    return folder == std::string::npos ? message : message.erase(folder, testing::TempDir().size() + 1);
  };
  const auto file = Open(text, format, channels);
  if (!file) return strip(file.error().message);
  ColumnBlock block;
  for (std::uint64_t chunk = 0; chunk < file->chunks(); ++chunk) {
    if (const Status read = file->Read(chunk, block); !read) return strip(read.error().message);
  }
  return "";
}

TEST(ColumnFile, TakesNamesAndNumbersOfACsv) {
  const auto file = Open("t, \"ax\" ,ay\r\n1,2.5, -3e2 \r\n\r\n+4,5,6\r\n");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->names(), (std::vector<std::string>{"t", "ax", "ay"}));
  ColumnBlock block;
  ASSERT_TRUE(file->Read(0, block));
  EXPECT_EQ(block.rows, 2u);
  EXPECT_EQ(block.bytes, file->data_size());
  EXPECT_EQ(block.columns, (std::vector<std::vector<double>>{{1, 4}, {2.5, 5}, {-300, 6}}));
  EXPECT_TRUE(block.before.empty());
}

TEST(ColumnFile, NumbersInTheFirstLineAreARow) {
  const auto file = Open(
      "\xEF\xBB\xBF"
      "1,2\n3,4");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->names(), (std::vector<std::string>{"column1", "column2"}));
  ColumnBlock block;
  ASSERT_TRUE(file->Read(0, block));
  EXPECT_EQ(block.columns, (std::vector<std::vector<double>>{{1, 3}, {2, 4}}));
  EXPECT_EQ(block.bytes, 7u);
}

// Rows of every length meet the borders of chunks, in the middle, at their first and at their last byte.
TEST(ColumnFile, EveryRowIsInOneChunkAndHasTheOneBeforeIt) {
  std::string text = "i,x\n";
  std::vector<double> all;
  while (text.size() < 5 * kChunkSize + 1234) {
    const auto i = static_cast<double>(all.size());
    all.push_back(i);
    text += std::to_string(all.size() - 1) + "," + std::string(all.size() % 61, ' ') + std::to_string(-i);
    text += all.size() % 50 == 0 ? "\n\n" : all.size() % 3 == 0 ? "\r\n" : "\n";
  }
  const auto file = Open(text);
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->chunks(), 6u);
  std::vector<double> seen;
  std::uint64_t bytes = 0;
  ColumnBlock block;
  for (std::uint64_t chunk = 0; chunk < file->chunks(); ++chunk) {
    ASSERT_TRUE(file->Read(chunk, block));
    ASSERT_GT(block.rows, 0u);
    EXPECT_EQ(block.before.empty(), chunk == 0);
    if (chunk > 0) {
      EXPECT_EQ(block.before, (std::vector<double>{seen.back(), -seen.back()}));
    }
    seen.insert(seen.end(), block.columns[0].begin(), block.columns[0].end());
    bytes += block.bytes;
  }
  EXPECT_EQ(seen, all);
  EXPECT_EQ(bytes, file->data_size());
  EXPECT_EQ(file->data_size() + 4, text.size());
}

// A border between two rows, one byte before it and one behind it.
TEST(ColumnFile, ARowThatBeginsAtABorderBelongsToTheChunkBehindIt) {
  for (const int off : {-1, 0, 1}) {
    const std::string text = "1\n" + std::string(kChunkSize - 4 + static_cast<std::size_t>(off) - 60'000, '\n') +
                             std::string(60'000, ' ') + "2\n3\n4\n";
    const auto file = Open(text);
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_EQ(file->chunks(), 2u);
    ColumnBlock first, second;
    ASSERT_TRUE(file->Read(0, first));
    ASSERT_TRUE(file->Read(1, second));
    EXPECT_EQ(first.rows + second.rows, 4u) << off;
    EXPECT_EQ(first.rows, off == -1 ? 3u : 2u) << off;
    EXPECT_EQ(first.bytes + second.bytes, text.size());
    ASSERT_EQ(second.before.size(), 1u);
    EXPECT_EQ(second.before[0] + 1, second.columns[0][0]);
  }
}

// Borders of chunks at every place of a file that has all that a CSV may have.
TEST(ColumnFile, NoBorderOfChunksChangesWhatIsRead) {
  const std::string body = "1,-2\n\n3,4\r\n \n\n5e1, 6\n7,8\n\t9 ,10\n\n\n11,12";
  const std::vector<double> lefts = {1, 3, 50, 7, 9, 11}, rights = {-2, 4, 6, 8, 10, 12};
  for (const std::string& text : {body, "a,b\n" + body, body + "\n", body + "\r\n\n"}) {
    const std::string path = Write(text);
    for (std::size_t chunk_size = 1; chunk_size <= text.size(); ++chunk_size) {
      const auto file = ColumnFile::Open({.path = path, .chunk_size = chunk_size});
      ASSERT_TRUE(file) << file.error().message;
      std::vector<double> left, right;
      std::uint64_t bytes = 0;
      ColumnBlock block;
      for (std::uint64_t chunk = 0; chunk < file->chunks(); ++chunk) {
        const Status read = file->Read(chunk, block);
        ASSERT_TRUE(read) << read.error().message;
        ASSERT_EQ(block.columns[0].size(), block.rows);
        if (block.rows > 0 && !left.empty()) {
          ASSERT_EQ(block.before, (std::vector<double>{left.back(), right.back()})) << chunk_size << " " << chunk;
        }
        if (left.empty()) {
          ASSERT_TRUE(block.before.empty());
        }
        left.insert(left.end(), block.columns[0].begin(), block.columns[0].end());
        right.insert(right.end(), block.columns[1].begin(), block.columns[1].end());
        bytes += block.bytes;
      }
      ASSERT_EQ(left, lefts) << chunk_size;
      ASSERT_EQ(right, rights) << chunk_size;
      ASSERT_EQ(bytes, file->data_size()) << chunk_size;
    }
  }
}

TEST(ColumnFile, BinaryRowsAreReadInTheirFormats) {
  ColumnBlock block;
  const auto shorts = Open(Bytes<std::int16_t>({1, -2, 3, -32768}), Format::kInt16, 2);
  ASSERT_TRUE(shorts) << shorts.error().message;
  ASSERT_TRUE(shorts->Read(0, block));
  EXPECT_EQ(block.columns, (std::vector<std::vector<double>>{{1, 3}, {-2, -32768}}));
  EXPECT_EQ(shorts->names()[1], "channel2");
  const auto floats = Open(Bytes<float>({1.5f, -2.25f}), Format::kFloat32);
  ASSERT_TRUE(floats);
  ASSERT_TRUE(floats->Read(0, block));
  EXPECT_EQ(block.columns, (std::vector<std::vector<double>>{{1.5, -2.25}}));
  std::vector<double> many;
  for (int i = 0; i < 3 * 30'000; ++i) many.push_back(i);
  const auto doubles = Open(Bytes(many), Format::kFloat64, 3);
  ASSERT_TRUE(doubles);
  ASSERT_EQ(doubles->chunks(), 3u);
  std::uint64_t rows = 0;
  for (std::uint64_t chunk = 0; chunk < 3; ++chunk) {
    ASSERT_TRUE(doubles->Read(chunk, block));
    for (std::size_t i = 0; i < block.rows; ++i) {
      ASSERT_EQ(block.columns[1][i], static_cast<double>(3 * (rows + i) + 1));
    }
    if (chunk > 0) {
      ASSERT_EQ(block.before.size(), 3u);
      EXPECT_EQ(block.before[2], static_cast<double>(3 * rows - 1));
    }
    rows += block.rows;
  }
  EXPECT_EQ(rows, 30'000u);
}

TEST(ColumnFile, SaysWhereItIsWrong) {
  EXPECT_EQ(ErrorOf("a,b\n1,2\n3\n"), "data:3: 1 column, the first row has 2");
  EXPECT_EQ(ErrorOf("a,b\n1,2\n3,4,5\n"), "data:3: 3 columns, the first row has 2");
  EXPECT_EQ(ErrorOf("a,b\n1,2\n\n3,nan\n"), "data:4: b is \"nan\"; a finite number was expected, up to 1e70");
  EXPECT_EQ(ErrorOf("a,b\n1,2\n,4\n"), "data:3: a is empty; a finite number was expected, up to 1e70");
  EXPECT_EQ(ErrorOf("a\n1\n2 3\n"), "data:3: a is \"2 3\"; a finite number was expected, up to 1e70");
  EXPECT_EQ(ErrorOf("a\n1\n1e71\n"), "data:3: a is \"1e71\"; a finite number was expected, up to 1e70");
  EXPECT_EQ(ErrorOf("a\n1\n\x1b[2Jaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"),
            "data:3: a is \"?[2Jaaaaaaaaaaaaaaaaaaaa…\"; a finite number was expected, up to 1e70");
  EXPECT_EQ(ErrorOf("1,x\n1,2\n"), "data:1: neither names of columns nor numbers alone: \"1,x\"");
  EXPECT_EQ(ErrorOf("a,,b\n"), "data:1: column 2 has no name");
  EXPECT_EQ(ErrorOf("a,b,a\n"), "data:1: two columns are called \"a\"");
  EXPECT_EQ(ErrorOf(""), "data:1: names of columns or numbers were expected");
  EXPECT_EQ(ErrorOf("a,b"), "data: 0 rows; at least 2 are needed");
  EXPECT_EQ(ErrorOf("a,b\n1,2\n"), "data: 1 row; at least 2 are needed");
  EXPECT_EQ(ErrorOf(std::string(33, ',')), "data:1: 34 columns; at most 32 are taken");
  EXPECT_EQ(ErrorOf(std::string(kLongestRow + 1, 'a')), "data:1: the line is longer than 65536 bytes");
  EXPECT_EQ(ErrorOf("12345", Format::kInt16), "data: 5 bytes are no whole number of rows of 2 bytes (channels = 1)");
  EXPECT_EQ(ErrorOf("", Format::kInt16), "data: 0 rows; at least 2 are needed");
  EXPECT_EQ(ErrorOf(Bytes<float>({1, 2, 3, NAN}), Format::kFloat32, 2),
            "data: row 2: channel2 is nan; a finite number was expected, up to 1e70");
  EXPECT_EQ(ColumnFile::Open({.path = "/nowhere.csv"}).error().message,
            "cannot read /nowhere.csv: No such file or directory (ENOENT)");
}

TEST(ColumnFile, ALineFarIntoTheFileIsNamedByItsNumber) {
  std::string text = "a,b\n";
  while (text.size() < 2 * kChunkSize) text += "1,2\n";
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  EXPECT_EQ(ErrorOf(text + "1,2,3\n"), "data:" + std::to_string(lines + 1) + ": 3 columns, the first row has 2");
  EXPECT_EQ(ErrorOf(text + std::string(kLongestRow + 10, ' ') + "1,2\n" + text.substr(4)),
            "data:" + std::to_string(lines + 1) + ": the row is longer than 65536 bytes");
}

TEST(ColumnFile, AFileThatIsCutUnderItIsTold) {
  std::string text = "a\n";
  while (text.size() < 3 * kChunkSize) text += "1\n";
  const auto file = Open(text);
  ASSERT_TRUE(file);
  ASSERT_EQ(truncate((testing::TempDir() + "/data").c_str(), 100), 0);
  ColumnBlock block;
  const Status read = file->Read(2, block);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("it had " + std::to_string(text.size()) + " bytes when it was opened"),
            std::string::npos)
      << read.error().message;
}

}  // namespace
}  // namespace corerig
