// Parameters of a workload's or a sensor's own, by name.
//
//   NumberOf(job.parameters, "strike")
//
// The scenario reader has checked each against its declaration (vocabulary.h) and filled in the defaults: to ask for
// one that was not declared is a bug of the workload or sensor, and aborts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/units.h"

namespace corerig {

struct Parameter {
  std::string name;
  std::string value;  // canonical text
  bool operator==(const Parameter&) const = default;
};

double NumberOf(const std::vector<Parameter>& parameters, std::string_view name);
Nanos DurationOf(const std::vector<Parameter>& parameters, std::string_view name);
Bytes SizeOf(const std::vector<Parameter>& parameters, std::string_view name);
std::string_view WordOf(const std::vector<Parameter>& parameters, std::string_view name);

}  // namespace corerig
