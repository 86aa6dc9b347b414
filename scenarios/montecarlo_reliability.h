// Workload "montecarlo/reliability": how long a redundant system lasts, by simulated failures and repairs.
//
// The system has `parts` and works while `needed` of them do (k out of n). A part in service fails after a time that is
// exponentially distributed with mean `lifetime`; with standby = "cold" only the needed parts are in service, and the
// others do not age. With `repair` above 0, as many failed parts as there are `crews` are under repair, each for an
// exponentially distributed time of that mean. The time to failure is known: it is the time that a birth-death chain
// takes to its last state (for three parts of which two are needed, no repair: 5/6 of a lifetime).
//
// One unit of work is a block of systems, followed event by event until the last has failed: 1024 of them, or as many
// less as they are repaired more often, so that a block takes some milliseconds.
#pragma once

#include "harness/child/workload.h"

namespace corerig {

inline constexpr int kMostParts = 1000;
// Systems that survive more failures and repairs on average are refused.
inline constexpr double kMostEvents = 30'000;

struct RedundantSystem {
  int parts = 0;
  int needed = 0;
  double lifetime = 0;  // hours
  bool is_cold = false;
  double repair = 0;  // hours; 0: none
  int crews = 0;

  // While `failed` parts have failed: per hour, how many parts fail and are repaired on average.
  double FailureRate(int failed) const;
  double RepairRate(int failed) const;
  int Spares() const { return parts - needed; }
};

struct Endurance {
  double hours = 0;  // the mean time to failure
  double standard_deviation = 0;
  double events = 0;  // failures and repairs until then, on average
};
// Moments of the first passage of the chain to its last state, one state after the other.
Endurance ExpectedEndurance(const RedundantSystem& system);

// A multiple of four, as a draw is four numbers.
std::uint64_t SystemsPerBlock(const RedundantSystem& system);

WorkloadType MonteCarloReliability();

}  // namespace corerig
