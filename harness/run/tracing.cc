#include "harness/run/tracing.h"

#include <fcntl.h>

#include <utility>

#include "harness/os/board.h"
#include "harness/plan/parts.h"
#include "harness/run/trace_buffers.h"

namespace corerig {
namespace {

using Role = TraceFold::Role;

std::vector<TraceFold::Part> PartsOf(const Plan& plan) {
  std::vector<TraceFold::Part> parts = {{std::string(kRigPart), Role::kRig},
                                        {std::string(kSourcePart), Role::kSource},
                                        {std::string(kHandlerPart), Role::kRig}};
  for (auto& part : LoopParts(plan)) parts.push_back({std::move(part), Role::kLoop});
  for (auto& part : WorkerParts(plan)) parts.push_back({std::move(part), Role::kWorker});
  for (auto& part : GroupParts(plan)) parts.push_back({std::move(part), Role::kWorker});
  return parts;
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
  options.buffers = TraceBuffers(plan, OnlineCpus(""), ReadBoard("", plan.cores).memory);
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
  if (!reader_) {
    record_.absent = absent_;
    return;
  }
  reader_->Stop();
  record_ = fold_->Take();
  record_.absent.clear();
  record_.events = reader_->events();
  record_.lost = reader_->total_lost();
  record_.inferred = reader_->inferred();
  record_.sees_interrupts = reader_->sees_interrupts();
  reader_.reset();
}

}  // namespace corerig
