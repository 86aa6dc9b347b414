#include "harness/report/field_table.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "harness/base/text.h"

namespace corerig {
namespace {

using Json = nlohmann::json;

// One field and those below it. A child is a key, "*" for any other key, or "[]" for each element.
struct Field {
  std::string path;
  std::vector<std::string> types;  // "integer", "null", "\"inf\"" …; empty: no row describes it
  bool optional = false;
  std::map<std::string, std::unique_ptr<Field>> children;

  const Field* Find(const std::string& name) const {
    const auto at = children.find(name);
    return at == children.end() ? nullptr : at->second.get();
  }
};

// "a.{b,c}" → "a.b", "a.c"; all combinations where there are several braces.
std::vector<std::string> Expand(const std::string& path) {
  const std::size_t open = path.find('{');
  const std::size_t close = path.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {path};
  std::vector<std::string> out;
  for (const auto choice : Split(std::string_view(path).substr(open + 1, close - open - 1), ',')) {
    for (auto& rest : Expand(StrCat(path.substr(0, open), choice, path.substr(close + 1))))
      out.push_back(std::move(rest));
  }
  return out;
}

// "streams[].latency.p99" → "streams" "[]" "latency" "p99".
std::vector<std::string> Steps(std::string_view path) {
  std::vector<std::string> steps;
  for (std::string_view part : Split(path, '.')) {
    const std::size_t bracket = part.find("[]");
    steps.emplace_back(part.substr(0, bracket));
    for (std::size_t at = bracket; at < part.size(); at += 2) steps.emplace_back("[]");
  }
  return steps;
}

bool IsType(std::string_view type) {
  static const std::set<std::string_view> kTypes = {"string", "integer", "number", "boolean",
                                                    "object", "array",   "null",   "any"};
  const bool literal = type.size() >= 2 && type.front() == '"' && type.back() == '"';
  return literal || kTypes.contains(type);
}

bool HasType(const Json& value, std::string_view type) {
  if (type == "any") return true;
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "null") return value.is_null();
  return value.is_string() && StrCat("\"", value.get<std::string>(), "\"") == type;
}

// "number or null, optional" → {"number", "null"}, true.
bool ReadType(std::string_view text, Field& field) {
  constexpr std::string_view kOptional = ", optional";
  field.optional = text.ends_with(kOptional);
  if (field.optional) text.remove_suffix(kOptional.size());
  field.types.clear();
  constexpr std::string_view kOr = " or ";
  while (true) {
    const std::size_t end = text.find(kOr);
    field.types.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + kOr.size());
  }
  return std::all_of(field.types.begin(), field.types.end(), IsType);
}

class FieldTable {
 public:
  FieldTable(std::string_view markdown, std::vector<std::string>& complaints) : complaints_(complaints) {
    bool inside = false;
    int rows = 0;
    for (std::string_view line : Split(markdown, '\n')) {
      line = Trim(line);
      if (line == "| path | type | unit | meaning |") {
        inside = true;
      } else if (!line.starts_with("|")) {
        inside = false;
      } else if (inside && !line.starts_with("|---")) {
        ReadRow(line);
        ++rows;
      }
    }
    if (rows == 0) complaints_.push_back("the documents have no table \"| path | type | unit | meaning |\"");
  }

  const Field& root() const { return root_; }

 private:
  void ReadRow(std::string_view line) {
    const auto cells = Split(line, '|');  // the first and the last are outside the bars
    const std::string_view path = cells.size() > 1 ? Trim(cells[1]) : "";
    if (cells.size() != 6 || path.size() < 3 || path.front() != '`' || path.back() != '`') {
      complaints_.push_back(StrCat("documents: not a row of four cells with the path in backquotes: ", line));
      return;
    }
    for (const auto& one : Expand(std::string(path.substr(1, path.size() - 2)))) {
      Field* field = &root_;
      std::string so_far;
      for (const auto& step : Steps(one)) {
        so_far += step == "[]" || so_far.empty() ? step : "." + step;
        auto& child = field->children[step];
        if (!child) child = std::make_unique<Field>();
        child->path = so_far;
        field = child.get();
      }
      if (!field->types.empty()) complaints_.push_back(StrCat("documents: ", one, " is described twice"));
      if (!ReadType(Trim(cells[2]), *field)) {
        complaints_.push_back(StrCat("documents: ", one, ": unknown type: ", Trim(cells[2])));
      }
    }
  }

  Field root_;
  std::vector<std::string>& complaints_;
};

class Checker {
 public:
  explicit Checker(std::vector<std::string>& complaints) : complaints_(complaints) {}

  // `where` is the path of this value, with the run's own names; everything below `value` is checked.
  void CheckBelow(const Json& value, const Field& field, const std::string& where) {
    if (value.is_array()) {
      std::size_t index = 0;
      for (const auto& item : value) Check(item, field.Find("[]"), StrCat(where, "[", index++, "]"));
    }
    if (!value.is_object()) return;
    for (const auto& [key, item] : value.items()) {
      const Field* child = field.Find(key);
      Check(item, child != nullptr ? child : field.Find("*"), where.empty() ? key : StrCat(where, ".", key));
    }
    for (const auto& [name, child] : field.children) {
      if (name == "*" || name == "[]" || child->optional || value.contains(name)) continue;
      complaints_.push_back(
          StrCat(where.empty() ? "the report" : where, ": has no ", name, ", which the documents promise"));
    }
  }

 private:
  void Check(const Json& value, const Field* field, const std::string& where) {
    if (field == nullptr || field->types.empty()) {
      complaints_.push_back(StrCat(where, ": not in the documents"));
      return;
    }
    const auto fits = [&](const std::string& type) { return HasType(value, type); };
    if (std::none_of(field->types.begin(), field->types.end(), fits)) {
      constexpr std::size_t kExcerpt = 60;
      const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, kExcerpt);
      complaints_.push_back(
          StrCat(where, ": is ", text, ", and ", field->path, " is documented as ", Join(field->types, " or ")));
      return;
    }
    const bool any = field->types.size() == 1 && field->types[0] == "any";
    if (!any) CheckBelow(value, *field, where);
  }

  std::vector<std::string>& complaints_;
};

}  // namespace

std::vector<std::string> CheckAgainstDocs(std::string_view report_json, std::string_view docs_markdown) {
  std::vector<std::string> complaints;
  const FieldTable table(docs_markdown, complaints);
  const Json report = Json::parse(report_json, nullptr, /*allow_exceptions=*/false);
  if (!report.is_object()) {
    complaints.push_back("the report is not one JSON object");
    return complaints;
  }
  Checker(complaints).CheckBelow(report, table.root(), "");
  return complaints;
}

}  // namespace corerig
