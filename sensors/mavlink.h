// MAVLink 1 and 2 messages in datagrams: the check of whoever receives them.
//
// Sources: the MAVLink developer guide, "Packet serialization" (framing, truncation, CRC_EXTRA) and "Message signing";
// message definitions common.xml, standard.xml and minimal.xml.
//
//   version 1   FE length sequence system component id(1) payload crc(2)
//   version 2   FD length incompatible compatible sequence system component id(3) payload crc(2) [signature(13)]
//
// The CRC is CRC-16/MCRF4XX of all between the first byte and itself, and of one more byte that stands for the fields
// of the message (CRC_EXTRA). Of the messages listed in mavlink.cc it is checked; of others, whose CRC_EXTRA cannot be
// known here, only the framing is. Signatures are not checked: the key is the user's. A version 2 message with an
// incompatible flag other than that for its signature (1) must be dropped, says the guide.
//
// Of a datagram all bytes belong to messages. A flipped bit is found in messages that are listed, unless it makes of
// their id one that is not; in others it mostly passes. What passes is of no known sample.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "harness/base/result.h"
#include "harness/stream/sensor.h"

namespace corerig {

// CRC_EXTRA of a message; nothing if it is not listed.
std::optional<std::uint8_t> MavlinkCrcExtra(std::uint32_t id);

// CRC-16/MCRF4XX, carried on from `crc`; "123456789" gives 0x6F91.
std::uint16_t MavlinkCrc(std::span<const std::byte> bytes, std::uint16_t crc = 0xFFFF);

// One or more whole messages. Fails with what is wrong.
Status CheckMavlink(std::span<const std::byte> datagram);

std::unique_ptr<Decoder> MakeMavlinkDecoder();

}  // namespace corerig
