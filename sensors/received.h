// What a decoder made of its bytes, and shorthands to make bytes with: for the sensors' tests.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/stream/sensor.h"

namespace corerig {

// Keeps what it is told. Adjacent corrupt ranges are joined, as how they are split depends on how the bytes came.
struct Received final : FrameSink {
  std::vector<DecodedFrame> frames;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> corrupt;
  std::uint64_t reported = 0;  // the end of what was last reported
  bool in_order = true;

  void OnFrame(const DecodedFrame& frame) override {
    frames.push_back(frame);
    Advance(frame.begin, frame.end);
  }
  void OnCorrupt(std::uint64_t begin, std::uint64_t end) override {
    if (!corrupt.empty() && corrupt.back().second == begin) {
      corrupt.back().second = end;
    } else {
      corrupt.emplace_back(begin, end);
    }
    Advance(begin, end);
  }

 private:
  void Advance(std::uint64_t begin, std::uint64_t end) {
    in_order = in_order && begin >= reported && end > begin;
    reported = end;
  }
};

// 2026-03-14 15:09:26.535 UTC.
inline constexpr Nanos kPiDay{1'773'500'966'535'000'000};

inline SensorContext ContextAt(Rate rate, std::uint64_t seed = 42) {
  return {.seed = seed, .stream_id = 7, .rate = rate, .format = "", .epoch = kPiDay};
}

// What a scenario makes of a stream that names the sensor and its rate.
inline SensorContext ContextOf(const SensorType& sensor, Rate rate, std::uint64_t seed = 42) {
  SensorContext context = ContextAt(rate, seed);
  context.channel = sensor.info.channels.at(0);
  context.batch = sensor.info.batching.least;
  if (!sensor.info.formats.empty()) context.format = sensor.info.formats[0];
  for (const ParameterInfo& parameter : sensor.info.parameters) {
    context.parameters.push_back({std::string(parameter.name), std::string(parameter.default_value)});
  }
  return context;
}
inline SensorContext ContextOf(const SensorType& sensor) { return ContextOf(sensor, sensor.info.default_rate); }
inline SensorContext ContextOf(const SensorType& sensor, Rate rate, std::string_view format) {
  SensorContext context = ContextOf(sensor, rate);
  context.format = format;
  return context;
}
inline SensorContext ContextOf(const SensorType& sensor, Rate rate, ChannelKind channel) {
  SensorContext context = ContextOf(sensor, rate);
  context.channel = channel;
  return context;
}

struct Encoded {
  EncodedFrame frame;
  std::vector<std::byte> bytes;
};

inline Encoded Encode(const SensorType& sensor, SensorModel& model, std::uint64_t sequence) {
  Encoded encoded{.frame = {}, .bytes = std::vector<std::byte>(sensor.max_frame_size)};
  encoded.frame = model.Encode(sequence, encoded.bytes);
  encoded.bytes.resize(encoded.frame.size);
  return encoded;
}

// A recording of each format, as a test finds it that has :recordings among its data.
inline std::string SampleRecording(std::string_view format) {
  const std::string_view file = format == "candump"   ? "drive.log"
                                : format == "nmea"    ? "track.nmea"
                                : format == "imu-csv" ? "imu.csv"
                                : format == "mavlink" ? "flight.pcap"
                                                      : "flows.pcap";
  return "sensors/testdata/recorded/" + std::string(file);
}

inline void Set(SensorContext& context, std::string_view parameter, std::string_view value) {
  for (Parameter& known : context.parameters) {
    if (known.name == parameter) known.value = value;
  }
}

inline Received Decode(const SensorType& sensor, std::span<const std::byte> bytes) {
  Received received;
  sensor.make_decoder(ContextOf(sensor))->Feed(bytes, 0, received);
  return received;
}
inline Received Decode(const SensorType& sensor, std::span<const std::byte> bytes, std::string_view format) {
  Received received;
  sensor.make_decoder(ContextOf(sensor, sensor.info.default_rate, format))->Feed(bytes, 0, received);
  return received;
}

inline std::string Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::span<const std::byte> AsBytes(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace corerig
