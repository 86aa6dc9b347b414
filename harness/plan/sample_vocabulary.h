// Sensors and workloads for the tests of this package: the real ones' names and limits, so that messages read as in
// use, and some that no real one has.
#pragma once

#include <chrono>
#include <initializer_list>

#include "harness/base/quantity.h"
#include "harness/plan/parameter.h"
#include "harness/plan/scenario.h"
#include "harness/plan/vocabulary.h"

namespace corerig {

inline Vocabulary SampleVocabulary() {
  using Kind = ParameterInfo::Kind;
  return {.sensors = {{.name = "tick",
                       .about = "the loop's own timer",
                       .default_rate = Rate::Hertz(1000),
                       .highest_rate = Rate::Hertz(10'000),
                       .channels = {ChannelKind::kTimer},
                       .formats = {}},
                      {.name = "icm42688p",
                       .about = "inertial sensor",
                       .default_rate = Rate::Hertz(1000),
                       .highest_rate = Rate::Hertz(8000),
                       .channels = {ChannelKind::kSeqpacket, ChannelKind::kUdp},
                       .formats = {},
                       .batching = {.most = 16, .frames = Rate::Hertz(1000)},
                       .parameters = {{"noise", Kind::kNotNegative, "1", "times that of the data sheet"}},
                       .falsifiable = true},
                      {.name = "zed-f9p",
                       .about = "satellite navigation",
                       .default_rate = Rate::Hertz(10),
                       .highest_rate = Rate::Hertz(20),
                       .channels = {ChannelKind::kPty},
                       .formats = {"ubx", "nmea"}},
                      {.name = "vlp16",
                       .about = "lidar",
                       .default_rate = Rate::Hertz(754),
                       .highest_rate = Rate::Hertz(754),
                       .channels = {ChannelKind::kUdp},
                       .formats = {}}},
          .workloads = {{.name = "montecarlo/option",
                         .about = "prices an option",
                         .unit = "block of 16384 paths",
                         .parameters = {{"strike", Kind::kPositiveNumber, "105", "price"},
                                        {"interest", Kind::kNumber, "0.05", "per year"},
                                        {"assets", Kind::kWholeNumber, "1", "how many"},
                                        {"kind", Kind::kWord, "call", "\"call\" or \"put\""}}},
                        {.name = "load/sample",
                         .about = "does nothing",
                         .unit = "job",
                         .parameters = {{"period", Kind::kDuration, "1ms", "between jobs"},
                                        {"footprint", Kind::kSize, "8MiB", "of memory"},
                                        {"missed", Kind::kShare, "1", "of jobs"}},
                         .check = [](const WorkerPlan& group) -> Status {
                           const Nanos period = DurationOf(group.parameters, "period");
                           if (period > std::chrono::hours(1)) return Fail("period is ", ToText(period));
                           if (group.units && *group.units > 1000) return Fail("units are too many");
                           if (SizeOf(group.parameters, "footprint").count == 0) return Fail("this sample is empty");
                           return {};
                         }},
                        {.name = "exec",
                         .about = "your own program",
                         .unit = "line",
                         .parameters = {},
                         .check = {},
                         // Stand-ins for what only a machine can tell.
                         .command = CommandChecks{.workdir = [](const CommandPlan& command) -> Status {
                                                    if (command.workdir == "gone") return Fail("no folder gone");
                                                    return {};
                                                  },
                                                  .program = [](const CommandPlan& command) -> Status {
                                                    if (command.argv[0] == "./gone") return Fail("no program ./gone");
                                                    return {};
                                                  },
                                                  .units_pattern = [](const CommandPlan& command) -> Status {
                                                    if (command.units_pattern == "(") return Fail("no pattern (");
                                                    return {};
                                                  }}},
                        {.name = "train/mlp", .about = "trains", .unit = "epoch", .parameters = {}}}};
}

inline Board BoardOf(std::initializer_list<int> cores) {
  Board board;
  for (const int core : cores) board.cores.push_back({core});
  return board;
}

// The scenario of DESIGN.md.
inline constexpr char kDrone[] = R"(name = "drone"
about = "Flight sensors on core 0 while core 1 prices options by Monte Carlo"
duration = "20s"
warmup = "1s"
seed = 42

[source]
cores = [0]
policy = "fifo:90"

[loop.flight]
cores = [0]
policy = "fifo:80"

[stream.imu]
sensor = "icm42688p"
rate = "1kHz"
channel = "seqpacket"
loop = "flight"

[stream.gnss]
sensor = "zed-f9p"
format = "nmea"
rate = "10Hz"
channel = "pty"
loop = "flight"
fault = [{ kind = "drop", share = 0.01 }]

[stream.lidar]
sensor = "vlp16"
channel = "udp"
loop = "flight"

[worker.price]
workload = "montecarlo/option"
cores = "rest"                         # one worker per core that no loop and no source uses
as = "spawn"                           # or "fork", "thread"

[budget]
limits = [
  "stream.imu.latency.p99 < 500us",
  "stream.imu.lost == 0",
  "worker.price.*.uss.max < 24MiB",
]
)";

}  // namespace corerig
