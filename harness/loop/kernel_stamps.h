// The kernel's receive stamps of one channel (CLOCK_REALTIME) as instants of CLOCK_MONOTONIC.
//
// A stamp is only good if CLOCK_REALTIME was not stepped between the stamp and the conversion. After a step nobody can
// tell which of the queued messages were stamped before it, so no stamp counts until the channel has been seen empty.
#pragma once

#include <cstdint>
#include <optional>

#include "harness/base/units.h"
#include "harness/os/clock.h"

namespace corerig {

class KernelStamps {
 public:
  explicit KernelStamps(const RealtimeConverter& converter) : converter_(converter) {}

  // Looks for a step. To be called between receiving a message and converting its stamp, at least once per burst.
  void Check(const OffsetBracket& now) {
    if (!converter_.Check(now)) discarding_ = true;
  }

  std::optional<Nanos> Convert(Nanos realtime) {
    if (!discarding_) return converter_.ToMonotonic(realtime);
    ++discarded_;
    return std::nullopt;
  }

  // All messages received from now on will be stamped after the last Check.
  void ChannelIsEmpty() { discarding_ = false; }

  bool discarding() const { return discarding_; }
  std::uint64_t discarded() const { return discarded_; }

 private:
  RealtimeConverter converter_;
  bool discarding_ = false;
  std::uint64_t discarded_ = 0;
};

}  // namespace corerig
