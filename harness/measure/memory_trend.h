// Whether a process's memory kept growing, told only on evidence.
//
//   const MemoryTrend trend = TrendOf(samples);   // of the USS over the window
//
// Memory in use is no noise about a line: an allocator holds on to what it was given and gives it back later, a garbage
// collector makes a sawtooth of it, a cache fills once, and every sample resembles the one before. What a leak raises
// is the floor. So the window is cut into twelve parts of equally many samples, each part counts by its lowest sample,
// and what is looked at are the eleven rises from one part's floor to the next's:
//
//   grows      every one of them is a rise: by a page at least, as the kernel counts whole pages
//   steady     the second half of the window ends no higher than it began, but for 16 pages or half a percent
//   undecided  anything else, and whenever there are too few samples or too little time
//
// Rises and falls that follow each other by chance, like the steps of a random walk (the worst that a process without a
// leak can do: its samples depend on all before them), are all rises in 1 of 2^11 = 2048 windows; of independent ones
// in 1 of 12!. One step, however large, is one rise. The interval is from the least of the rises to the greatest, each
// per time between its parts: an interval of order statistics for their median, without a word on their distribution,
// that holds it in all but 2 of 2048 cases (the sign test's interval: Hollander, Wolfe, Chicken, "Nonparametric
// Statistical Methods", 3.6). The slope is the floors' by Theil and Sen, which lies inside.
//
// What this cannot tell: a sawtooth whose teeth are longer than the window, from a leak; a leak of less than a page per
// twelfth of the window, from none.
#pragma once

#include <span>

#include "harness/base/record.h"

namespace corerig {

inline constexpr std::size_t kTrendParts = 12;
inline constexpr Nanos kTrendSpan = std::chrono::seconds(2);

// `samples` in ascending order of time.
MemoryTrend TrendOf(std::span<const MemorySample> samples);

}  // namespace corerig
