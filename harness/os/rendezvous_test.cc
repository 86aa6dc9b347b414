#include "harness/os/rendezvous.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <utility>
#include <vector>

#include "harness/os/shared_bytes.h"

namespace corerig {
namespace {

class RendezvousTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto ok = Rendezvous::Supported(); !ok) GTEST_SKIP() << ok.error().message;
  }
};

std::unique_ptr<Rendezvous> Join(const SharedBytes& shared, int index, int parties, std::function<bool()> told = {}) {
  auto joined = Rendezvous::Join(shared.bytes(), index, parties, std::move(told));
  if (!joined) {
    ADD_FAILURE() << joined.error().message;
    return nullptr;
  }
  return std::move(*joined);
}

// A process that does `body` and ends without a destructor.
pid_t Fork(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  return child;
}

int StatusOf(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST_F(RendezvousTest, NobodyLeavesAMeetingBeforeAllHaveCome) {
  constexpr int kParties = 3, kRounds = 300;
  const SharedBytes shared(Rendezvous::SizeFor(kParties));
  std::vector<std::atomic<int>> rounds(kParties);
  std::atomic<int> early{0};
  const auto party = [&](int index) {
    const auto meeting = Join(shared, index, kParties);
    for (int round = 1; round <= kRounds; ++round) {
      rounds[index] = round;
      if (meeting->Meet().how != Rendezvous::How::kAll) ++early;
      for (const auto& other : rounds) early += other < round ? 1 : 0;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kParties; ++i) threads.emplace_back(party, i);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(early, 0);
}

TEST_F(RendezvousTest, ProcessesMeetAndSeeWhatTheOthersWrote) {
  constexpr int kParties = 2, kRounds = 200;
  const std::size_t size = Rendezvous::SizeFor(kParties);
  const SharedBytes shared(size + 64);
  // Two turns of a place each: who reads a turn's is done when all have met again.
  int* const written = reinterpret_cast<int*>(shared.bytes().data() + size);
  const auto party = [&](int index) {
    const auto meeting = Join(shared, index, kParties);
    for (int round = 1; round <= kRounds; ++round) {
      written[2 * index + round % 2] = round * 10 + index;
      if (meeting->Meet().how != Rendezvous::How::kAll) return 1;
      for (int i = 0; i < kParties; ++i) {
        if (written[2 * i + round % 2] != round * 10 + i) return 2;
      }
    }
    return 0;
  };
  const pid_t child = Fork([&] { return party(1); });
  EXPECT_EQ(party(0), 0);
  EXPECT_EQ(StatusOf(child), 0);
}

TEST_F(RendezvousTest, AKilledPartyIsMissedAndNamed) {
  const SharedBytes shared(Rendezvous::SizeFor(3));
  const auto first = Join(shared, 0, 3);
  const pid_t polite = Fork([&] {
    const auto meeting = Join(shared, 1, 3);
    meeting->Meet();
    const auto met = meeting->Meet();
    return met.how == Rendezvous::How::kDied && met.who == 2 ? 0 : 1;
  });
  const pid_t victim = Fork([&] {
    const auto meeting = Join(shared, 2, 3);
    meeting->Meet();
    pause();
    return 0;
  });
  EXPECT_EQ(first->Meet().how, Rendezvous::How::kAll);
  kill(victim, SIGKILL);
  // It stays a zombie for as long as this waits.
  const auto met = first->Meet();
  EXPECT_EQ(met.how, Rendezvous::How::kDied);
  EXPECT_EQ(met.who, 2);
  EXPECT_EQ(StatusOf(polite), 0);
  EXPECT_EQ(StatusOf(victim), -SIGKILL);
}

TEST_F(RendezvousTest, AThreadThatEndsWithoutLeaveIsMissed) {
  const SharedBytes shared(Rendezvous::SizeFor(2));
  const auto first = Join(shared, 0, 2);
  std::unique_ptr<Rendezvous> second;
  std::thread([&] { second = Join(shared, 1, 2); }).join();
  EXPECT_EQ(first->Meet().how, Rendezvous::How::kDied);
  // Its destructor would unlock what this thread does not hold.
  static Rendezvous* const kept = second.release();
  EXPECT_NE(kept, nullptr);
}

TEST_F(RendezvousTest, WhoTakesLeaveIsNotWaitedForAndWhatItCameToCounts) {
  const SharedBytes shared(Rendezvous::SizeFor(2));
  const auto first = Join(shared, 0, 2);
  const pid_t child = Fork([&] {
    const auto second = Join(shared, 1, 2);
    return second->Meet().how == Rendezvous::How::kAll ? 0 : 1;
  });
  EXPECT_EQ(first->Meet().how, Rendezvous::How::kAll);  // also if the other has left by now
  EXPECT_EQ(StatusOf(child), 0);
  const auto met = first->Meet();
  EXPECT_EQ(met.how, Rendezvous::How::kLeft);
  EXPECT_EQ(met.who, 1);
}

TEST_F(RendezvousTest, WhoIsToldToStopWaitsNoLonger) {
  const SharedBytes shared(Rendezvous::SizeFor(2));
  bool told = false;
  const auto first = Join(shared, 0, 2, [&] { return std::exchange(told, true); }), second = Join(shared, 1, 2);
  const auto met = first->Meet();
  EXPECT_EQ(met.how, Rendezvous::How::kToldToStop);
  EXPECT_EQ(met.who, 1);
}

TEST_F(RendezvousTest, WhoNeverJoinsIsNamed) {
  const SharedBytes shared(Rendezvous::SizeFor(2));
  const auto first = Rendezvous::Join(shared.bytes(), 0, 2, {}, std::chrono::milliseconds(30));
  ASSERT_TRUE(first.has_value()) << first.error().message;
  const auto met = (*first)->Meet();
  EXPECT_EQ(met.how, Rendezvous::How::kNeverCame);
  EXPECT_EQ(met.who, 1);
}

TEST_F(RendezvousTest, MemoryThatCannotServeIsRefused) {
  const SharedBytes shared(Rendezvous::SizeFor(2));
  const auto refusal = [&](std::span<std::byte> memory, int index) {
    const auto joined = Rendezvous::Join(memory, index, 2, {});
    return joined ? "joined" : joined.error().message;
  };
  EXPECT_EQ(refusal(shared.bytes().first(64), 0),
            "rendezvous: 64 bytes of shared memory; 2 parties need " + std::to_string(Rendezvous::SizeFor(2)));
  const SharedBytes larger(Rendezvous::SizeFor(2) + 64);
  EXPECT_EQ(refusal(larger.bytes().subspan(8), 0), "rendezvous: shared memory that does not begin at a multiple of 64");
  EXPECT_EQ(refusal(shared.bytes(), 2), "rendezvous: party 2 of 2");
  EXPECT_EQ(refusal(shared.bytes(), 0), "joined");
  EXPECT_EQ(refusal(shared.bytes(), 0), "rendezvous: a party 0 has been here before; the memory is to be zeroed");
}

}  // namespace
}  // namespace corerig
