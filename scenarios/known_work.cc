#include "scenarios/known_work.h"

#include <algorithm>

namespace corerig {
namespace {

// Knuth's MMIX: of full period.
constexpr std::uint64_t kFactor = 6364136223846793005u, kTerm = 1442695040888963407u;

}  // namespace

std::uint64_t Work(std::uint64_t state, std::uint64_t iterations) {
  for (std::uint64_t i = 0; i < iterations; ++i) state = state * kFactor + kTerm;
  return state;
}

std::uint64_t WorkResult(std::uint64_t state, std::uint64_t iterations) {
  // `factor` and `term` are of 1, 2, 4, … steps at once; those of the bits of `iterations` are applied.
  std::uint64_t factor = kFactor, term = kTerm;
  for (; iterations != 0; iterations >>= 1) {
    if ((iterations & 1) != 0) state = state * factor + term;
    term *= factor + 1;
    factor *= factor;
  }
  return state;
}

double IterationsPerMicrosecond(const std::function<Nanos()>& cpu_time) {
  constexpr std::uint64_t kSample = 1 << 16;
  constexpr int kLeastSamples = 16;
  constexpr Nanos kLong{10'000'000};
  volatile std::uint64_t state = 1;  // so that the work is done
  Nanos best = Nanos::max();
  const Nanos begin = cpu_time();
  Nanos now = begin;
  for (int samples = 0; samples < kLeastSamples || now - begin < kLong; ++samples) {
    const Nanos before = cpu_time();
    state = Work(state, kSample);
    now = cpu_time();
    best = std::min(best, now - before);
  }
  return static_cast<double>(kSample) * 1000 / static_cast<double>(std::max(best, Nanos(1)).count());
}

}  // namespace corerig
