// Keeps the CPUs of this board out of idle states that take long to leave, as cyclictest does.
//
//   auto hold = DmaLatencyHold::Hold(Nanos(0));  // until it goes out of scope
//   if (!hold) warn(hold.error().message);
//
// An idle CPU sleeps as deeply as the latency limit permits, and deep sleep costs tens of microseconds at wake-up.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/os/fd.h"

namespace corerig {

class DmaLatencyHold {
 public:
  // The limit holds for the whole machine as long as the object lives. Fails if the device is missing or may not be
  // written; the message says what would be right. `latency` is rounded down to a microsecond.
  static Result<DmaLatencyHold> Hold(Nanos latency, const std::string& device = "/dev/cpu_dma_latency");

 private:
  explicit DmaLatencyHold(Fd device) : device_(std::move(device)) {}

  Fd device_;  // the kernel drops the limit when it is closed
};

}  // namespace corerig
