#include "harness/base/worst_samples.h"

#include <algorithm>

namespace corerig {
namespace {

bool OneStall(const SampleStamps& a, const SampleStamps& b) {
  return a.due <= b.done + WorstSamples::kApart && b.due <= a.done + WorstSamples::kApart;
}

bool Empty(const SampleStamps& sample) { return sample.done == Nanos(0); }

}  // namespace

void WorstSamples::Add(const SampleStamps& sample) {
  // This thread alone writes, so what it loads is whole.
  std::array<SampleStamps, kMost> seen;
  for (std::size_t i = 0; i < kMost; ++i) seen[i] = Load(entries_[i]);
  for (const auto& other : seen) {
    if (!Empty(other) && OneStall(other, sample) && other.latency() >= sample.latency()) return;
  }
  std::size_t place = kMost;
  for (std::size_t i = 0; i < kMost; ++i) {
    if (Empty(seen[i]) || !OneStall(seen[i], sample)) continue;
    // Stands for a stall that this sample stands for better; if for several, their places become free.
    if (place == kMost) {
      place = i;
    } else {
      seen[i] = {};
      Store(entries_[i], seen[i]);
    }
  }
  if (place == kMost) {
    const auto least = std::min_element(seen.begin(), seen.end(), [](const auto& a, const auto& b) {
      return (Empty(a) ? Nanos::min() : a.latency()) < (Empty(b) ? Nanos::min() : b.latency());
    });
    if (!Empty(*least) && least->latency() >= sample.latency()) return;
    place = static_cast<std::size_t>(least - seen.begin());
  }
  seen[place] = sample;
  Store(entries_[place], sample);
  std::int64_t threshold = INT64_MAX;
  for (const auto& other : seen) threshold = std::min(threshold, Empty(other) ? 0 : other.latency().count());
  threshold_.store(threshold, std::memory_order_relaxed);
  changes_.store(changes_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

std::vector<SampleStamps> WorstSamples::Read() const {
  constexpr int kAttempts = 4;  // a writer that died half-way leaves its entry odd for ever
  std::vector<SampleStamps> samples;
  for (const auto& entry : entries_) {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const std::uint64_t version = entry.version.load(std::memory_order_acquire);
      if (version % 2 != 0) continue;
      const SampleStamps sample = Load(entry);
      if (entry.version.load(std::memory_order_relaxed) != version) continue;
      if (!Empty(sample)) samples.push_back(sample);
      break;
    }
  }
  std::sort(samples.begin(), samples.end(), [](const auto& a, const auto& b) {
    // Not by their difference: it could overflow, whatever the writer left.
    return static_cast<double>(a.done.count()) - static_cast<double>(a.due.count()) >
           static_cast<double>(b.done.count()) - static_cast<double>(b.due.count());
  });
  return samples;
}

SampleStamps WorstSamples::Load(const Entry& entry) {
  const auto word = [&](std::size_t i) { return entry.words[i].load(std::memory_order_acquire); };
  return {.sequence = static_cast<std::uint64_t>(word(0)),
          .due = Nanos(word(1)),
          .ready = Nanos(word(2)),
          .sent = Nanos(word(3)),
          .kernel = Nanos(word(4)),
          .woken = Nanos(word(5)),
          .earlier_begin = Nanos(word(6)),
          .earlier_done = Nanos(word(7)),
          .begin = Nanos(word(8)),
          .done = Nanos(word(9))};
}

void WorstSamples::Store(Entry& entry, const SampleStamps& sample) {
  const std::uint64_t version = entry.version.load(std::memory_order_relaxed);
  entry.version.store(version + 1, std::memory_order_relaxed);
  const std::int64_t words[kWords] = {static_cast<std::int64_t>(sample.sequence),
                                      sample.due.count(),
                                      sample.ready.count(),
                                      sample.sent.count(),
                                      sample.kernel.count(),
                                      sample.woken.count(),
                                      sample.earlier_begin.count(),
                                      sample.earlier_done.count(),
                                      sample.begin.count(),
                                      sample.done.count()};
  for (std::size_t i = 0; i < kWords; ++i) entry.words[i].store(words[i], std::memory_order_release);
  entry.version.store(version + 2, std::memory_order_release);
}

}  // namespace corerig
