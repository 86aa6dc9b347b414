// Whatever the user has recorded, played into the channel that the live sensor would use, as it came or faster.
//
//   [stream.bus]
//   sensor = "recorded"
//   format = "candump"        sensors/candump_log.h   → can
//            "nmea"           sensors/nmea_log.h      → pty, tcp, stream
//            "pcap"           sensors/pcap_file.h     → udp
//            "imu-csv"        sensors/imu_csv.h       → seqpacket
//            "mavlink"        sensors/mavlink.h       → udp: a capture whose datagrams are MAVLink
//   file = "drive.log"
//
// The recording is a cycle that is played over and over (sensors/recording.h). Frames are sent byte for byte as they
// were recorded, so that a receiver meets the stamps and counters of the recording again in every cycle; but for
// imu-csv, which has no bytes of its own.
//
// On all wires but imu-csv's a frame is known by its bytes alone. Samples of the same bytes are told apart by when they
// came, and where that leaves a choice it makes no difference.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType Recorded();

}  // namespace corerig
