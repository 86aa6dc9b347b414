// Runs programs of the benchmarks and reads what they say.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace corerig {

// The standard output of a program that exits with 0, or nothing (its stderr is shown).
std::optional<std::string> OutputOf(const std::vector<std::string>& argv);

// The report of `corerig run` on a scenario given as text; nothing if there is none. Any verdict will do.
std::optional<nlohmann::json> ReportOf(const std::string& scenario);

// What worker 0 of a group wrote to its standard output in the run of the latest ReportOf.
std::string OutputOfWorker(const std::string& group);

// A metric's value; nothing if it is absent.
std::optional<double> MetricOf(const std::optional<nlohmann::json>& report, const std::string& name);

// A file that the BUILD rule names as data.
std::string DataFile(const std::string& path);

}  // namespace corerig
