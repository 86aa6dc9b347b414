// How a thread is scheduled: "other", or "fifo:80". Niceness and other classes are not built yet.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace corerig {

struct Policy {
  enum class Class { kOther, kFifo };
  Class scheduling_class = Class::kOther;
  int priority = 0;  // 1..99 for fifo, 0 otherwise
  bool operator==(const Policy&) const = default;
};

std::string ToText(const Policy& policy);
std::optional<Policy> ParsePolicy(std::string_view text);

}  // namespace corerig
