// How long an external receiver takes to answer, by order: the n-th answer belongs to the n-th frame that the receiver
// was given whole.
//
//   AnswerMatcher matcher(control, {&ring, capacity}, figures);
//   matcher.OnAnswer(at);          // for each that comes, in their order
//
// The wire of a sensor has no room for a number that a program could send back, and what it makes of a frame is its own
// affair: order is all there is. It errs to one side. A frame that the program passes over, or an answer that is lost,
// lets every later answer count for an earlier frame: reactions become longer, and the last frames stay unanswered. An
// answer that came before its frame was sent is none: it is counted as unasked, and the frame waits for another.
#pragma once

#include <cstdint>

#include "harness/base/units.h"
#include "harness/child/control.h"
#include "harness/stream/slabs.h"
#include "harness/stream/truth.h"

namespace corerig {

// One thread; takes no memory.
class AnswerMatcher {
 public:
  // Everything referred to outlives it. The ring is written by another thread.
  AnswerMatcher(const ControlPage& control, const TruthRing& ring, std::size_t capacity, SourceStream& figures)
      : control_(control), ring_(ring), capacity_(capacity), figures_(figures) {}

  // `at`: when it came, CLOCK_MONOTONIC. What comes after the drain is late for ever.
  void OnAnswer(Nanos at);

 private:
  const ControlPage& control_;
  const TruthRing& ring_;
  const std::size_t capacity_;
  SourceStream& figures_;
  std::uint64_t next_ = 0;   // emission whose answer is awaited, or one that needs none
  bool order_lost_ = false;  // a truth was overwritten before its answer came
};

}  // namespace corerig
