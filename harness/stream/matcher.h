// The receiver's side of one stream: decodes what arrives, finds the truth of every frame and keeps the stream's
// accounts.
//
//   Matcher matcher(control, {&ring, capacity}, stream, limits, *decoder, turn, figures, &MonotonicNow);
//   ... matcher.OnArrival(arrival);          // for everything received
//   matcher.BeginDrain();                    // what comes now is counted as unread
//   matcher.Finish();                        // what never came is lost
//
// Afterwards, exactly: sent = received - duplicated + lost + unread.
//
// How a frame finds its truth. A datagram: among the emissions with its wire key the one sent nearest to the kernel's
// stamp (without a stamp: to its reading), and never one sent after its reading; so a wrapped counter unwraps. Of
// frames that look the same, one sent after the stamp counts only if none sent before it may still come. Bytes:
// the emission at its byte offset, if the wire key agrees. A datagram of a lossless stream: none is missing and they
// come in order, so it is the next that was sent; if the wire key disagrees, that one was damaged, or the order is
// found anew. A frame with no such emission is ambiguous; nothing is guessed. Takes no memory after construction; one
// thread.
//
// How a fault is found: by what a receiver sees that knows nothing of the injection. Its rules:
//
//   lost         the sample never came as a good frame          off, intermittent, slow, drop
//   duplicated   a second frame of the sample came              duplicate
//   reordered    it came after a later sample                   reorder
//   corrupt      its frame failed the receiver's check          bit-flip, truncate, garbage
//   repeating    its value is one of too many equal in a row    stuck
//   implausible  its value cannot be (ValueWatch)               wrong, drift; what passed the check: bit-flip, …
//   late         it came later than LateAfter its own stamp     delayed, burst, jitter
//
// Only afterwards the truth tells whose alarm it was: the fault's, or a false one.
//
// The source of a lossless stream is told how far its truths are settled, and keeps the others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "harness/base/units.h"
#include "harness/child/control.h"
#include "harness/loop/channel.h"
#include "harness/loop/loop_turn.h"
#include "harness/plan/plan.h"
#include "harness/stream/sample_break.h"
#include "harness/stream/schedule.h"
#include "harness/stream/sensor.h"
#include "harness/stream/slabs.h"
#include "harness/stream/truth.h"
#include "harness/stream/value_watch.h"

namespace corerig {

// How much later than the time its stamp or number stands for a sample may come without being called late: a tenth of
// the stream's period, within 100 us, which a healthy board keeps, and 1 ms.
Nanos LateAfter(const StreamPlan& stream);

class Matcher final : private FrameSink {
 public:
  struct Source {
    const TruthRing* ring;
    std::size_t capacity;
  };

  // Everything referred to outlives it. `turn` is of the loop that calls, `now` reads CLOCK_MONOTONIC.
  Matcher(const ControlPage& control, Source source, const StreamPlan& stream, const ValueLimits& limits,
          Decoder& decoder, const LoopTurn& turn, HandlerStream& figures, Nanos (*now)(),
          const StreamBreak& at_break = {});
  Matcher(const Matcher&) = delete;

  void OnArrival(const Arrival& arrival);

  // Reads the truths that have come since: while nothing arrives the ring would overwrite them, and a lossless source
  // wait. To be called several times per length of the ring.
  void Look();

  // Samples that arrive from now on were still in the channel when the drain ended.
  void BeginDrain() { draining_ = true; }

  // The source has ended: it sends nothing any more.
  bool source_ended() const { return source_.ring->closed(); }

  // Closes the accounts. `schedule` tells which samples a source emitted whose truth was overwritten.
  void Finish(const StreamSchedule& schedule);

 private:
  enum class State : std::uint8_t {
    kOpen,     // nothing came
    kGood,     // a good frame came
    kUnread,   // a good frame came, after the drain ended
    kCorrupt,  // a datagram of it came and failed the receiver's check
  };
  // An emission and what became of it.
  struct Emission {
    Truth truth;
    State state = State::kOpen;
    bool corrupt = false;       // bytes of it failed the receiver's check
    bool answered = false;      // a frame came in its place, but with another wire key, or counted for its first copy
    bool out_of_order = false;  // it came after a later sample
    bool ambiguous = false;     // a good frame came that may have been it
    bool late = false;
    bool implausible = false;
    Nanos found{0};  // when the first rule fired for it; 0: none did yet
  };
  // A sample of the present run of equal values.
  struct OfRun {
    std::uint8_t fault, flags;  // as in Truth
    bool in_window;
  };

  void OnFrame(const DecodedFrame& frame) override;
  void OnCorrupt(std::uint64_t begin, std::uint64_t end) override;

  void TakeTruths();
  void CloseSettled(Nanos now);
  bool IsPassed(const Emission& emission, Nanos now) const;
  void Close(const Emission& emission);
  void Judge(const Emission& emission, bool came, bool corrupt);
  void Settle(std::uint8_t fault, std::optional<Nanos> found, bool arrived, bool ambiguous);
  static void Found(FoundFault& figures, Nanos at);
  void FoundAtLast(Nanos at);
  void CheckRules(Emission& emission, const DecodedFrame& frame, Nanos done);
  void SettleRun(std::optional<Nanos> found);
  // A frame was matched to the emission before `end`: what is open before it was passed over.
  void MatchedUpTo(std::uint64_t end);
  FaultKind KindOf(std::uint8_t fault) const { return stream_.faults[fault - 1u].kind; }
  // Positions in the window of emissions; kNone if there is none.
  std::uint64_t FindDatagram(std::uint64_t wire_key) const;
  std::uint64_t FindInOrder(std::uint64_t wire_key);
  std::uint64_t FindAtOffset(const DecodedFrame& frame);
  template <typename Eligible>
  std::uint64_t NearestInTime(const Eligible& eligible) const;
  // The first position whose emission is not `before` any more: the emissions are in the order of it.
  template <typename Before>
  std::uint64_t FirstNot(const Before& before) const;
  void AttributeCorruptDatagram();
  void MarkUnfinishedAsCorrupt();
  void Count(Emission& emission, const DecodedFrame& frame, Nanos done);
  // What belongs to no emission has no due time: it counts from the window's begin on, by its reading.
  void CountUnattributed(Counter& counter);

  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  Emission& At(std::uint64_t position) { return emissions_[position & (emissions_.size() - 1)]; }
  const Emission& At(std::uint64_t position) const { return emissions_[position & (emissions_.size() - 1)]; }

  const ControlPage& control_;
  const Source source_;
  const StreamPlan& stream_;
  const bool datagrams_, lossless_;
  const Nanos late_after_;
  const bool can_repeat_;  // equal values in a row tell nothing
  Decoder& decoder_;
  const LoopTurn& turn_;
  HandlerStream& figures_;
  Nanos (*const now_)();
  const StreamBreak break_;

  std::uint64_t next_truth_ = 0;     // emission of the ring to be read next
  std::vector<Emission> emissions_;  // positions [head_, tail_): read from the ring and not yet closed
  std::uint64_t head_ = 0, tail_ = 0;
  std::uint64_t next_message_ = 0;  // the position after that of the latest message of a lossless stream
  std::uint64_t latest_match_ = 0;  // the position after the latest emission that a frame was matched to

  std::uint64_t samples_taken_ = 0;  // truths of samples in the window that were read, copies not counted
  bool any_truth_ = false, truths_missed_ = false;
  Nanos latest_due_{0};              // of the truths read
  std::uint64_t highest_taken_ = 0;  // sequence
  std::uint64_t gaps_taken_ = 0;     // in the window, before it
  bool any_good_ = false;
  std::uint64_t highest_good_ = 0;  // sequence

  static_assert(kMostFaults <= 32);
  std::uint32_t not_yet_found_ = 0;  // by fault: samples that it kept back are lost, and the next to come will show it

  ValueWatch watch_;
  // Of the present run of equal values those that no rule has fired for; the run's first one is not among them.
  std::array<OfRun, kMostRepeats> run_;
  std::size_t run_size_ = 0;

  bool draining_ = false;
  std::uint64_t received_end_ = 0;  // offset after the last byte received
  // Of the arrival at hand.
  const Arrival* arrival_ = nullptr;
  Nanos begin_{0};                 // of the sample at hand: of the arrival, then the moment its previous frame was done
  std::uint64_t message_ = kNone;  // the position that it must be of, if order tells
  bool found_frame_ = false, found_corrupt_ = false;
  std::uint64_t unattributed_end_ = kNone;  // where the latest corrupt bytes that belong to no emission end
};

}  // namespace corerig
