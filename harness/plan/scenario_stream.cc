#include <algorithm>
#include <cmath>
#include <cstdint>

#include "harness/base/quantity.h"
#include "harness/plan/scenario_tables.h"

namespace corerig {
namespace {

constexpr Rate kMostLossless = Rate::Hertz(1'000'000);

const SensorInfo* FindSensor(const Vocabulary& vocabulary, std::string_view name) {
  for (const auto& sensor : vocabulary.sensors) {
    if (sensor.name == name) return &sensor;
  }
  return nullptr;
}

const SensorInfo* ReadSensor(Section& section, const Vocabulary& vocabulary, FirstFault& fault) {
  const std::string example = vocabulary.sensors.empty() ? "\"tick\"" : StrCat("\"", vocabulary.sensors[0].name, "\"");
  const auto name = section.RequiredText("sensor", example);
  if (!name) return nullptr;
  const SensorInfo* sensor = FindSensor(vocabulary, *name);
  if (sensor == nullptr) {
    std::vector<std::string> known;
    for (const auto& other : vocabulary.sensors) known.emplace_back(other.name);
    fault.Add(section.Find("sensor")->position, "unknown sensor \"", *name, "\"; ", DidYouMean(*name, known));
  }
  return sensor;
}

// A recording has what other sensors are told.
void RefuseRateAndBatch(Section& section, FirstFault& fault) {
  for (const std::string_view key : {"rate", "batch"}) {
    if (const Value* value = section.Find(key)) {
      fault.Add(value->position, "a recording is played with the ", key == "rate" ? "rate" : "frames",
                " it has; leave ", key, " out; speed = 2 plays it twice as fast");
    }
  }
}

Rate ReadRate(Section& section, const SensorInfo* sensor, FirstFault& fault) {
  const auto rate = section.Quantity("rate", "\"1kHz\"", ParseRate);
  if (sensor == nullptr) return rate.value_or(Rate());
  // A lossless stream finds out what its receiver takes, however fast the part can be.
  const Value* const pace = section.Find("pace");
  const bool lossless = pace != nullptr && pace->text == ToText(Pace::kLossless);
  const Rate most = lossless ? std::max(sensor->highest_rate, kMostLossless) : sensor->highest_rate;
  if (rate && *rate > most) {
    const std::string highest = ToText(most);
    fault.Add(section.Find("rate")->position, "rate ", ToText(*rate), " is above the highest of ",
              lossless ? "lossless streams" : StrCat("sensor \"", sensor->name, "\""), "; write at most \"", highest,
              "\"");
  }
  return rate.value_or(sensor->default_rate);
}

// How many samples a frame holds.
std::uint32_t ReadBatch(Section& section, const SensorInfo& sensor, Rate rate, FirstFault& fault) {
  const Batching& batching = sensor.batching;
  std::uint32_t batch = batching.least;
  if (batching.frames.millihertz > 0) {
    const std::int64_t least = (rate.millihertz + batching.frames.millihertz - 1) / batching.frames.millihertz;
    batch = static_cast<std::uint32_t>(std::clamp<std::int64_t>(least, batching.least, batching.most));
  }
  const auto written = section.Whole("batch", 1, StrCat(batch));
  const Position at = written ? section.Find("batch")->position : section.position();
  if (written && *written > batching.most) {
    fault.Add(at, "batch is ", *written, "; sensor \"", sensor.name, "\" has at most ", batching.most,
              batching.most == 1 ? " sample in a frame" : " samples in a frame");
    return batch;
  }
  if (written && *written < batching.least) {
    fault.Add(at, "batch is ", *written, "; sensor \"", sensor.name, "\" has at least ", batching.least,
              " samples in a frame");
    return batch;
  }
  if (written) batch = static_cast<std::uint32_t>(*written);
  if (rate.millihertz % batch != 0) {
    fault.Add(at, "rate ", ToText(rate), " in batches of ", batch, " makes frames of no whole number of mHz; write a ",
              batching.least == batching.most ? "rate that the batch divides" : "batch that divides the rate");
  }
  return batch;
}

void ReadRecording(Section& section, const SensorInfo& sensor, StreamPlan& stream, FirstFault& fault) {
  stream.parameters = ReadParameters(section, sensor.parameters, fault);
  if (fault.found()) return;
  const Value* const file = section.Find("file");
  if (auto read = sensor.read_recording(stream); !read) {
    fault.Add(file != nullptr ? file->position : section.position(), read.error().message);
  }
}

// The sensor's own clock.
ClockPlan ReadClock(Section& section, bool timer, FirstFault& fault) {
  ClockPlan clock;
  constexpr std::string_view kOffset = "clock_offset", kDrift = "clock_ppm";
  for (const std::string_view key : {kOffset, kDrift}) {
    if (timer && section.Find(key) != nullptr) {
      fault.Add(section.Find(key)->position, "a timer stream is the board's own clock; leave ", key, " out");
    }
  }
  clock.offset = section.Quantity(kOffset, "\"2ms\"", ParseDuration).value_or(Nanos(0));
  // Crystals are within 100; what is beyond 1000 is broken.
  constexpr double kMost = 1000;
  const Value* value = section.Find(kDrift);
  if (value == nullptr) return clock;
  const bool whole = value->kind == Value::Kind::kWhole;
  const double ppm = whole ? static_cast<double>(value->whole) : value->number;
  if ((!whole && value->kind != Value::Kind::kNumber) || !(std::abs(ppm) <= kMost)) {
    fault.Add(value->position, kDrift, " is not a number from -1000 to 1000; write one such as 20 or -3.5");
    return clock;
  }
  clock.ppb = static_cast<std::int32_t>(std::lround(ppm * 1000));
  return clock;
}

// Of the words that `owner` offers under `key`, the one that is written, or the first.
std::string ReadChoice(Section& section, std::string_view key, const std::string& owner,
                       const std::vector<std::string>& offered, FirstFault& fault) {
  const auto word = section.Text(key, StrCat("\"", offered[0], "\""));
  if (!word) return offered[0];
  if (std::find(offered.begin(), offered.end(), *word) == offered.end()) {
    fault.Add(section.Find(key)->position, owner, " has no ", key, " \"", *word, "\"; ", DidYouMean(*word, offered));
    return offered[0];
  }
  return *word;
}

std::string Named(const SensorInfo& sensor) { return StrCat("sensor \"", sensor.name, "\""); }

ChannelKind ReadChannel(Section& section, const SensorInfo* sensor, const std::string& format, FirstFault& fault) {
  if (sensor == nullptr) {
    section.Text("channel", "\"udp\"");
    return ChannelKind::kTimer;
  }
  const auto& channels = ChannelsOf(*sensor, format);
  std::vector<std::string> offered;
  for (const ChannelKind channel : channels) offered.emplace_back(ToText(channel));
  const std::string owner = sensor->channels_of.empty() ? Named(*sensor) : StrCat("format \"", format, "\"");
  return ParseChannelKind(ReadChoice(section, "channel", owner, offered, fault)).value_or(channels[0]);
}

std::string ReadFormat(Section& section, const SensorInfo* sensor, FirstFault& fault) {
  if (sensor == nullptr) {
    section.Text("format", "\"nmea\"");
    return "";
  }
  if (sensor->formats.empty()) {
    if (const Value* value = section.Find("format")) {
      fault.Add(value->position, "sensor \"", sensor->name, "\" has one format; leave format out");
    }
    return "";
  }
  return ReadChoice(section, "format", Named(*sensor), {sensor->formats.begin(), sensor->formats.end()}, fault);
}

std::string ReadLoopName(Section& section, const std::vector<std::string>& loops, FirstFault& fault) {
  const auto name = section.RequiredText("loop", StrCat("\"", loops.empty() ? "flight" : loops[0], "\""));
  if (!name) return "";
  if (std::find(loops.begin(), loops.end(), *name) == loops.end()) {
    const Position at = section.Find("loop")->position;
    if (loops.empty()) {
      fault.Add(at, "loop \"", *name, "\" is missing; add a table [loop.", *name, "]");
    } else {
      fault.Add(at, "loop \"", *name, "\" is missing; ", DidYouMean(*name, loops));
    }
  }
  return *name;
}

// Who receives it: a loop of ours, or a program at an endpoint.
void ReadReceiver(Section& section, const std::vector<std::string>& loops, bool timer, StreamPlan& stream,
                  FirstFault& fault) {
  constexpr std::string_view kExternal = "external", kLoop = "loop";
  const auto receiver = section.Text("receiver", "\"external\"");
  if (receiver && *receiver != kExternal && *receiver != kLoop) {
    fault.Add(section.Find("receiver")->position, "unknown receiver \"", *receiver, "\"; ",
              DidYouMean(*receiver, {std::string(kExternal), std::string(kLoop)}));
  }
  if (receiver != kExternal) {
    stream.loop = ReadLoopName(section, loops, fault);
    for (const std::string_view key : {"endpoint", "answers"}) {
      const Value* const value = section.Find(key);
      if (value == nullptr) continue;
      fault.Add(value->position, key,
                " is for an external receiver; write receiver = \"external\" and no loop, or leave ", "it out");
    }
    return;
  }
  if (timer) {
    fault.Add(section.Find("receiver")->position, "a timer stream sends nothing to a receiver; leave receiver out");
  }
  for (const std::string_view key : {"loop", "break"}) {
    const Value* const value = section.Find(key);
    if (value == nullptr) continue;
    fault.Add(value->position, key,
              " is for streams that a loop receives; leave it out where the receiver is external");
  }
  if (timer) {
    for (const std::string_view key : {"endpoint", "answers"}) section.Find(key);  // known, beside what is wrong
    return;
  }
  section.Require("endpoint", "\"udp:127.0.0.1:5000\"");
  stream.answers = section.Quantity("answers", "\"udp:127.0.0.1:6000\"", ParseAnswers);
  stream.endpoint = section.Quantity("endpoint", "\"udp:127.0.0.1:5000\"", ParseEndpoint);
  if (!stream.endpoint) return;
  if (auto carried = CheckCarries(*stream.endpoint, stream.channel); !carried) {
    fault.Add(section.Find("endpoint")->position, carried.error().message);
  }
  if (!stream.answers) return;
  if (auto read = CheckAnswers(*stream.answers, *stream.endpoint); !read) {
    fault.Add(section.Find("answers")->position, read.error().message);
  }
}

// After all that says what may not be lossless.
Pace ReadPace(Section& section, const StreamPlan& stream, FirstFault& fault) {
  constexpr std::string_view kInstead = "; write pace = \"real-time\", or leave it out";
  const auto written = section.Text("pace", "\"lossless\"");
  if (!written) return Pace::kRealTime;
  const Position at = section.Find("pace")->position;
  const auto pace = ParsePace(*written);
  if (!pace) {
    std::vector<std::string> known;
    for (const Pace each : {Pace::kRealTime, Pace::kLossless}) known.emplace_back(ToText(each));
    fault.Add(at, "unknown pace \"", *written, "\"; ", DidYouMean(*written, known));
  }
  if (pace != Pace::kLossless) return Pace::kRealTime;
  if (stream.channel == ChannelKind::kTimer) {
    fault.Add(at, "a timer stream sends nothing that could wait", kInstead);
  } else if (stream.endpoint ? !HasBackPressure(*stream.endpoint) : !HasBackPressure(stream.channel)) {
    const std::string where = stream.endpoint ? ToText(*stream.endpoint) : StrCat("channel ", ToText(stream.channel));
    fault.Add(at, where, " loses frames without telling, so a stream through it cannot be lossless; choose another ",
              stream.endpoint ? "endpoint" : "channel", ", or leave pace out");
  }
  for (const FaultPlan& each : stream.faults) {
    if (!InfoOf(each.kind).holds_back) continue;
    fault.Add(at, "fault ", ToText(each.kind), " holds frames back, and those of a lossless stream go as soon as they ",
              "can; leave out that fault, or pace");
    break;
  }
  return Pace::kLossless;
}

}  // namespace

std::optional<Nanos> ReadBreakAbove(Section& section, FirstFault& fault) {
  const auto above = section.Quantity("break", "\"500us\"", ParseDuration);
  if (above == Nanos(0)) {
    fault.Add(section.Find("break")->position, "break is zero, and every sample is later; write one such as \"500us\"");
  }
  return above;
}

double ReadShare(const Value& value, std::string_view key, FirstFault& fault) {
  double share = 0;
  if (value.kind == Value::Kind::kText) {
    const auto parsed = ParseShare(value.text);
    if (!parsed) fault.Add(value.position, parsed.error().message);
    return parsed.value_or(0);
  }
  if (value.kind == Value::Kind::kWhole) {
    share = static_cast<double>(value.whole);
  } else if (value.kind == Value::Kind::kNumber) {
    share = value.number;
  } else {
    AsText(value, key, "\"1%\", or a number such as 0.01", fault);
  }
  if (share >= 0 && share <= 1) return share;
  fault.Add(value.position, key, " ", share, " is not from 0 to 1; write one such as 0.01 or \"1%\"");
  return 0;
}

StreamPlan ReadStream(const Entry& table, const std::vector<std::string>& loops, const Vocabulary& vocabulary,
                      FirstFault& fault) {
  Section section(table.value, "stream." + table.key, fault);
  const SensorInfo* sensor = ReadSensor(section, vocabulary, fault);
  StreamPlan stream;
  stream.name = table.key;
  if (sensor != nullptr) stream.sensor = sensor->name;
  const bool recorded = sensor != nullptr && sensor->read_recording;
  if (recorded) {
    RefuseRateAndBatch(section, fault);
    stream.rate = sensor->default_rate;
  } else {
    stream.rate = ReadRate(section, sensor, fault);
  }
  stream.format = ReadFormat(section, sensor, fault);
  stream.channel = ReadChannel(section, sensor, stream.format, fault);
  const bool timer = sensor != nullptr && stream.channel == ChannelKind::kTimer;
  ReadReceiver(section, loops, timer, stream, fault);
  stream.break_above = ReadBreakAbove(section, fault);
  stream.clock = ReadClock(section, timer, fault);
  if (recorded) {
    ReadRecording(section, *sensor, stream, fault);
  } else if (sensor != nullptr) {
    stream.batch = ReadBatch(section, *sensor, stream.rate, fault);
  }
  // What is wrong with faults is told also where the rate is not known.
  const Rate frames = stream.rate.millihertz > 0 ? FrameRate(stream) : Rate::Hertz(1000);
  stream.faults = ReadFaults(section, timer, sensor, frames, fault);
  if (stream.answers && !stream.faults.empty()) {
    fault.Add(section.Find("answers")->position, "answers belong to frames by their order, which a fault may spoil; ",
              "leave out answers, or fault");
  }
  if (sensor != nullptr) stream.pace = ReadPace(section, stream, fault);
  // Without the sensor, there is no telling its parameters from mistyped keys.
  if (sensor == nullptr) return stream;
  if (!recorded) stream.parameters = ReadParameters(section, sensor->parameters, fault);
  if (sensor->pattern && !fault.found()) {
    const auto pattern = sensor->pattern(stream);
    if (!pattern) fault.Add(section.position(), "stream ", stream.name, ": ", pattern.error().message);
    stream.pattern = pattern.value_or(std::vector<Nanos>());
  }
  section.RejectUnknownKeys();
  return stream;
}

}  // namespace corerig
