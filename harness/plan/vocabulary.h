// What a scenario may name: the sensors and workloads linked into this rig, as far as reading a scenario needs to know
// them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/plan/plan.h"

namespace corerig {

struct ParameterInfo {
  // A duration ("200us") and a size ("8MiB") are asked for by DurationOf and SizeOf (parameter.h); a share, which may
  // be written "1%" as well as 0.01, by NumberOf.
  enum class Kind { kNumber, kNotNegative, kPositiveNumber, kWholeNumber, kWord, kPath, kDuration, kSize, kShare };
  std::string_view name;  // "strike"
  Kind kind;
  std::string_view default_value;  // a share as a number: "0.01"
  std::string_view about;
};

// How many samples a part sends in one frame: what its FIFO holds, and by default as many as keep the frames at or
// below `frames` per second. A part whose frames always hold the same number has it as `least` and `most`.
struct Batching {
  std::uint32_t most = 1;
  Rate frames = {};
  std::uint32_t least = 1;
};

struct SensorInfo {
  std::string_view name;   // "icm42688p"
  std::string_view about;  // one line for `corerig list`
  Rate default_rate;       // of samples
  Rate highest_rate;
  std::vector<ChannelKind> channels;      // the first is the default
  std::vector<std::string_view> formats;  // the first is the default; empty: one format, no name
  Batching batching = {};
  std::vector<ParameterInfo> parameters = {};  // its own, besides the keys that every stream has
  // Makes StreamPlan::pattern of a stream that is read but for it; empty: frames are evenly spaced. Fails if rate and
  // parameters, each right by itself, cannot be had together.
  std::function<Result<std::vector<Nanos>>(const StreamPlan&)> pattern = {};
  // Where a format has not all of `channels`: those of each format, the first one its default.
  std::vector<std::pair<std::string_view, std::vector<ChannelKind>>> channels_of = {};
  // Present: it plays a recording, named by its parameter `file`. Reads that, and fills in what the file tells of a
  // stream that is read but for it: rate, pattern, recording, and parameters that say which file it was. A stream of it
  // takes neither `rate` nor `batch`.
  std::function<Status(StreamPlan&)> read_recording = {};
  bool falsifiable = false;  // its model serves SensorModel::EncodeFalsified: faults stuck, wrong and drift
};

// What of a command only the machine it will run on can tell. Each fails with what is wrong and what would be right.
struct CommandChecks {
  std::function<Status(const CommandPlan&)> workdir, program, units_pattern;
};

// Of one format of a sensor.
inline const std::vector<ChannelKind>& ChannelsOf(const SensorInfo& sensor, std::string_view format) {
  for (const auto& [name, channels] : sensor.channels_of) {
    if (name == format) return channels;
  }
  return sensor.channels;
}

struct WorkloadInfo {
  std::string_view name;   // "montecarlo/option"
  std::string_view about;  // one line
  std::string_view unit;   // what one unit of work is: "block of 16384 paths"
  std::vector<ParameterInfo> parameters;
  bool shardable = false;  // its answer can be merged of parts of a run that were computed apart
  // Fails if units and parameters of a group, each right by itself, cannot be done together; may be empty. A message
  // that begins with a key's name ("footprint is 1KiB; write …") is shown where the scenario has that key.
  std::function<Status(const WorkerPlan&)> check = {};
  // Present: the workload is the user's own command. Its keys are read into WorkerPlan::command; `parameters` then only
  // describe them.
  std::optional<CommandChecks> command = {};
};

struct Vocabulary {
  std::vector<SensorInfo> sensors;
  std::vector<WorkloadInfo> workloads;
};

}  // namespace corerig
