// A scenario file as a tree of values that know where they stand, overrides put in. The only place that knows TOML.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/plan/first_fault.h"
#include "harness/plan/scenario.h"

namespace corerig {

struct Entry;

struct Value {
  enum class Kind { kText, kWhole, kNumber, kBoolean, kTime, kArray, kTable };

  const Entry* Find(std::string_view key) const;  // in a table; nullptr if it is not there

  Kind kind = Kind::kTable;
  Position position;
  std::string text;
  std::int64_t whole = 0;
  double number = 0;
  bool boolean = false;
  std::vector<Value> items;    // of an array
  std::vector<Entry> entries;  // of a table, in the order of the file
};

struct Entry {
  std::string key;
  Position position;  // of the key
  Value value;
};

// The whole document, a table. Nothing if the text is no TOML or an override fits nowhere; `fault` says why.
std::optional<Value> ReadDocument(std::string_view text, const std::vector<Override>& overrides, FirstFault& fault);

}  // namespace corerig
