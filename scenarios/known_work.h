// CPU work whose amount is exact and whose result is known beforehand.
//
//   state = Work(state, 100'000);                          // the work
//   EXPECT_EQ(state, WorkResult(before, 100'000));         // what it must come to, without doing it
//
// An iteration is one step of a linear congruential generator (x = a x + c mod 2^64): each waits for the one before, so
// it takes the latency of a multiplication and an addition, whatever the compiler makes of the loop, and touches no
// memory. What else runs on the core's other hardware thread hardly changes it.
#pragma once

#include <cstdint>
#include <functional>

#include "harness/base/units.h"

namespace corerig {

// The state after so many iterations.
std::uint64_t Work(std::uint64_t state, std::uint64_t iterations);

// The same in some 64 steps (Brown: "Random Number Generation with Arbitrary Strides", Trans. Am. Nucl. Soc. 71, 1994).
std::uint64_t WorkResult(std::uint64_t state, std::uint64_t iterations);

// How many iterations make a microsecond of CPU time of this core when nothing disturbs it: what disturbs only makes a
// sample longer, so it is the best of many, each a fraction of a millisecond. Takes some 10 ms, in which a core that
// was idle comes to its speed. `cpu_time` is the calling thread's.
double IterationsPerMicrosecond(const std::function<Nanos()>& cpu_time);

}  // namespace corerig
