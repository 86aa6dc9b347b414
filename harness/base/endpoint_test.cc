#include "harness/base/endpoint.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

std::string ErrorOf(std::string_view text) {
  const auto endpoint = ParseEndpoint(text);
  return endpoint ? "no error" : endpoint.error().message;
}

TEST(Endpoint, EveryKindReadsBackAsItWasWritten) {
  for (const std::string_view text : {"pty:/tmp/gps", "udp:127.0.0.1:5000", "tcp:[::1]:65535", "tcp-listen:0.0.0.0:1",
                                      "unix:run/x", "file:a:b", "can:vcan0"}) {
    const auto endpoint = ParseEndpoint(text);
    ASSERT_TRUE(endpoint) << endpoint.error().message;
    EXPECT_EQ(ToText(*endpoint), text);
  }
}

TEST(Endpoint, HasTheFieldsOfItsKind) {
  EXPECT_EQ(*ParseEndpoint("udp:10.0.0.7:5000"),
            (Endpoint{.kind = EndpointKind::kUdp, .path = "", .host = "10.0.0.7", .port = 5000}));
  EXPECT_EQ(*ParseEndpoint("tcp-listen:[fe80::1]:2101"),
            (Endpoint{.kind = EndpointKind::kTcpListen, .path = "", .host = "fe80::1", .port = 2101}));
  EXPECT_EQ(*ParseEndpoint("pty:/dev/x y"),
            (Endpoint{.kind = EndpointKind::kPty, .path = "/dev/x y", .host = "", .port = 0}));
}

TEST(Endpoint, LocalhostIsTheLoopbackAddress) { EXPECT_EQ(ParseEndpoint("tcp:localhost:80")->host, "127.0.0.1"); }

TEST(Endpoint, TerminalsAndTcpRefuseMessages) {
  const auto carries = [](std::string_view text, ChannelKind channel) {
    return CheckCarries(*ParseEndpoint(text), channel).has_value();
  };
  for (const std::string_view text : {"pty:/tmp/gps", "tcp:127.0.0.1:5", "tcp-listen:127.0.0.1:5"}) {
    for (const auto channel : {ChannelKind::kSeqpacket, ChannelKind::kUdp}) EXPECT_FALSE(carries(text, channel));
    for (const auto channel : {ChannelKind::kPty, ChannelKind::kPipe, ChannelKind::kStream, ChannelKind::kTcp}) {
      EXPECT_TRUE(carries(text, channel));
    }
  }
  for (const std::string_view text : {"udp:127.0.0.1:5", "unix:/x", "file:/x"}) {
    for (const auto channel : {ChannelKind::kSeqpacket, ChannelKind::kUdp, ChannelKind::kPty, ChannelKind::kPipe}) {
      EXPECT_TRUE(carries(text, channel));
    }
  }
  EXPECT_EQ(CheckCarries(*ParseEndpoint("pty:/tmp/gps"), ChannelKind::kUdp).error().message,
            "endpoint \"pty:/tmp/gps\" carries bytes, and channel udp has messages; write udp:HOST:PORT, unix:PATH or "
            "file:PATH, or a channel of bytes where the sensor has one");
}

TEST(Endpoint, OnlyCanFramesGoToACanBus) {
  const auto bus = *ParseEndpoint("can:vcan0");
  EXPECT_TRUE(CheckCarries(bus, ChannelKind::kCan));
  for (const auto channel : {ChannelKind::kSeqpacket, ChannelKind::kUdp, ChannelKind::kPty, ChannelKind::kShm}) {
    EXPECT_FALSE(CheckCarries(bus, channel)) << ToText(channel);
  }
  EXPECT_EQ(CheckCarries(bus, ChannelKind::kUdp).error().message,
            "endpoint \"can:vcan0\" is a CAN bus, and channel udp has no CAN frames; write another endpoint, or take a "
            "sensor of channel can");
  for (const std::string_view text : {"udp:127.0.0.1:5", "unix:/x", "file:/x"}) {
    EXPECT_TRUE(CheckCarries(*ParseEndpoint(text), ChannelKind::kCan)) << text;
  }
}

TEST(Answers, ReadBackAsTheyWereWritten) {
  for (const std::string_view text : {"udp:127.0.0.1:6000", "unix:/run/x", "endpoint"}) {
    const auto answers = ParseAnswers(text);
    ASSERT_TRUE(answers) << answers.error().message;
    EXPECT_EQ(ToText(*answers), text);
  }
  EXPECT_EQ(ParseAnswers("tcp:127.0.0.1:6000").error().message,
            "answers \"tcp:127.0.0.1:6000\" come as datagrams, or on the endpoint itself; write one of udp:HOST:PORT, "
            "unix:PATH or endpoint");
  EXPECT_NE(ParseAnswers("endpoints").error().message.find("is of no known form"), std::string::npos);
}

TEST(Answers, OnTheEndpointAreOfOneThatIsReadAndStampedWhereMessagesAre) {
  const auto on = [](std::string_view text) { return CheckAnswers(Answers{}, *ParseEndpoint(text)).has_value(); };
  const auto stamped = [](std::string_view answers, std::string_view endpoint, bool messages) {
    return AreStamped(*ParseAnswers(answers), *ParseEndpoint(endpoint), messages);
  };
  for (const std::string_view text : {"pty:/x", "tcp:127.0.0.1:5", "tcp-listen:127.0.0.1:5", "unix:/x"}) {
    EXPECT_TRUE(on(text)) << text;
    EXPECT_FALSE(stamped("endpoint", text, false)) << text;
    EXPECT_TRUE(stamped("udp:127.0.0.1:6", text, false)) << text;
    EXPECT_TRUE(stamped("unix:/y", text, false)) << text;
  }
  for (const std::string_view text : {"udp:127.0.0.1:5", "file:/x", "can:vcan0"}) {
    EXPECT_FALSE(on(text)) << text;
    EXPECT_TRUE(CheckAnswers(*ParseAnswers("unix:/y"), *ParseEndpoint(text))) << text;
  }
  EXPECT_TRUE(stamped("endpoint", "unix:/x", true));
  EXPECT_EQ(CheckAnswers(Answers{}, *ParseEndpoint("udp:127.0.0.1:5")).error().message,
            "answers are not read from endpoint \"udp:127.0.0.1:5\"; write udp:HOST:PORT or unix:PATH");
}

TEST(Endpoint, WhatIsWrongIsSaidWithWhatWouldBeRight) {
  const std::string forms =
      "pty:PATH, udp:HOST:PORT, tcp:HOST:PORT, tcp-listen:HOST:PORT, unix:PATH, can:INTERFACE or file:PATH";
  for (const std::string text : {"", "udp", "/tmp/gps", "serial:/dev/ttyS0", "UDP:127.0.0.1:5"}) {
    EXPECT_EQ(ErrorOf(text), "endpoint \"" + text + "\" is of no known form; write one of " + forms);
  }
  for (const std::string text : {"can:", "can:a/b", "can:a b", "can:..", "can:can0:1", "can:sixteen-letters-"}) {
    EXPECT_EQ(ErrorOf(text), "endpoint \"" + text +
                                 "\" has no name of an interface, of 1 to 15 bytes; write one such as \"can:vcan0\"");
  }
  EXPECT_EQ(ErrorOf("can:fifteen-letters"), "no error");
  EXPECT_EQ(ErrorOf("pty:"), "endpoint \"pty:\" has no path; write one such as \"pty:/tmp/corerig\"");
  for (const std::string text :
       {"udp:", "udp:5000", "udp:127.0.0.1", "udp:127.0.0.1:", "udp:127.0.0.1:0", "udp:127.0.0.1:65536", "udp:a:-1"}) {
    EXPECT_EQ(ErrorOf(text),
              "endpoint \"" + text + "\" has no port from 1 to 65535; write one such as \"udp:127.0.0.1:5000\"");
  }
  EXPECT_EQ(ErrorOf("tcp:gps.example:2101"),
            "endpoint \"tcp:gps.example:2101\" has the host \"gps.example\", which is no address in numbers; write one "
            "such as \"tcp:127.0.0.1:2101\" or \"tcp:[::1]:2101\"");
  EXPECT_NE(ErrorOf("tcp:::1:80").find("no address in numbers"), std::string::npos) << "brackets are missing";
  EXPECT_NE(ErrorOf("tcp:256.0.0.1:80").find("no address in numbers"), std::string::npos);
  EXPECT_NE(ErrorOf(std::string_view("file:a\0b", 8)).find("zero byte"), std::string::npos);
}

}  // namespace
}  // namespace corerig
