// How often this program has taken memory from operator new, in all its forms.
//
//   const long before = AllocationCount();
//   decoder.Feed(frame, 0, sink);
//   EXPECT_EQ(AllocationCount(), before);
//
// For tests: to link this replaces operator new and delete of the whole program. Any thread.
#pragma once

namespace corerig {

long AllocationCount();

}  // namespace corerig
