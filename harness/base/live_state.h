// What a run looks like from one moment to the next: for the display while it goes on, never for the report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/units.h"

namespace corerig {

struct LiveStream {
  std::string name;
  double rate = 0;                      // samples per second, since the last state
  std::optional<Nanos> latency;         // of the latest sample
  std::uint64_t received = 0;           // warm-up included
  std::uint64_t lost = 0, corrupt = 0;  // in the window
  // Bytes sent and not read so far; on a channel that loses, what it has lost too.
  std::optional<std::uint64_t> queued = {};
};

struct LiveWorker {
  std::string name;                    // "price.0"
  int core = 0;                        // -1: it floats over several
  std::string state;                   // "starting", "running", "finished", or how it ended
  std::optional<std::uint64_t> units;  // absent: nobody counts them
  std::uint64_t units_planned = 0;     // 0: as many as the time allows
  double rate = 0;                     // units per second, since the last state
  std::optional<std::uint64_t> uss;    // the latest sample
};

struct LiveCore {
  int cpu = 0;
  double worker = 0, loop = 0, source = 0, rig = 0;  // shares, since the last state
};

struct LiveState {
  Nanos at{0};             // CLOCK_MONOTONIC
  std::string_view phase;  // "starting" "warm-up" "measuring" "draining"
  Nanos elapsed{0};        // since the common start
  Nanos total{0};          // warm-up, window and drain
  std::vector<LiveStream> streams;
  std::vector<LiveWorker> workers;
  std::vector<LiveCore> cores;
};

}  // namespace corerig
