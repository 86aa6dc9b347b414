#include "harness/stream/answers.h"

namespace corerig {

void AnswerMatcher::OnAnswer(Nanos at) {
  if (order_lost_ || at.count() > control_.drain_end.load(std::memory_order_relaxed)) return;
  for (;; ++next_) {
    if (next_ >= ring_.published()) return figures_.unasked.Add();
    const auto truth = ring_.Read(next_, capacity_);
    if (!truth) {
      // Whether it was given at all is not known any more, and so not which frame an answer is for.
      order_lost_ = true;
      return;
    }
    // The next emission's offset tells how much of this one was taken. The latest one, for which there is none yet,
    // was: an answer has come.
    const auto after = ring_.Read(next_ + 1, capacity_);
    if (truth->size == 0 || (after && after->offset - truth->offset < truth->size)) continue;
    if (at < truth->sent) return figures_.unasked.Add();
    ++next_;
    const bool copy = (truth->flags & kTruthCopy) != 0;
    if (!copy && control_.InWindow(truth->due)) figures_.reaction.Record(at - truth->due);
    return;
  }
}

}  // namespace corerig
