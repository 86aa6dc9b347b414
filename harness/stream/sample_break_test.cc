#include "harness/stream/sample_break.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace corerig {
namespace {

// Closed with the test.
struct Pipe {
  Pipe() { EXPECT_EQ(pipe2(end, O_NONBLOCK), 0); }
  Pipe(const Pipe&) = delete;
  ~Pipe() {
    close(end[0]);
    close(end[1]);
  }
  int end[2] = {-1, -1};
};

class SampleBreakTest : public testing::Test {
 protected:
  ~SampleBreakTest() override { close(event_); }
  static std::string Written(int fd) {
    char text[64];
    const auto got = read(fd, text, sizeof text);
    return got > 0 ? std::string(text, static_cast<std::size_t>(got)) : "";
  }
  static SampleStamps Sample(std::uint64_t sequence, std::int64_t latency) {
    SampleStamps stamps;
    stamps.sequence = sequence;
    stamps.due = Nanos(1'000'000);
    stamps.done = stamps.due + Nanos(latency);
    return stamps;
  }

  Pipe switch_, mark_;
  int event_ = eventfd(0, EFD_NONBLOCK);
  std::unique_ptr<BreakLatch> latch_ = std::make_unique<BreakLatch>();
  SampleBreak break_{*latch_, {.event = event_, .trace_switch = switch_.end[1], .trace_mark = mark_.end[1]}};
};

TEST_F(SampleBreakTest, FiresAboveItsLimitOnly) {
  const StreamBreak watch = {.above = Nanos(500), .stream = 2, .at = &break_};
  EXPECT_FALSE(watch.Hits(Nanos(500)));
  EXPECT_TRUE(watch.Hits(Nanos(501)));
  EXPECT_FALSE(StreamBreak().Hits(Nanos::max()));
  EXPECT_FALSE(StreamBreak().Over());
}

TEST_F(SampleBreakTest, StopsTheTraceAndTellsTheSample) {
  EXPECT_FALSE(latch_->Read());
  const StreamBreak watch = {.above = Nanos(500), .stream = 2, .at = &break_};
  watch.Fire(Sample(17, 812));
  const auto moment = latch_->Read();
  ASSERT_TRUE(moment);
  EXPECT_EQ(moment->stream, 2u);
  EXPECT_EQ(moment->sample, Sample(17, 812));
  EXPECT_GT(moment->trace_stopped, Nanos(0));
  EXPECT_EQ(Written(switch_.end[0]), "0");
  EXPECT_EQ(Written(mark_.end[0]), "corerig-break");
  eventfd_t count = 0;
  EXPECT_EQ(eventfd_read(event_, &count), 0);
  EXPECT_EQ(count, 1u);
  EXPECT_TRUE(watch.Over());
}

TEST_F(SampleBreakTest, OfManyLoopsTheFirstCounts) {
  std::vector<std::thread> loops;
  for (std::uint64_t i = 0; i < 8; ++i) {
    loops.emplace_back([this, i] {
      const StreamBreak watch = {.above = Nanos(500), .stream = i, .at = &break_};
      watch.Fire(Sample(i, 1000 + static_cast<std::int64_t>(i)));
    });
  }
  for (auto& loop : loops) loop.join();
  const auto moment = latch_->Read();
  ASSERT_TRUE(moment);
  EXPECT_EQ(moment->sample.sequence, moment->stream) << "one loop's, not a mixture";
  EXPECT_EQ(Written(switch_.end[0]), "0");
  eventfd_t count = 0;
  EXPECT_EQ(eventfd_read(event_, &count), 0);
  EXPECT_EQ(count, 1u);
}

}  // namespace
}  // namespace corerig
