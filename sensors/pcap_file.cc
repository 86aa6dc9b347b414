#include "sensors/pcap_file.h"

#include <optional>
#include <string_view>

#include "harness/base/text.h"
#include "sensors/byte_order.h"

namespace corerig {
namespace {

constexpr std::size_t kFileHeader = 24, kPacketHeader = 16;
constexpr std::uint32_t kMicros = 0xA1B2C3D4, kNanos = 0xA1B23C4D, kNextGeneration = 0x0A0D0D0A;
// No capture has longer packets; what says so is no packet header.
constexpr std::uint64_t kLongestPacket = 256 << 10;

constexpr std::uint64_t kIpv4 = 0x0800, kIpv6 = 0x86DD, kVlan = 0x8100, kServiceVlan = 0x88A8;
constexpr std::uint64_t kUdp = 17;

// Reads numbers of the file's byte order.
class FileNumbers {
 public:
  FileNumbers(std::span<const std::byte> file, bool little) : file_(file), little_(little) {}
  std::uint64_t At(std::size_t at, std::size_t size = 4) const {
    return little_ ? LittleEndian(file_, at, size) : BigEndian(file_, at, size);
  }

 private:
  std::span<const std::byte> file_;
  bool little_;
};

// A datagram's bytes, or why the packet has none.
struct Found {
  std::span<const std::byte> bytes = {};
  std::string_view skipped = {};
};
Found Skipped(std::string_view why) { return {.skipped = why}; }

constexpr std::string_view kNotIp = "not IP", kNotUdp = "not UDP", kCut = "cut by the capture", kBroken = "broken",
                           kFragment = "fragment of IP", kOtherPort = "to another port", kEmpty = "empty datagram";

Found DatagramOfUdp(std::span<const std::byte> segment, bool cut, std::uint16_t port) {
  constexpr std::size_t kHeader = 8;
  if (segment.size() < kHeader) return Skipped(cut ? kCut : kBroken);
  if (port != 0 && BigEndian(segment, 2, 2) != port) return Skipped(kOtherPort);
  const std::uint64_t length = BigEndian(segment, 4, 2);
  if (length < kHeader) return Skipped(kBroken);
  if (length > segment.size()) return Skipped(cut ? kCut : kBroken);
  if (length == kHeader) return Skipped(kEmpty);
  const auto bytes = segment.subspan(kHeader, static_cast<std::size_t>(length) - kHeader);
  if (bytes.size() > kLargestRecordedFrame) return Skipped("longer than UDP over IPv4 carries");
  return {.bytes = bytes};
}

Found DatagramOfIpv4(std::span<const std::byte> packet, std::uint16_t port) {
  constexpr std::size_t kLeastHeader = 20;
  if (packet.size() < kLeastHeader) return Skipped(kCut);
  const std::size_t header = (std::to_integer<std::size_t>(packet[0]) & 15) * 4;
  const std::uint64_t total = BigEndian(packet, 2, 2);
  // 0: a card that splits packets by itself fills it in later.
  if (header < kLeastHeader || (total != 0 && total < header)) return Skipped(kBroken);
  if (BigEndian(packet, 9, 1) != kUdp) return Skipped(kNotUdp);
  if ((BigEndian(packet, 6, 2) & 0x3FFF) != 0) return Skipped(kFragment);  // more follow, or it is not the first
  if (packet.size() < header) return Skipped(kCut);
  const bool cut = total > packet.size();
  const std::size_t end = cut || total == 0 ? packet.size() : static_cast<std::size_t>(total);
  return DatagramOfUdp(packet.subspan(header, end - header), cut, port);
}

Found DatagramOfIpv6(std::span<const std::byte> packet, std::uint16_t port) {
  constexpr std::size_t kHeader = 40;
  constexpr std::uint64_t kHopByHop = 0, kRouting = 43, kFragmentHeader = 44, kDestination = 60;
  if (packet.size() < kHeader) return Skipped(kCut);
  const std::uint64_t payload = BigEndian(packet, 4, 2);
  const bool cut = kHeader + payload > packet.size();
  std::span<const std::byte> rest =
      cut ? packet.subspan(kHeader) : packet.subspan(kHeader, static_cast<std::size_t>(payload));
  std::uint64_t next = BigEndian(packet, 6, 1);
  while (next == kHopByHop || next == kRouting || next == kDestination) {
    if (rest.size() < 8) return Skipped(cut ? kCut : kBroken);
    const std::size_t length = (std::to_integer<std::size_t>(rest[1]) + 1) * 8;
    if (rest.size() < length) return Skipped(cut ? kCut : kBroken);
    next = BigEndian(rest, 0, 1);
    rest = rest.subspan(length);
  }
  if (next == kFragmentHeader) return Skipped(kFragment);
  if (next != kUdp) return Skipped(kNotUdp);
  return DatagramOfUdp(rest, cut, port);
}

Found DatagramOfIp(std::span<const std::byte> packet, std::uint16_t port) {
  if (packet.empty()) return Skipped(kCut);
  const std::uint64_t version = BigEndian(packet, 0, 1) >> 4;
  if (version == 4) return DatagramOfIpv4(packet, port);
  return version == 6 ? DatagramOfIpv6(packet, port) : Skipped(kNotIp);
}

// Behind a header that names the protocol by its Ethernet type.
Found DatagramOfType(std::uint64_t type, std::span<const std::byte> packet, std::uint16_t port) {
  constexpr std::size_t kTag = 4;
  for (int tags = 0; tags < 2 && (type == kVlan || type == kServiceVlan); ++tags) {
    if (packet.size() < kTag) return Skipped(kCut);
    type = BigEndian(packet, 2, 2);
    packet = packet.subspan(kTag);
  }
  if (type != kIpv4 && type != kIpv6) return Skipped(kNotIp);
  return DatagramOfIp(packet, port);
}

// How a link type's packets lead to IP.
enum class Link { kEthernet, kIp, kLoopback, kCooked, kCooked2 };

std::optional<Link> LinkOf(std::uint64_t type) {
  switch (type) {
    case 1:
      return Link::kEthernet;
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
      return Link::kIp;
    case 0:
    case 108:
      return Link::kLoopback;
    case 113:
      return Link::kCooked;
    case 276:
      return Link::kCooked2;
    default:
      return std::nullopt;
  }
}

Found DatagramOf(Link link, std::span<const std::byte> packet, std::uint16_t port) {
  const auto behind = [&](std::size_t header, std::size_t type_at) {
    if (packet.size() < header) return Skipped(kCut);
    return DatagramOfType(BigEndian(packet, type_at, 2), packet.subspan(header), port);
  };
  switch (link) {
    case Link::kEthernet:
      return behind(14, 12);
    case Link::kCooked:
      return behind(16, 14);
    case Link::kCooked2:
      return behind(20, 0);
    case Link::kLoopback: {
      // An address family, whose number for IPv6 and whose byte order depend on the system: the packet itself tells.
      constexpr std::size_t kFamily = 4;
      if (packet.size() < kFamily) return Skipped(kCut);
      return DatagramOfIp(packet.subspan(kFamily), port);
    }
    case Link::kIp:
      return DatagramOfIp(packet, port);
  }
  return Skipped(kNotIp);
}

class DatagramDecoder final : public Decoder {
 public:
  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    if (bytes.empty()) return;
    sink.OnFrame({.wire_key = KeyOfBytes(bytes), .value = 0, .begin = offset, .end = offset + bytes.size()});
  }
};

}  // namespace

Result<Recording> ReadPcapFile(std::span<const std::byte> file, std::uint16_t port,
                               Status (*check)(std::span<const std::byte>)) {
  if (file.size() < kFileHeader) {
    return Fail("byte 0: ", file.size(), " bytes are no capture; its header alone has ", kFileHeader);
  }
  if (LittleEndian(file, 0, 4) == kNextGeneration) {
    return Fail("byte 0: this is a pcapng file; convert it: editcap -F pcap IN.pcapng OUT.pcap");
  }
  const bool little = LittleEndian(file, 0, 4) == kMicros || LittleEndian(file, 0, 4) == kNanos;
  const FileNumbers numbers(file, little);
  const std::uint64_t magic = numbers.At(0);
  if (magic != kMicros && magic != kNanos) {
    return Fail("byte 0: this is no classic pcap file; tcpdump -w and editcap -F pcap make one");
  }
  const std::uint64_t per_second = magic == kNanos ? 1'000'000'000 : 1'000'000;
  const std::uint64_t link_type = numbers.At(20) & 0xFFFF;  // above it: what is known of a frame check sequence
  const auto link = LinkOf(link_type);
  if (!link) {
    return Fail("byte 20: link type ", link_type,
                " is none that holds IP as far as is known here; capture on Ethernet, \"any\" or loopback");
  }

  Recording recording;
  for (std::size_t at = kFileHeader; at < file.size();) {
    const std::size_t left = file.size() - at;
    const std::uint64_t captured = left >= kPacketHeader ? numbers.At(at + 8) : 0;
    if (captured > kLongestPacket) {
      return Fail("byte ", at, ": a packet of ", captured,
                  " bytes; there is no packet header here, the file is broken");
    }
    if (left < kPacketHeader || left - kPacketHeader < captured) {
      recording.Skip("cut at the end of the file");
      break;
    }
    const std::uint64_t fraction = numbers.At(at + 4);
    if (fraction >= per_second) {
      return Fail("byte ", at + 4, ": ", fraction, " parts of a second, of which there are ", per_second,
                  "; there is no packet header here, the file is broken");
    }
    const Nanos stamp = std::chrono::seconds(numbers.At(at)) +
                        Nanos(static_cast<std::int64_t>(fraction * (1'000'000'000 / per_second)));
    const Found found = DatagramOf(*link, file.subspan(at + kPacketHeader, static_cast<std::size_t>(captured)), port);
    const Status checked = check != nullptr && found.skipped.empty() ? check(found.bytes) : Status();
    if (!checked) return ForwardWith(checked, "byte ", at, ": ");
    if (!found.skipped.empty()) {
      recording.Skip(found.skipped);
    } else if (auto added = recording.Add(stamp, found.bytes); !added) {
      return ForwardWith(added, "byte ", at, ": ");
    }
    at += kPacketHeader + static_cast<std::size_t>(captured);
  }
  return recording;
}

std::unique_ptr<Decoder> MakeDatagramDecoder() { return std::make_unique<DatagramDecoder>(); }

}  // namespace corerig
