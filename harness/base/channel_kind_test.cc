#include "harness/base/channel_kind.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

constexpr ChannelKind kAll[] = {ChannelKind::kTimer, ChannelKind::kSeqpacket, ChannelKind::kPty,
                                ChannelKind::kUdp,   ChannelKind::kPipe,      ChannelKind::kStream,
                                ChannelKind::kTcp,   ChannelKind::kShm,       ChannelKind::kCan};

TEST(ChannelKind, ReadsBackAsWritten) {
  for (const ChannelKind kind : kAll) {
    EXPECT_FALSE(ToText(kind).empty());
    EXPECT_EQ(ParseChannelKind(ToText(kind)), kind) << ToText(kind);
  }
  EXPECT_EQ(ToText(ChannelKind::kSeqpacket), "seqpacket");
}

TEST(ChannelKind, NothingElseIsOne) {
  for (const char* text : {"", "UDP", "udp ", "unix", "CAN"})
    EXPECT_FALSE(ParseChannelKind(text)) << '"' << text << '"';
}

TEST(ChannelKind, MessagesSurviveOnSocketsAndInSharedMemory) {
  EXPECT_TRUE(IsDatagram(ChannelKind::kSeqpacket));
  EXPECT_TRUE(IsDatagram(ChannelKind::kUdp));
  EXPECT_TRUE(IsDatagram(ChannelKind::kCan));
  EXPECT_TRUE(IsDatagram(ChannelKind::kShm));
  EXPECT_FALSE(IsDatagram(ChannelKind::kPty));
  EXPECT_FALSE(IsDatagram(ChannelKind::kPipe));
  EXPECT_FALSE(IsDatagram(ChannelKind::kStream));
  EXPECT_FALSE(IsDatagram(ChannelKind::kTcp));
  EXPECT_FALSE(IsDatagram(ChannelKind::kTimer));
}

TEST(ChannelKind, TheKernelStampsTheMessagesOfSockets) {
  for (const ChannelKind kind : kAll) {
    EXPECT_EQ(HasKernelStamps(kind),
              kind == ChannelKind::kSeqpacket || kind == ChannelKind::kUdp || kind == ChannelKind::kCan)
        << ToText(kind);
  }
}

}  // namespace
}  // namespace corerig
