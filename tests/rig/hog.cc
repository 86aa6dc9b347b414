// A task of known misdeeds, for tests of what finds them: holds a core at a high priority for a known time at known
// instants, and says when it did.
//
//   hog CORE PRIORITY BURN_US FIRST_NS PERIOD_US COUNT
//
// From CLOCK_MONOTONIC instant FIRST_NS on (0: in half a second), every period, it computes for BURN_US as
// fifo:PRIORITY on the core. At the end it prints a line "BEGIN_NS END_NS" per burst, both read while it had the core.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "harness/os/clock.h"
#include "harness/os/scheduling.h"

int main(int argc, char** argv) {
  using namespace corerig;
  if (argc != 7) {
    std::fprintf(stderr, "hog: CORE PRIORITY BURN_US FIRST_NS PERIOD_US COUNT\n");
    return 1;
  }
  const CpuId core{std::atoi(argv[1])};
  const Policy policy{Policy::Class::kFifo, std::atoi(argv[2])};
  const Nanos burn = std::chrono::microseconds(std::atoll(argv[3]));
  const Nanos period = std::chrono::microseconds(std::atoll(argv[5]));
  const int count = std::atoi(argv[6]);
  Nanos first(std::atoll(argv[4]));
  if (first == Nanos(0)) first = MonotonicNow() + std::chrono::milliseconds(500);
  struct Burst {
    Nanos begin, end;
  };
  std::vector<Burst> bursts(static_cast<std::size_t>(count));
  if (auto pinned = SetAffinity(0, core); !pinned)
    return std::fprintf(stderr, "%s\n", pinned.error().message.c_str()), 2;
  if (auto set = SetPolicy(0, policy); !set) return std::fprintf(stderr, "%s\n", set.error().message.c_str()), 2;
  SetTimerSlack(Nanos(1));
  for (std::size_t i = 0; i < bursts.size(); ++i) {
    SleepUntil(first + static_cast<std::int64_t>(i) * period);
    bursts[i].begin = MonotonicNow();
    while (MonotonicNow() < bursts[i].begin + burn) {
    }
    bursts[i].end = MonotonicNow();
  }
  // Printing and exiting are work, too, and no part of the last burst.
  SleepUntil(MonotonicNow() + std::chrono::milliseconds(50));
  for (const Burst& burst : bursts) {
    std::printf("%lld %lld\n", static_cast<long long>(burst.begin.count()), static_cast<long long>(burst.end.count()));
  }
}
