// Captures in the classic pcap format, read into the UDP datagrams they hold.
//
// Sources: the pcap capture file format (draft-ietf-opsawg-pcap), its registry of link types, RFC 791, 8200, 768, and
// the kernel's packet_mmap.rst / libpcap's LINKTYPE_LINUX_SLL for cooked captures.
//
//   file header, 24 bytes: magic A1B2C3D4 (stamps of us) or A1B23C4D (of ns), in either byte order; version 2.4;
//   snapshot length at 16; link type at 20. Packet header, 16 bytes: seconds, fraction, captured length, original
//   length.
//
// Link types: Ethernet (1, with up to two VLAN tags), raw IP (101, 12, 14; 228 IPv4, 229 IPv6), loopback (0 and 108),
// Linux cooked (113, and version 2: 276). Other ones are refused, and so is pcapng, by a line that says how to convert
// it.
//
// What is no whole UDP datagram is skipped and counted: other protocols, other ports, fragments of IP, packets that the
// capture cut. Checksums are not looked at: network cards fill them in after the capture. A last packet that the file
// ends in the middle of, as it does when a capture is killed, is skipped too.
//
// On the wire there is nothing to check: every datagram is good to a receiver. A damaged one is of no known sample.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "harness/stream/sensor.h"
#include "sensors/recording.h"

namespace corerig {

// The datagrams to one port, or to all (0), each held to `check` if there is one. The error begins with the place:
// "byte 40: …".
Result<Recording> ReadPcapFile(std::span<const std::byte> file, std::uint16_t port,
                               Status (*check)(std::span<const std::byte>) = nullptr);

// Takes any datagram.
std::unique_ptr<Decoder> MakeDatagramDecoder();

}  // namespace corerig
