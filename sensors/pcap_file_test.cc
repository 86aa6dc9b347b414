#include "sensors/pcap_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "harness/base/philox.h"
#include "sensors/byte_order.h"
#include "sensors/received.h"

namespace corerig {
namespace {

std::vector<std::byte> Hex(std::string_view digits) {
  std::vector<std::byte> bytes;
  unsigned value = 0, count = 0;
  for (const char c : digits) {
    if (c == ' ') continue;
    value = value << 4 | static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    if (++count % 2 == 0) bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

// Ethernet, IPv4 from 10.1.1.1 to 10.2.2.2, UDP 1234 to 2368, "hi": as text2pcap -u 1234,2368 writes it, with the
// zeros that it fills short frames up with.
constexpr std::string_view kEthernet = "0a0202020202 0a0101010101 0800 ";
constexpr std::string_view kIpv4 = "4500001e 12340000 ff1191aa 0a010101 0a020202 ";
constexpr std::string_view kUdp = "04d20940 000a0000 6869 ";
constexpr std::string_view kPadding = "0000000000000000000000000000";
constexpr std::string_view kIpv6 =
    "60000000 000a1140 fd000000000000000000000000000001 fd000000000000000000000000000002 ";

std::string Both(std::string_view a, std::string_view b, std::string_view c = "", std::string_view d = "") {
  return StrCat(a, b, c, d);
}

struct Packet {
  std::string hex;
  std::uint32_t seconds = 1'700'000'000, fraction = 0;
  std::size_t cut = 0;  // bytes that the capture left out
};

std::vector<std::byte> File(std::uint32_t link, const std::vector<Packet>& packets, bool big = false,
                            std::uint32_t magic = 0xA1B2C3D4) {
  std::vector<std::byte> file;
  const auto put = [&](std::uint64_t value, std::size_t size) {
    file.resize(file.size() + size);
    const auto field = std::span(file).last(size);
    big ? PutBigEndian(field, 0, value, size) : PutLittleEndian(field, 0, value, size);
  };
  put(magic, 4), put(2, 2), put(4, 2), put(0, 4), put(0, 4), put(262144, 4), put(link, 4);
  for (const Packet& packet : packets) {
    auto bytes = Hex(packet.hex);
    const std::size_t whole = bytes.size();
    bytes.resize(whole - packet.cut);
    put(packet.seconds, 4), put(packet.fraction, 4), put(bytes.size(), 4), put(whole, 4);
    file.insert(file.end(), bytes.begin(), bytes.end());
  }
  return file;
}

// What is read of one packet: its bytes, or why it was skipped.
std::string ReadOne(std::uint32_t link, const Packet& packet, std::uint16_t port = 0) {
  const auto recording = ReadPcapFile(File(link, {packet}), port);
  if (!recording) return recording.error().message;
  return recording->size() == 1 ? Text(recording->frame(0)) : recording->About();
}
std::string Skipped(std::string_view why) { return StrCat("0 frames in 0s; skipped 1: ", why); }

TEST(PcapFile, FindsTheDatagramBehindEveryLinkType) {
  EXPECT_EQ(ReadOne(1, {Both(kEthernet, kIpv4, kUdp, kPadding)}), "hi");
  EXPECT_EQ(ReadOne(1, {Both("0a0202020202 0a0101010101 8100 0005 0800", kIpv4, kUdp)}), "hi") << "a VLAN's tag";
  EXPECT_EQ(ReadOne(1, {Both("0a0202020202 0a0101010101 88a8 0007 8100 0005 86dd", kIpv6, kUdp)}), "hi") << "two tags";
  EXPECT_EQ(ReadOne(101, {Both(kIpv4, kUdp)}), "hi");
  EXPECT_EQ(ReadOne(12, {Both(kIpv6, kUdp)}), "hi");
  EXPECT_EQ(ReadOne(14, {Both(kIpv4, kUdp)}), "hi");
  EXPECT_EQ(ReadOne(228, {Both(kIpv4, kUdp)}), "hi");
  EXPECT_EQ(ReadOne(229, {Both(kIpv6, kUdp)}), "hi");
  EXPECT_EQ(ReadOne(0, {Both("02000000", kIpv4, kUdp)}), "hi") << "BSD loopback, little-endian family";
  EXPECT_EQ(ReadOne(0, {Both("0000001e", kIpv6, kUdp)}), "hi");
  EXPECT_EQ(ReadOne(108, {Both("00000002", kIpv4, kUdp)}), "hi") << "OpenBSD loopback";
  EXPECT_EQ(ReadOne(113, {Both("0000 0001 0006 000000000000 0000 0800", kIpv4, kUdp)}), "hi") << "Linux cooked";
  EXPECT_EQ(ReadOne(276, {Both("86dd 0000 00000001 0304 00 06 000000000000 0000", kIpv6, kUdp)}), "hi")
      << "Linux cooked, version 2";
  EXPECT_EQ(ReadOne(127, {Both(kIpv4, kUdp)}),
            "byte 20: link type 127 is none that holds IP as far as is known here; capture on Ethernet, \"any\" or "
            "loopback");
}

TEST(PcapFile, ReadsEitherByteOrderAndMicrosAndNanos) {
  const std::string packet = Both(kIpv4, kUdp);
  for (const bool big : {false, true}) {
    const auto micros = ReadPcapFile(File(101, {{packet, 7, 999'999}, {packet, 8, 1}}, big), 0);
    ASSERT_TRUE(micros) << micros.error().message;
    EXPECT_EQ(micros->at(1), Nanos(2'000));
    const auto nanos = ReadPcapFile(File(101, {{packet, 7, 999'999'999}, {packet, 8, 1}}, big, 0xA1B23C4D), 0);
    ASSERT_TRUE(nanos) << nanos.error().message;
    EXPECT_EQ(nanos->at(1), Nanos(2));
  }
  // Above the link type's 16 bits may stand the length of a frame check sequence.
  EXPECT_TRUE(ReadPcapFile(File(0x14000001, {{Both(kEthernet, kIpv4, kUdp)}}), 0));
}

TEST(PcapFile, SkipsAndCountsWhatIsNoWholeDatagram) {
  const auto ip = [](std::string_view header, std::string_view rest = kUdp) {
    return ReadOne(101, {Both(header, rest)});
  };
  EXPECT_EQ(ip("4500001e 12340000 ff0691aa 0a010101 0a020202 "), Skipped("not UDP"));
  EXPECT_EQ(ip("4500001e 12342000 ff1191aa 0a010101 0a020202 "), Skipped("fragment of IP")) << "more follow";
  EXPECT_EQ(ip("4500001e 12340001 ff1191aa 0a010101 0a020202 "), Skipped("fragment of IP")) << "a later one";
  EXPECT_EQ(ip("4500001e 12344000 ff1191aa 0a010101 0a020202 "), "hi") << "must not be fragmented";
  EXPECT_EQ(ip("4600001e 12340000 ff1191aa 0a010101 0a020202 01010101 ", "04d20940 00090000 68 "), Skipped("broken"))
      << "the IP length leaves out the last byte";
  EXPECT_EQ(ip("46000022 12340000 ff1191aa 0a010101 0a020202 01010101 "), "hi") << "options";
  EXPECT_EQ(ip("4400001e 12340000 ff1191aa 0a010101 0a020202 "), Skipped("broken"));
  EXPECT_EQ(ip(kIpv4, "04d20940 000b0000 6869 "), Skipped("broken")) << "UDP says more than IP has";
  EXPECT_EQ(ip(kIpv4, "04d20940 00070000 6869 "), Skipped("broken"));
  EXPECT_EQ(ip(kIpv4, "04d20940 00080000 6869 "), Skipped("empty datagram"));
  EXPECT_EQ(ip(kIpv4, "04d20940 00090000 6869 "), "h") << "IP may be longer";
  EXPECT_EQ(ip("75000000"), Skipped("not IP"));
  EXPECT_EQ(ReadOne(101, {Both(kIpv4, kUdp), 1, 0, 1}), Skipped("cut by the capture"));
  EXPECT_EQ(ReadOne(101, {Both(kIpv4, kUdp), 1, 0, 9}), Skipped("cut by the capture"));
  EXPECT_EQ(ReadOne(101, {Both(kIpv4, kUdp), 1, 0, 15}), Skipped("cut by the capture"));
  EXPECT_EQ(ReadOne(101, {Both(kIpv4, kUdp), 1, 0, 30}), Skipped("cut by the capture"));
  EXPECT_EQ(ReadOne(101, {Both(kIpv6, kUdp), 1, 0, 1}), Skipped("cut by the capture"));
  EXPECT_EQ(ReadOne(1, {Both("0a0202020202 0a0101010101 0806", kIpv4, kUdp)}), Skipped("not IP")) << "ARP";
  EXPECT_EQ(ReadOne(1, {"0a0202020202 0a01010101"}), Skipped("cut by the capture"));
  EXPECT_EQ(ReadOne(1, {"0a0202020202 0a0101010101 8100 00"}), Skipped("cut by the capture"));

  const auto ip6 = [](std::string_view length_next, std::string_view rest) {
    return ReadOne(101, {Both("60000000", length_next, std::string(64, '0'), rest)});
  };
  EXPECT_EQ(ip6("000a1140", kUdp), "hi");
  EXPECT_EQ(ip6("00122c40", Both("1100 0001 00000000", kUdp)), Skipped("fragment of IP"));
  EXPECT_EQ(ip6("001a0040", Both("3c00 0502 00000100", "1100 0104 00000000", kUdp)), "hi") << "extension headers";
  EXPECT_EQ(ip6("00120640", Both("0600 0502 00000100", kUdp)), Skipped("not UDP"));
  EXPECT_EQ(ip6("00080040", "1101 0502 00000100"), Skipped("broken")) << "a header longer than the packet";
}

TEST(PcapFile, ThePortSelectsByDestination) {
  const std::string packet = Both(kIpv4, kUdp);
  EXPECT_EQ(ReadOne(101, {packet}, 2368), "hi");
  EXPECT_EQ(ReadOne(101, {packet}, 1234), Skipped("to another port"));
}

TEST(PcapFile, APacketThatTheFileEndsInIsSkipped) {
  const auto whole = File(101, {{Both(kIpv4, kUdp)}, {Both(kIpv4, kUdp)}});
  const std::size_t one = 24 + (whole.size() - 24) / 2;
  for (std::size_t size = 24; size <= whole.size(); ++size) {
    const auto recording = ReadPcapFile(std::vector<std::byte>(whole.begin(), whole.begin() + size), 0);
    ASSERT_TRUE(recording) << size << recording.error().message;
    EXPECT_EQ(recording->size(), size < one ? 0u : size < whole.size() ? 1u : 2u) << size;
    const bool between = size == 24 || size == one || size == whole.size();
    EXPECT_EQ(recording->About().find("cut at the end of the file") == std::string::npos, between) << size;
  }
}

TEST(PcapFile, WhatIsNoneIsRefusedWithItsPlace) {
  const auto refusal = [](std::vector<std::byte> file) {
    const auto recording = ReadPcapFile(file, 0);
    return recording ? "taken" : recording.error().message;
  };
  EXPECT_EQ(refusal({}), "byte 0: 0 bytes are no capture; its header alone has 24");
  EXPECT_EQ(refusal(std::vector<std::byte>(24)),
            "byte 0: this is no classic pcap file; tcpdump -w and editcap -F pcap make one");
  EXPECT_EQ(refusal(Hex("0a0d0d0a 1c000000 4d3c2b1a 01000000 ffffffff ffffffff")),
            "byte 0: this is a pcapng file; convert it: editcap -F pcap IN.pcapng OUT.pcap");
  const std::string packet = Both(kIpv4, kUdp);
  EXPECT_EQ(refusal(File(101, {{packet, 7, 1'000'000}})),
            "byte 28: 1000000 parts of a second, of which there are 1000000; there is no packet header here, the file "
            "is broken");
  auto file = File(101, {{packet}, {packet}});
  file[24 + 46 + 10] = std::byte{0x10};
  EXPECT_EQ(refusal(file), "byte 70: a packet of 1048606 bytes; there is no packet header here, the file is broken");
  EXPECT_EQ(refusal(File(101, {{packet, 7, 5}, {packet, 7, 4}})),
            "byte 70: the stamp is 1us before the one of the frame before; put the recording into the order of its "
            "stamps");
}

TEST(PcapFile, EachDatagramIsHeldToTheCheck) {
  const auto check = [](std::span<const std::byte> bytes) -> Status {
    if (Text(bytes) == "hi") return Fail("it says hi");
    return {};
  };
  const auto file = File(101, {{Both(kIpv4, "04d20940 000a0000 6869 ")}});
  EXPECT_EQ(ReadPcapFile(file, 0, check).error().message, "byte 24: it says hi");
  EXPECT_TRUE(ReadPcapFile(file, 1234, check)) << "not selected";
}

std::vector<std::byte> FileAt(const std::string& name) {
  std::ifstream file("sensors/testdata/recorded/" + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  const auto bytes = AsBytes(text.view());
  return {bytes.begin(), bytes.end()};
}

// Captured with dumpcap -i any and -i lo while a program sent "four N" to 127.0.0.1 and "six N" to ::1, six times in
// turn, to ports that nobody listened to.
TEST(PcapFile, CapturesOfALinuxMachineAreRead) {
  for (const char* name : {"cooked.pcap", "loopback.pcap"}) {
    const auto recording = ReadPcapFile(FileAt(name), 0);
    ASSERT_TRUE(recording) << name << ": " << recording.error().message;
    ASSERT_EQ(recording->size(), 12u) << name;
    for (std::size_t i = 0; i < 12; ++i) {
      EXPECT_EQ(Text(recording->frame(i)), StrCat(i % 2 == 0 ? "four " : "six ", i / 2)) << name;
    }
    EXPECT_GT(recording->at(11), std::chrono::milliseconds(150)) << name;
    EXPECT_LT(recording->at(11), std::chrono::seconds(3)) << name;
    EXPECT_EQ(ReadPcapFile(FileAt(name), 7778)->size(), 6u) << name;
  }
  EXPECT_TRUE(ReadPcapFile(FileAt("next.pcapng"), 0).error().message.starts_with("byte 0: this is a pcapng file"));
}

TEST(PcapFile, AnyBytesAreReadOrRefused) {
  const auto ethernet = File(1, {{Both(kEthernet, kIpv4, kUdp, kPadding)}, {Both(kEthernet, kIpv4, kUdp)}});
  const auto cooked = FileAt("cooked.pcap");
  ASSERT_FALSE(cooked.empty());
  int taken = 0;
  for (std::uint64_t round = 0; round < 30'000; ++round) {
    auto file = round % 2 == 0 ? ethernet : cooked;
    const auto how = RandomWords(1, 11, round);
    if (how[3] % 4 == 0) file[20] = static_cast<std::byte>(how[3] >> 8);  // any link type
    for (std::uint32_t i = 0; i < how[0] % 5; ++i) {
      const auto draw = RandomWords(2, 11, round, i);
      file[draw[0] % file.size()] = draw[2] % 3 == 0 ? std::byte{0xFF} : static_cast<std::byte>(draw[1]);
    }
    if (how[1] % 3 == 0) file.resize(how[2] % file.size());
    // From the heap, of the exact size: reading past the end is seen by the address sanitizer.
    const auto recording = ReadPcapFile(std::vector<std::byte>(file), 0);
    taken += recording && recording->size() > 0 ? 1 : 0;
  }
  EXPECT_GT(taken, 5000);
}

TEST(Datagrams, AreGoodWhateverTheyAreAndKnownByTheirBytes) {
  Received received;
  const auto decoder = MakeDatagramDecoder();
  decoder->Feed(AsBytes("one"), 0, received);
  decoder->Feed(AsBytes("two"), 3, received);
  decoder->Feed(AsBytes("one"), 6, received);
  decoder->Feed({}, 9, received);
  ASSERT_EQ(received.frames.size(), 3u);
  EXPECT_EQ(received.frames[0].wire_key, received.frames[2].wire_key);
  EXPECT_NE(received.frames[0].wire_key, received.frames[1].wire_key);
  EXPECT_TRUE(received.corrupt.empty());
}

}  // namespace
}  // namespace corerig
