#include "harness/report/summary.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/report/columns.h"

namespace corerig {
namespace {

constexpr int kWidth = 100;
constexpr std::string_view kMissing = "–";
constexpr std::string_view kInfinite = "∞";

using Align::kRight;

std::string Significant(double value, int digits) {
  if (std::isnan(value)) return std::string(kMissing);
  if (std::isinf(value)) return StrCat(value < 0 ? "-" : "", kInfinite);
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, digits).ptr;
  return std::string(buffer, end);
}

// Units of work, and units per second: "1.23 M", "754 ", the prefix of the SI.
std::string Scaled(double value) {
  constexpr std::pair<double, std::string_view> kPrefixes[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
  for (const auto& [factor, prefix] : kPrefixes) {
    if (value >= factor) return StrCat(Significant(value / factor, 3), " ", prefix);
  }
  return StrCat(Significant(value, 3), " ");
}

std::string ForPeople(const Metric& metric) {
  const double value = *metric.value;
  if (std::isinf(value)) return std::string(kInfinite);
  if (metric.unit == "ns") return FormatDuration(value);
  if (metric.unit == "bytes") return FormatSize(value);
  if (metric.unit == "share") return FormatShare(value);
  if (metric.unit == "bytes_per_s") return FormatSize(value) + "/s";
  if (metric.unit == "bytes_per_min") return FormatSize(value) + "/min";
  if (metric.unit == "Hz") return Scaled(value) + "Hz";
  if (metric.unit == "per_s") return Scaled(value) + "/s";
  return Significant(value, 15);
}

// "0-2,5"
std::string CoreList(const std::vector<int>& cores) {
  std::string out;
  for (std::size_t i = 0; i < cores.size();) {
    std::size_t last = i;
    while (last + 1 < cores.size() && cores[last + 1] == cores[last] + 1) ++last;
    if (!out.empty()) out += ',';
    out += last == i ? StrCat(cores[i]) : StrCat(cores[i], "-", cores[last]);
    i = last + 1;
  }
  return out;
}

bool IsStandardError(std::string_view figure) {
  return figure.ends_with("standard_error") || figure.ends_with("standard-error") || figure.ends_with("standard error");
}

// "stuck from 2.00 s": episodes of one kind are told apart by when they begin.
std::string NameOf(const FaultRecord& fault) {
  if (!fault.episode) return fault.kind;
  return StrCat(fault.kind, " from ", FormatDuration(static_cast<double>(fault.episode->begin.count())));
}

enum class Colour { kNone, kGreen, kRed, kYellow };

Colour ColourOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return Colour::kGreen;
    case Verdict::kFail:
      return Colour::kRed;
    case Verdict::kUndecided:
    case Verdict::kSkipped:
      break;
  }
  return Colour::kYellow;
}

std::string_view MarkOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "✓";
    case Verdict::kFail:
      return "✗";
    case Verdict::kUndecided:
    case Verdict::kSkipped:
      break;
  }
  return "?";
}

// The page, written block by block. Figures come from the metrics, so that they agree with the report and a missing
// one is seen as missing.
class Page {
 public:
  Page(const RunRecord& record, bool colour) : record_(record), colour_(colour) {
    for (const auto& metric : record.metrics) metrics_.emplace(metric.name, &metric);
  }

  std::string Write(const std::string& report_path) {
    Header();
    Break();
    Streams();
    Endpoints();
    Lossless();
    Faults();
    Loops();
    Workers();
    Cores();
    Results();
    Spikes();
    Totals();
    Budgets();
    Warnings();
    Conclusion();
    // Not wrapped: it is there to be copied.
    if (!report_path.empty()) out_ += StrCat("report: ", Printable(report_path), "\n");
    return std::move(out_);
  }

 private:
  void Line(std::string_view text) { out_.append(text) += '\n'; }

  void Wrapped(std::string_view text, int indent) {
    const std::string blanks(static_cast<std::size_t>(indent), ' ');
    for (const auto& line : Wrap(Printable(text), kWidth - indent)) Line(blanks + line);
  }

  void Block(const Table& table) {
    if (table.empty()) return;
    for (const auto& line : table.Lines(kWidth)) Line(line);
    Line("");
  }

  std::string Paint(std::string_view text, Colour colour) const {
    if (!colour_ || colour == Colour::kNone) return std::string(text);
    const int code = colour == Colour::kGreen ? 32 : colour == Colour::kRed ? 31 : 33;  // ECMA-48, SGR
    return StrCat("\x1b[", code, "m", text, "\x1b[0m");
  }

  const Metric* Find(const std::string& name) const {
    const auto at = metrics_.find(name);
    return at == metrics_.end() || !at->second->value ? nullptr : at->second;
  }

  std::string Show(const std::string& name) const {
    const Metric* metric = Find(name);
    return metric == nullptr ? std::string(kMissing) : ForPeople(*metric);
  }

  void Header() {
    const auto& scenario = record_.scenario_name;
    Wrapped(record_.scenario_about.empty() ? scenario : StrCat(scenario, ": ", record_.scenario_about), 0);
    const auto& board = record_.board;
    std::vector<std::string> known;
    const auto add = [&known](std::string_view before, std::string_view value) {
      if (!value.empty()) known.push_back(StrCat(before, value));
    };
    add("", board.model);
    add("", board.machine);
    add("kernel ", std::string_view(board.kernel).substr(0, board.kernel.find(' ')));
    add("cores ", CoreList(board.cores));
    if (!known.empty()) Line(Cut(Printable(StrCat("board   ", Join(known, ", "))), kWidth));
    if (!record_.merged.empty() && record_.workers.empty()) {
      Line(StrCat("merged  ", record_.merged.size(), " of ", record_.merged.front().count, " shards, seed ",
                  record_.conditions.seed));
      Line("");
      return;
    }
    const Nanos measured = record_.window.end - record_.window.begin;
    const auto planned = static_cast<double>(record_.duration.count());
    std::string run = StrCat("run     ", FormatDuration(static_cast<double>(measured.count())));
    // As planned, but for the time the supervisor takes to look at the clock.
    if (std::abs(static_cast<double>(measured.count()) - planned) > planned / 100) {
      run += StrCat(" of ", FormatDuration(planned));
    }
    if (record_.shard) run += StrCat(", shard ", record_.shard->first, "/", record_.shard->second);
    run += StrCat(", seed ", record_.conditions.seed);
    if (!record_.scenario_file.empty()) run += StrCat(", ", record_.scenario_file);
    Line(Cut(Printable(run), kWidth));
    Line("");
  }

  // What a run was stopped for comes before all figures, with its explanation: the first spike.
  void Break() {
    if (!record_.at_break) return;
    const BreakRecord& at = *record_.at_break;
    Line(StrCat(Paint("stopped", ColourOf(Verdict::kFail)), " at the first sample later than ",
                FormatDuration(static_cast<double>(at.limit.count()))));
    const bool explained = !record_.spikes.empty() && IsOfBreak(record_.spikes.front());
    Wrapped(explained ? record_.spikes.front().text : Describe(at), 2);
    if (at.trace_stopped) {
      Wrapped(StrCat("the kernel's trace ends ", FormatDuration(static_cast<double>(at.trace_stopped->count())),
                     " after it was done"),
              2);
    }
    Line("");
  }

  bool IsOfBreak(const SpikeRecord& spike) const {
    return record_.at_break && spike.part == StrCat("stream.", record_.at_break->stream) &&
           spike.sample == record_.at_break->sample;
  }

  void Streams() {
    Table table({{"stream"},
                 {"rate", kRight},
                 {"p50", kRight},
                 {"p99", kRight},
                 {"max", kRight},
                 {"lost", kRight},
                 {"corrupt", kRight},
                 {"dup", kRight},
                 {"reord", kRight}});
    for (const auto& stream : record_.streams) {
      if (!stream.endpoint.empty()) continue;
      const std::string part = StrCat("stream.", stream.name, ".");
      const Metric* rate = Find(part + "rate");
      table.Add({stream.name, rate == nullptr ? std::string(kMissing) : FormatRate(*rate->value),
                 Show(part + "latency.p50"), Show(part + "latency.p99"), Show(part + "latency.max"),
                 Show(part + "lost"), Show(part + "corrupt"), Show(part + "duplicated"), Show(part + "reordered")});
    }
    Block(table);
  }

  // Streams that programs receive which are not ours.
  void Endpoints() {
    Table table({{"stream"},
                 {"to"},
                 {"sent", kRight},
                 {"not taken", kRight},
                 {"bytes/s", kRight},
                 {"late p50", kRight},
                 {"late p99", kRight},
                 {"late max", kRight}});
    for (const auto& stream : record_.streams) {
      if (stream.endpoint.empty()) continue;
      const std::string part = StrCat("stream.", stream.name, ".");
      table.Add({stream.name, stream.endpoint, Show(part + "sent"), Show(part + "overruns"), Show(part + "bytes_per_s"),
                 Show(part + "lateness.p50"), Show(part + "lateness.p99"), Show(part + "lateness.max")});
    }
    Block(table);
  }

  // Streams whose frames wait for room: what their receivers took.
  void Lossless() {
    Table table({{"lossless"},
                 {"took", kRight},
                 {"blocked", kRight},
                 {"sent", kRight},
                 {"not sent", kRight},
                 {"unread", kRight}});
    for (const auto& stream : record_.streams) {
      if (!stream.lossless) continue;
      const std::string part = StrCat("stream.", stream.name, ".");
      const Metric* rate = Find(part + "rate");
      table.Add({stream.name, rate == nullptr ? std::string(kMissing) : FormatRate(*rate->value),
                 Show(part + "blocked"), Show(part + "sent"), Show(part + "backlog"), Show(part + "unread")});
    }
    Block(table);
  }

  void Faults() {
    Table table({{"stream"},
                 {"fault"},
                 {"injected", kRight},
                 {"detected", kRight},
                 {"undetectable", kRight},
                 {"ambiguous", kRight},
                 {"missed", kRight},
                 {"found after", kRight}});
    for (const auto& stream : record_.streams) {
      // Without the handler's figures, nothing is known of what it detected.
      const bool known = Find(StrCat("stream.", stream.name, ".received")) != nullptr;
      for (const auto& fault : stream.faults) {
        const auto count = [&](std::uint64_t n) { return known ? StrCat(n) : StrCat(kMissing); };
        const auto told = fault.undetectable + fault.ambiguous;
        table.Add({stream.name, NameOf(fault), StrCat(fault.injected), count(fault.detected), count(fault.undetectable),
                   count(fault.ambiguous), count(fault.undetected - std::min(fault.undetected, told)),
                   known && fault.found_after ? FormatDuration(static_cast<double>(fault.found_after->count()))
                                              : StrCat(kMissing)});
      }
    }
    Block(table);
  }

  void Loops() {
    Table table({{"loop"},
                 {"core", kRight},
                 {"policy"},
                 {"busy", kRight},
                 {"cpu", kRight},
                 {"runq mean", kRight},
                 {"voluntary", kRight},
                 {"involuntary", kRight},
                 {"migrations", kRight}});
    for (const auto& loop : record_.loops) {
      const std::string part = StrCat("loop.", loop.name, ".");
      table.Add({loop.name, StrCat(loop.core), loop.policy, Show(part + "busy"), Show(part + "cpu"),
                 Show(part + "runqueue.mean"), Show(part + "switches.voluntary"), Show(part + "switches.involuntary"),
                 Show(part + "migrations")});
    }
    Block(table);
  }

  void Workers() {
    Table table({{"worker"},
                 {"core", kRight},
                 {"rate", kRight},
                 {"units", kRight},
                 {"cpu", kRight},
                 {"runq mean", kRight},
                 {"minflt", kRight},
                 {"majflt", kRight},
                 {"uss max", kRight},
                 {"end"}});
    for (const auto& worker : record_.workers) {
      const std::string part = StrCat("worker.", worker.name, ".", worker.index, ".");
      const std::string planned = worker.units_planned == 0 ? "" : StrCat("/", worker.units_planned);
      const EndRecord& end = worker.process.end;
      table.Add({StrCat(worker.name, ".", worker.index), worker.core < 0 ? "any" : StrCat(worker.core),
                 Show(part + "rate"), worker.units ? StrCat(*worker.units, planned) : "–", Show(part + "cpu"),
                 Show(part + "runqueue.mean"), Show(part + "faults.minor"), Show(part + "faults.major"),
                 Show(part + "uss.max"), StrCat(end.as_planned ? "" : "✗ ", Describe(end))});
    }
    for (const auto& group : record_.groups) {
      const EndRecord& end = group.process.end;
      table.Add({group.name + ".all", "–", "–", "–", "–", "–", "–", "–",
                 Show(StrCat("worker.", group.name, ".all.uss.max")),
                 StrCat(end.as_planned ? "" : "✗ ", Describe(end))});
    }
    Block(table);
  }

  void Cores() {
    Table table({{"core"},
                 {"worker", kRight},
                 {"loop", kRight},
                 {"source", kRight},
                 {"rig", kRight},
                 {"foreign", kRight},
                 {"irq", kRight},
                 {"idle", kRight},
                 {"steal", kRight}});
    for (const auto& core : record_.cores) {
      const std::string part = StrCat("core.", core.cpu, ".");
      table.Add({StrCat(core.cpu), Show(part + "worker"), Show(part + "loop"), Show(part + "source"),
                 Show(part + "rig"), Show(part + "foreign"), Show(part + "irq"), Show(part + "idle"),
                 Show(part + "steal")});
    }
    if (table.empty()) return;
    for (const auto& line : table.Lines(kWidth)) Line(line);
    if (!record_.trace.absent.empty()) {
      Wrapped(StrCat("without a scheduling trace there is no foreign, irq and idle: ", record_.trace.absent), 0);
    } else if (record_.trace.lost > 0) {
      Wrapped(StrCat("the scheduling trace lost ", record_.trace.lost, " events"), 0);
    }
    Holders();
    Line("");
  }

  // Who kept loops and workers from their cores for a share of the window that is worth a line.
  void Holders() {
    constexpr double kWorthALine = 0.01;
    const auto window = static_cast<double>((record_.window.end - record_.window.begin).count());
    if (record_.trace.gap || window <= 0) return;
    for (const auto& part : record_.trace.parts) {
      if (!part.part.starts_with("worker ") && !part.part.starts_with("loop ")) continue;
      Nanos held{0};
      // Tasks of one name are one to a reader.
      std::vector<std::pair<std::string_view, Nanos>> holders;
      for (const auto& holder : part.held_by) {
        if (holder.part == part.part) continue;  // a command's own tasks in each other's way
        held += holder.time;
        std::string_view who = holder.part.empty() ? holder.task : holder.part;
        if (holder.tid == 0) who = "nothing yet";  // it was waking up
        const auto same =
            std::find_if(holders.begin(), holders.end(), [&](const auto& one) { return one.first == who; });
        if (same == holders.end()) {
          holders.emplace_back(who, holder.time);
        } else {
          same->second += holder.time;
        }
      }
      if (static_cast<double>(held.count()) < kWorthALine * window) continue;
      std::vector<std::string> texts;
      for (const auto& [who, time] : holders) {
        texts.push_back(StrCat(who, " ", FormatDuration(static_cast<double>(time.count()))));
      }
      Wrapped(StrCat(part.part, " was ready to run for ", FormatShare(static_cast<double>(held.count()) / window),
                     " of the window while its core ran ", Join(texts, ", ")),
              0);
    }
  }

  void Results() {
    for (const auto& result : record_.results) {
      Wrapped(StrCat("result of ", result.group, ": ", result.workload, ", ", result.workers, " of ",
                     result.workers_planned, " workers, ", result.units, " units"),
              0);
      if (!result.absent.empty()) Wrapped(StrCat("no answer: ", result.absent), 2);
      for (std::size_t i = 0; i < result.figures.size(); ++i) {
        const Figure& figure = result.figures[i];
        std::string line = StrCat(figure.name, " = ", Significant(figure.value, 6));
        if (i + 1 < result.figures.size() && IsStandardError(result.figures[i + 1].name)) {
          line += StrCat(" ± ", Significant(result.figures[++i].value, 2));
        }
        if (!figure.unit.empty()) line += StrCat(" ", figure.unit);
        Wrapped(line, 2);
      }
      if (result.check) Marked(result.check->passed ? Verdict::kPass : Verdict::kFail, result.check->text);
      Line("");
    }
  }

  void Marked(Verdict verdict, std::string_view text) {
    std::string before = StrCat("  ", Paint(MarkOf(verdict), ColourOf(verdict)), " ");
    for (const auto& line : Wrap(Printable(text), kWidth - 4)) {
      Line(before + line);
      before = "    ";
    }
  }

  void Totals() {
    // Skipped before the start: there was nothing to measure.
    if (record_.metrics.empty()) return;
    Line(StrCat("memory  total PSS ", Show("memory.total.pss.max"), " max, ", Show("memory.total.pss.mean"),
                " mean; shared ", Show("memory.shared.max"), " max"));
    Growth();
    Line(StrCat("rig     core ", record_.rig_core < 0 ? std::string(kMissing) : StrCat(record_.rig_core), ", CPU ",
                Show("rig.cpu"), ", PSS ", Show("rig.pss.max"), " max"));
    Line("");
  }

  // Only what grows: a page that says of everything that it is well is not read.
  void Growth() {
    const auto say = [this](std::string_view who, const MemoryTrend& trend) {
      if (trend.verdict != MemoryTrend::Verdict::kGrows) return;
      Line(StrCat("memory of ", who, " grows: ", FormatSize(trend.slope.value_or(0)), " per minute (",
                  FormatSize(trend.low.value_or(0)), " to ", FormatSize(trend.high.value_or(0)), ")"));
    };
    if (record_.source) say("the source", record_.source->memory_trend);
    if (record_.handler) say("the handler", record_.handler->memory_trend);
    for (const auto& worker : record_.workers) {
      say(StrCat("worker ", worker.name, ".", worker.index), worker.process.memory_trend);
    }
    // In the first seconds its own tables fill.
    constexpr Nanos kFull = std::chrono::seconds(10);
    if (record_.window.end - record_.window.begin >= kFull) say("the rig", record_.rig.memory_trend);
  }

  // The worst of a stall stands for it, whichever streams and loops it delayed.
  void Spikes() {
    constexpr std::size_t kMost = 3;
    std::vector<const SpikeRecord*> shown;
    bool any = false;
    for (const auto& spike : record_.spikes) {
      const bool of_shown = std::any_of(shown.begin(), shown.end(), [&](const SpikeRecord* other) {
        return spike.at <= other->at + other->delay && other->at <= spike.at + spike.delay;
      });
      if (of_shown) continue;
      shown.push_back(&spike);
      if (IsOfBreak(spike)) continue;  // stands at the top
      if (!any) Line("why it was late");
      any = true;
      Wrapped(spike.text, 2);
      if (shown.size() == kMost) break;
    }
    if (any) Line("");
  }

  void Budgets() {
    Table table({{"budget"}, {"value", kRight}, {""}});
    for (const auto& budget : record_.budgets) {
      std::string remark = std::string_view(budget.limit).starts_with(budget.metric) ? "" : budget.metric;
      if (budget.result != Verdict::kPass && budget.result != Verdict::kFail) {
        remark += StrCat(remark.empty() ? "" : " ", budget.reason);
      }
      table.Add({budget.limit, budget.value.empty() ? std::string(kMissing) : budget.value, remark});
    }
    if (table.empty()) return;
    const auto lines = table.Lines(kWidth - 2);
    Line("  " + lines[0]);
    for (std::size_t i = 0; i < record_.budgets.size(); ++i) {
      const Verdict result = record_.budgets[i].result;
      Line(StrCat(Paint(MarkOf(result), ColourOf(result)), " ", lines[i + 1]));
    }
    Line("");
  }

  void Warnings() {
    for (const auto& warning : record_.warnings) {
      const std::string text = StrCat("warning: ", warning.text);
      for (const auto& line : Wrap(Printable(text), kWidth)) Line(Paint(line, Colour::kYellow));
      Wrapped(RemedyFor(warning.id), 2);
    }
    if (!record_.warnings.empty()) Line("");
  }

  void Conclusion() {
    constexpr std::size_t kMost = 10;
    if (!record_.complete) Line("not complete: this is what was there so far");
    Line(Paint(ToText(record_.verdict), ColourOf(record_.verdict)));
    for (std::size_t i = 0; i < record_.reasons.size() && i < kMost; ++i) Wrapped(record_.reasons[i], 2);
    if (record_.reasons.size() > kMost) {
      Line(StrCat("  and ", record_.reasons.size() - kMost, " reasons more, in the report"));
    }
  }

  const RunRecord& record_;
  const bool colour_;
  std::map<std::string, const Metric*> metrics_;
  std::string out_;
};

}  // namespace

std::string Summary(const RunRecord& record, const std::string& report_path, bool colour) {
  return Page(record, colour).Write(report_path);
}

}  // namespace corerig
