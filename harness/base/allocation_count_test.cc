#include "harness/base/allocation_count.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <new>

namespace corerig {
namespace {

struct alignas(64) Aligned {
  char bytes[64];
};

// Returned through volatile: the compiler may leave out what nobody sees.
template <typename Value>
void ExpectCounted(Value* made, long before) {
  Value* volatile seen = made;
  EXPECT_EQ(AllocationCount(), before + 1);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(seen) % alignof(Value), 0u);
}

TEST(AllocationCount, SeesEveryFormOfNew) {
  long before = AllocationCount();
  int* const one = new int(1);
  ExpectCounted(one, before);
  delete one;
  before = AllocationCount();
  int* const several = new int[5];
  ExpectCounted(several, before);
  delete[] several;
  before = AllocationCount();
  Aligned* const aligned = new Aligned;
  ExpectCounted(aligned, before);
  delete aligned;
  before = AllocationCount();
  Aligned* const many = new Aligned[3];
  ExpectCounted(many, before);
  delete[] many;
  before = AllocationCount();
  int* const quiet = new (std::nothrow) int(1);
  ExpectCounted(quiet, before);
  delete quiet;
}

}  // namespace
}  // namespace corerig
