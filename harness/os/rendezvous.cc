#include "harness/os/rendezvous.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <ctime>

namespace corerig {
namespace {

constexpr int kSpins = 500;  // some 10 µs: as long as a wake-up takes
constexpr timespec kPoll = {.tv_sec = 0, .tv_nsec = 10'000'000};

enum State : std::uint32_t { kAbsent = 0, kHere, kGone, kDead };

static_assert(std::atomic<std::uint32_t>::is_always_lock_free && sizeof(std::atomic<std::uint32_t>) == 4,
              "a futex is a word of 32 bits");

void Relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  asm volatile("yield" ::: "memory");
#endif
}

// Neither is private: the parties may be processes.
void WaitWhile(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  syscall(SYS_futex, &word, FUTEX_WAIT, value, &kPoll, nullptr, 0);
}
void WakeAll(std::atomic<std::uint32_t>& word) { syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0); }

}  // namespace

// All zero is its first state.
struct alignas(64) Rendezvous::Shared {
  std::atomic<std::uint32_t> changes{0};  // of any party's `arrived` or `state`: what sleepers sleep on
  std::atomic<std::uint32_t> sleepers{0};
  void Tell() {
    changes.fetch_add(1);
    if (sleepers.load() != 0) WakeAll(changes);
  }
  Party* parties() { return reinterpret_cast<Party*>(this + 1); }  // they lie behind it
};

struct alignas(64) Rendezvous::Party {
  std::atomic<std::uint32_t> arrived{0};  // how often it has come, modulo 2^32
  std::atomic<std::uint32_t> state{kAbsent};
  pthread_mutex_t alive;  // robust; held by the party while it is here
};

std::size_t Rendezvous::SizeFor(int parties) {
  return sizeof(Shared) + static_cast<std::size_t>(parties) * sizeof(Party);
}

Status Rendezvous::Supported() {
  void* head = nullptr;
  std::size_t size = 0;
  if (syscall(SYS_get_robust_list, 0, &head, &size) == 0) return {};
  return Fail(
      "this kernel keeps no list of robust mutexes: workers cannot wait for each other, as one that dies would ",
      "not be missed");
}

Result<std::unique_ptr<Rendezvous>> Rendezvous::Join(std::span<std::byte> memory, int index, int parties,
                                                     std::function<bool()> told_to_stop,
                                                     std::chrono::milliseconds join_within) {
  if (auto ok = Supported(); !ok) return Forward(ok);
  if (index < 0 || index >= parties) return Fail("rendezvous: party ", index, " of ", parties);
  if (memory.size() < SizeFor(parties)) {
    return Fail("rendezvous: ", memory.size(), " bytes of shared memory; ", parties, " parties need ",
                SizeFor(parties));
  }
  if (reinterpret_cast<std::uintptr_t>(memory.data()) % alignof(Shared) != 0) {
    return Fail("rendezvous: shared memory that does not begin at a multiple of ", alignof(Shared));
  }
  auto& shared = *reinterpret_cast<Shared*>(memory.data());
  Party& own = shared.parties()[index];
  if (own.state.load() != kAbsent) {
    return Fail("rendezvous: a party ", index, " has been here before; the memory is to be zeroed");
  }
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&own.alive, &attributes);
  pthread_mutexattr_destroy(&attributes);
  pthread_mutex_lock(&own.alive);
  own.state.store(kHere);
  shared.Tell();
  return std::unique_ptr<Rendezvous>(new Rendezvous(shared, index, parties, std::move(told_to_stop), join_within));
}

Rendezvous::Rendezvous(Shared& shared, int index, int parties, std::function<bool()> told_to_stop,
                       std::chrono::milliseconds join_within)
    : shared_(shared),
      index_(index),
      parties_(parties),
      told_to_stop_(std::move(told_to_stop)),
      join_within_(join_within) {}

Rendezvous::~Rendezvous() {
  Party& own = PartyOf(index_);
  own.state.store(kGone);  // first: who gets the mutex looks at it
  pthread_mutex_unlock(&own.alive);
  shared_.Tell();
}

Rendezvous::Party& Rendezvous::PartyOf(int index) const { return shared_.parties()[index]; }

Rendezvous::Met Rendezvous::Meet() {
  ++round_;
  PartyOf(index_).arrived.store(round_);
  shared_.Tell();
  for (int who = 0; who < parties_; ++who) {
    if (who == index_) continue;
    if (const Met met = WaitFor(who); met.how != How::kAll) return met;
  }
  return {};
}

Rendezvous::Met Rendezvous::WaitFor(int who) {
  Party& party = PartyOf(who);
  const auto has_come = [&] { return static_cast<std::int32_t>(party.arrived.load() - round_) >= 0; };
  for (int spin = 0; spin < kSpins; ++spin) {
    if (has_come()) return {};
    Relax();
  }
  const auto since = std::chrono::steady_clock::now();
  for (;;) {
    shared_.sleepers.fetch_add(1);
    const std::uint32_t seen = shared_.changes.load();
    if (!has_come() && party.state.load() <= kHere) WaitWhile(shared_.changes, seen);
    shared_.sleepers.fetch_sub(1);
    if (has_come()) return {};
    if (told_to_stop_ && told_to_stop_()) return {How::kToldToStop, who};
    const How how = LookAfter(party);
    // One that came and left meanwhile has come.
    if (has_come()) return {};
    if (how == How::kNeverCame && std::chrono::steady_clock::now() - since < join_within_) continue;
    if (how != How::kAll) return {how, who};
  }
}

// How a party that has not come is; kAll: it may still come.
Rendezvous::How Rendezvous::LookAfter(Party& party) const {
  switch (party.state.load()) {
    case kAbsent:
      return How::kNeverCame;
    case kGone:
      return How::kLeft;
    case kDead:
      return How::kDied;
  }
  const int locked = pthread_mutex_trylock(&party.alive);
  if (locked != 0 && locked != EOWNERDEAD) return How::kAll;  // it holds its mutex: it lives
  if (locked == EOWNERDEAD) pthread_mutex_consistent(&party.alive);
  const bool left = party.state.load() == kGone;
  if (!left) party.state.store(kDead);
  pthread_mutex_unlock(&party.alive);
  return left ? How::kLeft : How::kDied;
}

}  // namespace corerig
