#include "harness/child/worker_job.h"

#include <nlohmann/json.hpp>

namespace corerig {
namespace {

using json = nlohmann::ordered_json;  // parameters keep their order

json ToJson(const WorkerJob& job, std::string_view workload) {
  json out = {{"workload", workload}, {"group", job.group},           {"index", job.index}, {"workers", job.workers},
              {"seed", job.seed},     {"parameters", json::object()}, {"shard", job.shard}, {"shards", job.shards}};
  if (job.units) out["units"] = *job.units;
  for (const Parameter& parameter : job.parameters) out["parameters"][parameter.name] = parameter.value;
  return out;
}

// Throws json::exception.
Result<NamedWorkerJob> FromJson(const json& in) {
  NamedWorkerJob named;
  named.workload = in.at("workload").get<std::string>();
  WorkerJob& job = named.job;
  job.group = in.at("group").get<std::string>();
  job.index = in.at("index").get<int>();
  job.workers = in.at("workers").get<int>();
  job.seed = in.at("seed").get<std::uint64_t>();
  if (in.contains("units")) job.units = in.at("units").get<std::uint64_t>();
  for (const auto& [name, value] : in.at("parameters").items()) {
    job.parameters.push_back({name, value.get<std::string>()});
  }
  if (job.workers < 1 || job.index < 0 || job.index >= job.workers) {
    return Fail("worker job: index ", job.index, " of ", job.workers, " workers; 0 to workers - 1 was expected");
  }
  job.shard = in.at("shard").get<int>();
  job.shards = in.at("shards").get<int>();
  if (job.shards < 1 || job.shard < 0 || job.shard >= job.shards) {
    return Fail("worker job: shard ", job.shard, " of ", job.shards, "; 0 to shards - 1 was expected");
  }
  return named;
}

}  // namespace

std::string WriteWorkerJob(const WorkerJob& job, std::string_view workload) { return ToJson(job, workload).dump(); }

Result<NamedWorkerJob> ReadWorkerJob(std::string_view text) {
  try {
    return FromJson(json::parse(text));
  } catch (const json::exception& error) {
    return Fail("worker job: ", error.what());
  }
}

std::string WriteThreadGroupJob(const ThreadGroupJob& group) {
  json cores = json::array();
  for (const auto& each : group.cores) {
    cores.push_back(json::array());
    for (const CpuId core : each) cores.back().push_back(core.value);
  }
  const json out = {
      {"first", ToJson(group.first.job, group.first.workload)}, {"cores", cores}, {"policy", ToText(group.policy)}};
  return out.dump();
}

Result<ThreadGroupJob> ReadThreadGroupJob(std::string_view text) {
  try {
    const json in = json::parse(text);
    auto first = FromJson(in.at("first"));
    if (!first) return Forward(first);
    ThreadGroupJob group;
    group.first = std::move(*first);
    for (const auto& each : in.at("cores")) {
      std::vector<CpuId>& cores = group.cores.emplace_back();
      for (const auto& core : each) cores.push_back({core.get<int>()});
    }
    const auto policy = ParsePolicy(in.at("policy").get<std::string>());
    if (!policy || group.cores.size() != static_cast<std::size_t>(group.first.job.workers)) {
      return Fail("worker job: a policy, and cores for each of ", group.first.job.workers, " workers, were expected");
    }
    group.policy = *policy;
    return group;
  } catch (const json::exception& error) {
    return Fail("worker job: ", error.what());
  }
}

}  // namespace corerig
