// Decodes frames of one size that carry the time of their last sample, from messages or from bytes.
//
//   StampedFrameDecoder decoder(std::make_unique<FifoFrame>(batch), clock, period, IsDatagram(channel));
//
// A message is a frame if it has the size and the format finds it plausible. Of bytes, frames follow each other and few
// bits of them are known, so the stamps help: neighbours are a whole number of frame periods apart, however many were
// lost. A frame that is in step with the last good one where the next is expected is taken at once. What is not (after
// a fault, or when the stamp has wrapped meanwhile) is looked for byte by byte and taken only if the frame after it is
// in step with it. Bytes that are passed over are corrupt.
//
// A stamp that wraps cannot tell how often it did. When bytes were cut and right after that nothing was sent for more
// than half the time it counts, frames of several samples that look all alike may be begun at the wrong sample from
// then on, as nothing on the wire says where one ends.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "harness/stream/sensor.h"

namespace corerig {

// What frames of one size look like. Spans are of that size.
class FrameFormat {
 public:
  virtual ~FrameFormat() = default;
  virtual std::size_t size() const = 0;
  // As far as one frame alone can tell.
  virtual bool Plausible(std::span<const std::byte> frame) const = 0;
  virtual std::uint64_t Stamp(std::span<const std::byte> frame) const = 0;  // of the last sample: the wire key
  virtual double Value(std::span<const std::byte> frame) const = 0;
};

// How a stamp counts.
struct StampClock {
  double tick = 1;       // ns
  int bits = 64;         // then it wraps
  double tolerance = 1;  // ns: how far apart a whole number of periods may be and still be in step

  // From `from` to `to` in ns, the short way round.
  double Between(std::uint64_t from, std::uint64_t to) const;
  // `to` is a whole number of periods from `from`, in either direction.
  bool InStep(std::uint64_t from, std::uint64_t to, double period) const;
  // `to` is one period after `from`.
  bool IsNext(std::uint64_t from, std::uint64_t to, double period) const;
};

class StampedFrameDecoder final : public Decoder {
 public:
  // `period` in ns, from frame to frame.
  StampedFrameDecoder(std::unique_ptr<FrameFormat> format, StampClock clock, double period, bool datagrams);

  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override;

 private:
  enum class Look { kGood, kBad, kUndecided };

  void FeedMessage(std::span<const std::byte> message, std::uint64_t offset, FrameSink& sink);
  // At the front of what is kept; kUndecided if more bytes are needed.
  Look LookAtFront() const;
  void TakeFrames(FrameSink& sink);
  void PassOver(std::size_t count, FrameSink& sink);

  const std::unique_ptr<FrameFormat> format_;
  const StampClock clock_;
  const double period_;
  const bool datagrams_;

  std::vector<std::byte> kept_;  // bytes not yet accounted for: [begin_, end_), two frames at most
  std::size_t begin_ = 0, end_ = 0;
  std::size_t needed_;        // bytes to look at the front again
  std::uint64_t offset_ = 0;  // of kept_[begin_] in the stream
  bool aligned_ = true;       // a frame is expected to begin at begin_
  std::size_t searched_ = 0;  // bytes passed over since it was not
  bool any_good_ = false;
  std::uint64_t last_good_ = 0;  // stamp
};

}  // namespace corerig
