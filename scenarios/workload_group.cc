#include "scenarios/workload_group.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/base/philox.h"

namespace corerig {

WorkloadGroup::WorkloadGroup(const WorkloadType& type, const std::vector<Parameter>& parameters, int workers)
    : type_(type) {
  job_.group = "load";
  job_.workers = workers;
  job_.seed = 42;
  for (const ParameterInfo& declared : type.info.parameters) {
    Parameter parameter{std::string(declared.name), std::string(declared.default_value)};
    for (const Parameter& given : parameters) {
      if (given.name == parameter.name) parameter.value = given.value;
    }
    job_.parameters.push_back(parameter);
  }
}

Result<std::unique_ptr<Workload>> WorkloadGroup::Make(int index, const Surroundings& surroundings) const {
  WorkerJob job = job_;
  job.index = index;
  return type_.make(job, surroundings);
}

std::string WorkloadGroup::Refusal() const {
  const auto made = Make();
  return made ? "none" : made.error().message;
}

std::vector<std::byte> WorkloadGroup::ResultOf(const Workload& workload) const {
  std::vector<std::byte> bytes(type_.result_size(job_));
  bytes.resize(workload.WriteResult(bytes));
  return bytes;
}

Result<Answer> WorkloadGroup::Merge(const std::vector<std::vector<std::byte>>& results) const {
  std::vector<WorkerResult> arrived;
  for (std::size_t i = 0; i < results.size(); ++i) arrived.push_back({static_cast<int>(i), results[i]});
  return type_.merge(job_, arrived);
}

double FigureOf(const Answer& answer, std::string_view name) {
  for (const Figure& figure : answer.figures) {
    if (figure.name == name) return figure.value;
  }
  return std::nan("");
}

void ExpectThatMergeEndures(const WorkloadGroup& group, const std::vector<std::byte>& result) {
  int refused = 0;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const auto words = RandomWords(7, StreamId("damage"), i);
    auto damaged = result;
    // Most of what can go wrong is among the counts at the front.
    const std::size_t front = std::min<std::size_t>(damaged.size(), 64);
    const std::size_t at = words[0] % (i % 4 == 0 ? damaged.size() : front);
    damaged[at] = static_cast<std::byte>(words[1]);
    if (i % 3 == 0) damaged[words[2] % front] = static_cast<std::byte>(words[3]);
    if (i % 50 == 0) damaged.resize(words[2] % damaged.size());
    const auto answer = group.Merge({damaged});
    if (answer) {
      ASSERT_FALSE(answer->figures.empty());
    } else {
      ASSERT_FALSE(answer.error().message.empty());
      ++refused;
    }
  }
  EXPECT_GT(refused, 500) << "the counts are not held against each other";
}

}  // namespace corerig
