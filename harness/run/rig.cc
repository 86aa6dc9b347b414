#include "harness/run/rig.h"

#include <string_view>
#include <utility>

#include "harness/child/keeper.h"
#include "harness/child/part_marker.h"
#include "harness/child/worker_child.h"
#include "harness/stream/handler.h"
#include "harness/stream/source.h"

namespace corerig {

Vocabulary VocabularyOf(const Rig& rig) {
  Vocabulary vocabulary;
  for (const auto& sensor : rig.sensors) vocabulary.sensors.push_back(sensor.info);
  for (const auto& workload : rig.workloads) {
    WorkloadInfo info = workload.info;
    // What the workload would refuse in every worker is refused before anything starts.
    info.check = [make = workload.make](const WorkerPlan& group) -> Status {
      const auto made = make(JobOf(group, /*index=*/0, /*seed=*/0));
      if (!made) return Forward(made);
      return {};
    };
    vocabulary.workloads.push_back(std::move(info));
  }
  return vocabulary;
}

WorkerJob JobOf(const WorkerPlan& group, int index, std::uint64_t seed) {
  return {.group = group.name,
          .index = index,
          .workers = static_cast<int>(group.cores.size()),
          .seed = seed,
          .units = group.units,
          .parameters = group.parameters};
}

const WorkloadType* FindWorkload(const Rig& rig, std::string_view name) {
  for (const auto& workload : rig.workloads) {
    if (workload.info.name == name) return &workload;
  }
  return nullptr;
}

const SensorType* FindSensor(const Rig& rig, std::string_view name) {
  for (const auto& sensor : rig.sensors) {
    if (sensor.info.name == name) return &sensor;
  }
  return nullptr;
}

std::optional<int> ChildMain(const Rig& rig, int argc, char** argv) {
  if (argc < 2) return std::nullopt;
  const std::string_view verb = argv[1];
  if (verb == kKeeperVerb) return KeeperMain(argc, argv);
  if (argc > 2) MarkPart(argv[2]);
  if (verb == kSourceVerb) return SourceMain(rig.sensors);
  if (verb == kHandlerVerb) return HandlerMain(rig.sensors);
  if (verb == kWorkerVerb) return WorkerMain(rig.workloads);
  return std::nullopt;
}

}  // namespace corerig
