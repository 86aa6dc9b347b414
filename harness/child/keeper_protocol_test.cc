#include "harness/child/keeper_protocol.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace corerig {
namespace {

const SpawnRequest kSpawnRequest = {.argv = {"./x", "", "an argument\nof two lines"},
                                    .fds = {{17, 3}, {5, 900}},
                                    .cores = {CpuId{12}, CpuId{3}},
                                    .policy = {Policy::Class::kFifo, 42},
                                    .group = 9,
                                    .group_directory = "/sys/fs/cgroup/g",
                                    .address_space = 1ull << 33};

TEST(KeeperProtocol, ASpawnRequestComesThroughWithItsDescriptorsNumberedAsAttached) {
  const auto decoded = DecodeRequest(EncodeRequest(kSpawnRequest));
  ASSERT_TRUE(decoded) << decoded.error().message;
  const auto& spawn = std::get<SpawnRequest>(*decoded);
  EXPECT_EQ(spawn.argv, kSpawnRequest.argv);
  EXPECT_EQ(spawn.fds, (std::vector<std::pair<int, int>>{{0, 3}, {1, 900}}));
  EXPECT_EQ(spawn.cores, kSpawnRequest.cores);
  EXPECT_EQ(spawn.policy, kSpawnRequest.policy);
  EXPECT_EQ(spawn.group, 2) << "attached behind the two others";
  EXPECT_EQ(spawn.group_directory, kSpawnRequest.group_directory);
  EXPECT_EQ(spawn.address_space, kSpawnRequest.address_space);
}

TEST(KeeperProtocol, AReapRequestComesThrough) {
  const auto decoded = DecodeRequest(EncodeRequest(ReapRequest{4711}));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(std::get<ReapRequest>(*decoded).pid, 4711);
}

TEST(KeeperProtocol, AReplyComesThrough) {
  const KeeperReply reply = {
      .error = "exec ./x", .pid = 7, .start_time = 1ull << 40, .wait_code = 1, .wait_status = -2};
  const auto decoded = DecodeReply(EncodeReply(reply));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, reply);
}

TEST(KeeperProtocol, AMessageThatIsCutOffOrTooLongIsAnError) {
  for (const std::string& whole : {EncodeRequest(kSpawnRequest), EncodeRequest(ReapRequest{1})}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_EQ(DecodeRequest(whole.substr(0, size)).error().message, StrCat("malformed request of ", size, " bytes"));
    }
    EXPECT_FALSE(DecodeRequest(whole + "x"));
  }
  const std::string reply = EncodeReply({.error = "an error"});
  for (std::size_t size = 0; size < reply.size(); ++size) EXPECT_FALSE(DecodeReply(reply.substr(0, size)));
  EXPECT_FALSE(DecodeReply(reply + "x"));
}

class Socket : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    ours_ = Fd(ends[0]);
    theirs_ = Fd(ends[1]);
  }
  Fd ours_, theirs_;
};

TEST_F(Socket, CarriesMessagesWithDescriptors) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const Fd reader(pipe_ends[0]), writer(pipe_ends[1]);
  const int attached[] = {writer.get(), reader.get()};
  ASSERT_TRUE(SendMessage(ours_.get(), "first", attached));
  ASSERT_TRUE(SendMessage(ours_.get(), "second"));

  const auto first = ReceiveMessage(theirs_.get());
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->bytes, "first");
  ASSERT_EQ((*first)->fds.size(), 2u);
  ASSERT_EQ(write((*first)->fds[0].get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read((*first)->fds[1].get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x');

  const auto second = ReceiveMessage(theirs_.get());
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->bytes, "second");
  EXPECT_TRUE((*second)->fds.empty());
}

TEST_F(Socket, EndsWhenTheOtherSideCloses) {
  ASSERT_TRUE(SendMessage(ours_.get(), "last"));
  ours_.Close();
  const auto last = ReceiveMessage(theirs_.get());
  ASSERT_TRUE(last && *last);
  const auto end = ReceiveMessage(theirs_.get());
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_FALSE(*end);
  EXPECT_EQ(SendMessage(theirs_.get(), "too late").error().message, "cannot send a message: Broken pipe (EPIPE)");
}

TEST_F(Socket, EndsAlsoWhenTheOtherSideLeftAMessageUnread) {
  ASSERT_TRUE(SendMessage(theirs_.get(), "unread"));
  ours_.Close();
  const auto end = ReceiveMessage(theirs_.get());
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_FALSE(*end);
}

TEST_F(Socket, RefusesWhatDoesNotFitAMessage) {
  EXPECT_EQ(SendMessage(ours_.get(), std::string(70'000, 'x')).error().message,
            "message of 70000 bytes; at most 65536 are allowed");
  const std::vector<int> fds(300, 0);
  EXPECT_EQ(SendMessage(ours_.get(), "x", fds).error().message,
            "message with 300 descriptors; at most 253 are allowed");
  ASSERT_TRUE(SendMessage(ours_.get(), std::string(65'536, 'x')));
  const auto largest = ReceiveMessage(theirs_.get());
  ASSERT_TRUE(largest && *largest);
  EXPECT_EQ((*largest)->bytes.size(), 65'536u);
}

}  // namespace
}  // namespace corerig
