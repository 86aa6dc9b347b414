#include "sensors/mavlink.h"

#include <algorithm>
#include <array>

#include "sensors/byte_order.h"
#include "sensors/recording.h"

namespace corerig {
namespace {

struct Extra {
  std::uint32_t id;
  std::uint8_t extra;
};

// By id. Each was computed from the message's definition, as the guide says.
constexpr Extra kExtras[] = {
    {0, 50},     // HEARTBEAT
    {1, 124},    // SYS_STATUS
    {2, 137},    // SYSTEM_TIME
    {4, 237},    // PING
    {20, 214},   // PARAM_REQUEST_READ
    {21, 159},   // PARAM_REQUEST_LIST
    {22, 220},   // PARAM_VALUE
    {23, 168},   // PARAM_SET
    {24, 24},    // GPS_RAW_INT
    {25, 23},    // GPS_STATUS
    {26, 170},   // SCALED_IMU
    {27, 144},   // RAW_IMU
    {28, 67},    // RAW_PRESSURE
    {29, 115},   // SCALED_PRESSURE
    {30, 39},    // ATTITUDE
    {31, 246},   // ATTITUDE_QUATERNION
    {32, 185},   // LOCAL_POSITION_NED
    {33, 104},   // GLOBAL_POSITION_INT
    {35, 244},   // RC_CHANNELS_RAW
    {36, 222},   // SERVO_OUTPUT_RAW
    {39, 254},   // MISSION_ITEM
    {40, 230},   // MISSION_REQUEST
    {42, 28},    // MISSION_CURRENT
    {44, 221},   // MISSION_COUNT
    {46, 11},    // MISSION_ITEM_REACHED
    {47, 153},   // MISSION_ACK
    {49, 39},    // GPS_GLOBAL_ORIGIN
    {62, 183},   // NAV_CONTROLLER_OUTPUT
    {65, 118},   // RC_CHANNELS
    {66, 148},   // REQUEST_DATA_STREAM
    {69, 243},   // MANUAL_CONTROL
    {70, 124},   // RC_CHANNELS_OVERRIDE
    {73, 38},    // MISSION_ITEM_INT
    {74, 20},    // VFR_HUD
    {75, 158},   // COMMAND_INT
    {76, 152},   // COMMAND_LONG
    {77, 143},   // COMMAND_ACK
    {82, 49},    // SET_ATTITUDE_TARGET
    {83, 22},    // ATTITUDE_TARGET
    {84, 143},   // SET_POSITION_TARGET_LOCAL_NED
    {85, 140},   // POSITION_TARGET_LOCAL_NED
    {87, 150},   // POSITION_TARGET_GLOBAL_INT
    {100, 175},  // OPTICAL_FLOW
    {105, 93},   // HIGHRES_IMU
    {106, 138},  // OPTICAL_FLOW_RAD
    {107, 108},  // HIL_SENSOR
    {111, 34},   // TIMESYNC
    {112, 174},  // CAMERA_TRIGGER
    {113, 124},  // HIL_GPS
    {115, 4},    // HIL_STATE_QUATERNION
    {116, 76},   // SCALED_IMU2
    {124, 87},   // GPS2_RAW
    {125, 203},  // POWER_STATUS
    {129, 46},   // SCALED_IMU3
    {132, 85},   // DISTANCE_SENSOR
    {137, 195},  // SCALED_PRESSURE2
    {138, 109},  // ATT_POS_MOCAP
    {141, 47},   // ALTITUDE
    {147, 154},  // BATTERY_STATUS
    {148, 178},  // AUTOPILOT_VERSION
    {230, 163},  // ESTIMATOR_STATUS
    {231, 105},  // WIND_COV
    {232, 151},  // GPS_INPUT
    {233, 35},   // GPS_RTCM_DATA
    {241, 90},   // VIBRATION
    {242, 104},  // HOME_POSITION
    {245, 130},  // EXTENDED_SYS_STATE
    {246, 184},  // ADSB_VEHICLE
    {253, 83},   // STATUSTEXT
    {330, 23},   // OBSTACLE_DISTANCE
    {331, 91},   // ODOMETRY
};

// What is wrong with the front of a datagram, or the size of the message there.
struct Look {
  std::size_t size = 0;
  std::string_view fault = {};
};

Look LookAtFront(std::span<const std::byte> bytes) {
  constexpr std::byte kVersion1{0xFE}, kVersion2{0xFD};
  constexpr std::uint8_t kSigned = 1;
  constexpr std::size_t kCrc = 2, kSignature = 13;
  const bool second = bytes[0] == kVersion2;
  if (!second && bytes[0] != kVersion1) return {.fault = "is no MAVLink message: it begins with neither FE nor FD"};
  const std::size_t header = second ? 10 : 6;
  if (bytes.size() < header) return {.fault = "ends within a message's header"};
  const auto flags = second ? std::to_integer<std::uint8_t>(bytes[2]) : std::uint8_t{0};
  if ((flags & ~kSigned) != 0) return {.fault = "has a message with an unknown incompatible flag"};
  const std::size_t crc_at = header + std::to_integer<std::size_t>(bytes[1]);
  const std::size_t size = crc_at + kCrc + ((flags & kSigned) != 0 ? kSignature : 0);
  if (bytes.size() < size) return {.fault = "ends within a message"};
  const auto id = static_cast<std::uint32_t>(second ? LittleEndian(bytes, 7, 3) : LittleEndian(bytes, 5, 1));
  if (const auto extra = MavlinkCrcExtra(id)) {
    const std::byte last[] = {std::byte{*extra}};
    const std::uint16_t crc = MavlinkCrc(last, MavlinkCrc(bytes.subspan(1, crc_at - 1)));
    if (LittleEndian(bytes, crc_at, kCrc) != crc) return {.fault = "has a message with a wrong CRC"};
  }
  return {.size = size};
}

// Why it is not whole messages; "" if it is.
std::string_view FaultOf(std::span<const std::byte> datagram) {
  if (datagram.empty()) return "is empty";
  while (!datagram.empty()) {
    const Look look = LookAtFront(datagram);
    if (!look.fault.empty()) return look.fault;
    datagram = datagram.subspan(look.size);
  }
  return {};
}

class MavlinkDecoder final : public Decoder {
 public:
  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    if (bytes.empty()) return;
    const std::uint64_t end = offset + bytes.size();
    if (!FaultOf(bytes).empty()) return sink.OnCorrupt(offset, end);
    sink.OnFrame({.wire_key = KeyOfBytes(bytes), .value = 0, .begin = offset, .end = end});
  }
};

}  // namespace

std::optional<std::uint8_t> MavlinkCrcExtra(std::uint32_t id) {
  const auto at = std::lower_bound(std::begin(kExtras), std::end(kExtras), id,
                                   [](const Extra& known, std::uint32_t wanted) { return known.id < wanted; });
  if (at == std::end(kExtras) || at->id != id) return std::nullopt;
  return at->extra;
}

std::uint16_t MavlinkCrc(std::span<const std::byte> bytes, std::uint16_t crc) {
  static constexpr auto kTable = [] {
    std::array<std::uint16_t, 256> table{};
    for (unsigned i = 0; i < 256; ++i) {
      unsigned value = i;
      for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0x8408u : 0u);
      table[i] = static_cast<std::uint16_t>(value);
    }
    return table;
  }();
  for (const std::byte byte : bytes) {
    crc = static_cast<std::uint16_t>(crc >> 8 ^ kTable[(crc ^ std::to_integer<unsigned>(byte)) & 0xFF]);
  }
  return crc;
}

Status CheckMavlink(std::span<const std::byte> datagram) {
  const std::string_view fault = FaultOf(datagram);
  if (fault.empty()) return {};
  return Fail("the datagram ", fault, "; select MAVLink's by port, or play it as format = \"pcap\"");
}

std::unique_ptr<Decoder> MakeMavlinkDecoder() { return std::make_unique<MavlinkDecoder>(); }

}  // namespace corerig
