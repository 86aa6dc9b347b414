#include "harness/run/rig.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "harness/child/command.h"
#include "harness/child/command_child.h"
#include "harness/child/keeper.h"
#include "harness/child/part_marker.h"
#include "harness/child/worker_child.h"
#include "harness/child/worker_threads.h"
#include "harness/child/zygote.h"
#include "harness/os/line_pattern.h"
#include "harness/stream/handler.h"
#include "harness/stream/source.h"

namespace corerig {
namespace {

// The user's own program: a workload of every rig.
WorkloadInfo ExecWorkload() {
  using Kind = ParameterInfo::Kind;
  return {
      .name = "exec",
      .about = "Your own program, pinned, measured with all it starts",
      .unit = "line of its output that matches units_pattern",
      .parameters = {{"command", Kind::kWord, "required", "[\"./prog\", \"--flag\"]; never through a shell"},
                     {"env", Kind::kWord, "{}", "{ KEY = \"value\" }, on top of corerig's own environment"},
                     {"workdir", Kind::kWord, "here", "where it runs, and where the path of the program is seen from"},
                     {"units_pattern", Kind::kWord, "none", "a regular expression as grep -E takes it"},
                     {"until", Kind::kWord, "window", "\"window\": SIGTERM ends it; \"exit\": it ends by itself"}},
      .check = {},
      .command = CommandChecks{.workdir = CheckWorkdir,
                               .program = [](const CommandPlan& command) -> Status {
                                 const auto found = FindProgram(command, command.workdir);
                                 if (!found) return Forward(found);
                                 return {};
                               },
                               .units_pattern = [](const CommandPlan& command) -> Status {
                                 const auto compiled = LinePattern::Compile(command.units_pattern);
                                 if (!compiled) return Forward(compiled);
                                 return {};
                               }}};
}

}  // namespace

Vocabulary VocabularyOf(const Rig& rig) {
  Vocabulary vocabulary;
  for (const auto& sensor : rig.sensors) vocabulary.sensors.push_back(sensor.info);
  for (const auto& workload : rig.workloads) {
    WorkloadInfo info = workload.info;
    info.shardable = workload.conclude != nullptr;
    // What the workload would refuse in every worker is refused before anything starts.
    info.check = [make = workload.make, load = workload.load](const WorkerPlan& group) -> Status {
      const WorkerJob job = JobOf(group, /*index=*/0, /*seed=*/0);
      std::unique_ptr<WorkloadInput> input;
      if (load != nullptr) {
        auto loaded = load(job);
        if (!loaded) return Forward(loaded);
        input = std::move(*loaded);
      }
      const auto made = make(job, {.input = input.get()});
      if (!made) return Forward(made);
      return {};
    };
    vocabulary.workloads.push_back(std::move(info));
  }
  vocabulary.workloads.push_back(ExecWorkload());
  return vocabulary;
}

WorkerJob JobOf(const WorkerPlan& group, int index, std::uint64_t seed, Shard shard) {
  return {.group = group.name,
          .index = index,
          .workers = static_cast<int>(group.cores.size()),
          .seed = seed,
          .units = group.units,
          .parameters = group.parameters,
          .shard = shard.index,
          .shards = shard.count};
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

[[gnu::hot]] std::optional<int> ChildMain(const RigTables& tables, int argc, char** argv) {
  if (argc < 2) return std::nullopt;
  const std::string_view verb = argv[1];
  if (verb == kKeeperVerb) return KeeperMain(argc, argv);
  constexpr std::string_view kParts[] = {kSourceVerb,  kHandlerVerb, kWorkerVerb,
                                         kCommandVerb, kThreadsVerb, kZygoteVerb};
  // In the user's own call argv[2] is a file, the process keeps its name, and descriptor 6 is the caller's.
  if (std::find(std::begin(kParts), std::end(kParts), verb) == std::end(kParts)) return std::nullopt;
  if (argc > 2) MarkPart(argv[2]);
  if (verb == kSourceVerb) return SourceMain(tables.sensors());
  if (verb == kHandlerVerb) return HandlerMain(tables.sensors());
  if (verb == kWorkerVerb) return WorkerMain(tables.workloads());
  if (verb == kThreadsVerb) return ThreadsMain(tables.workloads());
  if (verb == kZygoteVerb) return ZygoteMain(tables.workloads());
  return CommandMain();
}

}  // namespace corerig
