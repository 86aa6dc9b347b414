#include "harness/loop/shm_ring.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

namespace corerig {
namespace {

std::span<const std::byte> BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string FrontOf(const ShmRing& ring) {
  const auto frame = ring.Front();
  return frame ? std::string(reinterpret_cast<const char*>(frame->data()), frame->size()) : "none";
}

bool Rings(const ShmRing& ring) {
  pollfd state = {.fd = ring.bell(), .events = POLLIN, .revents = 0};
  return poll(&state, 1, 0) == 1;
}

class ShmRingTest : public testing::Test {
 protected:
  void Lay(RingShape shape) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    sender_end_ = Fd(ends[0]);
    receiver_end_ = Fd(ends[1]);
    const auto laid = ShmRing::Lay(shape, sender_end_.get(), receiver_end_.get());
    ASSERT_TRUE(laid) << laid.error().message;
  }
  ShmRing Take(const Fd& end) {
    auto ring = ShmRing::Take(end.get());
    EXPECT_TRUE(ring) << ring.error().message;
    return std::move(*ring);
  }
  // The ring's memory as a sender has it that keeps to nothing.
  Mapping StealMemory() {
    char bytes[16];
    iovec piece = {.iov_base = bytes, .iov_len = sizeof bytes};
    alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
    msghdr message = {};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    EXPECT_EQ(recvmsg(sender_end_.get(), &message, 0), 16);
    int descriptors[2];
    std::memcpy(descriptors, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof descriptors);
    const Fd memory(descriptors[0]), bell(descriptors[1]);
    return std::move(*Mapping::Map(memory.get(), 1, Mapping::Access::kReadWrite));
  }
  static std::atomic<std::uint64_t>& Word(const Mapping& page, std::size_t offset) {
    return *page.At<std::atomic<std::uint64_t>>(offset);
  }
  static constexpr std::size_t kPut = 0, kPopped = 64, kSizes = 128;

  Fd sender_end_, receiver_end_;
};

bool RoomRings(const ShmRing& ring) {
  pollfd state = {.fd = ring.room_bell(), .events = POLLIN, .revents = 0};
  return poll(&state, 1, 0) == 1;
}

TEST_F(ShmRingTest, ASenderThatAsksIsRungForWhenThereIsRoom) {
  Lay({.slot_bytes = 8, .slots = 2});
  ShmRing sender = Take(sender_end_), receiver = Take(receiver_end_);
  ASSERT_TRUE(sender.Put(BytesOf("a")) && sender.Put(BytesOf("b")));
  receiver.Pop();
  EXPECT_FALSE(RoomRings(sender)) << "nobody asked";
  ASSERT_TRUE(sender.Put(BytesOf("c")));
  ASSERT_FALSE(sender.Put(BytesOf("d")));
  EXPECT_TRUE(sender.AskForRoom());
  EXPECT_FALSE(RoomRings(sender));
  receiver.Pop();
  EXPECT_TRUE(RoomRings(sender));
  sender.HushRoom();
  EXPECT_FALSE(RoomRings(sender));
  receiver.Pop();
  EXPECT_FALSE(RoomRings(sender)) << "once for each time it asked";
  EXPECT_FALSE(sender.AskForRoom()) << "there is some";
}

// However the two meet, a sender that was told there is no room is rung for.
TEST_F(ShmRingTest, NoRingForRoomIsMissed) {
  Lay({.slot_bytes = 8, .slots = 1});
  ShmRing sender = Take(sender_end_), receiver = Take(receiver_end_);
  constexpr int kFrames = 20'000;
  std::thread reader([&] {
    for (int got = 0; got < kFrames;) {
      if (!receiver.Front()) continue;
      receiver.Pop();
      ++got;
    }
  });
  int waits = 0, missed = 0;
  for (int sent = 0; sent < kFrames;) {
    if (sender.Put(BytesOf("x"))) {
      ++sent;
      continue;
    }
    if (!sender.AskForRoom()) continue;
    ++waits;
    pollfd state = {.fd = sender.room_bell(), .events = POLLIN, .revents = 0};
    missed += poll(&state, 1, 60'000) != 1;
    sender.HushRoom();
  }
  reader.join();
  EXPECT_GT(waits, 0);
  EXPECT_EQ(missed, 0);
}

TEST_F(ShmRingTest, FramesComeInOrderAndUnchanged) {
  Lay({.slot_bytes = 100, .slots = 3});
  ShmRing sender = Take(sender_end_), receiver = Take(receiver_end_);
  EXPECT_EQ(FrontOf(receiver), "none");
  for (int i = 0; i < 50; ++i) {
    const std::string first(static_cast<std::size_t>(i), 'a'), second(static_cast<std::size_t>(100 - i), 'b');
    ASSERT_TRUE(sender.Put(BytesOf(first)));
    ASSERT_TRUE(sender.Put(BytesOf(second)));
    EXPECT_EQ(FrontOf(receiver), first);
    EXPECT_EQ(FrontOf(receiver), first);
    receiver.Pop();
    EXPECT_EQ(FrontOf(receiver), second);
    receiver.Pop();
    EXPECT_EQ(FrontOf(receiver), "none");
  }
}

TEST_F(ShmRingTest, TakesNothingMoreWhenFullUntilASlotIsGivenBack) {
  Lay({.slot_bytes = 1, .slots = 2});
  ShmRing sender = Take(sender_end_), receiver = Take(receiver_end_);
  EXPECT_TRUE(sender.Put(BytesOf("a")));
  EXPECT_TRUE(sender.Put(BytesOf("b")));
  EXPECT_FALSE(sender.Put(BytesOf("c")));
  EXPECT_EQ(FrontOf(receiver), "a");
  EXPECT_FALSE(sender.Put(BytesOf("c"))) << "it is still being read";
  receiver.Pop();
  EXPECT_TRUE(sender.Put(BytesOf("d")));
  EXPECT_EQ(FrontOf(receiver), "b");
}

TEST_F(ShmRingTest, TheBellRingsFromAFramePutUntilItIsHushed) {
  Lay({.slot_bytes = 1, .slots = 2});
  ShmRing sender = Take(sender_end_), receiver = Take(receiver_end_);
  EXPECT_FALSE(Rings(receiver));
  sender.Put(BytesOf("a"));
  sender.Put(BytesOf("b"));
  EXPECT_TRUE(Rings(receiver));
  receiver.Hush();
  EXPECT_FALSE(Rings(receiver));
  sender.Put(BytesOf("dropped"));
  EXPECT_FALSE(Rings(receiver));
  receiver.Pop();
  sender.Put(BytesOf("c"));
  EXPECT_TRUE(Rings(receiver));
}

TEST_F(ShmRingTest, ASizeBeyondTheSlotIsCutToIt) {
  Lay({.slot_bytes = 10, .slots = 2});
  const ShmRing receiver = Take(receiver_end_);
  const Mapping memory = StealMemory();
  Word(memory, kSizes) = std::uint64_t{1} << 60;
  Word(memory, kPut) = 1;
  ASSERT_TRUE(receiver.Front());
  EXPECT_EQ(receiver.Front()->size(), 10u);
}

TEST_F(ShmRingTest, ACountOfMoreFramesThanSlotsIsNotBelieved) {
  Lay({.slot_bytes = 10, .slots = 2});
  const ShmRing receiver = Take(receiver_end_);
  const Mapping memory = StealMemory();
  for (const std::uint64_t count : {std::uint64_t{3}, ~std::uint64_t{0}}) {
    Word(memory, kPut) = count;
    EXPECT_EQ(receiver.Front(), std::nullopt) << count;
  }
}

TEST_F(ShmRingTest, AReceiverThatGivesBackMoreThanItGotMakesTheRingFullAndNoMore) {
  Lay({.slot_bytes = 10, .slots = 2});
  ShmRing sender = Take(receiver_end_);  // the ends are alike
  const Mapping memory = StealMemory();
  Word(memory, kPopped) = 1;
  EXPECT_FALSE(sender.Put(BytesOf("a")));
}

TEST_F(ShmRingTest, IsTakenOnceAtEachEnd) {
  Lay({.slot_bytes = 10, .slots = 2});
  Take(sender_end_);
  EXPECT_EQ(ShmRing::Take(sender_end_.get()).error().message,
            "no ring was handed over: Resource temporarily unavailable (EAGAIN)");
  Take(receiver_end_);
}

TEST_F(ShmRingTest, WhatIsNoHandoverIsRefused) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const Fd one(ends[0]), other(ends[1]);
  ASSERT_EQ(send(one.get(), "sixteen bytes...", 16, 0), 16);
  EXPECT_EQ(ShmRing::Take(other.get()).error().message, "no ring was handed over");
}

TEST(RingFor, HoldsTheFramesOfATenthOfASecondFrom4To16) {
  const auto slots = [](Rate rate) { return RingFor(1000, rate).slots; };
  EXPECT_EQ(RingFor(1000, Rate::Hertz(30)).slot_bytes, 1000u);
  EXPECT_EQ(slots(Rate::Hertz(30)), 4u);
  EXPECT_EQ(slots(Rate::Hertz(1)), 4u);
  EXPECT_EQ(slots(Rate::Hertz(60)), 6u);
  EXPECT_EQ(slots(Rate::Hertz(1000)), 16u);
}

TEST(RingShape, IsBounded) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const Fd one(ends[0]), other(ends[1]);
  for (const RingShape shape :
       {RingShape{.slot_bytes = 0, .slots = 4}, RingShape{.slot_bytes = 1, .slots = 0},
        RingShape{.slot_bytes = 1, .slots = 17}, RingShape{.slot_bytes = RingShape::kMostSlotBytes + 1, .slots = 1}}) {
    EXPECT_FALSE(ShmRing::Lay(shape, one.get(), other.get())) << shape.slots << " of " << shape.slot_bytes;
  }
}

}  // namespace
}  // namespace corerig
