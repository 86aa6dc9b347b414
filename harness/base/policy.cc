#include "harness/base/policy.h"

#include "harness/base/text.h"

namespace corerig {

std::string ToText(const Policy& policy) {
  return policy.scheduling_class == Policy::Class::kFifo ? StrCat("fifo:", policy.priority) : "other";
}

std::optional<Policy> ParsePolicy(std::string_view text) {
  if (text == "other") return Policy{};
  constexpr std::string_view kFifo = "fifo:";
  if (!text.starts_with(kFifo)) return std::nullopt;
  const auto priority = ParseNumber<int>(text.substr(kFifo.size()));
  if (!priority || *priority < 1 || *priority > 99) return std::nullopt;
  return Policy{Policy::Class::kFifo, *priority};
}

}  // namespace corerig
