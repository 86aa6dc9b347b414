#include "harness/run/tracing.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "harness/os/board.h"
#include "harness/plan/parts.h"

namespace corerig {
namespace {

using Role = TraceFold::Role;

// The reader looks every 200 ms; its buffers last for two seconds, should it be kept from looking.
constexpr std::size_t kSeconds = 2;
// Seen: 33 bytes an event. A sample has some 20 events on its way from the source's timer to the loop's next sleep; a
// core has some thousand a second of its own (ticks, RCU, kernel threads).
constexpr std::size_t kBytesPerSample = 1024, kBytesPerCore = 1 << 20;
// What a user's command does is not known beforehand: two tasks that wake each other through a pipe switch 400,000
// times a second, with 33 MB of events.
constexpr std::size_t kBytesPerCommand = 33 << 20;
constexpr std::size_t kLeast = 2 << 20, kMost = 128 << 20;
// Of all memory, for all buffers.
constexpr std::uint64_t kMemoryShare = 32;

std::vector<TraceFold::Part> PartsOf(const Plan& plan) {
  std::vector<TraceFold::Part> parts = {{std::string(kRigPart), Role::kRig},
                                        {std::string(kSourcePart), Role::kSource},
                                        {std::string(kHandlerPart), Role::kRig}};
  for (auto& part : LoopParts(plan)) parts.push_back({std::move(part), Role::kLoop});
  for (auto& part : WorkerParts(plan)) parts.push_back({std::move(part), Role::kWorker});
  return parts;
}

std::vector<TraceReader::Buffer> BuffersOf(const Plan& plan) {
  const auto samples = static_cast<std::size_t>(FramesPerSecond(plan));
  const auto cpus = OnlineCpus("");
  const std::uint64_t share = ReadBoard("", plan.cores).memory / kMemoryShare / std::max<std::size_t>(cpus.size(), 1);
  std::vector<TraceReader::Buffer> buffers;
  for (const CpuId cpu : cpus) {
    std::size_t bytes = kSeconds * kBytesPerCore;
    const bool streams =
        (plan.source && plan.source->core == cpu) ||
        std::any_of(plan.loops.begin(), plan.loops.end(), [cpu](const auto& loop) { return loop.core == cpu; });
    const bool command = std::any_of(plan.workers.begin(), plan.workers.end(), [cpu](const auto& group) {
      return group.command && std::find(group.cores.begin(), group.cores.end(), cpu) != group.cores.end();
    });
    if (command) bytes += kSeconds * kBytesPerCommand;
    if (streams) bytes += kSeconds * samples * kBytesPerSample;
    buffers.push_back({cpu, std::clamp<std::size_t>(std::min<std::uint64_t>(bytes, share), kLeast, kMost)});
  }
  return buffers;
}

}  // namespace

Tracing::Tracing(const Plan& plan, TraceReader::Sink on_events) : on_events_(std::move(on_events)) {
  null_ = Fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!plan.trace) {
    absent_ = "the scenario says trace = false";
    return;
  }
  const auto parts = PartsOf(plan);
  TraceReader::Options options;
  options.buffers = BuffersOf(plan);
  options.core = plan.rig_core;
  for (const auto& part : parts) {
    options.parts.push_back(part.name);
    if (part.role == Role::kLoop || part.role == Role::kSource) options.faults_of.push_back(part.name);
  }
  fold_ = std::make_unique<TraceFold>(parts, plan.cores);
  auto reader = TraceReader::Start(
      options, [this](std::span<const TraceEvent> events, const TraceNames& names, Nanos complete_until) {
        fold_->OnEvents(events, names, complete_until);
        if (on_events_) on_events_(events, names, complete_until);
      });
  if (reader) {
    reader_ = std::move(*reader);
  } else {
    absent_ = reader.error().message;
  }
}

void Tracing::SetWindow(Nanos begin, Nanos end) {
  if (fold_) fold_->SetWindow(begin, end);
}

void Tracing::Stop() {
  if (reader_) reader_->Stop();
}

TraceRecord Tracing::Record() const {
  if (!reader_) return {.absent = absent_};
  TraceRecord record = fold_->Take();
  record.absent.clear();
  record.events = reader_->events();
  record.lost = reader_->total_lost();
  record.inferred = reader_->inferred();
  record.sees_interrupts = reader_->sees_interrupts();
  return record;
}

}  // namespace corerig
