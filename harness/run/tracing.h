// The scheduling trace of one run: reads it, folds it into figures, hands it on.
//
//   Tracing tracing(plan, on_events);        // before anything of the run is spawned
//   Launch(..., tracing.marker(), ...);
//   tracing.SetWindow(begin, end);
//   tracing.Stop();                          // when all have ended
//   tracing.Record();
#pragma once

#include <memory>
#include <string>

#include "harness/base/record.h"
#include "harness/base/trace_event.h"
#include "harness/measure/trace_fold.h"
#include "harness/measure/trace_reader.h"
#include "harness/os/fd.h"
#include "harness/plan/plan.h"

namespace corerig {

class Tracing {
 public:
  // `on_events` (may be empty) is called by the reader's thread, after the figures were folded.
  Tracing(const Plan& plan, TraceReader::Sink on_events);

  // What children mark their parts through: /dev/null without a trace.
  int marker() const { return reader_ ? reader_->marker() : null_.get(); }
  // What a child can stop the trace with: /dev/null likewise.
  int trace_switch() const { return reader_ ? reader_->trace_switch() : null_.get(); }
  // The reader; nullptr without a trace.
  const TraceReader* reader() const { return reader_.get(); }
  void SetWindow(Nanos begin, Nanos end);
  // Reads what is left, and removes the kernel's trace.
  void Stop();

  // Why there is none; empty if there is one.
  const std::string& absent() const { return absent_; }
  // After Stop.
  const TraceRecord& Record() const { return record_; }

 private:
  std::unique_ptr<TraceFold> fold_;
  TraceReader::Sink on_events_;
  std::unique_ptr<TraceReader> reader_;
  TraceRecord record_;
  std::string absent_;
  Fd null_;
};

}  // namespace corerig
