#include "sensors/candump_log.h"

#include <linux/can.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr std::string_view kAll = "any";
constexpr std::uint8_t kLeastRawLength = CAN_MAX_DLEN + 1, kMostRawLength = 15;

std::optional<unsigned> Nibble(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

std::optional<std::uint32_t> Hex(std::string_view digits) {
  std::uint32_t value = 0;
  for (const char c : digits) {
    const auto nibble = Nibble(c);
    if (!nibble) return std::nullopt;
    value = value << 4 | *nibble;
  }
  return value;
}

// "_E" behind eight bytes; nothing may follow.
bool TakeRawLength(std::string_view text, can_frame& frame) {
  if (text.empty()) return true;
  if (text.size() != 2 || text[0] != '_' || frame.len != CAN_MAX_DLEN) return false;
  const auto code = Nibble(text[1]);
  if (!code || *code < kLeastRawLength || *code > kMostRawLength) return false;
  frame.len8_dlc = static_cast<std::uint8_t>(*code);
  return true;
}

// What stands behind "#R".
bool TakeRemote(std::string_view text, can_frame& frame) {
  frame.can_id |= CAN_RTR_FLAG;
  if (text.empty()) return true;
  const auto length = Nibble(text[0]);
  if (!length || *length > CAN_MAX_DLEN) return false;
  frame.len = static_cast<std::uint8_t>(*length);
  return TakeRawLength(text.substr(1), frame);
}

bool TakeBytes(std::string_view text, can_frame& frame) {
  while (!text.empty() && text[0] != '_') {
    if (text[0] == '.' && frame.len > 0) text.remove_prefix(1);
    const auto byte = text.size() >= 2 ? Hex(text.substr(0, 2)) : std::nullopt;
    if (!byte || frame.len == CAN_MAX_DLEN) return false;
    frame.data[frame.len++] = static_cast<std::uint8_t>(*byte);
    text.remove_prefix(2);
  }
  return TakeRawLength(text, frame);
}

// "123#DEADBEEF"; an error frame comes back with its flag.
Result<can_frame> ParseFrame(std::string_view text) {
  const std::size_t hash = text.find('#');
  const auto id = hash == 3 || hash == 8 ? Hex(text.substr(0, hash)) : std::nullopt;
  if (!id) {
    return Fail(Quoted(text), " has no identifier of 3 or 8 hexadecimal digits and #; write one such as 123#DEADBEEF");
  }
  can_frame frame = {};
  frame.can_id = *id;
  if (hash == 8) {
    if ((*id & CAN_ERR_FLAG) != 0) return frame;
    if (*id > CAN_EFF_MASK)
      return Fail("identifier ", text.substr(0, hash), " has more than 29 bits; at most 1FFFFFFF");
    frame.can_id |= CAN_EFF_FLAG;
  } else if (*id > CAN_SFF_MASK) {
    return Fail("identifier ", text.substr(0, hash), " has more than 11 bits; write it with 8 digits, or at most 7FF");
  }
  const std::string_view rest = text.substr(hash + 1);
  if (rest.starts_with('#')) {
    return Fail(Quoted(text), " is a CAN FD frame, and the channel carries classic frames; leave such lines out");
  }
  const bool remote = rest.starts_with('R') || rest.starts_with('r');
  if (remote ? !TakeRemote(rest.substr(1), frame) : !TakeBytes(rest, frame)) {
    return Fail(Quoted(text), remote ? " is no remote frame; write one such as 123#R or 123#R8"
                                     : " has no 0 to 8 bytes of two hexadecimal digits each; write one such as "
                                       "123#DEADBEEF");
  }
  return frame;
}

// What stands before the next blank, and takes it off with the blanks behind it.
std::string_view TakeWord(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(text.find_first_not_of(" \t", end), text.size()));
  return word;
}

bool IsZero(const std::uint8_t* begin, const std::uint8_t* end) {
  return std::all_of(begin, end, [](std::uint8_t byte) { return byte == 0; });
}

bool HasShape(const can_frame& frame) {
  const bool extended = (frame.can_id & CAN_EFF_FLAG) != 0, remote = (frame.can_id & CAN_RTR_FLAG) != 0;
  if ((frame.can_id & CAN_ERR_FLAG) != 0 || (frame.can_id & CAN_EFF_MASK) > (extended ? CAN_EFF_MASK : CAN_SFF_MASK)) {
    return false;
  }
  const bool raw_length =
      frame.len == CAN_MAX_DLEN && frame.len8_dlc >= kLeastRawLength && frame.len8_dlc <= kMostRawLength;
  if (frame.len > CAN_MAX_DLEN || (frame.len8_dlc != 0 && !raw_length)) return false;
  return frame.__pad == 0 && frame.__res0 == 0 &&
         IsZero(frame.data + (remote ? 0 : frame.len), frame.data + CAN_MAX_DLEN);
}

class CanFrameDecoder final : public Decoder {
 public:
  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    const std::uint64_t end = offset + bytes.size();
    can_frame frame;
    if (bytes.empty()) return;
    if (bytes.size() != sizeof frame) return sink.OnCorrupt(offset, end);
    std::memcpy(&frame, bytes.data(), sizeof frame);
    if (!HasShape(frame)) return sink.OnCorrupt(offset, end);
    sink.OnFrame({.wire_key = KeyOfBytes(bytes), .value = 0, .begin = offset, .end = end});
  }
};

}  // namespace

Result<Recording> ReadCandumpLog(std::string_view text, std::string_view interface) {
  Recording recording;
  for (Lines lines(text); lines.Next();) {
    std::string_view rest = Trim(lines.line());
    if (rest.empty()) continue;
    const auto fail = [&](const auto&... pieces) { return Fail(lines.number(), ": ", pieces...); };
    const std::string_view stamp = TakeWord(rest), name = TakeWord(rest), frame_text = TakeWord(rest);
    const bool bracketed = stamp.size() > 2 && stamp.front() == '(' && stamp.back() == ')';
    const auto at = bracketed ? ParseSeconds(stamp.substr(1, stamp.size() - 2)) : std::nullopt;
    if (!at || frame_text.empty()) {
      return fail(Quoted(lines.line()),
                  " is no line of a candump log; write one such as (1436509052.249713) vcan0 123#DEADBEEF, as "
                  "candump -l does");
    }
    const std::string_view direction = TakeWord(rest);
    const bool known = direction.empty() || direction == "R" || direction == "T";
    if (!known || !rest.empty()) {
      return fail("behind the frame stands ", Quoted(direction), "; there may be an R or a T, for its direction");
    }
    if (interface != kAll && name != interface) {
      recording.Skip("of another interface");
      continue;
    }
    const auto frame = ParseFrame(frame_text);
    if (!frame) return ForwardWith(frame, lines.number(), ": ");
    if ((frame->can_id & CAN_ERR_FLAG) != 0) {
      recording.Skip("error frame");
      continue;
    }
    if (auto added = recording.Add(*at, std::as_bytes(std::span(&*frame, 1))); !added) {
      return ForwardWith(added, lines.number(), ": ");
    }
  }
  return recording;
}

std::unique_ptr<Decoder> MakeCanFrameDecoder() { return std::make_unique<CanFrameDecoder>(); }

}  // namespace corerig
