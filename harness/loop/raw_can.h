// A raw socket on a CAN interface: one struct can_frame is one message (kernel: Documentation/networking/can.rst).
//
//   auto bus = OpenRawCan("vcan0", CanSide::kSends);
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/os/fd.h"

namespace corerig {

enum class CanSide {
  kSends,     // takes nothing from the bus: what others send would only fill its buffer
  kReceives,  // all data frames of others, and those of other sockets of this machine
};

// Non-blocking, closes on exec, bound to the interface. The error is what is missing ("this kernel has no CAN (…)",
// "there is no interface vcan0", "interface vcan0 is down", "interface lo is no CAN bus"), and behind a semicolon what
// to do: the commands for root, where there are any.
Result<Fd> OpenRawCan(const std::string& interface, CanSide side);

}  // namespace corerig
