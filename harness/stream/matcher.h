// The receiver's side of one stream: decodes what arrives, finds the truth of every frame and keeps the stream's
// accounts.
//
//   Matcher matcher(control, {&ring, capacity}, kind, *decoder, figures, &MonotonicNow);
//   ... matcher.OnArrival(arrival);          // for everything received
//   matcher.BeginDrain();                    // what comes now is counted as unread
//   matcher.Finish();                        // what never came is lost
//
// Afterwards, exactly: sent = received - duplicated + lost + unread.
//
// How a frame finds its truth. A datagram: among the emissions with its wire key the one sent nearest to the kernel's
// stamp (without a stamp: to its reading), and never one sent after its reading; so a wrapped counter unwraps. Bytes:
// the emission at its byte offset, if the wire key agrees. A frame with no such emission is ambiguous; nothing is
// guessed. Takes no memory after construction; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/base/channel_kind.h"
#include "harness/base/units.h"
#include "harness/child/control.h"
#include "harness/loop/channel.h"
#include "harness/loop/loop_turn.h"
#include "harness/stream/sample_break.h"
#include "harness/stream/schedule.h"
#include "harness/stream/sensor.h"
#include "harness/stream/slabs.h"
#include "harness/stream/truth.h"

namespace corerig {

class Matcher final : private FrameSink {
 public:
  struct Source {
    const TruthRing* ring;
    std::size_t capacity;
  };

  // Everything referred to outlives it. `turn` is of the loop that calls, `now` reads CLOCK_MONOTONIC.
  Matcher(const ControlPage& control, Source source, ChannelKind channel, Decoder& decoder, const LoopTurn& turn,
          HandlerStream& figures, Nanos (*now)(), const StreamBreak& at_break = {});
  Matcher(const Matcher&) = delete;

  void OnArrival(const Arrival& arrival);

  // Samples that arrive from now on were still in the channel when the drain ended.
  void BeginDrain() { draining_ = true; }

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
  };

  void OnFrame(const DecodedFrame& frame) override;
  void OnCorrupt(std::uint64_t begin, std::uint64_t end) override;

  void TakeTruths();
  void CloseSettled(Nanos now);
  void Close(const Emission& emission);
  // Positions in the window of emissions; kNone if there is none.
  std::uint64_t FindDatagram(std::uint64_t wire_key) const;
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
  const bool datagrams_;
  Decoder& decoder_;
  const LoopTurn& turn_;
  HandlerStream& figures_;
  Nanos (*const now_)();
  const StreamBreak break_;

  std::uint64_t next_truth_ = 0;     // emission of the ring to be read next
  std::vector<Emission> emissions_;  // positions [head_, tail_): read from the ring and not yet closed
  std::uint64_t head_ = 0, tail_ = 0;
  std::uint64_t latest_match_ = 0;  // the position after the latest emission that a frame was matched to

  std::uint64_t samples_taken_ = 0;  // truths of samples in the window that were read, copies not counted
  bool any_truth_ = false, truths_missed_ = false;
  Nanos latest_due_{0};              // of the truths read
  std::uint64_t highest_taken_ = 0;  // sequence
  std::uint64_t gaps_taken_ = 0;     // in the window, before it
  bool any_good_ = false;
  std::uint64_t highest_good_ = 0;  // sequence

  bool draining_ = false;
  std::uint64_t received_end_ = 0;  // offset after the last byte received
  // Of the arrival at hand.
  const Arrival* arrival_ = nullptr;
  Nanos begin_{0};  // of the sample at hand: of the arrival, then the moment its previous frame was done
  bool found_frame_ = false, found_corrupt_ = false;
  std::uint64_t unattributed_end_ = kNone;  // where the latest corrupt bytes that belong to no emission end
};

}  // namespace corerig
