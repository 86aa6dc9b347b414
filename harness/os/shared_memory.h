// Memory that processes share: a memfd whose size is sealed, and a mapping of it.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "harness/base/result.h"
#include "harness/os/fd.h"

namespace corerig {

// A new memfd of `size` zero bytes; shrinking and growing it are sealed, so that no process can make another one fault
// by truncating it. `name` shows in /proc/PID/maps as memfd:name.
Result<Fd> CreateSharedMemory(const char* name, std::size_t size);

// After this no process can map the memfd writable any more; mappings that exist stay as they are.
Status SealAgainstNewWriters(int fd);

// Owns a mapping of a whole file.
class Mapping {
 public:
  enum class Access { kRead, kReadWrite };

  // Fails if the file is smaller than `size`.
  static Result<Mapping> Map(int fd, std::size_t size, Access access);

  Mapping() = default;
  Mapping(Mapping&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    Mapping taken(std::move(other));
    std::swap(base_, taken.base_);
    std::swap(size_, taken.size_);
    return *this;
  }
  ~Mapping();

  std::byte* data() const { return static_cast<std::byte*>(base_); }
  std::size_t size() const { return size_; }

  // The T at `offset`. The T was put there by the one writer (all its bytes zero is a valid T), or by zeroed memory.
  template <typename T>
  T* At(std::size_t offset) const {
    return reinterpret_cast<T*>(data() + offset);
  }

 private:
  Mapping(void* base, std::size_t size) : base_(base), size_(size) {}
  void* base_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace corerig
