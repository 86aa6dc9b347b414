// A file of numbers in columns, taken in chunks: a CSV, or rows of binary numbers.
//
//   auto file = ColumnFile::Open({.path = "drive.csv"});
//   ColumnBlock block;
//   for (std::uint64_t chunk = 0; chunk < file->chunks(); ++chunk) file->Read(chunk, block);
//
// Chunks are of equal size but for the last. A row belongs to the chunk that its first byte is in, so the rows of all
// chunks are the file's, each once, whoever reads which. The file stays as it is while it is read; one that was cut is
// told. Read by any number of threads, each with a block of its own.
//
// CSV: columns separated by commas, numbers as "-1.5e3" with blanks around, lines ended by LF or CR LF; blank lines are
// passed over. The first line names the columns; if it holds numbers they are called column1, column2, … Binary: each
// row has `channels` numbers, little-endian.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/os/file_reader.h"

namespace corerig {

struct ColumnFileName {
  enum class Format { kCsv, kFloat32, kFloat64, kInt16 };
  std::string path;
  Format format = Format::kCsv;
  std::size_t channels = 1;            // of a binary format
  std::size_t chunk_size = 256 << 10;  // bytes, of whole rows if binary
};

inline constexpr std::size_t kLongestRow = 64 << 10;  // bytes
inline constexpr std::size_t kMostColumns = 32;
inline constexpr double kLargestNumber = 1e70;  // its fourth power is far from overflow, however many are added

// The rows of one chunk.
struct ColumnBlock {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;                   // that the rows take, ends of lines and blank lines included
  std::vector<std::vector<double>> columns;  // [column][row]
  std::vector<double> before;                // the row before the first one; empty if there is none
};

class ColumnFile {
 public:
  // Fails with what is wrong and where: "drive.csv:1: column 3 has no name". Rows beyond the first chunk are not looked
  // at.
  static Result<ColumnFile> Open(ColumnFileName name);

  // The same file with a descriptor of its own: what a forked worker needs.
  Result<ColumnFile> OpenAgain() const;

  const std::vector<std::string>& names() const { return names_; }  // of the columns
  std::uint64_t size() const { return reader_.size(); }
  std::uint64_t data_size() const { return reader_.size() - begin_; }  // without the line of names
  std::uint64_t chunks() const;
  // Of a binary row; 0: it varies.
  std::size_t row_size() const { return row_size_; }

  // Fails with the place of what is wrong: "drive.csv:17: 5 columns, the first row has 6".
  Status Read(std::uint64_t chunk, ColumnBlock& block) const;

 private:
  ColumnFile(ColumnFileName name, FileReader reader) : name_(std::move(name)), reader_(std::move(reader)) {}
  Status ReadHead();
  Result<std::string> ReadBytes(std::uint64_t begin, std::uint64_t end) const;
  Status ReadRows(std::uint64_t begin, std::uint64_t end, ColumnBlock& block) const;
  Status ReadBinary(std::uint64_t begin, std::uint64_t end, ColumnBlock& block) const;
  // "drive.csv:17: " of the line that byte `offset` is in.
  std::string LineAt(std::uint64_t offset) const;

  ColumnFileName name_;
  FileReader reader_;
  std::vector<std::string> names_;
  std::uint64_t begin_ = 0;  // of the first row
  std::size_t row_size_ = 0, chunk_size_ = 0;
};

}  // namespace corerig
