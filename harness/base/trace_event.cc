#include "harness/base/trace_event.h"

#include <cstring>

#include "harness/base/text.h"

namespace corerig {
namespace {

// include/linux/interrupt.h, in its order.
constexpr std::string_view kSoftirqs[] = {"HI",       "TIMER",   "NET_TX", "NET_RX",  "BLOCK",
                                          "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU"};

}  // namespace

std::string_view TraceNames::Task(std::int32_t tid) const {
  if (tid == 0) return "idle";
  const auto at = tasks_.find(tid);
  if (at == tasks_.end()) return {};
  return {at->second.data(), strnlen(at->second.data(), at->second.size())};
}

std::string_view TraceNames::Part(std::int32_t tid) const {
  const auto number = static_cast<std::uint64_t>(PartNumber(tid));
  return number < parts_.size() ? std::string_view(parts_[number]) : std::string_view();
}

std::int32_t TraceNames::FirstOf(std::string_view part) const {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i] == part) return first_of_[i];
  }
  return -1;
}

std::string TraceNames::Interrupt(const TraceEvent& event) const {
  const auto index = static_cast<std::uint64_t>(event.value);
  switch (event.kind) {
    case TraceEvent::Kind::kIrqEntry:
    case TraceEvent::Kind::kIrqExit: {
      const auto at = irqs_.find(event.value);
      return at == irqs_.end() ? StrCat("irq ", event.value) : StrCat("irq ", event.value, " ", at->second);
    }
    case TraceEvent::Kind::kSoftirqEntry:
    case TraceEvent::Kind::kSoftirqExit:
      return index < std::size(kSoftirqs) ? StrCat("softirq ", kSoftirqs[index]) : StrCat("softirq ", event.value);
    case TraceEvent::Kind::kVectorEntry:
    case TraceEvent::Kind::kVectorExit:
      return index < vectors_.size() ? vectors_[index] : StrCat("vector ", event.value);
    default:
      return "";
  }
}

}  // namespace corerig
