// The run's trace.perfetto-trace: scheduling, late samples, memory and channels.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "harness/base/live_state.h"
#include "harness/base/record.h"
#include "harness/base/trace_event.h"
#include "harness/plan/plan.h"
#include "harness/report/perfetto_trace.h"

namespace corerig {

class TraceExport {
 public:
  // Creates the file in `folder`. A disk that refuses costs the file, not the run.
  static Result<std::unique_ptr<TraceExport>> Create(const std::string& folder, const Plan& plan);

  // The reader's thread.
  void OnEvents(std::span<const TraceEvent> events, const TraceNames& names);
  // The caller's.
  void OnLive(const LiveState& state);
  // When the run is over: what is only known then, and the end of the file.
  Status Finish(const RunRecord& record);

 private:
  explicit TraceExport(std::unique_ptr<PerfettoTrace> trace) : trace_(std::move(trace)) {}

  std::unique_ptr<PerfettoTrace> trace_;
  std::map<std::string, PerfettoTrace::Track> streams_, queues_, memory_;
};

}  // namespace corerig
