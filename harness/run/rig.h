// What is linked into this rig: its sensors and workloads. tools/corerig/main.cc has corerig's own; a user's main.cc
// adds theirs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/child/workload.h"
#include "harness/plan/vocabulary.h"
#include "harness/stream/sensor.h"

namespace corerig {

struct Rig {
  std::span<const SensorType> sensors;
  std::span<const WorkloadType> workloads;
  // Below which /proc/self/cgroup and the mounted control groups are looked for; tests hand in one that has none.
  std::string cgroup_root = {};
};

// The same as functions: a child process makes only the table that it needs, for it is to be ready soon.
struct RigTables {
  std::vector<SensorType> (*sensors)() = [] { return std::vector<SensorType>(); };
  std::vector<WorkloadType> (*workloads)() = [] { return std::vector<WorkloadType>(); };
  std::string cgroup_root = {};
};

// What a scenario may name in this rig.
Vocabulary VocabularyOf(const Rig& rig);

// What worker `index` of a group is to do.
WorkerJob JobOf(const WorkerPlan& group, int index, std::uint64_t seed, Shard shard = {});

const WorkloadType* FindWorkload(const Rig& rig, std::string_view name);
const SensorType* FindSensor(const Rig& rig, std::string_view name);

// The main function of a child process if argv says that this process is one (keeper, source, handler, worker): its
// exit status. Nothing if it is not, which is the user's own call.
std::optional<int> ChildMain(const RigTables& tables, int argc, char** argv);

}  // namespace corerig
