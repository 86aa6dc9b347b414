// For tests: memory that threads and forked processes share.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <span>
#include <utility>

#include "harness/os/shared_memory.h"

namespace corerig {

class SharedBytes {
 public:
  explicit SharedBytes(std::size_t size) {
    const auto fd = CreateSharedMemory("test", size);
    auto mapping = fd ? Mapping::Map(fd->get(), size, Mapping::Access::kReadWrite) : Result<Mapping>(Forward(fd));
    if (!mapping) ADD_FAILURE() << mapping.error().message;
    if (mapping) mapping_ = std::move(*mapping);
  }
  std::span<std::byte> bytes() const { return {mapping_.data(), mapping_.size()}; }

 private:
  Mapping mapping_;
};

}  // namespace corerig
