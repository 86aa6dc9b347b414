#include "sensors/can_powertrain.h"

#include <linux/can.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>

#include "harness/base/philox.h"

namespace corerig {
namespace {

constexpr std::size_t kDataBytes = 8, kSignals = 3;
constexpr int kBitsPerFrame = 135;

// What the messages tell of, at one instant.
struct Vehicle {
  double speed, acceleration;               // m/s, m/s^2
  double engine_speed, torque, pedal;       // 1/min, Nm, %
  double gear;                              // 1 to 6
  double brake;                             // bar
  double steering, steering_rate;           // degrees, degrees/s
  double yaw_rate;                          // degrees/s
  double left, right;                       // speeds of the wheels, m/s
  double coolant, oil, intake;              // degrees Celsius
  double battery, current, fuel, odometer;  // V, A, %, km
};

struct Signal {
  double Vehicle::*quantity;
  double scale, offset;
};

struct Message {
  std::uint16_t id;
  int per_cycle;     // of 20 ms: 2 or 1
  int queued_after;  // the period's begin, us
  std::array<Signal, kSignals> signals;
};

constexpr int kCycleMicros = 20'000;

// By priority. Of one control unit are those with the same `queued_after`.
constexpr Message kMessages[] = {
    {0x0A0, 2, 0, {{{&Vehicle::torque, 0.1, -500}, {&Vehicle::pedal, 0.01, 0}, {&Vehicle::gear, 1, 0}}}},
    {0x0B0, 2, 0, {{{&Vehicle::engine_speed, 0.25, 0}, {&Vehicle::torque, 0.1, -500}, {&Vehicle::intake, 0.01, -40}}}},
    {0x0C4, 2, 150, {{{&Vehicle::left, 0.002, 0}, {&Vehicle::right, 0.002, 0}, {&Vehicle::speed, 0.002, 0}}}},
    {0x0E0, 2, 150, {{{&Vehicle::brake, 0.01, 0}, {&Vehicle::acceleration, 0.001, -30}, {&Vehicle::speed, 0.002, 0}}}},
    {0x120,
     2,
     200,
     {{{&Vehicle::steering, 0.1, -780}, {&Vehicle::steering_rate, 0.1, -2000}, {&Vehicle::yaw_rate, 0.01, -300}}}},
    {0x140, 2, 500, {{{&Vehicle::gear, 1, 0}, {&Vehicle::engine_speed, 0.25, 0}, {&Vehicle::torque, 0.1, -500}}}},
    {0x1A0, 1, 0, {{{&Vehicle::pedal, 0.01, 0}, {&Vehicle::acceleration, 0.001, -30}, {&Vehicle::intake, 0.01, -40}}}},
    {0x220, 1, 150, {{{&Vehicle::yaw_rate, 0.01, -300}, {&Vehicle::left, 0.002, 0}, {&Vehicle::right, 0.002, 0}}}},
    {0x280, 1, 0, {{{&Vehicle::coolant, 0.01, -40}, {&Vehicle::oil, 0.01, -40}, {&Vehicle::intake, 0.01, -40}}}},
    {0x320, 1, 2000, {{{&Vehicle::battery, 0.001, 0}, {&Vehicle::current, 0.01, -300}, {&Vehicle::fuel, 0.01, 0}}}},
    {0x3D0, 1, 500, {{{&Vehicle::oil, 0.01, -40}, {&Vehicle::gear, 1, 0}, {&Vehicle::engine_speed, 0.25, 0}}}},
    {0x440, 1, 2000, {{{&Vehicle::odometer, 0.01, 0}, {&Vehicle::fuel, 0.01, 0}, {&Vehicle::battery, 0.001, 0}}}},
};
constexpr std::size_t kFramesPerCycle = 18;

// A drive over hills: everything follows from speed and steering.
Vehicle VehicleAt(double seconds) {
  const auto wave = [seconds](double period, double phase = 0) {
    return std::sin(2 * std::numbers::pi * seconds / period + phase);
  };
  constexpr double kTrack = 1.55, kWheelbase = 2.7, kSteeringRatio = 15;  // m
  constexpr double kMass = 1500, kWheelRadius = 0.32, kFinalDrive = 4.1;  // kg, m
  constexpr std::array<double, 6> kRatios = {3.8, 2.2, 1.5, 1.1, 0.9, 0.75};
  constexpr double kDegree = std::numbers::pi / 180;
  Vehicle v = {};
  v.speed = 18 + 9 * wave(40) + 2 * wave(11);
  v.acceleration =
      2 * std::numbers::pi * (9.0 / 40 * wave(40, std::numbers::pi / 2) + 2.0 / 11 * wave(11, std::numbers::pi / 2));
  v.gear = std::clamp(std::floor(v.speed / 6), 1.0, 6.0);
  const double ratio = kRatios[static_cast<std::size_t>(v.gear) - 1] * kFinalDrive;
  v.engine_speed = std::max(800.0, v.speed / kWheelRadius * ratio * 60 / (2 * std::numbers::pi));
  const double force = kMass * v.acceleration + 0.5 * 1.2 * 0.65 * v.speed * v.speed + 0.012 * kMass * 9.81;
  v.torque = std::clamp(force * kWheelRadius / ratio, -80.0, 320.0);
  v.pedal = std::clamp(v.torque / 3.2, 0.0, 100.0);
  v.brake = std::max(0.0, -v.acceleration - 0.5) * 25;
  v.steering = 60 * wave(17) + 8 * wave(3.7);
  v.steering_rate =
      2 * std::numbers::pi * (60.0 / 17 * wave(17, std::numbers::pi / 2) + 8.0 / 3.7 * wave(3.7, std::numbers::pi / 2));
  const double yaw = v.speed / kWheelbase * std::tan(v.steering / kSteeringRatio * kDegree);  // rad/s
  v.yaw_rate = yaw / kDegree;
  v.left = v.speed - yaw * kTrack / 2;
  v.right = v.speed + yaw * kTrack / 2;
  v.coolant = 90 - 70 * std::exp(-seconds / 300);
  v.oil = 95 - 75 * std::exp(-seconds / 500);
  v.intake = 25 + 5 * wave(120);
  v.battery = 14.1 - 0.2 * wave(23);
  v.current = 20 * wave(23);
  v.fuel = std::max(0.0, 70 - seconds / 600);
  v.odometer = 18e-3 * seconds;
  return v;
}

// A frame of the cycle, as it comes from the bus.
struct Slot {
  std::size_t message;
  std::int64_t queued;      // since the cycle's begin, ns; before it if it waited
  std::int64_t occurrence;  // of its message: in cycle n the n * per_cycle + occurrence-th
  std::int64_t sent;        // its last bit, since the cycle's begin, ns
};

// What the bus makes of what the control units queue, once it has become the same in every cycle. Fails if there is
// more than the bus carries.
Result<std::vector<Slot>> BusCycle(Rate rate, double bits_per_second) {
  const auto cycle = rate.OffsetOf(kFramesPerCycle).count();
  const auto frame = static_cast<std::int64_t>(std::ceil(kBitsPerFrame * 1e9 / bits_per_second));
  if (frame * static_cast<std::int64_t>(kFramesPerCycle) > cycle) {
    return Fail("a bus of ", bits_per_second, " bit/s carries at most ",
                static_cast<std::int64_t>(bits_per_second / kBitsPerFrame), " frames per second, of ", kBitsPerFrame,
                " bits each; lower rate, or raise bitrate");
  }
  // Three cycles of waiting frames: a bus that is not overloaded is through with the first's before the third begins.
  constexpr std::int64_t kCycles = 3;
  std::vector<Slot> waiting;
  for (std::size_t m = 0; m < std::size(kMessages); ++m) {
    const Message& message = kMessages[m];
    for (std::int64_t k = 0; k < kCycles * message.per_cycle; ++k) {
      const std::int64_t queued = cycle * k / message.per_cycle + cycle * message.queued_after / kCycleMicros;
      waiting.push_back({.message = m, .queued = queued, .occurrence = k, .sent = 0});
    }
  }
  std::vector<Slot> slots;
  for (std::int64_t now = 0; !waiting.empty();) {
    // The lowest identifier of those that wait; if none does, whoever comes next.
    const auto next = std::min_element(waiting.begin(), waiting.end(), [now](const Slot& a, const Slot& b) {
      const std::int64_t from_a = std::max(a.queued, now), from_b = std::max(b.queued, now);
      return from_a != from_b ? from_a < from_b : a.message < b.message;
    });
    now = std::max(now, next->queued) + frame;
    next->sent = now;
    constexpr std::int64_t kShown = kCycles - 1;
    if (now >= kShown * cycle && now < kCycles * cycle) {
      slots.push_back({.message = next->message,
                       .queued = next->queued - kShown * cycle,
                       .occurrence = next->occurrence - kShown * kMessages[next->message].per_cycle,
                       .sent = now - kShown * cycle});
    }
    waiting.erase(next);
  }
  return slots;
}

std::uint16_t Raw(const Signal& signal, double physical) {
  return static_cast<std::uint16_t>(std::lround(std::clamp((physical - signal.offset) / signal.scale, 0.0, 65535.0)));
}

// The check's input: the identifier, then the data behind the CRC.
std::uint8_t CrcOf(std::uint16_t id, std::span<const std::byte> data) {
  std::array<std::byte, 2 + kDataBytes - 1> covered;
  covered[0] = static_cast<std::byte>(id & 0xFF);
  covered[1] = static_cast<std::byte>(id >> 8);
  std::copy(data.begin() + 1, data.end(), covered.begin() + 2);
  return Crc8J1850(covered);
}

std::uint64_t KeyOf(std::size_t message, unsigned counter) { return message << 4 | counter; }

class Model final : public SensorModel {
 public:
  explicit Model(const SensorContext& context)
      : context_(context), slots_(*BusCycle(context.rate, NumberOf(context.parameters, "bitrate"))) {}

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    const std::uint64_t cycle = sequence / slots_.size();
    const Slot& slot = slots_[sequence % slots_.size()];
    const Message& message = kMessages[slot.message];
    const std::int64_t occurrence = static_cast<std::int64_t>(cycle) * message.per_cycle + slot.occurrence;
    const Nanos queued = context_.rate.OffsetOf(cycle * slots_.size()) + Nanos(slot.queued);
    const Vehicle vehicle = VehicleAt(static_cast<double>(queued.count()) * 1e-9);
    // Of each signal's transducer: a standard deviation of two steps of the wire's scale.
    const auto noise = RandomNormals(context_.seed, context_.stream_id, sequence);
    constexpr double kNoiseSteps = 2;

    can_frame frame = {};
    frame.can_id = message.id;
    frame.len = kDataBytes;
    const unsigned counter = static_cast<unsigned>(occurrence) & 0xF;
    frame.data[1] = static_cast<std::uint8_t>(counter);
    for (std::size_t i = 0; i < kSignals; ++i) {
      const Signal& signal = message.signals[i];
      const std::uint16_t raw = Raw(signal, vehicle.*signal.quantity + kNoiseSteps * signal.scale * noise[i]);
      frame.data[2 + 2 * i] = static_cast<std::uint8_t>(raw & 0xFF);
      frame.data[3 + 2 * i] = static_cast<std::uint8_t>(raw >> 8);
    }
    frame.data[0] = CrcOf(message.id, std::as_bytes(std::span(frame.data)));
    std::memcpy(out.data(), &frame, sizeof frame);
    const Signal& first = message.signals[0];
    return {.size = sizeof frame,
            .wire_key = KeyOf(slot.message, counter),
            .value = (vehicle.*first.quantity - first.offset) / first.scale / 65535};
  }

 private:
  const SensorContext context_;
  const std::vector<Slot> slots_;
};

class FrameDecoder final : public Decoder {
 public:
  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    const std::uint64_t end = offset + bytes.size();
    can_frame frame;
    if (bytes.size() != sizeof frame) return sink.OnCorrupt(offset, end);
    std::memcpy(&frame, bytes.data(), sizeof frame);
    const auto message = std::find_if(std::begin(kMessages), std::end(kMessages),
                                      [&](const Message& known) { return known.id == frame.can_id; });
    const auto data = std::as_bytes(std::span(frame.data));
    if (message == std::end(kMessages) || frame.len != kDataBytes || frame.data[0] != CrcOf(message->id, data) ||
        frame.data[1] > 0xF) {
      return sink.OnCorrupt(offset, end);
    }
    const double raw = frame.data[2] | frame.data[3] << 8;
    sink.OnFrame({.wire_key = KeyOf(static_cast<std::size_t>(message - std::begin(kMessages)), frame.data[1]),
                  .value = raw / 65535,
                  .begin = offset,
                  .end = end});
  }
};

}  // namespace

std::uint8_t Crc8J1850(std::span<const std::byte> bytes) {
  static constexpr auto kTable = [] {
    std::array<std::uint8_t, 256> table{};
    for (int i = 0; i < 256; ++i) {
      int crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x80) != 0 ? 0x11D : 0);
      table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(crc);
    }
    return table;
  }();
  std::uint8_t crc = 0xFF;
  for (const std::byte byte : bytes) crc = kTable[crc ^ std::to_integer<std::uint8_t>(byte)];
  return crc ^ 0xFF;
}

SensorType CanPowertrain() {
  return {
      .info = {.name = "can-powertrain",
               .about = "a car's powertrain bus: 12 messages with CRC-8 and counter, in the order of their priority",
               .default_rate = Rate::Hertz(900),
               .highest_rate = Rate::Hertz(3600),
               .channels = {ChannelKind::kCan},
               .formats = {},
               .parameters = {{"bitrate", ParameterInfo::Kind::kPositiveNumber, "500000", "of the bus, bit/s"}},
               .pattern = [](const StreamPlan& stream) -> Result<std::vector<Nanos>> {
                 const auto slots = BusCycle(stream.rate, NumberOf(stream.parameters, "bitrate"));
                 if (!slots) return Forward(slots);
                 std::vector<Nanos> pattern;
                 for (const Slot& slot : *slots) pattern.emplace_back(slot.sent);
                 return pattern;
               }},
      .max_frame_size = sizeof(can_frame),
      .value_unit = "of range",  // the message's first signal
      .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
        return std::make_unique<Model>(context);
      },
      .make_decoder = [](const SensorContext&) -> std::unique_ptr<Decoder> {
        return std::make_unique<FrameDecoder>();
      }};
}

}  // namespace corerig
