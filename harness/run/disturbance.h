// What others did to the cores that a run measures, and which figures that can explain.
//
//   const auto disturbances = DisturbancesOf(plan, record);
//   for (const Disturbance* of : Concerning(plan, disturbances, "stream.imu.latency.p99")) ...   // its loop's, its
//   source's if (EffectOn("stream.imu.latency.p99") == Effect::kRaises) ...            // a violated upper limit proves
//   nothing
//
// A measured core is one with a worker, a loop or the source. Pure. Without a scheduling trace, or with one that has
// gaps, only steal is known.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/record.h"
#include "harness/plan/plan.h"

namespace corerig {

// One that went beyond its share of a measured core.
struct Disturbance {
  int core = 0;
  std::string text;  // "foreign tasks took 60.2 % of core 1 (hog 1.20 s), more than max_foreign = 5.00 %"
};

// Foreign tasks, steal and changes of frequency beyond plan.disturbance, by core.
std::vector<Disturbance> DisturbancesOf(const Plan& plan, const RunRecord& record);

// Those of the cores that a metric's part has its threads on; none for "memory" and "rig".
std::vector<const Disturbance*> Concerning(const Plan& plan, const std::vector<Disturbance>& disturbances,
                                           std::string_view metric);

// Where such a disturbance drives a figure.
enum class Effect {
  kNone,    // memory, results of the wire; and what tells of the disturbance itself, such as core.1.foreign
  kRaises,  // latency, runqueue, lost
  kLowers,  // rate, cpu of a worker
  kEither,  // cpu of a loop: starved, or slowed down
};
Effect EffectOn(std::string_view metric);

}  // namespace corerig
