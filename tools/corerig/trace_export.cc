#include "tools/corerig/trace_export.h"

#include <algorithm>
#include <chrono>

#include "harness/os/board.h"
#include "harness/os/clock.h"

namespace corerig {

Result<std::unique_ptr<TraceExport>> TraceExport::Create(const std::string& folder, const Plan& plan) {
  const BoardRecord board = ReadBoard("", plan.cores);
  int cpus = 1;
  for (const CpuId cpu : OnlineCpus("")) cpus = std::max(cpus, cpu.value + 1);
  auto trace = PerfettoTrace::Create({.file = folder + "/trace.perfetto-trace",
                                      .anchor = ReadAnchor(),
                                      .kernel = board.kernel,
                                      .machine = board.machine,
                                      .cpus = cpus});
  if (!trace) return Forward(trace);
  std::unique_ptr<TraceExport> result(new TraceExport(std::move(*trace)));
  PerfettoTrace& file = *result->trace_;
  for (const auto& stream : plan.streams) {
    const auto track = result->streams_[stream.name] = file.AddStream(stream.name);
    if (stream.channel == ChannelKind::kTimer) continue;
    result->queues_[stream.name] = file.AddCounter(track, stream.name + " queued", PerfettoTrace::Unit::kBytes);
  }
  if (!plan.workers.empty()) {
    const auto memory = file.AddGroup("memory");
    for (const auto& group : plan.workers) {
      for (std::size_t i = 0; i < group.cores.size(); ++i) {
        const std::string worker = StrCat(group.name, ".", i);
        result->memory_[worker] = file.AddCounter(memory, worker + " USS", PerfettoTrace::Unit::kBytes);
      }
    }
  }
  return result;
}

void TraceExport::OnEvents(std::span<const TraceEvent> events, const TraceNames& names) {
  for (const TraceEvent& event : events) {
    if (event.kind != TraceEvent::Kind::kPart) continue;
    const std::string part(names.Part(event.tid));
    trace_->NameProcess(event.at, event.tid, part, {{event.tid, part}});
  }
  trace_->OnEvents(events, names);
}

void TraceExport::OnLive(const LiveState& state) {
  for (const auto& stream : state.streams) {
    const auto at = queues_.find(stream.name);
    if (at == queues_.end() || !stream.queued) continue;
    trace_->Counter(at->second, state.at, static_cast<std::int64_t>(*stream.queued));
  }
  for (const auto& worker : state.workers) {
    const auto at = memory_.find(worker.name);
    if (at == memory_.end() || !worker.uss) continue;
    trace_->Counter(at->second, state.at, static_cast<std::int64_t>(*worker.uss));
  }
}

Status TraceExport::Finish(const RunRecord& record) {
  // A stream's samples go in in the order they were done.
  std::vector<const SpikeRecord*> spikes;
  for (const auto& spike : record.spikes) spikes.push_back(&spike);
  std::sort(spikes.begin(), spikes.end(),
            [](const auto* a, const auto* b) { return a->at + a->delay < b->at + b->delay; });
  for (const SpikeRecord* const spike : spikes) {
    constexpr std::string_view kStream = "stream.";
    if (!spike->part.starts_with(kStream)) continue;
    const auto track = streams_.find(spike->part.substr(kStream.size()));
    if (track == streams_.end()) continue;
    trace_->LateSample(track->second, {.number = spike->sample.value_or(0),
                                       .due = spike->at,
                                       .done = spike->at + spike->delay,
                                       .reason = spike->text});
  }
  return trace_->Finish(std::chrono::seconds(5));
}

}  // namespace corerig
