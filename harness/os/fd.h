// Owns a file descriptor.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "harness/base/result.h"

namespace corerig {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { Close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Close();

 private:
  int fd_ = -1;
};

// "Permission denied (EACCES)" for an errno value, "unknown error (4711)" for what is none.
std::string ErrnoText(int error);

// The whole of a small file, read until its end: regular files and the files of /proc and /sys alike. The error names
// path and cause.
Result<std::string> ReadFile(const std::string& path);

// Writes all of `text` into an existing file (such as /proc/PID/clear_refs) with one write call.
Status WriteExisting(const std::string& path, std::string_view text);

}  // namespace corerig
