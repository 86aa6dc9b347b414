#include "scenarios/monte_carlo.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "harness/base/text.h"
#include "scenarios/worker_results.h"

namespace corerig {
namespace {

std::string Digits(double value, std::chars_format format, int precision) {
  char buffer[64];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, format, precision);
  return error == std::errc{} ? std::string(buffer, end) : StrCat(value);
}

}  // namespace

CheckRecord CheckAgainst(std::string_view known, double value, double expected, double standard_error) {
  const double deviation = std::abs(value - expected) / standard_error;
  return {.passed = deviation <= kMostStandardErrors,
          .text = StrCat(Digits(value, std::chars_format::general, 6), " is ",
                         Digits(deviation, std::chars_format::fixed, 1), " standard errors from ", known, " ",
                         Digits(expected, std::chars_format::general, 6), " (limit ", kMostStandardErrors, ")")};
}

MeanOf::MeanOf(double count, double sum, double sum_squares) {
  mean = sum / count;
  variance = count > 1 ? std::max((sum_squares - sum * mean) / (count - 1), 0.0) : 0.0;
  standard_error = std::sqrt(variance / count);
}

Figure VectorWidth(const Tally& tally) { return {"vector_width", static_cast<double>(tally.vector_bits), "bit"}; }

Result<Tally> MergeTallies(const WorkerJob& job, std::span<const WorkerResult> results, std::size_t sums) {
  Tally total;
  if (auto checked = CheckSenders(job, results); !checked) return Forward(checked);
  for (const WorkerResult& result : results) {
    const auto wrong = [&](const auto&... what) { return Fail(NameOf(job, result), ": ", what...); };
    const auto tally = ReadTally(result.bytes, sums);
    if (!tally) return wrong(tally.error().message);
    if (auto checked = CheckUnits(job, result, tally->units); !checked) return Forward(checked);
    total.Add(*tally);
  }
  if (total.units == 0) return Fail("worker ", job.group, ": no unit of work was finished");
  return total;
}

}  // namespace corerig
