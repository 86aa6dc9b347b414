// Logs of candump -l (or -L), read into CAN frames; and the check of whoever receives CAN frames.
//
// Source: can-utils, lib.h and lib.c (the compact notation of frames), candump(1). A line, of one frame:
//
//   (1436509052.249713) vcan0 123#DEADBEEF          11-bit identifier: 3 digits; 0 to 8 bytes
//   (1436509052.249714) vcan0 12345678#11.22 R      29-bit identifier: 8 digits; points may stand between bytes; a
//                                                   letter at the end tells the direction (newer versions, -x)
//   (1436509052.249715) vcan0 123#R8                remote frame, with the length it asks for or without
//   (1436509052.249716) vcan0 123#1122334455667788_E  eight bytes with a raw length code of 9 to F
//
// Error frames (20000000 and up) are what a controller reports and no bus carries: they are skipped. CAN FD frames
// (123##1…) are refused: the channel carries classic frames.
//
// A frame on the wire is a struct can_frame of 16 bytes (linux/can.h). A receiver checks its shape: size, identifier
// within its bits, no error flag, at most eight bytes, zeros in what is not used. Any damage to identifier and data
// passes; such a frame is of no known sample, unless it happens to be one that is on its way too.
#pragma once

#include <memory>
#include <string_view>

#include "harness/stream/sensor.h"
#include "sensors/recording.h"

namespace corerig {

// The frames of one interface, or of all ("any"). The error begins with the line: "7: …".
Result<Recording> ReadCandumpLog(std::string_view text, std::string_view interface);

std::unique_ptr<Decoder> MakeCanFrameDecoder();

}  // namespace corerig
