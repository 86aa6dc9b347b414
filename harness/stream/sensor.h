// What a sensor brings: a model with its ground truth, the wire format, and the check a real receiver makes.
//
// One file in sensors/ holds all three and one SensorType row. The source encodes frames ahead of their due time; the
// handler decodes them. The wire carries only what the real part sends: everything else travels as Truth, beside it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/plan/vocabulary.h"
#include "harness/stream/value_watch.h"

namespace corerig {

// What model and decoder of one stream are made for.
struct SensorContext {
  std::uint64_t seed = 0;       // the scenario's
  std::uint32_t stream_id = 0;  // StreamId(name): names the stream's random numbers
  Rate rate;                    // of samples
  std::uint32_t batch = 1;      // samples in a frame
  std::string_view format;
  ChannelKind channel = ChannelKind::kTimer;
  // What the sensor's own clock showed when the run began. How fast it runs is the harness's affair: sample n is taken
  // when that clock shows clock_offset + n / rate, and so is the stamp on the wire.
  Nanos clock_offset{0};
  std::vector<Parameter> parameters = {};  // the sensor's own: NumberOf(parameters, "noise")
  // Civil time of sample 0, in ns since 1970: receivers of satellite time and lidars show it on the wire. It is
  // simulated, kSimulatedEpoch in every run, so that models and decoders agree without talking to each other and one
  // seed gives the same frames byte for byte in every run; and whole, as satellite receivers keep their epochs.
  Nanos epoch{0};
};

inline constexpr Nanos kSimulatedEpoch = std::chrono::seconds(1'767'225'600);  // 2026-01-01 00:00:00 UTC

// One frame to be sent, as the model fills it in. Key and value are those of its last sample.
struct EncodedFrame {
  std::size_t size = 0;        // bytes written; 0: the sensor delivers nothing here, a gap (nothing is sent nor lost)
  std::uint64_t wire_key = 0;  // what on the wire identifies the sample, as the receiver will read it (it may wrap)
  double value = 0;            // the true value, before noise, of the one quantity that DecodedFrame::value shows
};

// What an injected fault makes of a sensor's measurement. Counters, stamps and checks of the frame stay what they are.
struct Falsification {
  // Stuck: the frame shows the measurement of this earlier frame; asked for with the same one for many frames in a row.
  std::optional<std::uint64_t> measurement_of = {};
  // Wrong, drift: added to what the sensor measures, to the quantity that DecodedFrame::value shows and in its unit.
  double bias = 0;
};

// The source's side. One thread.
class SensorModel {
 public:
  virtual ~SensorModel() = default;
  // Writes frame `sequence` into `out` (max_frame_size bytes): samples sequence * batch to sequence * batch + batch
  // - 1. A pure function of the context and `sequence`: frames may be asked for in any order. What it costs may depend
  // on the order, and the source asks in the order of time.
  virtual EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) = 0;
  // The same with a false measurement; the true value stays that of `sequence`. With nothing falsified it is Encode.
  // A sensor that serves it says so by SensorInfo::falsifiable; of others it is never asked.
  virtual EncodedFrame EncodeFalsified(std::uint64_t, const Falsification&, std::span<std::byte>) { std::abort(); }
  // What kept it from being made, such as a file that is gone: asked once, before all else; it then is of no use.
  virtual Status Ready() const { return {}; }
};

// What the decoder found in the bytes it was fed.
struct DecodedFrame {
  std::uint64_t wire_key = 0;
  double value = 0;  // as measured, noise included
  // Where the frame lies in the stream of bytes fed so far (first byte, one past the last).
  std::uint64_t begin = 0, end = 0;
};

// Receives what a Decoder finds, in the order of the bytes.
class FrameSink {
 public:
  virtual void OnFrame(const DecodedFrame& frame) = 0;
  // Bytes [begin, end) failed the receiver's check. Adjacent reports may belong to one frame; the harness counts
  // frames.
  virtual void OnCorrupt(std::uint64_t begin, std::uint64_t end) = 0;

 protected:
  ~FrameSink() = default;
};

// The handler's side. One thread; takes no memory after construction.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // On a datagram channel `bytes` is one whole message; on a byte stream any piece, down to one byte, and the decoder
  // keeps what is incomplete. `offset` is the position of bytes[0] in the stream of bytes.
  virtual void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) = 0;
};

struct SensorType {
  SensorInfo info;
  std::size_t max_frame_size = 0;  // of the largest batch, or the largest of any recording: see LargestFrame
  std::string_view value_unit;     // of EncodedFrame::value, e.g. "m/s^2"
  std::unique_ptr<SensorModel> (*make_model)(const SensorContext&) = nullptr;  // both null for "tick"
  std::unique_ptr<Decoder> (*make_decoder)(const SensorContext&) = nullptr;
  // What a receiver may take for granted about the values; null: nothing, so no value is implausible or stuck to it.
  ValueLimits (*value_limits)(const SensorContext&) = nullptr;
};

}  // namespace corerig
