// A plan as JSON: what children are handed, and the `scenario` of report.json.
#pragma once

#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/plan/plan.h"

namespace corerig {

// Quantities carry their unit, as in a scenario file: {"rate": "1kHz", "duration": "20s"}.
std::string PlanToJson(const Plan& plan);
// The same for people: when each frame of a recording is due, up to a million of them, is left out.
std::string ScenarioToJson(const Plan& plan);
// The inverse: PlanFromJson(PlanToJson(p)) == p.
Result<Plan> PlanFromJson(std::string_view json);

}  // namespace corerig
