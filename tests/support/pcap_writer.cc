#include "tests/support/pcap_writer.h"

namespace corerig {
namespace {

void PutBig(std::string& out, std::uint32_t word, int bytes) {
  for (int i = bytes; i-- > 0;) out += static_cast<char>(word >> (8 * i) & 0xFF);
}

void PutLittle(std::string& out, std::uint32_t word, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(word >> (8 * i) & 0xFF);
}

// The one's complement sum of 16-bit words, complemented; an odd byte at the end is followed by 0.
std::uint16_t InternetChecksum(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (i % 2 == 0 ? 8 : 0);
  }
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void Replace(std::string& text, std::size_t at, std::uint16_t word) {
  text[at] = static_cast<char>(word >> 8);
  text[at + 1] = static_cast<char>(word & 0xFF);
}

constexpr std::uint32_t kUdp = 17;

std::string Ipv4Header(const Datagram& datagram, std::size_t udp_size) {
  std::string header;
  PutBig(header, 0x4500, 2);  // version 4, 5 words; no class of service
  PutBig(header, static_cast<std::uint32_t>(20 + udp_size), 2);
  PutBig(header, 0x00004000, 4);     // no identification; do not fragment
  PutBig(header, 0x4000 | kUdp, 2);  // 64 hops
  PutBig(header, 0, 2);              // checksum, below
  PutBig(header, datagram.source, 4);
  PutBig(header, datagram.destination, 4);
  Replace(header, 10, InternetChecksum(header));
  return header;
}

std::string UdpSegment(const Datagram& datagram, std::string_view payload) {
  const auto size = static_cast<std::uint32_t>(8 + payload.size());
  std::string segment;
  PutBig(segment, datagram.source_port, 2);
  PutBig(segment, datagram.destination_port, 2);
  PutBig(segment, size, 2);
  PutBig(segment, 0, 2);  // checksum, below
  segment += payload;
  std::string covered;  // the pseudo header, then all
  PutBig(covered, datagram.source, 4);
  PutBig(covered, datagram.destination, 4);
  PutBig(covered, kUdp, 2);
  PutBig(covered, size, 2);
  const std::uint16_t sum = InternetChecksum(covered + segment);
  Replace(segment, 6, sum == 0 ? 0xFFFF : sum);  // 0 would say there is none
  return segment;
}

}  // namespace

PcapWriter::PcapWriter() {
  PutLittle(bytes_, 0xA1B23C4D, 4);  // little-endian, nanoseconds
  PutLittle(bytes_, 2, 2);
  PutLittle(bytes_, 4, 2);
  PutLittle(bytes_, 0, 4);
  PutLittle(bytes_, 0, 4);
  PutLittle(bytes_, 65'535 + 14, 4);  // no record is longer
  PutLittle(bytes_, 1, 4);            // Ethernet
}

void PcapWriter::Add(Nanos time, const Datagram& datagram, std::string_view payload) {
  std::string frame;
  PutBig(frame, 0xFFFFFFFF, 4);  // to all
  PutBig(frame, 0xFFFF, 2);
  PutBig(frame, 0x02000000, 4);  // from a locally administered address
  PutBig(frame, 0x0001, 2);
  PutBig(frame, 0x0800, 2);  // IPv4
  const std::string segment = UdpSegment(datagram, payload);
  frame += Ipv4Header(datagram, segment.size()) + segment;
  PutLittle(bytes_, static_cast<std::uint32_t>(time / std::chrono::seconds(1)), 4);
  PutLittle(bytes_, static_cast<std::uint32_t>(time.count() % 1'000'000'000), 4);
  PutLittle(bytes_, static_cast<std::uint32_t>(frame.size()), 4);
  PutLittle(bytes_, static_cast<std::uint32_t>(frame.size()), 4);
  bytes_ += frame;
}

}  // namespace corerig
