#include "harness/run/warnings.h"

#include <algorithm>
#include <chrono>

#include "harness/base/quantity.h"
#include "harness/base/text.h"

namespace corerig {
namespace {

// On a core of its own the rig takes time from nobody.
bool SharesItsCore(const RunRecord& record) {
  const auto here = [&](const auto& part) { return part.core == record.rig_core; };
  return record.source_core == record.rig_core || std::any_of(record.loops.begin(), record.loops.end(), here) ||
         std::any_of(record.workers.begin(), record.workers.end(), here);
}

}  // namespace

std::vector<Warning> WarningsFrom(const RunRecord& record) {
  std::vector<Warning> warnings;
  for (const auto& stream : record.streams) {
    if (stream.late_sends > 0) {
      warnings.push_back({WarningId::kSourceLate, StrCat("stream ", stream.name, ": ", stream.late_sends, " of ",
                                                         stream.sent, " frames were sent more than one period late")});
    }
    if (!stream.endpoint.empty() && stream.overruns > 0) {
      const std::string unheard = stream.unheard > 0 ? StrCat(", ", stream.unheard, " of them without a reader") : "";
      warnings.push_back(
          {WarningId::kNotTaken, StrCat("stream ", stream.name, ": ", stream.overruns, " of ", stream.sent,
                                        " frames were not taken at ", stream.endpoint, unheard)});
    }
    if (stream.truth_lost > 0) {
      warnings.push_back({WarningId::kTruthLost, StrCat("stream ", stream.name, ": ", stream.truth_lost,
                                                        " samples were overwritten before they could be matched")});
    }
    if (stream.stamps_discarded > 0) {
      warnings.push_back({WarningId::kStampsDiscarded, StrCat("stream ", stream.name, ": ", stream.stamps_discarded,
                                                              " receive stamps fell into a step of CLOCK_REALTIME")});
    }
  }
  if (!record.switches.too_small.empty()) {
    warnings.push_back({WarningId::kPerfBuffers, record.switches.too_small});
  } else if (record.switches.gap) {
    warnings.push_back({WarningId::kPerfBuffers, StrCat(record.switches.lost, " records of switches were lost")});
  }
  constexpr double kHeavy = 0.02, kStolen = 0.01;
  // Of a run that was stopped at once the start is all there is to see.
  constexpr Nanos kShortest = std::chrono::milliseconds(100);
  const auto& rig = record.rig.scheduling;
  if (SharesItsCore(record) && rig.observed >= kShortest) {
    const double share = static_cast<double>(rig.run.count()) / static_cast<double>(rig.observed.count());
    if (share > kHeavy) {
      warnings.push_back(
          {WarningId::kRigHeavy, StrCat("the rig itself took ", FormatShare(share), " of core ", record.rig_core)});
    }
  }
  for (const auto& core : record.cores) {
    if (core.steal && *core.steal > kStolen) {
      warnings.push_back(
          {WarningId::kSteal, StrCat("the hypervisor took ", FormatShare(*core.steal), " of core ", core.cpu)});
    }
  }
  return warnings;
}

}  // namespace corerig
