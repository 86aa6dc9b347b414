// For tests of workloads: what a group of workers comes to, without processes.
//
//   GroupRun run{MonteCarloTrajectory(), 23};
//   run.Set("speed", "10");
//   EXPECT_EQ(BitsOf(run.With(3)), BitsOf(run.With(1)));
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/workload_group.h"

namespace corerig {

struct GroupRun {
  WorkloadType type;
  std::uint64_t units = 1;
  std::uint64_t seed = 42;
  bool fixed = true;  // or: until told to stop, which is after `units`
  std::map<std::string, std::string> parameters = {};

  GroupRun& Set(const std::string& parameter, const std::string& value) {
    parameters[parameter] = value;
    return *this;
  }
  WorkerJob Job(int workers = 1, int index = 0) const;
  // What a worker writes as its result; fails if load, make or a unit does.
  Result<std::vector<std::byte>> ResultOf(int workers, int index) const;
  // The merged answer; without the result of worker `missing`.
  Result<Answer> With(int workers, int missing = -1) const;
  // What `load` or `make` says: "" if they take the parameters.
  std::string Refusal() const;
};

// All figures, and the units.
std::vector<std::uint64_t> BitsOf(const Result<Answer>& answer);
std::string ErrorOf(const Result<Answer>& answer);

}  // namespace corerig
