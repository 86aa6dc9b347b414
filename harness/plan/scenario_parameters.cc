#include <algorithm>
#include <cmath>

#include "harness/base/quantity.h"
#include "harness/plan/scenario_tables.h"

namespace corerig {
namespace {

std::string_view Describe(ParameterInfo::Kind kind) {
  switch (kind) {
    case ParameterInfo::Kind::kNumber:
      return "a number";
    case ParameterInfo::Kind::kNotNegative:
      return "a number from 0 up";
    case ParameterInfo::Kind::kPositiveNumber:
      return "a number above 0";
    case ParameterInfo::Kind::kWholeNumber:
      return "a whole number";
    case ParameterInfo::Kind::kWord:
      return "a word in quotes";
    case ParameterInfo::Kind::kPath:
      return "a path in quotes";
    case ParameterInfo::Kind::kDuration:
    case ParameterInfo::Kind::kSize:
    case ParameterInfo::Kind::kShare:
      break;  // read by ReadQuantity
  }
  return "";
}

// The canonical text of a parameter; nothing if the value is not of its kind.
std::optional<std::string> ParameterText(const Value& value, ParameterInfo::Kind kind) {
  if (kind == ParameterInfo::Kind::kWord) {
    const bool word = value.kind == Value::Kind::kText && !value.text.empty() &&
                      value.text.find_first_of(" \t\r\n") == std::string::npos;
    return word ? std::optional(value.text) : std::nullopt;
  }
  if (kind == ParameterInfo::Kind::kPath) {
    const bool path = value.kind == Value::Kind::kText && !value.text.empty() &&
                      std::none_of(value.text.begin(), value.text.end(), [](unsigned char c) { return c < ' '; });
    return path ? std::optional(value.text) : std::nullopt;
  }
  // Up to here a double holds every whole number, and 1e6 means 1000000.
  constexpr double kExact = 0x1p53;
  if (value.kind == Value::Kind::kWhole) {
    if (kind == ParameterInfo::Kind::kPositiveNumber && value.whole <= 0) return std::nullopt;
    if (kind == ParameterInfo::Kind::kNotNegative && value.whole < 0) return std::nullopt;
    return StrCat(value.whole);
  }
  if (value.kind != Value::Kind::kNumber || !std::isfinite(value.number)) return std::nullopt;
  if (kind == ParameterInfo::Kind::kPositiveNumber && value.number <= 0) return std::nullopt;
  if (kind == ParameterInfo::Kind::kNotNegative && value.number < 0) return std::nullopt;
  if (std::abs(value.number) <= kExact && std::trunc(value.number) == value.number) {
    return StrCat(static_cast<std::int64_t>(value.number));
  }
  if (kind == ParameterInfo::Kind::kWholeNumber) return std::nullopt;
  return StrCat(value.number);
}

// The canonical text of what has a unit; nothing, and a fault, if it is wrong.
template <typename Parse>
std::optional<std::string> ReadQuantity(Section& section, const ParameterInfo& info, const Parse& parse) {
  const auto quantity = section.Quantity(info.name, StrCat("\"", info.default_value, "\""), parse);
  return quantity ? std::optional(ToText(*quantity)) : std::nullopt;
}

Parameter ReadParameter(Section& section, const ParameterInfo& info, FirstFault& fault) {
  using Kind = ParameterInfo::Kind;
  Parameter parameter{std::string(info.name), std::string(info.default_value)};
  const Value* value = section.Find(info.name);
  if (value == nullptr) return parameter;
  if (info.kind == Kind::kShare) {
    parameter.value = StrCat(ReadShare(*value, info.name, fault));
    return parameter;
  }
  if (info.kind == Kind::kDuration || info.kind == Kind::kSize) {
    const auto text =
        info.kind == Kind::kSize ? ReadQuantity(section, info, ParseSize) : ReadQuantity(section, info, ParseDuration);
    parameter.value = text.value_or(parameter.value);
    return parameter;
  }
  const auto text = ParameterText(*value, info.kind);
  if (!text) {
    const bool word = info.kind == ParameterInfo::Kind::kWord || info.kind == ParameterInfo::Kind::kPath;
    const std::string_view example = info.default_value.empty() ? "drive.log" : info.default_value;
    fault.Add(value->position, info.name, " is not ", Describe(info.kind), "; write one such as ", word ? "\"" : "",
              example, word ? "\"" : "");
  }
  parameter.value = text.value_or(parameter.value);
  return parameter;
}

}  // namespace

std::vector<Parameter> ReadParameters(Section& section, const std::vector<ParameterInfo>& declared, FirstFault& fault) {
  std::vector<Parameter> parameters;
  for (const auto& info : declared) parameters.push_back(ReadParameter(section, info, fault));
  return parameters;
}

}  // namespace corerig
