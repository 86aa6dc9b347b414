#include "scenarios/train/csv_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/base/text.h"

namespace corerig {
namespace {

std::optional<float> FiniteNumber(std::string_view field) {
  if (field.starts_with('+')) field.remove_prefix(1);
  const auto value = ParseNumber<double>(field);
  if (!value || !(std::abs(*value) <= std::numeric_limits<float>::max())) return std::nullopt;
  return static_cast<float>(*value);
}

std::vector<std::string_view> FieldsOf(std::string_view line) {
  auto fields = Split(line, ',');
  for (std::string_view& field : fields) field = Trim(field);
  return fields;
}

// Which column is the label, from the first line; `named` says whether that line holds names.
Result<std::size_t> LabelColumn(const std::vector<std::string_view>& first, bool named, std::string_view where,
                                std::string_view label) {
  if (label == "last") return first.size() - 1;
  const auto at = std::find(first.begin(), first.end(), label);
  if (named && at != first.end()) return static_cast<std::size_t>(at - first.begin());
  if (!named) return Fail(where, ": label \"", label, "\" is asked for, and the first line holds no names");
  std::vector<std::string> names(first.begin(), first.end());
  const std::string nearest = Nearest(label, names);
  return Fail(where, ": no column is called \"", label, "\"",
              nearest.empty() ? "; there are " + Join(names, ", ") : "; did you mean \"" + nearest + "\"?");
}

}  // namespace

Result<Examples> ReadCsv(std::string_view text, std::string_view name, const CsvColumns& columns) {
  Examples table{.name = std::string(name)};
  std::size_t fields_of_first = 0, label_column = 0, line_number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (line.empty()) continue;
    const std::string where = StrCat(name, ":", line_number);
    const auto fields = FieldsOf(line);
    if (fields_of_first == 0) {
      fields_of_first = fields.size();
      if (fields.size() < 2) return Fail(where, ": one column; at least two, one of them the label, are needed");
      if (fields.size() > kMostColumns + 1) {
        return Fail(where, ": ", fields.size(), " columns; at most ", kMostColumns + 1, " are taken");
      }
      // The label of a row may be a word: it does not tell whether these are names.
      const bool named = std::any_of(fields.begin(), fields.end() - 1, [](std::string_view field) {
        return !ParseNumber<double>(field.starts_with('+') ? field.substr(1) : field);
      });
      const auto column = LabelColumn(fields, named, where, columns.label);
      if (!column) return Forward(column);
      label_column = *column;
      table.columns = fields.size() - 1;
      if (named) continue;
    }
    if (fields.size() != fields_of_first) {
      return Fail(where, ": ", fields.size(), fields.size() == 1 ? " column" : " columns", "; the first row has ",
                  fields_of_first);
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const std::string_view field = fields[i];
      if (i != label_column || columns.goal == Goal::kPredict) {
        const auto value = FiniteNumber(field);
        if (!value) return Fail(where, ":", i + 1, ": \"", field, "\" is no finite number");
        (i == label_column ? table.targets : table.values).push_back(*value);
        continue;
      }
      if (field.empty()) return Fail(where, ":", i + 1, ": the label is empty");
      if (columns.goal == Goal::kReconstruct) {
        table.labels.push_back(field == columns.healthy ? 0 : 1);
        continue;
      }
      auto known = std::find(table.classes.begin(), table.classes.end(), field);
      if (known == table.classes.end()) {
        if (table.classes.size() == kMostClasses) {
          return Fail(where, ":", i + 1, ": label \"", field, "\" is class ", kMostClasses + 1, "; at most ",
                      kMostClasses, " are told apart; is this the label's column?");
        }
        known = table.classes.insert(known, std::string(field));
      }
      table.labels.push_back(static_cast<std::int32_t>(known - table.classes.begin()));
    }
  }
  if (table.rows() < kFewestRows) {
    return Fail(name, ": ", table.rows(), " rows; at least ", kFewestRows, " are needed to learn from");
  }
  return table;
}

}  // namespace corerig
