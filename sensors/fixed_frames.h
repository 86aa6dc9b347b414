// The decoder of a wire whose frames all have one size: takes messages that are one frame, or cuts a stream of bytes
// into frames and finds the next one again after bytes that are none.
//
//   class Check {
//    public:
//     static constexpr std::size_t kSize = 11;
//     bool MayBegin(std::span<const std::byte> bytes) const;                       // 1 to kSize bytes: a frame's
//     first? std::optional<FrameContent> Read(std::span<const std::byte> frame);          // kSize bytes; nothing:
//     corrupt
//   };
//   std::make_unique<FixedFrames<Check>>(context.channel);
//
// Where a frame fails the check, the next is looked for one byte further on: what was skipped is corrupt, and a frame
// that lies in it is found. A stream is held back by at most one frame; memory is that of one frame.
#pragma once

#include <algorithm>
#include <array>
#include <optional>

#include "harness/stream/sensor.h"

namespace corerig {

// What a frame says.
struct FrameContent {
  std::uint64_t wire_key = 0;
  double value = 0;
};

template <typename Check>
class FixedFrames final : public Decoder {
 public:
  explicit FixedFrames(ChannelKind channel) : messages_(IsDatagram(channel)) {}

  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    if (messages_) return TakeMessage(bytes, offset, sink);
    if (offset != next_) Skip(held_, sink);  // bytes are missing: what was begun cannot be finished
    next_ = offset;
    while (!bytes.empty()) {
      const std::size_t taken = std::min(bytes.size(), Check::kSize - held_);
      std::copy_n(bytes.begin(), taken, frame_.begin() + static_cast<std::ptrdiff_t>(held_));
      held_ += taken;
      next_ += taken;
      bytes = bytes.subspan(taken);
      LookAtHeld(sink);
    }
  }

 private:
  void TakeMessage(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) {
    const auto content = bytes.size() == Check::kSize && check_.MayBegin(bytes) ? check_.Read(bytes) : std::nullopt;
    const std::uint64_t end = offset + bytes.size();
    if (!content) return sink.OnCorrupt(offset, end);
    sink.OnFrame({.wire_key = content->wire_key, .value = content->value, .begin = offset, .end = end});
  }

  // Leaves what may be the beginning of a frame, and less than one.
  void LookAtHeld(FrameSink& sink) {
    SkipTo(0, sink);
    if (held_ < Check::kSize) return;
    if (const auto content = check_.Read(frame_)) {
      sink.OnFrame(
          {.wire_key = content->wire_key, .value = content->value, .begin = next_ - Check::kSize, .end = next_});
      held_ = 0;
    } else {
      SkipTo(1, sink);
    }
  }

  // Skips to the first byte from `at` on that may begin a frame.
  void SkipTo(std::size_t at, FrameSink& sink) {
    const std::span<const std::byte> held(frame_.data(), held_);
    while (at < held_ && !check_.MayBegin(held.subspan(at))) ++at;
    Skip(at, sink);
  }

  void Skip(std::size_t count, FrameSink& sink) {
    if (count == 0) return;
    const std::uint64_t begin = next_ - held_;
    sink.OnCorrupt(begin, begin + count);
    std::copy(frame_.begin() + static_cast<std::ptrdiff_t>(count), frame_.begin() + static_cast<std::ptrdiff_t>(held_),
              frame_.begin());
    held_ -= count;
  }

  const bool messages_;
  Check check_;
  std::uint64_t next_ = 0;  // offset of the byte expected next
  std::array<std::byte, Check::kSize> frame_;
  std::size_t held_ = 0;  // bytes of frame_ that were received and are not accounted for yet
};

}  // namespace corerig
