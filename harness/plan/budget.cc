#include "harness/plan/budget.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "harness/base/metric.h"
#include "harness/base/quantity.h"
#include "harness/plan/first_fault.h"

namespace corerig {
namespace {

void AddOnce(std::vector<std::string>& list, std::string_view text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.emplace_back(text);
}

// `metric` with "*" where `pattern` has it, so that a mistyped pattern is compared with patterns.
std::string AsPattern(std::string_view metric, std::string_view pattern) {
  const auto wanted = Split(pattern, '.');
  std::vector<std::string> components;
  for (const auto component : Split(metric, '.')) {
    const bool any = components.size() < wanted.size() && wanted[components.size()] == "*";
    components.emplace_back(any ? "*" : component);
  }
  return Join(components, ".");
}

// The first `count` components.
std::string_view Head(std::string_view name, std::size_t count) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < count && end < name.size(); ++i) {
    end = std::min(name.find('.', end + (i > 0 ? 1 : 0)), name.size());
  }
  return name.substr(0, end);
}

// Why no metric matches, and what would: one spelt nearly like it, or what may follow as far as it is right.
tl::unexpected<Error> FailOnNoMatch(std::string_view pattern, const std::vector<std::string>& metrics) {
  const std::string what = StrCat("there is no metric \"", pattern, "\" in this scenario; ");
  std::vector<std::string> patterns;
  for (const auto& metric : metrics) AddOnce(patterns, AsPattern(metric, pattern));
  if (const std::string nearest = Nearest(pattern, patterns); !nearest.empty()) {
    return Fail(what, "did you mean \"", nearest, "\"?");
  }
  for (std::size_t count = Split(pattern, '.').size();; --count) {
    const std::string_view head = Head(pattern, count);
    std::vector<std::string> next;
    bool found = count == 0;
    for (const auto& metric : metrics) {
      if (!MatchesPattern(head, Head(metric, count)) && count > 0) continue;
      found = true;
      const auto components = Split(metric, '.');
      if (components.size() > count) AddOnce(next, components[count]);
    }
    if (!found) continue;
    if (next.empty()) return Fail(what, "write \"", head, "\"");
    if (count == 0) return Fail(what, "a metric begins with ", Join(next, ", "));
    return Fail(what, "after \"", head, "\" comes one of ", Join(next, ", "));
  }
}

Result<double> ParseLimit(std::string_view text, std::string_view unit) {
  if (unit == "ns") {
    const auto limit = ParseDuration(text);
    if (!limit) return Forward(limit);
    return static_cast<double>(limit->count());
  }
  if (unit == "share") return ParseShare(text);
  if (unit == "count") {
    const auto limit = ParseNumber<std::uint64_t>(text);
    if (!limit) return Fail("limit \"", text, "\" is not a whole number; write one such as 0");
    return static_cast<double>(*limit);
  }
  if (unit == "per_cycle") {
    const auto number = ParseNumber<double>(text);
    if (!number || !std::isfinite(*number)) return Fail("limit \"", text, "\" is not a number; write one such as 0.5");
    return *number;
  }
  if (unit == "per_s") {
    const auto number = ParseNumber<double>(text);
    if (number && std::isfinite(*number)) return *number;
    const auto limit = ParseRate(text);
    if (!limit) return Forward(limit);
    return limit->hertz();
  }
  if (unit == "Hz") return ParseFrequency(text);
  for (const std::string_view suffix : {unit == "bytes_per_s" ? "/s" : "", unit == "bytes_per_min" ? "/min" : ""}) {
    if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
  }
  const auto limit = ParseSize(text);
  if (!limit) return Forward(limit);
  return static_cast<double>(limit->count);
}

// A percentile is read from the middle of a bucket (base/latency_histogram.h).
constexpr double kBucket = 0.01;
constexpr std::string_view kBucketText = "1 %";

bool IsBucketed(std::string_view pattern, const std::vector<std::string>& metrics) {
  return std::any_of(metrics.begin(), metrics.end(), [&](const std::string& name) {
    return MatchesPattern(pattern, name) && UnitOf(name) == "ns" && PercentileOf(name);
  });
}

bool IsUpper(Comparison comparison) {
  return comparison == Comparison::kLess || comparison == Comparison::kLessOrEqual;
}
bool IsLower(Comparison comparison) {
  return comparison == Comparison::kGreater || comparison == Comparison::kGreaterOrEqual;
}

}  // namespace

Status CheckTogether(const BudgetPlan& one, const BudgetPlan& other, const std::vector<std::string>& metrics) {
  if (one.metric != other.metric || !IsBucketed(one.metric, metrics)) return {};
  const BudgetPlan *upper = nullptr, *lower = nullptr;
  for (const BudgetPlan* each : {&one, &other}) {
    if (IsUpper(each->comparison)) upper = each;
    if (IsLower(each->comparison)) lower = each;
  }
  if (upper == nullptr || lower == nullptr || upper->limit - lower->limit >= kBucket * upper->limit) return {};
  return Fail("\"", lower->text, "\" and \"", upper->text, "\" are closer than the ", kBucketText,
              " to which a percentile is known; move them apart");
}

Result<BudgetPlan> ParseBudget(std::string_view text, const std::vector<std::string>& metrics) {
  constexpr std::string_view kSigns = "<>=!", kExample = "\"stream.imu.latency.p99 < 500us\"";
  const auto begin = text.find_first_of(kSigns);
  if (begin == std::string_view::npos) {
    return Fail("limit \"", text, "\" has no comparison; write one such as ", kExample);
  }
  const auto end = std::min(text.find_first_not_of(kSigns, begin), text.size());
  const std::string_view metric = Trim(text.substr(0, begin)), sign = text.substr(begin, end - begin),
                         limit_text = Trim(text.substr(end));
  const auto comparison = ParseComparison(sign);
  if (!comparison) return Fail("unknown comparison \"", sign, "\"; write one of < <= > >= ==");
  if (metric.empty()) return Fail("limit \"", text, "\" names no metric; write one such as ", kExample);

  std::vector<std::string> units;
  for (const auto& name : metrics) {
    if (MatchesPattern(metric, name)) AddOnce(units, UnitOf(name));
  }
  if (units.empty()) return FailOnNoMatch(metric, metrics);
  if (units.size() > 1) {
    return Fail("\"", metric, "\" stands for figures of unlike units (", Join(units, ", "), "); name one figure");
  }
  const auto limit = ParseLimit(limit_text, units[0]);
  if (!limit) return Forward(limit);
  if (comparison == Comparison::kEqual && IsBucketed(metric, metrics)) {
    return Fail("\"", metric, "\" is known to ", kBucketText, ", and never exactly; write < or >");
  }
  return BudgetPlan{
      .text = std::string(text), .metric = std::string(metric), .comparison = *comparison, .limit = *limit};
}

}  // namespace corerig
