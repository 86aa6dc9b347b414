// Datagrams as a capture file (classic pcap, version 2.4, with nanoseconds), as an interface would have recorded them.
//
//   PcapWriter capture;
//   capture.Add(time, {.destination_port = 2368}, payload);
//   file << capture.bytes();
//
// Each record is Ethernet, IPv4 and UDP, 42 bytes in all, with right checksums. Sources: draft-ietf-opsawg-pcap (file),
// RFC 791 and 1071 (IPv4 and its checksum), RFC 768 (UDP).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/units.h"

namespace corerig {

struct Datagram {
  std::uint32_t source = 0xC0A801C9;       // 192.168.1.201
  std::uint32_t destination = 0xFFFFFFFF;  // all
  std::uint16_t source_port = 443;
  std::uint16_t destination_port = 0;
};

class PcapWriter {
 public:
  PcapWriter();
  // `time` since 1970; at most 65507 bytes.
  void Add(Nanos time, const Datagram& datagram, std::string_view payload);
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace corerig
