#include "harness/run/collect.h"

#include <gtest/gtest.h>

#include "harness/child/worker_slab.h"
#include "harness/os/shared_memory.h"

namespace corerig {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Nanos kStart = milliseconds(1000);

// A worker that did ten units in ten milliseconds from the start on, and was read 500 ms later.
class LateReading : public testing::Test {
 protected:
  void SetUp() override {
    const WorkerSlabLayout layout(0);
    const auto fd = CreateSharedMemory("test-slab", layout.size);
    ASSERT_TRUE(fd) << fd.error().message;
    auto slab = Mapping::Map(fd->get(), layout.size, Mapping::Access::kReadWrite);
    auto readable = Mapping::Map(fd->get(), layout.size, Mapping::Access::kRead);
    ASSERT_TRUE(slab && readable);
    slab_ = std::move(*slab);
    slab_.At<Progress>(layout.progress)->Publish(10, kStart + milliseconds(10));
    slab_.At<SlabHeader>(0)->begun_at.Set(kStart.count());
    worker_.launched.slab = std::move(*readable);
    worker_.progress_before = Progress::Reading{};
    worker_.scheduling.before = SchedulingReading{.at = kStart, .migrations = {}};
    worker_.scheduling.after = SchedulingReading{.at = kStart + milliseconds(510), .migrations = {}};
    worker_.ended_at = kStart + milliseconds(510);
    plan_.workers.emplace_back().cores = {CpuId{0}};
  }
  double Rate() const {
    const MemorySampler memory(ProcFs(), milliseconds(250));
    return CollectWorker(plan_, worker_, memory, 0, "", {.start = kStart, .window_begin = kStart}).rate.value_or(0);
  }

  Plan plan_;
  Mapping slab_;
  SupervisedChild worker_;
};

TEST_F(LateReading, OfOneThatIsDoneLeavesTheRateOfItsUnits) {
  slab_.At<SlabHeader>(0)->ended_at.Set((kStart + milliseconds(10) + microseconds(1)).count());
  EXPECT_DOUBLE_EQ(Rate(), 1000);
}

TEST_F(LateReading, OfOneThatFrozeIsToTheReading) { EXPECT_DOUBLE_EQ(Rate(), 10 / 0.51); }

}  // namespace
}  // namespace corerig
