// Workers that share memory meet: each waits until all have come as often, and learns it when one never will.
//
//   auto meeting = Rendezvous::Join(shared, index, parties, told_to_stop);
//   while (…) {
//     Write(mine);
//     if (const auto met = (*meeting)->Meet(); met.how != Rendezvous::How::kAll) break;
//     Read(all);   // what every party wrote before it met
//   }
//
// Parties are threads, or processes whatever way they came to the memory. A party that ends as it should takes its
// leave in the destructor; of one that is killed the kernel tells: each holds a robust mutex
// (pthread_mutexattr_setrobust) as long as it lives. Waiting is a short spin, then a futex with a timeout of 10 ms, at
// which the living are looked after.
//
// Made, used and destroyed on one thread; the memory is mapped until then.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "harness/base/result.h"

namespace corerig {

class Rendezvous {
 public:
  // The memory that it takes: zeroed before the first party joins, aligned to 64 bytes.
  static std::size_t SizeFor(int parties);

  // Fails where the kernel does not tell of the dead, so that one could be waited for for ever: qemu's user mode is
  // such.
  static Status Supported();

  // As party `index` of `parties`. `told_to_stop` may be empty. Fails if it is not Supported, the memory is too small,
  // or a party of that index has been here before.
  static Result<std::unique_ptr<Rendezvous>> Join(std::span<std::byte> memory, int index, int parties,
                                                  std::function<bool()> told_to_stop,
                                                  std::chrono::milliseconds join_within = std::chrono::seconds(5));
  ~Rendezvous();
  Rendezvous(const Rendezvous&) = delete;
  Rendezvous& operator=(const Rendezvous&) = delete;

  enum class How {
    kAll,         // every party has come
    kToldToStop,  // this one is to stop, and not all have come
    kLeft,        // party `who` has taken its leave
    kDied,        // party `who` was killed, or its thread ended without a leave
    kNeverCame,   // party `who` has not joined `join_within` after this one began to wait for it
  };
  struct Met {
    How how = How::kAll;
    int who = -1;
  };
  // After anything but kAll there is no further meeting.
  Met Meet();

 private:
  struct Shared;
  struct Party;

  Rendezvous(Shared& shared, int index, int parties, std::function<bool()> told_to_stop,
             std::chrono::milliseconds join_within);
  Party& PartyOf(int index) const;
  Met WaitFor(int who);
  How LookAfter(Party& party) const;

  Shared& shared_;
  const int index_, parties_;
  const std::function<bool()> told_to_stop_;
  const std::chrono::milliseconds join_within_;
  std::uint32_t round_ = 0;
};

}  // namespace corerig
