#include "harness/run/address_space.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

// That what it says is enough, a whole run shows (tests/memory_limit_test).
TEST(AddressSpace, ThatDoesNotHoldTheProgramIsRefused) {
  Plan plan;
  WorkerPlan& worker = plan.workers.emplace_back();
  worker.name = "w";
  worker.memory = Bytes{6 << 20};
  worker.memory_counts_address_space = true;
  for (const bool command : {false, true}) {
    if (command) worker.command.emplace();  // this program is what executes it
    const auto checked = CheckAddressSpaces(plan, Bytes{7 << 20});
    ASSERT_FALSE(checked);
    EXPECT_EQ(
        checked.error().message,
        "worker w: memory = \"6MiB\" is an address space that does not hold this program; write at least \"7MiB\"");
    EXPECT_TRUE(CheckAddressSpaces(plan, Bytes{6 << 20}));
  }
  worker.memory_counts_address_space = false;
  EXPECT_TRUE(CheckAddressSpaces(plan, Bytes{7 << 20})) << "pages in use are another matter";
}

}  // namespace
}  // namespace corerig
