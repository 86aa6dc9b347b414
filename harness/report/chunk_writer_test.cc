#include "harness/report/chunk_writer.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <semaphore>
#include <sstream>
#include <thread>

namespace corerig {
namespace {

using namespace std::chrono_literals;

// Puts `text` into the lane's chunk and hands it over; false if there is no room.
bool Hand(ChunkWriter::Lane& lane, std::string_view text, std::uint64_t events) {
  const auto room = lane.room();
  if (room.size() < text.size()) return false;
  std::memcpy(room.data(), text.data(), text.size());
  lane.Commit(text.size(), events);
  lane.HandOver();
  return true;
}

std::string Content(const std::string& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Takes chunks when it is let; shared with the writer's thread.
struct Held {
  std::counting_semaphore<1000> let{0}, entered{0};
  std::mutex mutex;
  std::string taken;
  ChunkSink Sink() {
    return [this](std::span<const std::uint8_t> chunk) {
      if (chunk.empty()) return 0;
      entered.release();
      let.acquire();
      const std::lock_guard lock(mutex);
      taken.append(reinterpret_cast<const char*>(chunk.data()), chunk.size());
      return 0;
    };
  }
};

TEST(ChunkWriter, TheFileHoldsWhatWasHandedOverInOrder) {
  const std::string file = std::string(std::getenv("TEST_TMPDIR")) + "/chunks";
  auto sink = ChunkFile(file);
  ASSERT_TRUE(sink) << sink.error().message;
  auto writer = ChunkWriter::Start(*std::move(sink), {3});
  ASSERT_TRUE(writer) << writer.error().message;
  ChunkWriter::Lane& lane = (*writer)->lane(0);
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = std::to_string(i) + "\n";
    expected += text;
    while (!Hand(lane, text, 1)) std::this_thread::yield();
  }
  ASSERT_TRUE((*writer)->Drain(10s));
  const auto room = lane.room();  // handed over by Finish
  std::memcpy(room.data(), "end", 3);
  lane.Commit(3, 1);
  EXPECT_TRUE((*writer)->Finish(10s));
  EXPECT_EQ(Content(file), expected + "end");
  EXPECT_EQ((*writer)->lost_events(), 0u);
}

TEST(ChunkWriter, WhileTheSinkBlocksARingFillsAndThenHasNoRoom) {
  Held held;
  auto writer = ChunkWriter::Start(held.Sink(), {3, 1});
  ASSERT_TRUE(writer);
  ChunkWriter::Lane &first = (*writer)->lane(0), &second = (*writer)->lane(1);
  EXPECT_EQ(first.room().size(), ChunkWriter::kChunkBytes);
  EXPECT_TRUE(Hand(first, "a", 1));
  EXPECT_TRUE(Hand(first, "b", 1));
  EXPECT_TRUE(Hand(first, "c", 1));
  EXPECT_TRUE(first.room().empty());
  first.HandOver();  // nothing to hand over: no harm
  // The other lane has chunks of its own.
  EXPECT_TRUE(Hand(second, "d", 1));
  EXPECT_TRUE(second.room().empty());
  EXPECT_FALSE((*writer)->Drain(1ms));
  const std::uint64_t losses = first.losses();
  first.Lose(40);
  EXPECT_NE(first.losses(), losses);
  EXPECT_EQ((*writer)->lost_events(), 40u);
  held.let.release(4);
  EXPECT_TRUE((*writer)->Drain(10s));
  EXPECT_EQ(first.room().size(), ChunkWriter::kChunkBytes);
  EXPECT_TRUE((*writer)->Finish(10s));
  EXPECT_EQ(held.taken.size(), 4u);
  EXPECT_EQ((*writer)->lost_events(), 40u);
}

TEST(ChunkWriter, AChunkThatTheSinkRefusesIsLostAndTheNextIsTriedAllTheSame) {
  std::string taken;
  auto writer = ChunkWriter::Start(
      [&, calls = 0](std::span<const std::uint8_t> chunk) mutable {
        if (chunk.empty()) return 0;
        if (++calls == 2) return ENOSPC;
        taken.append(reinterpret_cast<const char*>(chunk.data()), chunk.size());
        return 0;
      },
      {4});
  ASSERT_TRUE(writer);
  ChunkWriter::Lane& lane = (*writer)->lane(0);
  EXPECT_TRUE(Hand(lane, "a", 1));
  EXPECT_TRUE(Hand(lane, "b", 20));
  EXPECT_TRUE(Hand(lane, "c", 300));
  EXPECT_TRUE((*writer)->Drain(10s));
  EXPECT_EQ(lane.losses(), 1u);
  const Status finished = (*writer)->Finish(10s);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().message, "No space left on device");
  EXPECT_EQ(taken, "ac");
  EXPECT_EQ((*writer)->lost_events(), 20u);
}

TEST(ChunkWriter, ASinkThatTakesNothingIsGivenUpAndWhatItHasIsLost) {
  // The thread outlives the test's body: what it uses must too.
  auto held = std::make_shared<Held>();
  auto ended = std::make_shared<std::binary_semaphore>(0);
  {
    auto writer = ChunkWriter::Start(
        [held, ended, sink = held->Sink()](std::span<const std::uint8_t> chunk) {
          if (chunk.empty()) ended->release();
          return sink(chunk);
        },
        {3});
    ASSERT_TRUE(writer);
    EXPECT_TRUE(Hand((*writer)->lane(0), "a", 5));
    EXPECT_TRUE(Hand((*writer)->lane(0), "b", 6));
    const Status finished = (*writer)->Finish(20ms);
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().message, "the disk took nothing for 20 ms");
    EXPECT_EQ((*writer)->lost_events(), 11u);
  }
  held->let.release(10);
  ended->acquire();  // it ends by itself, without its ChunkWriter
}

TEST(ChunkWriter, ItsThreadIsNotRealTimeAndTakesNoSignal) {
  int policy = -1;
  bool blocked = false;
  auto writer = ChunkWriter::Start(
      [&](std::span<const std::uint8_t>) {
        sched_param parameters;
        pthread_getschedparam(pthread_self(), &policy, &parameters);
        sigset_t set;
        pthread_sigmask(SIG_SETMASK, nullptr, &set);
        blocked = sigismember(&set, SIGINT) == 1 && sigismember(&set, SIGTERM) == 1;
        return 0;
      },
      {1});
  ASSERT_TRUE(writer);
  EXPECT_TRUE((*writer)->Finish(10s));
  EXPECT_EQ(policy, SCHED_OTHER);
  EXPECT_TRUE(blocked);
}

TEST(ChunkFile, AFullDiskRefusesAndAMissingFolderFails) {
  auto full = ChunkFile("/dev/full");
  ASSERT_TRUE(full);
  const std::uint8_t byte[1] = {1};
  EXPECT_EQ((*full)(byte), ENOSPC);
  const auto missing = ChunkFile("/nowhere/trace");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            "/nowhere/trace: cannot be written: No such file or directory; choose a folder that can be written");
}

TEST(ChunkFile, AChunkThatDoesNotFitLeavesTheFileAsItWas) {
  signal(SIGXFSZ, SIG_IGN);
  const std::string file = std::string(std::getenv("TEST_TMPDIR")) + "/limited";
  auto sink = ChunkFile(file);
  ASSERT_TRUE(sink);
  const std::string whole(60, 'a'), too_much(60, 'b'), fits(40, 'c');
  const auto bytes = [](const std::string& text) {
    return std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  };
  rlimit before, limit;
  getrlimit(RLIMIT_FSIZE, &before);
  limit = before;
  limit.rlim_cur = 100;
  setrlimit(RLIMIT_FSIZE, &limit);
  const int first = (*sink)(bytes(whole)), second = (*sink)(bytes(too_much)), third = (*sink)(bytes(fits));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, EFBIG);
  EXPECT_EQ(third, 0);
  EXPECT_EQ((*sink)({}), 0);
  EXPECT_EQ(Content(file), whole + fits);
}

}  // namespace
}  // namespace corerig
