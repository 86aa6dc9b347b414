#include "harness/base/policy.h"

#include "harness/base/text.h"

namespace corerig {
namespace {

std::string_view NameOf(Policy::Class scheduling_class) {
  switch (scheduling_class) {
    case Policy::Class::kOther:
      return "other";
    case Policy::Class::kBatch:
      return "batch";
    case Policy::Class::kIdle:
      return "idle";
    case Policy::Class::kFifo:
      return "fifo";
  }
  return "";
}

}  // namespace

std::string ToText(const Policy& policy) {
  const std::string name(NameOf(policy.scheduling_class));
  const int number = policy.scheduling_class == Policy::Class::kFifo ? policy.priority : policy.nice;
  return number == 0 ? name : StrCat(name, ":", number);
}

std::optional<Policy> ParsePolicy(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  std::optional<Policy> policy;
  for (const auto candidate :
       {Policy::Class::kOther, Policy::Class::kBatch, Policy::Class::kIdle, Policy::Class::kFifo}) {
    if (name == NameOf(candidate)) policy = Policy{.scheduling_class = candidate};
  }
  if (!policy) return std::nullopt;
  const bool fifo = policy->scheduling_class == Policy::Class::kFifo;
  if (colon == std::string_view::npos) return fifo ? std::nullopt : policy;
  const auto number = ParseNumber<int>(text.substr(colon + 1));
  if (!number) return std::nullopt;
  const int least = fifo ? 1 : kLeastNice, most = fifo ? 99 : kMostNice;
  if (*number < least || *number > most || *number == 0 || (!fifo && !policy->has_nice())) return std::nullopt;
  (fifo ? policy->priority : policy->nice) = *number;
  return policy;
}

}  // namespace corerig
