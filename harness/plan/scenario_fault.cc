#include <algorithm>
#include <cmath>
#include <cstdint>

#include "harness/base/quantity.h"
#include "harness/plan/scenario_tables.h"

namespace corerig {
namespace {

using Key = FaultKindInfo::Key;

constexpr std::string_view kExample = "{ kind = \"drop\", share = 0.01 }";

// What waits longer than this is no disturbance but a sensor that is off; the source keeps it in memory meanwhile.
constexpr Nanos kLongestDelay = std::chrono::seconds(1);
constexpr std::int64_t kMostSlow = 10'000;

// The samples a fault hits: at = [3, 17].
std::vector<std::uint64_t> ReadAt(const Value& value, FirstFault& fault) {
  std::vector<std::uint64_t> at;
  const auto* items = AsArray(value, "at", "[3, 17]", fault);
  if (items == nullptr) return at;
  if (items->empty()) fault.Add(value.position, "at is empty; name samples, as in [3, 17]");
  for (const auto& item : *items) {
    const auto sample = AsWhole(item, "sample", 0, "17", fault);
    if (!sample) continue;
    const auto number = static_cast<std::uint64_t>(*sample);
    const auto place = std::lower_bound(at.begin(), at.end(), number);
    if (place != at.end() && *place == number) {
      fault.Add(item.position, "sample ", number, " is there twice; name each once");
    } else {
      at.insert(place, number);
    }
  }
  return at;
}

// When it hits: one of share, at and from.
void ReadWhen(Section& section, const FaultKindInfo& kind, FaultPlan& plan, FirstFault& fault) {
  const Value *share = section.Find("share"), *at = section.Find("at"), *from = section.Find("from");
  const int ways = (share != nullptr) + (at != nullptr) + (from != nullptr);
  if (kind.only_scheduled && (share != nullptr || at != nullptr)) {
    fault.Add((share != nullptr ? share : at)->position, "fault \"", kind.name,
              "\" has no meaning for single samples; write a time, as in from = \"2s\", for = \"500ms\"");
  } else if (ways != 1) {
    fault.Add(section.position(), "a fault has ", ways == 0 ? "none" : "more than one",
              " of share, at and from; write one of them, as in share = 0.01, at = [3, 17] or from = \"2s\"");
  }
  if (share != nullptr) plan.share = ReadShare(*share, "share", fault);
  if (at != nullptr) plan.at = ReadAt(*at, fault);
  if (from != nullptr) plan.span = {.from = section.Quantity("from", "\"2s\"", ParseDuration).value_or(Nanos(0))};
  const auto length = section.Quantity("for", "\"500ms\"", ParseDuration);
  if (!length) return;
  if (!plan.span) {
    fault.Add(section.Find("for")->position, "for goes with from; write from = \"2s\" beside it");
    return;
  }
  if (*length == Nanos(0)) fault.Add(section.Find("for")->position, "for is zero, and no sample is hit; write a time");
  plan.span->length = *length;
}

// A number that is not 0.
double ReadAmount(Section& section, std::string_view key, std::string_view example, FirstFault& fault) {
  const Value* value = section.Require(key, example);
  if (value == nullptr) return 0;
  const bool whole = value->kind == Value::Kind::kWhole;
  const double number = whole ? static_cast<double>(value->whole) : value->number;
  if ((!whole && value->kind != Value::Kind::kNumber) || !std::isfinite(number) || number == 0) {
    fault.Add(value->position, key,
              " is not a number other than 0, in the unit of the sensor's value; write one such as ", example);
    return 0;
  }
  return number;
}

Nanos ReadTime(Section& section, std::string_view key, std::string_view example, Nanos most, FirstFault& fault) {
  if (section.Require(key, example) == nullptr) return Nanos(0);
  const auto time = section.Quantity(key, example, ParseDuration);
  if (!time) return Nanos(0);
  const Position at = section.Find(key)->position;
  if (*time == Nanos(0)) fault.Add(at, key, " is zero; write a time such as ", example);
  if (*time > most) fault.Add(at, key, " is ", ToText(*time), "; write at most \"", ToText(most), "\"");
  return *time;
}

std::uint32_t ReadCount(Section& section, std::string_view key, std::int64_t most, FirstFault& fault) {
  if (section.Require(key, "8") == nullptr) return 0;
  const auto count = section.Whole(key, 2, "8");
  if (!count) return 0;
  if (*count > most) {
    fault.Add(section.Find(key)->position, key, " is ", *count, "; at this rate write at most ", most);
  }
  return static_cast<std::uint32_t>(std::min(*count, most));
}

// What its kind needs.
void ReadOwnKey(Section& section, const FaultKindInfo& kind, Rate frames, FaultPlan& plan, FirstFault& fault) {
  switch (kind.key) {
    case Key::kNone:
      break;
    case Key::kBy:
      plan.by = ReadTime(section, "by", "\"3ms\"", kLongestDelay, fault);
      break;
    case Key::kPeriod: {
      plan.period = ReadTime(section, "period", "\"100ms\"", std::chrono::hours(1), fault);
      const Nanos least = 2 * frames.OffsetOf(1);
      if (plan.period > Nanos(0) && plan.period < least) {
        fault.Add(section.Find("period")->position, "period is ", ToText(plan.period),
                  ", shorter than two frames; write at least \"", ToText(least), "\"");
      }
      break;
    }
    case Key::kOffset:
      plan.amount = ReadAmount(section, "offset", "50", fault);
      break;
    case Key::kRate:
      plan.amount = ReadAmount(section, "rate", "0.1", fault);
      break;
    case Key::kFactor:
      plan.count = ReadCount(section, "factor", kMostSlow, fault);
      break;
    case Key::kFrames:
      // The first of them waits for the last.
      plan.count =
          ReadCount(section, "frames",
                    std::max<std::int64_t>(2, static_cast<std::int64_t>(frames.EventsBefore(kLongestDelay))), fault);
      break;
  }
}

std::optional<FaultPlan> ReadFault(const Value& table, const SensorInfo* sensor, Rate frames, FirstFault& fault) {
  Section section(table, "fault", fault);
  const auto word = section.RequiredText("kind", "\"drop\"");
  if (!word) return std::nullopt;
  const auto parsed = ParseFaultKind(*word);
  if (!parsed) {
    std::vector<std::string> known;
    for (const auto& kind : AllFaultKinds()) known.emplace_back(kind.name);
    fault.Add(section.Find("kind")->position, "unknown fault \"", *word, "\"; ", DidYouMean(*word, known));
    return std::nullopt;
  }
  FaultPlan plan = {.kind = *parsed};
  const FaultKindInfo& kind = InfoOf(plan.kind);
  if (kind.falsifies && sensor != nullptr && !sensor->falsifiable) {
    fault.Add(section.Find("kind")->position, "fault \"", kind.name, "\" is not available for sensor \"", sensor->name,
              "\", whose measurement cannot be falsified; its frames can be dropped, damaged or held back");
  }
  ReadWhen(section, kind, plan, fault);
  ReadOwnKey(section, kind, frames, plan, fault);
  section.RejectUnknownKeys();
  return plan;
}

}  // namespace

std::vector<FaultPlan> ReadFaults(Section& section, bool timer, const SensorInfo* sensor, Rate frames,
                                  FirstFault& fault) {
  std::vector<FaultPlan> plans;
  const Value* value = section.Find("fault");
  const auto* items = value == nullptr ? nullptr : AsArray(*value, "fault", StrCat("[", kExample, "]"), fault);
  if (items == nullptr) return plans;
  if (timer && !items->empty()) {
    fault.Add(value->position, "a timer stream sends nothing that a fault could hit; leave fault out");
  }
  if (items->size() > kMostFaults) {
    fault.Add((*items)[kMostFaults].position, "a stream has at most ", kMostFaults, " faults; leave some out");
  }
  // Shares are decimal, their binary sum may be one step above.
  constexpr double kAll = 1 + 1e-12;
  double sum = 0;
  for (const auto& item : *items) {
    if (!CheckTable(item, "fault", kExample, fault)) continue;
    const auto plan = ReadFault(item, sensor, frames, fault);
    if (!plan) continue;
    const bool twice = !plan->span && std::any_of(plans.begin(), plans.end(), [&](const auto& other) {
      return other.kind == plan->kind && !other.span;
    });
    if (twice) {
      fault.Add(item.position, "fault \"", ToText(plan->kind), "\" is there twice without from; make one of them");
    }
    // Jitter takes what the others leave.
    const double share = plan->kind == FaultKind::kJitter ? 0 : plan->share;
    if (sum <= kAll && sum + share > kAll) {
      fault.Add(item.position, "the shares of all faults come to ", sum + share, "; together write at most 1");
    }
    sum += share;
    plans.push_back(*plan);
  }
  return plans;
}

}  // namespace corerig
