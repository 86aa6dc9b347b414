// A number with one writer and any readers, in memory that processes share.
//
// The writer's increment is a plain load and store, not a locked instruction: there is one writer, so nothing is lost,
// and a reader sees a value that was true a moment ago, never a torn one.
#pragma once

#include <atomic>
#include <cstdint>

namespace corerig {

class Counter {
 public:
  void Add(std::uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void Set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "counters are shared between processes");

}  // namespace corerig
