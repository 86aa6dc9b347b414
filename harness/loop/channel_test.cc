#include "harness/loop/channel.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "harness/os/clock.h"

namespace corerig {
namespace {

using namespace std::chrono_literals;

std::span<const std::byte> BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string TextOf(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// One channel with both ends, and what its receiver was told.
class ChannelTest : public testing::TestWithParam<ChannelKind> {
 protected:
  struct Told {
    std::string bytes;
    std::uint64_t offset;
    std::optional<Nanos> kernel_stamp;
    Nanos begin;
  };

  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);
    auto created = EventLoop::Create();
    ASSERT_TRUE(created) << created.error().message;
    loop = std::move(*created);
    auto opened = OpenChannel(GetParam(), {.slot_bytes = 4096, .slots = kSlots});
    ASSERT_TRUE(opened) << opened.error().message;
    ends = std::move(*opened);
  }

  // Stops the loop after `bytes` bytes in all.
  Receiver Receive(std::size_t stop_after, std::size_t largest = 4096) {
    auto receiver =
        Receiver::Start(*loop, GetParam(), std::move(ends.receiver), largest, [this, stop_after](const Arrival& a) {
          told.push_back({TextOf(a.bytes), a.offset, a.kernel_stamp, a.begin});
          total += a.bytes.size();
          if (total >= stop_after) loop->Stop();
        });
    EXPECT_TRUE(receiver) << receiver.error().message;
    return std::move(*receiver);
  }

  Result<std::size_t> Send(std::string_view frame) {
    if (!sender) {
      auto opened = Sender::Open(GetParam(), std::move(ends.sender));
      if (!opened) return Forward(opened);
      sender.emplace(std::move(*opened));
    }
    return sender->Send(BytesOf(frame));
  }

  void SendAll(std::string_view frame) {
    const auto taken = Send(frame);
    ASSERT_TRUE(taken) << taken.error().message;
    ASSERT_EQ(*taken, frame.size());
  }

  std::string Everything() const {
    std::string all;
    for (const Told& each : told) all += each.bytes;
    return all;
  }

  static constexpr std::uint32_t kSlots = 16;
  std::unique_ptr<EventLoop> loop;
  ChannelEnds ends;
  std::optional<Sender> sender;
  std::vector<Told> told;
  std::size_t total = 0;
};

std::string NameOf(const testing::TestParamInfo<ChannelKind>& kind) { return std::string(ToText(kind.param)); }

INSTANTIATE_TEST_SUITE_P(Kinds, ChannelTest,
                         testing::Values(ChannelKind::kSeqpacket, ChannelKind::kUdp, ChannelKind::kPty,
                                         ChannelKind::kPipe, ChannelKind::kStream, ChannelKind::kTcp,
                                         ChannelKind::kShm),
                         NameOf);

// Those whose messages a socket queues: they are there when Send returns.
class DatagramChannelTest : public ChannelTest {};
INSTANTIATE_TEST_SUITE_P(Kinds, DatagramChannelTest, testing::Values(ChannelKind::kSeqpacket, ChannelKind::kUdp),
                         NameOf);

// Those that refuse what does not fit, and have an end.
class LosslessChannelTest : public ChannelTest {};
INSTANTIATE_TEST_SUITE_P(Kinds, LosslessChannelTest,
                         testing::Values(ChannelKind::kSeqpacket, ChannelKind::kPty, ChannelKind::kPipe,
                                         ChannelKind::kStream, ChannelKind::kTcp, ChannelKind::kShm),
                         NameOf);

class PtyChannelTest : public ChannelTest {};
INSTANTIATE_TEST_SUITE_P(Kinds, PtyChannelTest, testing::Values(ChannelKind::kPty), NameOf);

TEST_P(ChannelTest, BothEndsAreNonBlockingAndCloseOnExec) {
  for (const int fd : {ends.sender.get(), ends.receiver.get()}) {
    EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST_P(ChannelTest, BytesArriveInOrderAndUnchanged) {
  // All 256 values, among them those a terminal would act on: 0x03 0x04 0x11 0x13 0x15 0x1a 0x7f \r \n 0xff.
  std::string all;
  for (int i = 0; i < 512; ++i) all += static_cast<char>(i % 256);
  const Receiver receiver = Receive(2 * all.size());
  SendAll(all);
  SendAll(all);
  loop->Run();
  EXPECT_EQ(Everything(), all + all);
}

TEST_P(ChannelTest, MessageBordersSurviveExactlyOnDatagramChannels) {
  const Receiver receiver = Receive(6);
  SendAll("a");
  SendAll("bb");
  SendAll("ccc");
  loop->Run();
  EXPECT_EQ(Everything(), "abbccc");
  if (!IsDatagram(GetParam())) return;
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].bytes, "a");
  EXPECT_EQ(told[1].bytes, "bb");
  EXPECT_EQ(told[2].bytes, "ccc");
}

TEST_P(ChannelTest, OffsetsCountTheBytesOfTheChannel) {
  const Receiver receiver = Receive(3000);
  for (int i = 0; i < 15; ++i) SendAll(std::string(200, 'x'));
  loop->Run();
  std::uint64_t expected = 0;
  for (const Told& each : told) {
    EXPECT_EQ(each.offset, expected);
    expected += each.bytes.size();
  }
  EXPECT_EQ(expected, 3000u);
}

TEST_P(ChannelTest, BeginIsReadForEachArrivalAfterItWasSent) {
  const Receiver receiver = Receive(30);
  std::vector<Nanos> sent;
  for (int i = 0; i < 3; ++i) {
    sent.push_back(MonotonicNow());
    SendAll("ten bytes!");
  }
  loop->Run();
  ASSERT_FALSE(told.empty());
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_GE(told[i].begin, sent[std::min<std::size_t>(i, 2)]);
    if (i > 0) {
      EXPECT_GE(told[i].begin, told[i - 1].begin);
    }
  }
  EXPECT_LE(told.back().begin, MonotonicNow());
}

TEST_P(ChannelTest, TheKernelsStampLiesBetweenSentAndBeginWhereItStamps) {
  // Read after an idle time, so that a stamp made on reading (as the kernel does for what was queued before stamps were
  // on) could not pass for one made on queueing.
  const Receiver receiver = Receive(8);
  SleepUntil(MonotonicNow() + 20ms);  // The kernel switches stamps on from a work queue (net_enable_timestamp).
  const Nanos sent = MonotonicNow();
  SendAll("a sample");
  const Nanos after_send = MonotonicNow();
  SleepUntil(after_send + 5ms);
  loop->Run();
  ASSERT_EQ(told.size(), 1u);
  if (!HasKernelStamps(GetParam())) {
    EXPECT_EQ(told[0].kernel_stamp, std::nullopt) << "bytes of several messages may come at once: no stamp is theirs";
    return;
  }
  ASSERT_TRUE(told[0].kernel_stamp);
  // The conversion is wrong by a fraction of the time three clock reads take.
  constexpr Nanos kUncertainty = 2us;
  EXPECT_GE(*told[0].kernel_stamp + kUncertainty, sent);
  EXPECT_LE(*told[0].kernel_stamp, told[0].begin - 5ms + kUncertainty);
  EXPECT_EQ(receiver.discarded_stamps(), 0u);
}

TEST_P(LosslessChannelTest, AFullChannelTakesNothingMoreAndRecovers) {
  const std::string frame(1000, 'f');
  std::size_t accepted = 0;
  std::optional<std::size_t> last;
  bool partial = false;
  // The pty's bytes move on from buffer to buffer while we fill it: full is what stays full.
  for (int refused = 0; refused < 3;) {
    const auto taken = Send(frame);
    ASSERT_TRUE(taken) << taken.error().message;
    accepted += *taken;
    if (*taken != 0 && *taken != frame.size()) partial = true;
    last = *taken;
    if (*taken == 0) {
      ++refused;
      SleepUntil(MonotonicNow() + 10ms);
    }
    ASSERT_LT(accepted, 64u << 20) << "it never fills";
  }
  EXPECT_EQ(last, 0u);
  EXPECT_TRUE(!partial || !IsDatagram(GetParam())) << "a message is taken whole or not at all";
  Receiver receiver = Receive(accepted);
  loop->Run();
  EXPECT_EQ(total, accepted) << "what was taken is delivered, and nothing else";
  SendAll("again");
}

TEST_P(LosslessChannelTest, AFullChannelTellsWhenThereIsRoomAgain) {
  const std::string frame(1000, 'f');
  ASSERT_TRUE(Send("first"));
  const auto has_room = [&](int patience_ms) {
    pollfd room = sender->Room();
    return poll(&room, 1, patience_ms) == 1;
  };
  for (int refused = 0; refused < 3;) {
    const auto taken = sender->Offer(BytesOf(frame));
    ASSERT_TRUE(taken) << taken.error().message;
    if (*taken > 0) continue;
    ++refused;
    SleepUntil(MonotonicNow() + 10ms);  // a pty's bytes move on
  }
  EXPECT_FALSE(has_room(0));
  Receiver receiver = Receive(SIZE_MAX);
  bool told_of_room = false;
  for (int i = 0; i < 10'000 && !told_of_room; ++i) {
    receiver.Drain();
    told_of_room = has_room(1);
  }
  EXPECT_TRUE(told_of_room);
  const auto taken = sender->Offer(BytesOf(frame));
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(*taken, frame.size());
}

TEST_P(DatagramChannelTest, DrainReadsEverythingWithoutWaiting) {
  constexpr int kFrames = 3 * Receiver::kBurst + 5;
  Receiver receiver = Receive(1 << 30);
  for (int i = 0; i < kFrames; ++i) SendAll("frame");
  receiver.Drain();
  EXPECT_EQ(told.size(), static_cast<std::size_t>(kFrames));
  receiver.Drain();
  EXPECT_EQ(told.size(), static_cast<std::size_t>(kFrames));
}

TEST_P(PtyChannelTest, DrainReadsWhatAKernelWorkerHasMovedSoFar) {
  Receiver receiver = Receive(1 << 30);
  SendAll(std::string(3000, 'p'));
  for (int i = 0; i < 1000 && total < 3000; ++i) {
    receiver.Drain();
    SleepUntil(MonotonicNow() + 1ms);
  }
  EXPECT_EQ(total, 3000u);
}

TEST_P(DatagramChannelTest, OthersGetTheirTurnAfterABurst) {
  std::size_t told_when_called = 0;
  auto receiver = Receive(4 * Receiver::kBurst);
  for (int i = 0; i < 4 * Receiver::kBurst; ++i) SendAll("x");
  ASSERT_TRUE(loop->At(Nanos(1), [&] { told_when_called = told.size(); }));
  loop->Run();
  EXPECT_EQ(told.size(), 4u * Receiver::kBurst);
  EXPECT_LE(told_when_called, static_cast<std::size_t>(Receiver::kBurst));
}

TEST_P(DatagramChannelTest, ALongerMessageIsCutAndLongerThanAnyGoodOne) {
  const Receiver receiver = Receive(11 + 4, 10);
  SendAll("0123456789abcdef");
  SendAll("next");
  loop->Run();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].bytes, "0123456789a");
  EXPECT_EQ(told[1].bytes, "next");
}

TEST_P(LosslessChannelTest, WhenTheSenderIsGoneTheRestIsReadAndThenNothingIsWatched) {
  const Receiver receiver = Receive(1 << 30);
  const int frames = GetParam() == ChannelKind::kShm ? static_cast<int>(kSlots) : 3 * Receiver::kBurst;
  if (IsDatagram(GetParam())) {
    for (int i = 0; i < frames; ++i) SendAll("frame");
  }
  sender.reset();
  ends.sender.Close();
  loop->Run();  // Returns: nothing is watched. One that spins or waits hangs here.
  if (IsDatagram(GetParam())) {
    EXPECT_EQ(told.size(), static_cast<std::size_t>(frames));
  }
}

TEST_P(ChannelTest, SendingFailsWhenTheReceiverIsGone) {
  ends.receiver.Close();
  // UDP and TCP: the first frame after it is taken, and brings the news.
  auto sent = Send("into the void");
  if (sent) sent = Send("into the void");
  ASSERT_FALSE(sent);
  const auto said = [&](std::string_view what) { return sent.error().message.find(what) != std::string::npos; };
  switch (GetParam()) {
    case ChannelKind::kUdp:
      EXPECT_TRUE(said("Connection refused (ECONNREFUSED)")) << sent.error().message;
      break;
    case ChannelKind::kPty:
      EXPECT_TRUE(said("the pty's receiver is gone")) << sent.error().message;
      break;
    case ChannelKind::kShm:
      EXPECT_TRUE(said("the ring's receiver is gone")) << sent.error().message;
      break;
    case ChannelKind::kTcp:
      EXPECT_TRUE(said("(ECONNRESET)") || said("(EPIPE)")) << sent.error().message;
      break;
    default:
      EXPECT_TRUE(said("Broken pipe (EPIPE)")) << sent.error().message;
  }
}

TEST_P(ChannelTest, TheReceiverClosesItsDescriptorAtOnce) {
  { const Receiver receiver = Receive(1); }
  auto sent = Send("x");
  if (sent) sent = Send("x");
  EXPECT_FALSE(sent);
}

TEST_P(ChannelTest, TheReceiverMayBeDestroyedInItsOwnCallback) {
  std::optional<Receiver> receiver;
  int calls = 0;
  auto started = Receiver::Start(*loop, GetParam(), std::move(ends.receiver), 100, [&](const Arrival& arrival) {
    ++calls;
    receiver.reset();
    EXPECT_EQ(TextOf(arrival.bytes).substr(0, 3), "one");
  });
  ASSERT_TRUE(started);
  receiver.emplace(std::move(*started));
  SendAll("one");
  SendAll("two");
  loop->Run();  // Returns as nothing is watched any more.
  EXPECT_EQ(calls, 1);
}

TEST_P(DatagramChannelTest, AFrameThatFitsNoMessageIsAnError) {
  const std::string huge(64 << 20, 'h');
  const auto sent = Send(huge);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().message, "cannot send 67108864 bytes: Message too long (EMSGSIZE)");
}

TEST(UdpChannel, KeepsStrangersPacketsOut) {
  auto ends = OpenChannel(ChannelKind::kUdp);
  ASSERT_TRUE(ends) << ends.error().message;
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  ASSERT_EQ(getsockname(ends->receiver.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_EQ(address.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  const Fd stranger(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sendto(stranger.get(), "spam", 4, 0, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ASSERT_TRUE(Send(ends->sender.get(), BytesOf("ours")));
  char buffer[10];
  EXPECT_EQ(recv(ends->receiver.get(), buffer, sizeof buffer, 0), 4);
  EXPECT_EQ(std::string_view(buffer, 4), "ours");
  EXPECT_LT(recv(ends->receiver.get(), buffer, sizeof buffer, 0), 0);
}

// The oracle is arithmetic: what was sent and did not arrive.
TEST(UdpChannel, CountsWhatAFullBufferLost) {
  auto loop = EventLoop::Create();
  auto ends = OpenChannel(ChannelKind::kUdp);
  ASSERT_TRUE(loop && ends);
  const int small = 16 << 10;
  ASSERT_EQ(setsockopt(ends->receiver.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
  std::uint64_t received = 0;
  auto receiver =
      Receiver::Start(**loop, ChannelKind::kUdp, std::move(ends->receiver), 1206, [&](const Arrival&) { ++received; });
  ASSERT_TRUE(receiver);
  EXPECT_EQ(receiver->Overflows(), 0u);
  std::uint64_t sent = 0;
  const auto send = [&](int frames) {
    for (int i = 0; i < frames; ++i) {
      ASSERT_TRUE(Send(ends->sender.get(), std::vector<std::byte>(1206)));
      ++sent;
    }
  };
  send(100);
  const std::uint64_t told_before_reading = receiver->Overflows();
  receiver->Drain();
  EXPECT_EQ(told_before_reading, sent - received);
  EXPECT_GT(receiver->Overflows(), 50u);
  send(1);
  receiver->Drain();
  send(100);
  receiver->Drain();
  EXPECT_EQ(receiver->Overflows(), sent - received);
}

TEST(SeqpacketChannel, LosesNothingInABuffer) {
  auto loop = EventLoop::Create();
  auto ends = OpenChannel(ChannelKind::kSeqpacket);
  ASSERT_TRUE(loop && ends);
  auto receiver =
      Receiver::Start(**loop, ChannelKind::kSeqpacket, std::move(ends->receiver), 1206, [&](const Arrival&) {});
  ASSERT_TRUE(receiver);
  for (std::size_t taken = 1; taken != 0;) taken = *Send(ends->sender.get(), std::vector<std::byte>(1206));
  receiver->Drain();
  EXPECT_EQ(receiver->Overflows(), 0u);
}

class LargeFrame : public testing::TestWithParam<ChannelKind> {
 protected:
  void SetUp() override {
    auto ends = OpenChannel(GetParam());
    ASSERT_TRUE(ends);
    const int small = 32 << 10;
    ASSERT_EQ(setsockopt(ends->sender.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    ASSERT_EQ(setsockopt(ends->receiver.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    receiver_ = std::move(ends->receiver);
    auto sender = Sender::Open(GetParam(), std::move(ends->sender));
    ASSERT_TRUE(sender);
    sender_.emplace(std::move(*sender));
  }
  Fd receiver_;
  std::optional<Sender> sender_;
  const std::vector<std::byte> frame_ = std::vector<std::byte>(3 << 20, std::byte{7});
};
INSTANTIATE_TEST_SUITE_P(Kinds, LargeFrame, testing::Values(ChannelKind::kStream, ChannelKind::kTcp), NameOf);

TEST_P(LargeFrame, PassesASmallBufferWhileTheReceiverReads) {
  std::size_t received = 0, sent = 0;
  std::thread reader([&] {
    std::vector<std::byte> buffer(64 << 10);
    while (true) {
      pollfd state = {.fd = receiver_.get(), .events = POLLIN, .revents = 0};
      poll(&state, 1, -1);
      const ssize_t n = read(receiver_.get(), buffer.data(), buffer.size());
      if (n == 0) return;
      if (n > 0) received += static_cast<std::size_t>(n);
    }
  });
  // The reader may be kept from running for longer than the sender's patience; not every time.
  bool whole = false;
  for (int i = 0; i < 50 && !whole; ++i) {
    const auto taken = sender_->Send(frame_);
    if (!taken) break;
    sent += *taken;
    whole = *taken == frame_.size();
  }
  sender_.reset();
  reader.join();
  EXPECT_TRUE(whole);
  EXPECT_EQ(received, sent);
}

TEST_P(LargeFrame, IsOfferedInPartsWithoutWaiting) {
  std::size_t offered = 0, received = 0;
  std::vector<std::byte> buffer(64 << 10);
  int parts = 0;
  for (; offered < frame_.size(); ++parts) {
    const auto taken = sender_->Offer(std::span(frame_).subspan(offered));
    ASSERT_TRUE(taken) << taken.error().message;
    offered += *taken;
    // Whoever waited in Offer would wait for us for ever.
    if (const ssize_t n = read(receiver_.get(), buffer.data(), buffer.size()); n > 0) {
      received += static_cast<std::size_t>(n);
    }
    if (*taken == 0) {
      pollfd ready = {.fd = receiver_.get(), .events = POLLIN, .revents = 0};
      poll(&ready, 1, 10);
    }
  }
  EXPECT_EQ(offered, frame_.size());
  EXPECT_GT(parts, 3);
  EXPECT_GT(received, 0u);
}

TEST_P(LargeFrame, IsGivenUpWhenNobodyReads) {
  const Nanos begin = MonotonicNow();
  const auto taken = sender_->Send(frame_);
  ASSERT_TRUE(taken);
  EXPECT_GT(*taken, 0u);
  EXPECT_LT(*taken, frame_.size());
  EXPECT_GE(MonotonicNow() - begin, Sender::kPatience);
  while (sender_->Send(frame_).value_or(0) > 0) {
  }
  EXPECT_EQ(sender_->Send(frame_).value_or(1), 0u) << "what is full is not waited for";
}

TEST(ShmChannel, FramesAreReadWhereTheSenderPutThemAndTheirSlotsGivenBack) {
  auto loop = EventLoop::Create();
  auto ends = OpenChannel(ChannelKind::kShm, {.slot_bytes = 1 << 20, .slots = 4});
  ASSERT_TRUE(loop && ends);
  auto sender = Sender::Open(ChannelKind::kShm, std::move(ends->sender));
  ASSERT_TRUE(sender);
  std::vector<const std::byte*> places;
  auto receiver = Receiver::Start(**loop, ChannelKind::kShm, std::move(ends->receiver), 1, [&](const Arrival& arrival) {
    EXPECT_EQ(arrival.bytes.size(), 1u << 20);
    EXPECT_EQ(arrival.bytes.back(), std::byte(places.size()));
    places.push_back(arrival.bytes.data());
  });
  ASSERT_TRUE(receiver) << receiver.error().message;
  std::vector<std::byte> frame(1 << 20);
  for (int i = 0; i < 12; ++i) {
    frame.back() = std::byte(i);
    ASSERT_EQ(sender->Send(frame).value_or(0), frame.size()) << i;
    if (i % 3 == 2) receiver->Drain();
  }
  ASSERT_EQ(places.size(), 12u);
  for (std::size_t i = 4; i < places.size(); ++i) EXPECT_EQ(places[i], places[i - 4]) << i;
}

TEST(ShmChannel, AFullRingDropsTheNewFrameAndKeepsTheOldOnes) {
  auto loop = EventLoop::Create();
  auto ends = OpenChannel(ChannelKind::kShm, {.slot_bytes = 8, .slots = 4});
  ASSERT_TRUE(loop && ends);
  auto sender = Sender::Open(ChannelKind::kShm, std::move(ends->sender));
  std::string told;
  auto receiver = Receiver::Start(**loop, ChannelKind::kShm, std::move(ends->receiver), 8,
                                  [&](const Arrival& arrival) { told += TextOf(arrival.bytes); });
  ASSERT_TRUE(sender && receiver);
  std::string taken;
  for (const char c : std::string("abcdef")) {
    taken += std::to_string(sender->Send(BytesOf(std::string_view(&c, 1))).value_or(9));
  }
  EXPECT_EQ(taken, "111100");
  receiver->Drain();
  EXPECT_EQ(told, "abcd");
  EXPECT_EQ(sender->Send(BytesOf("g")).value_or(9), 1u);
  receiver->Drain();
  EXPECT_EQ(told, "abcdg");
  EXPECT_EQ(receiver->Overflows(), 0u);
}

TEST(ShmChannel, RefusesAFrameLargerThanASlotAndASecondTaking) {
  auto ends = OpenChannel(ChannelKind::kShm, {.slot_bytes = 8, .slots = 4});
  ASSERT_TRUE(ends);
  const int again = dup(ends->sender.get());
  auto sender = Sender::Open(ChannelKind::kShm, std::move(ends->sender));
  ASSERT_TRUE(sender);
  EXPECT_EQ(sender->Send(BytesOf("123456789")).error().message, "cannot send 9 bytes: a slot of the ring has 8");
  EXPECT_EQ(Sender::Open(ChannelKind::kShm, Fd(again)).error().message,
            "channel shm: no ring was handed over: Resource temporarily unavailable (EAGAIN)");
}

TEST(ShmChannel, NeedsAShape) {
  EXPECT_EQ(OpenChannel(ChannelKind::kShm).error().message,
            "cannot open a shm channel: a ring of 0 slots of 0 bytes; it has 1 to 16 slots of 1 to 268435456 bytes");
}

TEST(Channel, HoldsAMebibyteOrWhatTheSystemAllows) {
  const auto limit = [](const char* path) { return std::stoll(ReadFile(path).value()); };
  const auto size = [](const Fd& fd, int option) {
    int bytes = 0;
    socklen_t length = sizeof bytes;
    EXPECT_EQ(getsockopt(fd.get(), SOL_SOCKET, option, &bytes, &length), 0);
    return static_cast<long long>(bytes);
  };
  auto seqpacket = OpenChannel(ChannelKind::kSeqpacket);
  auto udp = OpenChannel(ChannelKind::kUdp);
  ASSERT_TRUE(seqpacket && udp);
  EXPECT_GE(size(seqpacket->sender, SO_SNDBUF), std::min(1LL << 20, limit("/proc/sys/net/core/wmem_max")));
  if (access("/proc/sys/net/core/rmem_max", R_OK) != 0) GTEST_SKIP() << "this network namespace hides rmem_max";
  EXPECT_GE(size(udp->receiver, SO_RCVBUF), std::min(1LL << 20, limit("/proc/sys/net/core/rmem_max")));
}

TEST(Channel, ATimerHasNoEnds) {
  EXPECT_EQ(OpenChannel(ChannelKind::kTimer).error().message, "channel timer has no ends: it is the loop's own timer");
  auto loop = EventLoop::Create();
  ASSERT_TRUE(loop);
  EXPECT_EQ(Receiver::Start(**loop, ChannelKind::kTimer, Fd(), 1, [](const Arrival&) {}).error().message,
            "channel timer is received by a Ticker");
}

TEST(Channel, AReceiverNeedsADescriptor) {
  auto loop = EventLoop::Create();
  ASSERT_TRUE(loop);
  EXPECT_EQ(Receiver::Start(**loop, ChannelKind::kUdp, Fd(), 1, [](const Arrival&) {}).error().message,
            "channel udp: cannot watch descriptor -1: bad file descriptor (EBADF)");
}

}  // namespace
}  // namespace corerig
