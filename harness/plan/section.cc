#include "harness/plan/section.h"

#include <algorithm>

namespace corerig {
namespace {

std::string_view Describe(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kText:
      return "a text";
    case Value::Kind::kWhole:
    case Value::Kind::kNumber:
      return "a number";
    case Value::Kind::kBoolean:
      return "a boolean";
    case Value::Kind::kTime:
      return "a date or time";
    case Value::Kind::kArray:
      return "an array";
    case Value::Kind::kTable:
      return "a table";
  }
  return "";
}

bool Check(const Value& value, Value::Kind wanted, std::string_view what, std::string_view example, FirstFault& fault) {
  if (value.kind == wanted) return true;
  fault.Add(value.position, what, " is ", Describe(value.kind), "; write ", Describe(wanted), " such as ", example);
  return false;
}

}  // namespace

const std::string* AsText(const Value& value, std::string_view what, std::string_view example, FirstFault& fault) {
  return Check(value, Value::Kind::kText, what, example, fault) ? &value.text : nullptr;
}

const std::vector<Value>* AsArray(const Value& value, std::string_view what, std::string_view example,
                                  FirstFault& fault) {
  return Check(value, Value::Kind::kArray, what, example, fault) ? &value.items : nullptr;
}

bool CheckTable(const Value& value, std::string_view what, std::string_view example, FirstFault& fault) {
  return Check(value, Value::Kind::kTable, what, example, fault);
}

std::optional<std::int64_t> AsWhole(const Value& value, std::string_view what, std::int64_t lowest,
                                    std::string_view example, FirstFault& fault) {
  if (value.kind == Value::Kind::kNumber) {
    fault.Add(value.position, what, " is not a whole number; write one such as ", example);
    return std::nullopt;
  }
  if (!Check(value, Value::Kind::kWhole, what, example, fault)) return std::nullopt;
  if (value.whole >= lowest) return value.whole;
  fault.Add(value.position, what, " is ", value.whole, "; write a whole number from ", lowest);
  return std::nullopt;
}

const Value* Section::Find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  const Entry* entry = table_.Find(key);
  return entry == nullptr ? nullptr : &entry->value;
}

const Value* Section::Require(std::string_view key, std::string_view example) {
  const Value* value = Find(key);
  if (value == nullptr) {
    const std::string in = name_.empty() ? "" : StrCat(" in [", name_, "]");
    fault_.Add(table_.position, "key \"", key, "\" is missing", in, "; write one such as ", key, " = ", example);
  }
  return value;
}

std::optional<std::string> Section::TextOf(const Value* value, std::string_view key, std::string_view example) {
  const std::string* text = value == nullptr ? nullptr : AsText(*value, key, example, fault_);
  return text == nullptr ? std::nullopt : std::optional(*text);
}

std::optional<std::string> Section::Text(std::string_view key, std::string_view example) {
  return TextOf(Find(key), key, example);
}

std::optional<std::string> Section::RequiredText(std::string_view key, std::string_view example) {
  return TextOf(Require(key, example), key, example);
}

std::optional<std::int64_t> Section::Whole(std::string_view key, std::int64_t lowest, std::string_view example) {
  const Value* value = Find(key);
  return value == nullptr ? std::nullopt : AsWhole(*value, key, lowest, example, fault_);
}

std::optional<bool> Section::Boolean(std::string_view key) {
  const Value* value = Find(key);
  if (value == nullptr || !Check(*value, Value::Kind::kBoolean, key, "true", fault_)) return std::nullopt;
  return value->boolean;
}

void Section::RejectUnknownKeys() {
  const std::string in = name_.empty() ? "" : StrCat(" in [", name_, "]");
  for (const auto& entry : table_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    fault_.Add(entry.position, "unknown key \"", entry.key, "\"", in, "; ", DidYouMean(entry.key, known_));
  }
}

}  // namespace corerig
