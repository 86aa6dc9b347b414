#include "harness/run/supervised_child.h"

#include <gtest/gtest.h>

#include "harness/child/slab.h"
#include "harness/os/clock.h"
#include "harness/os/shared_memory.h"

namespace corerig {
namespace {

class EndedThread : public testing::Test {
 protected:
  void SetUp() override {
    const auto fd = CreateSharedMemory("test-slab", sizeof(SlabHeader));
    ASSERT_TRUE(fd) << fd.error().message;
    auto writable = Mapping::Map(fd->get(), sizeof(SlabHeader), Mapping::Access::kReadWrite);
    auto readable = Mapping::Map(fd->get(), sizeof(SlabHeader), Mapping::Access::kRead);
    ASSERT_TRUE(writable && readable);
    slab_ = std::move(*writable);
    child_.launched.slab = std::move(*readable);
    child_.launched.host = 0;  // with no process there is nothing in /proc
  }
  auto& end() { return slab_.At<SlabHeader>(0)->thread_end; }
  std::string Read() {
    const auto reading = child_.ReadScheduling(procfs_);
    return reading ? StrCat(reading->run.count(), " ", reading->wait.count(), " ", reading->timeslices)
                   : reading.error().message;
  }

  const ProcFs procfs_;
  Mapping slab_;
  SupervisedChild child_;
};

TEST_F(EndedThread, HasTheFiguresThatItLeft) {
  EXPECT_EQ(Read(), "the thread ended without its last figures");
  end().at.Set(static_cast<std::uint64_t>(MonotonicNow().count()));
  end().run.Set(5'000'000);
  end().wait.Set(7'000);
  end().timeslices.Set(3);
  EXPECT_EQ(Read(), "5000000 7000 3");
}

TEST_F(EndedThread, HasNoTimesThatCannotBe) {
  end().at.Set(static_cast<std::uint64_t>(MonotonicNow().count()));
  for (Counter* each : {&end().at, &end().run, &end().wait}) {
    const std::uint64_t right = each->Get();
    for (const std::uint64_t impossible : {~std::uint64_t{0}, std::uint64_t{1} << 62}) {
      each->Set(impossible);
      EXPECT_EQ(Read(), "the thread's last figures were overwritten");
    }
    each->Set(right);
  }
  EXPECT_EQ(Read(), "0 0 0");
}

}  // namespace
}  // namespace corerig
