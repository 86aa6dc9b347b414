// Most kernels that build this have no CAN; what needs one is skipped there, and says so.
#include "harness/loop/raw_can.h"

#include <gtest/gtest.h>
#include <linux/can.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace corerig {
namespace {

std::string ErrorOf(const std::string& interface) {
  const auto bus = OpenRawCan(interface, CanSide::kReceives);
  return bus ? "no error" : bus.error().message;
}

bool KernelHasCan() { return ErrorOf("lo").find("this kernel has no CAN") == std::string::npos; }

TEST(RawCan, SaysWhatIsMissing) {
  if (!KernelHasCan()) {
    const std::string error = ErrorOf("vcan3");
    EXPECT_EQ(error.find("this kernel has no CAN ("), 0u) << error;
    EXPECT_NE(
        error.find("); it needs CONFIG_CAN, CONFIG_CAN_RAW and CONFIG_CAN_VCAN, and then as root: modprobe vcan && "
                   "ip link add vcan3 type vcan && ip link set vcan3 up"),
        std::string::npos)
        << error;
    return;
  }
  EXPECT_EQ(ErrorOf("vcan-none"),
            "there is no interface vcan-none; as root: modprobe vcan && ip link add vcan-none type vcan && ip link set "
            "vcan-none up");
  EXPECT_EQ(ErrorOf("can-none"),
            "there is no interface can-none; as root: ip link set can-none up type can bitrate 500000");
  EXPECT_EQ(ErrorOf("a-name-of-sixteen").find("there is no interface a-name-of-sixteen; "), 0u);
  EXPECT_EQ(ErrorOf("lo"), "interface lo is no CAN bus; name one that is, such as vcan0");
}

TEST(RawCan, WhatOneSendsTheOtherReceivesAndNotItself) {
  const auto sends = OpenRawCan("vcan0", CanSide::kSends), receives = OpenRawCan("vcan0", CanSide::kReceives);
  if (!sends) GTEST_SKIP() << sends.error().message;
  ASSERT_TRUE(receives) << receives.error().message;
  can_frame frame = {};
  frame.can_id = 0x123;
  frame.len = 2;
  frame.data[1] = 7;
  ASSERT_EQ(send(sends->get(), &frame, sizeof frame, 0), static_cast<ssize_t>(sizeof frame));
  pollfd ready = {.fd = receives->get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&ready, 1, 5000), 1);
  can_frame received = {};
  ASSERT_EQ(read(receives->get(), &received, sizeof received), static_cast<ssize_t>(sizeof received));
  EXPECT_EQ(std::memcmp(&received, &frame, sizeof frame), 0);
  // What others send does not fill the buffer of one that only sends.
  ASSERT_EQ(send(receives->get(), &frame, sizeof frame, 0), static_cast<ssize_t>(sizeof frame));
  ready.fd = sends->get();
  EXPECT_EQ(poll(&ready, 1, 50), 0);
}

}  // namespace
}  // namespace corerig
