// How a thread is scheduled: "other", "batch", "idle", or "fifo:80"; "other:5" and "batch:5" with a nice value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace corerig {

struct Policy {
  enum class Class { kOther, kBatch, kIdle, kFifo };
  Class scheduling_class = Class::kOther;
  int priority = 0;  // 1..99 for fifo, 0 otherwise
  int nice = 0;      // -20..19 for other and batch, 0 otherwise
  bool operator==(const Policy&) const = default;

  bool has_nice() const { return scheduling_class == Class::kOther || scheduling_class == Class::kBatch; }
};

inline constexpr int kLeastNice = -20, kMostNice = 19;

std::string ToText(const Policy& policy);
std::optional<Policy> ParsePolicy(std::string_view text);

}  // namespace corerig
