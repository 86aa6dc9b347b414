// One table of a scenario, read key by key. What is wrong goes to the FirstFault, and the reader gets nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/plan/first_fault.h"
#include "harness/plan/scenario_document.h"

namespace corerig {

// The content of a value that must be of one type; nullptr (or nothing) and a fault if it is of another. `what` names
// the value in messages, `example` is how one would be written.
const std::string* AsText(const Value& value, std::string_view what, std::string_view example, FirstFault& fault);
const std::vector<Value>* AsArray(const Value& value, std::string_view what, std::string_view example,
                                  FirstFault& fault);
bool CheckTable(const Value& value, std::string_view what, std::string_view example, FirstFault& fault);
std::optional<std::int64_t> AsWhole(const Value& value, std::string_view what, std::int64_t lowest,
                                    std::string_view example, FirstFault& fault);

class Section {
 public:
  // `table` is a table; `name` is as in its header: "stream.imu", "" for the top of the file.
  Section(const Value& table, std::string name, FirstFault& fault)
      : table_(table), name_(std::move(name)), fault_(fault) {}

  // The value of `key`, nullptr if it is not there. Every key that was asked for is a known one.
  const Value* Find(std::string_view key);
  // The same; not being there is a fault, where the table begins.
  const Value* Require(std::string_view key, std::string_view example);

  std::optional<std::string> Text(std::string_view key, std::string_view example);
  std::optional<std::string> RequiredText(std::string_view key, std::string_view example);
  std::optional<std::int64_t> Whole(std::string_view key, std::int64_t lowest, std::string_view example);
  std::optional<bool> Boolean(std::string_view key);

  // A text that `parse` makes a Result of.
  template <typename Parse>
  auto Quantity(std::string_view key, std::string_view example, const Parse& parse)
      -> std::optional<typename decltype(parse(std::string_view()))::value_type> {
    const auto text = Text(key, example);
    if (!text) return std::nullopt;
    auto value = parse(std::string_view(*text));
    if (value) return *value;
    fault_.Add(Find(key)->position, value.error().message);
    return std::nullopt;
  }

  // Every key that was never asked for is a fault.
  void RejectUnknownKeys();

  Position position() const { return table_.position; }

 private:
  std::optional<std::string> TextOf(const Value* value, std::string_view key, std::string_view example);

  const Value& table_;
  std::string name_;
  FirstFault& fault_;
  std::vector<std::string> known_;
};

}  // namespace corerig
