#include "harness/run/spikes.h"

#include <algorithm>
#include <cmath>

#include "harness/base/text.h"
#include "harness/plan/parts.h"
#include "harness/stream/schedule.h"
#include "harness/stream/slabs.h"

namespace corerig {
namespace {

// Its number is that in the trace, if there is one.
SpikeThread SourceThread(const Plan& plan, const SupervisedChild* source, const SpikeRecorder* recorder) {
  if (source == nullptr || !source->launched.process || !plan.source) return {};
  return {.tid = recorder == nullptr ? 0 : recorder->TidOf(std::string(kSourcePart)),
          .core = source->launched.core(),
          .name = StrCat("the source (", ToText(plan.source->policy), ")")};
}

// `name` is how a sentence calls it.
SpikeThread LoopThreadOf(const LoopPlan& loop, const SpikeRecorder* recorder, std::string name) {
  return {.tid = recorder == nullptr ? 0 : recorder->TidOf(LoopPart(loop.name)),
          .core = loop.core.value,
          .name = std::move(name)};
}

std::size_t LoopOf(const Plan& plan, const StreamPlan& stream) {
  const auto at = std::find_if(plan.loops.begin(), plan.loops.end(),
                               [&](const LoopPlan& loop) { return loop.name == stream.loop; });
  return static_cast<std::size_t>(at - plan.loops.begin());
}

Nanos Quantile(const Distribution& seen, double p) {
  const double value = seen.Percentile(p);
  return std::isfinite(value) ? Nanos(static_cast<std::int64_t>(value)) : Nanos(0);
}

const WorstSamples& WorstOf(const Plan& plan, const SupervisedChild& handler, std::size_t stream) {
  return handler.launched.slab.At<HandlerStream>(HandlerSlabLayout(plan).streams[stream])->worst;
}

SpikeEvidence NoEvidence(const std::string& why) {
  SpikeEvidence evidence;
  evidence.absent = why;
  return evidence;
}

}  // namespace

std::unique_ptr<SpikeRecorder> MakeSpikeRecorder(const Plan& plan, const StreamSides& sides, const Timeline& timeline) {
  std::vector<SpikeRecorder::Stream> streams;
  std::vector<SpikeRecorder::Thread> loops;
  if (sides.handler != nullptr) {
    for (const auto& loop : plan.loops) loops.push_back({.part = LoopPart(loop.name), .core = loop.core.value});
    for (std::size_t i = 0; i < plan.streams.size(); ++i) {
      SpikeRecorder::Stream stream{.worst = &WorstOf(plan, *sides.handler, i), .source = {}, .loop = {}};
      if (plan.streams[i].channel != ChannelKind::kTimer && plan.source) {
        stream.source = {.part = std::string(kSourcePart), .core = plan.source->core.value};
      }
      const std::size_t loop = LoopOf(plan, plan.streams[i]);
      if (loop < loops.size()) stream.loop = loops[loop];
      streams.push_back(stream);
    }
  }
  return std::make_unique<SpikeRecorder>(streams, loops, timeline.window_begin);
}

std::vector<SpikeRecord> CollectSpikes(const Plan& plan, const StreamSides& sides, const Timeline& timeline,
                                       const RunRecord& record, const SpikeRecorder* recorder) {
  std::vector<SpikeRecord> spikes;
  if (sides.handler == nullptr || timeline.window_end <= timeline.window_begin) return spikes;
  SpikeContext context;
  for (const auto& core : record.cores) {
    if (core.steal) context.steal[core.cpu] = *core.steal;
  }
  const auto in_window = [&](const SampleStamps& stamps) {
    // Two loops may come upon a break at once: the trace ends with the first.
    if (record.at_break && stamps.done > record.at_break->done) return false;
    return stamps.due >= timeline.window_begin && stamps.due < timeline.window_end && stamps.done > stamps.due;
  };
  for (std::size_t i = 0; i < plan.streams.size() && i < record.streams.size(); ++i) {
    const StreamPlan& stream = plan.streams[i];
    const std::size_t loop = LoopOf(plan, stream);
    if (loop == plan.loops.size()) continue;
    const StreamRecord& seen = record.streams[i];
    SpikeSubject subject;
    subject.part = StrCat("stream.", stream.name);
    subject.loop = stream.loop;
    if (stream.channel != ChannelKind::kTimer) subject.source = SourceThread(plan, sides.source, recorder);
    subject.thread = LoopThreadOf(plan.loops[loop], recorder,
                                  StrCat("its loop (", stream.loop, ", ", ToText(plan.loops[loop].policy), ")"));
    subject.usual = {.lateness = Quantile(seen.lateness, 0.5),
                     .transport = Quantile(seen.transport, 0.5),
                     .queue = Quantile(seen.queue, 0.5),
                     .service = Quantile(seen.service, 0.5),
                     .service_p99 = Quantile(seen.service, 0.99)};
    const std::uint64_t first =
        Expected(plan, stream, timeline.window_begin - timeline.start, timeline.window_end - timeline.start).first;
    for (const SampleStamps& stamps : WorstOf(plan, *sides.handler, i).Read()) {
      if (!in_window(stamps) || stamps.sequence < first) continue;
      subject.sample = stamps.sequence - first;
      subject.stamps = stamps;
      const SpikeEvidence evidence =
          recorder != nullptr ? recorder->EvidenceOfStream(i, stamps) : NoEvidence("there is no scheduling trace");
      spikes.push_back(ExplainSpike(subject, evidence, context));
    }
  }
  for (std::size_t i = 0; i < plan.loops.size() && recorder != nullptr; ++i) {
    SpikeSubject subject;
    subject.part = StrCat("loop.", plan.loops[i].name);
    subject.loop = plan.loops[i].name;
    subject.thread = LoopThreadOf(plan.loops[i], recorder, StrCat("it (", ToText(plan.loops[i].policy), ")"));
    for (const SampleStamps& delay : recorder->WorstDelays(i)) {
      if (!in_window(delay)) continue;
      subject.stamps = delay;
      spikes.push_back(ExplainSpike(subject, recorder->EvidenceOfLoop(i, delay), context));
    }
  }
  std::stable_sort(spikes.begin(), spikes.end(),
                   [](const SpikeRecord& a, const SpikeRecord& b) { return a.delay > b.delay; });
  if (record.at_break) {
    const std::string part = StrCat("stream.", record.at_break->stream);
    std::stable_partition(spikes.begin(), spikes.end(), [&](const SpikeRecord& spike) {
      return spike.part == part && spike.sample == record.at_break->sample;
    });
  }
  return spikes;
}

}  // namespace corerig
