#include "harness/stream/sample_break.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <string_view>

#include "harness/os/clock.h"

namespace corerig {

void BreakLatch::Publish(const Moment& moment) {
  stream_.store(moment.stream, std::memory_order_relaxed);
  trace_stopped_.store(moment.trace_stopped.count(), std::memory_order_relaxed);
  sample_.Add(moment.sample);
  state_.store(kPublished, std::memory_order_release);
}

std::optional<BreakLatch::Moment> BreakLatch::Read() const {
  if (state_.load(std::memory_order_acquire) != kPublished) return std::nullopt;
  const auto samples = sample_.Read();
  if (samples.empty()) return std::nullopt;
  return Moment{.stream = stream_.load(std::memory_order_relaxed),
                .sample = samples.front(),
                .trace_stopped = Nanos(trace_stopped_.load(std::memory_order_relaxed))};
}

void SampleBreak::Fire(std::size_t stream, const SampleStamps& sample) {
  if (!latch_.Take()) return;
  // An event of this core in this thread: some kernels trace no switch out of idle, and the one to this thread is then
  // known by what the thread was traced doing (missing_switches.h).
  constexpr std::string_view kMark = "corerig-break", kOff = "0";
  [[maybe_unused]] auto written = write(descriptors_.trace_mark, kMark.data(), kMark.size());
  written = write(descriptors_.trace_switch, kOff.data(), kOff.size());
  latch_.Publish({.stream = stream, .sample = sample, .trace_stopped = MonotonicNow()});
  eventfd_write(descriptors_.event, 1);
}

}  // namespace corerig
