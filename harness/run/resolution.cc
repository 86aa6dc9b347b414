#include "harness/run/resolution.h"

#include <unistd.h>

#include <cmath>
#include <string>

#include "harness/base/metric.h"
#include "harness/base/quantity.h"
#include "harness/base/text.h"

namespace corerig {
namespace {

double AsDouble(Nanos time) { return static_cast<double>(time.count()); }

std::string WhyClock(const ClockResolution& clock) {
  if (clock.finest() == clock.timer && clock.timer > clock.step) {
    return StrCat("this board's timers have a resolution of ", FormatDuration(AsDouble(clock.timer)),
                  " (no high-resolution timers)");
  }
  return StrCat("this board's clock is read in ", FormatDuration(AsDouble(clock.read)), " and advances by ",
                FormatDuration(AsDouble(clock.step)));
}

// The least limit above zero that can be held, and why; 0 where there is no such limit.
struct Finest {
  double value = 0;
  std::string why = {};
  std::string text = {};  // of the value, as one would write it
};

Finest FinestOf(const Plan& plan, const BoardResolution& board, std::string_view metric) {
  const std::string_view unit = UnitOf(metric);
  const double seconds = AsDouble(plan.duration) / 1e9;
  if (unit == "ns") {
    const Nanos finest = board.clock.finest();
    return {AsDouble(finest), WhyClock(board.clock), ToText(finest)};
  }
  const auto page = static_cast<double>(board.page.count);
  if (unit == "bytes") return {page, StrCat("memory comes in pages of ", FormatSize(page)), ToText(board.page)};
  if (unit == "bytes_per_min") {
    // Growth of less than a page over the window cannot be seen.
    const Bytes finest{static_cast<std::uint64_t>(std::ceil(page * 60 / seconds))};
    return {static_cast<double>(finest.count),
            StrCat("one page of ", FormatSize(page), " over a window of ", FormatDuration(AsDouble(plan.duration)),
                   " is ", FormatSize(static_cast<double>(finest.count)), " per minute"),
            ToText(finest) + "/min"};
  }
  if (unit == "share" && metric.starts_with("core.") && metric.ends_with(".steal")) {
    const double finest = AsDouble(board.tick) / AsDouble(plan.duration);
    return {finest,
            StrCat("steal is counted in ticks of ", FormatDuration(AsDouble(board.tick)), ", and one is ",
                   FormatShare(finest), " of a window of ", FormatDuration(AsDouble(plan.duration))),
            StrCat(std::ceil(finest * 1e6) / 1e4, "%")};
  }
  return {};
}

}  // namespace

BoardResolution MeasureBoard() {
  BoardResolution board;
  board.clock = MeasureClock();
  if (const long ticks = sysconf(_SC_CLK_TCK); ticks > 0) board.tick = Nanos(1'000'000'000 / ticks);
  if (const long page = sysconf(_SC_PAGESIZE); page > 0) board.page = Bytes{static_cast<std::uint64_t>(page)};
  return board;
}

Status CheckResolution(const Plan& plan, const BoardResolution& board) {
  for (const auto& stream : plan.streams) {
    if (!stream.break_above || *stream.break_above >= board.clock.finest()) continue;
    return Fail("stream ", stream.name, ": break \"", ToText(*stream.break_above), "\": ", WhyClock(board.clock),
                "; write at least \"", ToText(board.clock.finest()), "\"");
  }
  const auto metrics = MetricsOf(plan);
  for (const auto& budget : plan.budgets) {
    const bool upper = budget.comparison == Comparison::kLess || budget.comparison == Comparison::kLessOrEqual;
    // Nothing at all can be told from something: "<= 0".
    if (!upper || budget.limit < 0 || (budget.limit == 0 && budget.comparison == Comparison::kLessOrEqual)) continue;
    for (const auto& metric : metrics) {
      if (!MatchesPattern(budget.metric, metric)) continue;
      const Finest finest = FinestOf(plan, board, metric);
      if (budget.limit >= finest.value) break;  // all matches are of one unit
      return Fail("budget \"", budget.text, "\": ", finest.why, "; write at least ", finest.text);
    }
  }
  return {};
}

}  // namespace corerig
