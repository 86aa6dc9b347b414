#include "scenarios/group_run.h"

#include <bit>
#include <exception>

namespace corerig {
namespace {

Result<std::unique_ptr<WorkloadInput>> Load(const WorkloadType& type, const WorkerJob& job) {
  if (type.load == nullptr) return std::unique_ptr<WorkloadInput>();
  return type.load(job);
}

}  // namespace

WorkerJob GroupRun::Job(int workers, int index) const {
  std::vector<Parameter> given;
  for (const auto& [name, value] : parameters) given.push_back({name, value});
  WorkloadGroup group(type, given, workers);
  WorkerJob& job = group.job();
  job.group = "w";
  job.index = index;
  job.seed = seed;
  if (fixed) job.units = units;
  return job;
}

Result<std::vector<std::byte>> GroupRun::ResultOf(int workers, int index) const {
  const WorkerJob job = Job(workers, index);
  const auto input = Load(type, job);
  if (!input) return Forward(input);
  const auto workload = type.make(job, {.input = input->get()});
  if (!workload) return Forward(workload);
  try {
    for (std::uint64_t unit = job.FirstUnit(); unit < units; unit += job.UnitStep()) (*workload)->RunUnit(unit);
  } catch (const std::exception& error) {
    return Fail(error.what());
  }
  std::vector<std::byte> bytes(type.result_size(job));
  bytes.resize((*workload)->WriteResult(bytes));
  return bytes;
}

Result<Answer> GroupRun::With(int workers, int missing) const {
  std::vector<std::vector<std::byte>> results;
  std::vector<WorkerResult> arrived;
  for (int index = 0; index < workers; ++index) {
    auto result = ResultOf(workers, index);
    if (!result) return Forward(result);
    results.push_back(std::move(*result));
  }
  // The last worker's comes first.
  for (int index = workers - 1; index >= 0; --index) {
    if (index != missing) arrived.push_back({index, results[static_cast<std::size_t>(index)]});
  }
  return type.merge(Job(workers), arrived);
}

std::string GroupRun::Refusal() const {
  const WorkerJob job = Job();
  const auto input = Load(type, job);
  if (!input) return input.error().message;
  const auto workload = type.make(job, {.input = input->get()});
  return workload ? "" : workload.error().message;
}

std::vector<std::uint64_t> BitsOf(const Result<Answer>& answer) {
  if (!answer) return {};
  std::vector<std::uint64_t> bits = {answer->units};
  for (const Figure& figure : answer->figures) bits.push_back(std::bit_cast<std::uint64_t>(figure.value));
  return bits;
}

std::string ErrorOf(const Result<Answer>& answer) { return answer ? "no error" : answer.error().message; }

}  // namespace corerig
