// Writes protocol-buffer messages into memory that is there already: no allocation, one pass, room checked.
//
//   ProtoWriter writer(room);
//   {
//     const auto packet = writer.Open(1);   // closed, its length filled in, when `packet` goes
//     writer.Number(8, 1000);
//     writer.Text(2, "imu");
//   }
//   if (writer.overflowed()) ...            // none of `room` is worth anything then
//
// The encoding is that of the "Encoding" page of the Protocol Buffers documentation: a field is the varint
// number << 3 | type and its value; a length is written with redundant leading zero groups, which every reader takes,
// so that it can be filled in afterwards. Numbers are uint64, int64, int32, uint32, bool or enum (a negative one takes
// ten bytes); sint and fixed types are not used.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace corerig {

class ProtoWriter {
 public:
  // `room` must outlive the writer.
  explicit ProtoWriter(std::span<std::uint8_t> room) : begin_(room.data()), at_(begin_), end_(begin_ + room.size()) {}
  ProtoWriter(const ProtoWriter&) = delete;
  ProtoWriter& operator=(const ProtoWriter&) = delete;

  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }
  // True once something did not fit (a number may fail up to 20 bytes early); nothing is written from then on.
  bool overflowed() const { return overflowed_; }

  // A bare varint: an element of a packed field.
  void Varint(std::uint64_t value) {
    if (!HasRoom(kMaxVarint)) return;
    Append(value);
  }
  void Number(std::uint32_t field, std::uint64_t value) {
    if (!HasRoom(2 * kMaxVarint)) return;
    Append(field << 3 | kNumber);
    Append(value);
  }
  void Signed(std::uint32_t field, std::int64_t value) { Number(field, static_cast<std::uint64_t>(value)); }
  void Text(std::uint32_t field, std::string_view text) {
    if (!HasRoom(2 * kMaxVarint + text.size())) return;
    Append(field << 3 | kLengthDelimited);
    Append(text.size());
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  // Messages that are encoded already.
  void Bytes(std::string_view bytes) {
    if (!HasRoom(bytes.size())) return;
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }

  // A message, or a packed field, that is open until this goes. `kWidth` bytes are kept for its length: one is enough
  // for 127 bytes, three for 2 MiB; a longer content is an overflow.
  template <int kWidth>
  class [[nodiscard]] Message {
   public:
    Message(ProtoWriter& writer, std::uint32_t field) : writer_(writer) {
      if (!writer.HasRoom(kMaxVarint + kWidth)) return;
      writer.Append(field << 3 | kLengthDelimited);
      length_ = writer.at_;
      writer.at_ += kWidth;
    }
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;
    ~Message() {
      if (writer_.overflowed_) return;
      auto size = static_cast<std::uint64_t>(writer_.at_ - (length_ + kWidth));
      if (size >> (7 * kWidth) != 0) {
        writer_.Overflow();
        return;
      }
      for (int i = 0; i < kWidth; ++i, size >>= 7) {
        length_[i] = static_cast<std::uint8_t>((size & 0x7f) | (i + 1 < kWidth ? 0x80 : 0));
      }
    }

   private:
    ProtoWriter& writer_;
    std::uint8_t* length_ = nullptr;
  };
  Message<3> Open(std::uint32_t field) { return Message<3>(*this, field); }
  Message<1> OpenSmall(std::uint32_t field) { return Message<1>(*this, field); }

 private:
  static constexpr std::uint32_t kNumber = 0, kLengthDelimited = 2;
  static constexpr std::size_t kMaxVarint = 10;

  bool HasRoom(std::size_t bytes) {
    if (static_cast<std::size_t>(end_ - at_) >= bytes) [[likely]]
      return true;
    Overflow();
    return false;
  }
  void Overflow() {
    overflowed_ = true;
    end_ = at_;
  }
  void Append(std::uint64_t value) {
    while (value >= 0x80) {
      *at_++ = static_cast<std::uint8_t>(value | 0x80);
      value >>= 7;
    }
    *at_++ = static_cast<std::uint8_t>(value);
  }

  std::uint8_t* begin_;
  std::uint8_t* at_;
  std::uint8_t* end_;
  bool overflowed_ = false;
};

}  // namespace corerig
