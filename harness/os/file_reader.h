// A large file, read in pieces at any place by any thread.
//
//   auto file = FileReader::Open("drive.csv");
//   auto n = file->ReadAt(4096, buffer);        // fills the buffer, but for the end of the file
//
// Read, not mapped: a page of a mapping counts as the process's memory, and one that a writer cuts off under it kills
// the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "harness/base/result.h"
#include "harness/os/fd.h"

namespace corerig {

class FileReader {
 public:
  // Fails, naming the path, if it cannot be read or is no regular file.
  static Result<FileReader> Open(const std::string& path);

  // The same file, opened anew: by a forked process, which has none of the descriptors of the one it was forked from.
  // Fails also if another file is there by now, or it has another size.
  Result<FileReader> OpenAgain() const;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }  // when it was opened

  // Up to the whole of `out`, from byte `offset` on; returns how many, fewer at the file's end only. Fails if the
  // kernel cannot read.
  Result<std::size_t> ReadAt(std::uint64_t offset, std::span<char> out) const;

  // All of it. Fails also if that is more than `most` bytes.
  Result<std::string> ReadWhole(std::uint64_t most) const;

 private:
  FileReader() = default;
  Fd fd_;
  std::string path_;
  std::uint64_t size_ = 0, inode_ = 0, device_ = 0;
};

}  // namespace corerig
