// Gradients summed over workers, through memory that they share: all get the same sum, bit for bit, as each adds all
// shares in the order of the workers' indices.
//
//   auto together = AllReduce::Join(exchange, {.index = job.index, .parties = job.workers, .name = job.group}, stop);
//   if (!(*together)->Sum(network.gradient(), loss)) return;   // told to stop
//
// A worker writes its share into one of two places of its own in turn, meets the others once (os/rendezvous.h), and
// reads theirs: it cannot come back to a place before all have met again, and so read it. Workers are threads of one
// process or processes. Used and destroyed on the thread that made it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "harness/os/rendezvous.h"
#include "scenarios/train/kernels.h"

namespace corerig {

class AllReduce {
 public:
  // The most numbers that Sum takes. Memory that is not touched costs nothing: room is made for that many.
  static constexpr std::size_t kMost = 1 << 19;
  // The memory that `parties` workers need, zeroed.
  static std::size_t SizeFor(int parties);

  struct Party {
    int index = 0, parties = 1;
    std::string name;  // of the group, for messages
  };
  // `memory`, aligned to a page, outlives this. Fails if it is less than SizeFor(parties), or not zeroed.
  static Result<std::unique_ptr<AllReduce>> Join(std::span<std::byte> memory, Party party,
                                                 std::function<bool()> told_to_stop);

  int index() const { return party_.index; }
  int parties() const { return party_.parties; }

  // `values` (a multiple of kPadding, the same number for all) and `loss` become the sums over all parties. False
  // if this one is told to stop: then they are not. Throws std::runtime_error, with a line that says which, if another
  // has died, or has ended while this one is to go on.
  bool Sum(std::span<float> values, double& loss);

 private:
  AllReduce(std::span<std::byte> memory, Party party, std::function<bool()> told_to_stop,
            std::unique_ptr<Rendezvous> rendezvous);
  std::span<std::byte> Place(int index) const;

  Party party_;
  std::span<std::byte> memory_;
  std::function<bool()> told_to_stop_;
  std::unique_ptr<Rendezvous> rendezvous_;
  std::uint64_t turn_ = 0;
};

}  // namespace corerig
