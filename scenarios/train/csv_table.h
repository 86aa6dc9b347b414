// A table from comma-separated values, as spreadsheets and numpy.savetxt write them.
//
//   const auto table = ReadCsv(text, "data.csv", {.goal = Goal::kClassify, .label = "state"});
//
// A first line with anything but numbers beside the label is taken for the columns' names. Every other line has as many
// fields as the first; all but the label are finite numbers. Blank lines are passed over; no field is quoted.
#pragma once

#include <string_view>

#include "harness/base/result.h"
#include "scenarios/train/examples.h"

namespace corerig {

inline constexpr std::size_t kMostColumns = 256;
inline constexpr std::size_t kMostClasses = 64;
inline constexpr std::size_t kFewestRows = 50;

struct CsvColumns {
  Goal goal = Goal::kClassify;
  std::string_view label = "last";       // the last column, or the name of one: class, or value of kPredict
  std::string_view healthy = "healthy";  // of kReconstruct: what the label of a healthy row reads
};

// Fails with the first thing that is wrong: "data.csv:17:3: \"nan\" is no finite number".
Result<Examples> ReadCsv(std::string_view text, std::string_view name, const CsvColumns& columns);

}  // namespace corerig
