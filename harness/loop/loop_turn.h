// What a loop did since it woke: why a sample had to wait for others of its loop.
#pragma once

#include <algorithm>

#include "harness/base/units.h"

namespace corerig {

// Of the loop's thread alone. The begin of a callback is the end of the one before, so that no clock is read for this.
struct LoopTurn {
  struct Span {
    Nanos begin{0}, end{0};
    Nanos length() const { return end - begin; }
    Nanos Within(Nanos from, Nanos to) const { return std::max(Nanos(0), std::min(end, to) - std::max(begin, from)); }
  };

  Nanos woken{0};        // the first callback of this turn began; 0 between turns
  Nanos callback{0};     // the callback that runs began
  Span longest;          // of this turn's finished callbacks
  Span longest_of_last;  // of the turn before this one

  void OnCallback(Nanos now) {
    if (woken == Nanos(0)) {
      woken = now;
    } else if (now - callback > longest.length()) {
      longest = {callback, now};
    }
    callback = now;
  }
  void OnEnd(Nanos now) {
    if (now - callback > longest.length()) longest = {callback, now};
    longest_of_last = longest;
    longest = {};
    woken = Nanos(0);
  }

  // The callback that took most of the time between two instants, until `until` at most for the one that runs.
  Span LongestBetween(Nanos from, Nanos until) const {
    const Span running{callback, until};
    Span most = longest_of_last;
    for (const Span& span : {longest, running}) {
      if (span.Within(from, until) > most.Within(from, until)) most = span;
    }
    return most.Within(from, until) > Nanos(0) ? most : Span{};
  }
};

}  // namespace corerig
