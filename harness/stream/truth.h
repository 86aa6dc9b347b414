// The truth about every frame a stream's source put on the wire (or, by an injected fault, did not), beside the wire.
//
// A ring in the source's slab with one writer; the handler maps it read-only. An entry is complete before the frame is
// sent.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "harness/base/units.h"

namespace corerig {

// What was done to a frame on its way, on purpose.
enum TruthFlag : std::uint8_t {
  kTruthUnsent = 1,      // not sent
  kTruthCopy = 2,        // the second copy of a frame
  kTruthHeld = 4,        // sent later than due: held back, or waiting behind one that was
  kTruthSpoiled = 8,     // its bytes are no more what the sensor made
  kTruthFalsified = 16,  // its measurement is false
  kTruthWithdrawn = 32,  // not sent after all: the run ended before its channel had room for all of it
};

// One emission.
struct Truth {
  std::uint64_t sequence = 0;  // of the sample, from 0 at the start of the run; below 2^48, nine years at 1 MHz
  Nanos due{0};
  // When it was to be sent: due, or later by an injected fault. Of a lossless stream: when the source would have sent
  // it had there always been room, so that release - due is the source's own delay.
  Nanos release{0};
  Nanos sent{0};               // just before the send call; of several, the first that took any of it
  std::uint64_t wire_key = 0;  // as the receiver will read it if the frame is whole
  std::uint64_t offset = 0;    // of its first byte in the stream of bytes sent
  std::uint32_t size = 0;      // 0 if it was not sent
  std::uint8_t flags = 0;      // of TruthFlag
  std::uint8_t fault = 0;      // which of the plan's faults hit it, counted from 1; 0: none
  double value = 0;            // the true value
  std::uint32_t gaps = 0;      // in the window, before this sample: due times at which the sensor delivered nothing
};

// Emissions 0, 1, 2, …; emission i is kept until emission i + capacity.
class TruthRing {
 public:
  // Bytes for a ring; `capacity` is a power of two.
  static std::size_t SizeFor(std::size_t capacity);

  // One writer.
  void Append(const Truth& truth, std::size_t capacity);

  // The emission appended last is offered to its channel anew: the receiver will see these instants in it. Or it will
  // never be sent.
  void Restamp(Nanos release, Nanos sent, std::size_t capacity);
  void Withdraw(std::size_t capacity);
  // Nothing is appended or sent from now on.
  void Close();
  bool closed() const;

  // Any reader. Emissions [oldest(), published()) can be read; Read fails for one that was overwritten meanwhile.
  std::uint64_t published() const;
  std::uint64_t oldest(std::size_t capacity) const;
  std::optional<Truth> Read(std::uint64_t emission, std::size_t capacity) const;

 private:
  std::atomic<std::uint64_t> reserved_;
  std::atomic<std::uint64_t> published_;
  std::atomic<std::uint64_t> closed_;
  // entries follow, each of atomics
};

}  // namespace corerig
