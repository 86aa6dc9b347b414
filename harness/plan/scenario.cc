#include "harness/plan/scenario.h"

#include <algorithm>

#include "harness/base/quantity.h"
#include "harness/plan/budget.h"
#include "harness/plan/first_fault.h"
#include "harness/plan/placement.h"
#include "harness/plan/scenario_document.h"
#include "harness/plan/scenario_tables.h"
#include "harness/plan/section.h"

namespace corerig {
namespace {

// Reads one document. The plan is whole only if no fault was found.
class ScenarioReader {
 public:
  ScenarioReader(const Value& document, const Vocabulary& vocabulary, const Board& board, FirstFault& fault)
      : document_(document), vocabulary_(vocabulary), board_(board), fault_(fault), top_(document, "", fault) {}

  Plan Read() {
    plan_.cores = board_.cores;
    ReadRun();
    const auto loops = Tables("loop"), streams = Tables("stream"), workers = Tables("worker");
    for (const Entry* table : loops) ReadLoop(*table);
    std::vector<std::string> loop_names;
    for (const auto& loop : plan_.loops) loop_names.push_back(loop.name);
    for (const Entry* table : streams) {
      plan_.streams.push_back(ReadStream(*table, loop_names, vocabulary_, fault_));
    }
    ReadBreak();
    ReadSource();
    for (const Entry* table : workers) {
      plan_.workers.push_back(ReadWorker(*table, used_, vocabulary_, board_, fault_));
    }
    // Work of a fixed length is measured from its first unit on.
    if (top_.Find("warmup") == nullptr && streams.empty() && std::ranges::all_of(plan_.workers, EndsByItself)) {
      plan_.warmup = Nanos(0);
    }
    ReadBudgets();
    top_.RejectUnknownKeys();
    // Not beside another fault, which may be the reason: a table [steam.imu].
    if (streams.empty() && workers.empty() && !fault_.found()) {
      fault_.Add(document_.position,
                 "there is neither a stream nor a worker; add a table [stream.NAME] or [worker.NAME]");
    }
    plan_.rig_core = RigCoreOf(plan_);
    return plan_;
  }

 private:
  static bool EndsByItself(const WorkerPlan& worker) {
    return worker.units || (worker.command && worker.command->until_exit);
  }

  std::vector<const Entry*> Tables(std::string_view kind) {
    top_.Find(kind);
    return NamedTables(document_.Find(kind), fault_);
  }

  // The keys outside of all tables.
  void ReadRun() {
    plan_.name = top_.RequiredText("name", "\"drone\"").value_or("");
    if (const Value* value = top_.Find("name"); value != nullptr && value->kind == Value::Kind::kText) {
      if (!IsName(plan_.name)) {
        fault_.Add(value->position, "name \"", plan_.name,
                   "\" is not made of a-z, 0-9 and -; write one such as \"drone\"");
      }
    }
    plan_.about = top_.Text("about", "\"what this scenario shows\"").value_or("");
    if (top_.Require("duration", "\"20s\"") != nullptr) {
      const auto duration = top_.Quantity("duration", "\"20s\"", ParseDuration);
      if (duration == Nanos(0))
        fault_.Add(top_.Find("duration")->position, "duration is zero; write one such as \"20s\"");
      plan_.duration = duration.value_or(Nanos(0));
    }
    constexpr Nanos kSecond{1'000'000'000};
    plan_.warmup = top_.Quantity("warmup", "\"1s\"", ParseDuration).value_or(kSecond);
    plan_.drain = top_.Quantity("drain", "\"1s\"", ParseDuration).value_or(kSecond);
    plan_.seed = static_cast<std::uint64_t>(top_.Whole("seed", 0, "42").value_or(1));
    plan_.trace = top_.Boolean("trace").value_or(true);
    ReadDisturbance();
    ReadRequire();
    ReadDmaLatency();
  }

  void ReadDisturbance() {
    const auto read = [this](std::string_view key, double& share) {
      if (const Value* value = top_.Find(key)) share = ReadShare(*value, key, fault_);
    };
    read("max_foreign", plan_.disturbance.max_foreign);
    read("max_steal", plan_.disturbance.max_steal);
    read("max_frequency_change", plan_.disturbance.max_frequency_change);
  }

  // For all streams that have none of their own.
  void ReadBreak() {
    const auto above = ReadBreakAbove(top_, fault_);
    if (!above) return;
    if (plan_.streams.empty()) {
      fault_.Add(top_.Find("break")->position, "break stops the run at a late sample, and there is no stream; ",
                 "leave it out, or add a table [stream.NAME]");
    }
    for (auto& stream : plan_.streams) {
      if (!stream.break_above && !stream.endpoint) stream.break_above = above;
    }
  }

  void ReadRequire() {
    const Value* value = top_.Find("require");
    const auto* items = value == nullptr ? nullptr : AsArray(*value, "require", "[\"fifo\"]", fault_);
    if (items == nullptr) return;
    for (const auto& item : *items) {
      const std::string* word = AsText(item, "require", "\"fifo\"", fault_);
      if (word == nullptr) continue;
      if (*word != "fifo") {
        fault_.Add(item.position, "unknown requirement \"", *word, "\"; ", DidYouMean(*word, {"fifo"}));
      } else if (!plan_.require.empty()) {
        fault_.Add(item.position, "\"fifo\" is there twice; write it once");
      }
      plan_.require.push_back(*word);
    }
  }

  void ReadDmaLatency() {
    constexpr std::string_view kKey = "cpu_dma_latency", kExample = "\"0us\", or \"system\"";
    plan_.cpu_dma_latency = Nanos(0);
    const Value* value = top_.Find(kKey);
    if (value == nullptr) return;
    if (value->kind == Value::Kind::kText && value->text == "system") {
      plan_.cpu_dma_latency = std::nullopt;
    } else {
      plan_.cpu_dma_latency = top_.Quantity(kKey, kExample, ParseDuration);
    }
  }

  void ReadLoop(const Entry& table) {
    Section section(table.value, "loop." + table.key, fault_);
    const auto core = ReadCore(section, "a loop", board_, fault_);
    if (core) used_.push_back(*core);
    plan_.loops.push_back({table.key, core.value_or(board_.cores[0]), ReadPolicy(section, fault_)});
    section.RejectUnknownKeys();
  }

  // After the streams: it is there only if one of them needs it.
  void ReadSource() {
    SourcePlan source{board_.cores[0], {}};
    std::optional<CpuId> core = source.core;
    const Value* value = top_.Find("source");
    if (value != nullptr && CheckTable(*value, "source", "[source]", fault_)) {
      Section section(*value, "source", fault_);
      core = ReadCore(section, "the source", board_, fault_);
      source = {core.value_or(board_.cores[0]), ReadPolicy(section, fault_)};
      section.RejectUnknownKeys();
    }
    const bool needed = std::any_of(plan_.streams.begin(), plan_.streams.end(),
                                    [](const auto& stream) { return stream.channel != ChannelKind::kTimer; });
    if (!needed) return;
    plan_.source = source;
    if (core) used_.push_back(*core);
  }

  void ReadBudgets() {
    const Value* table = top_.Find("budget");
    if (table == nullptr || !CheckTable(*table, "budget", "[budget]", fault_)) return;
    constexpr std::string_view kExample = "\"stream.imu.latency.p99 < 500us\"";
    Section section(*table, "budget", fault_);
    const Value* value = section.Find("limits");
    const auto* items = value == nullptr ? nullptr : AsArray(*value, "limits", StrCat("[", kExample, "]"), fault_);
    const auto metrics = MetricsOf(plan_);
    for (const auto& item : items == nullptr ? std::vector<Value>() : *items) {
      const std::string* text = AsText(item, "limit", kExample, fault_);
      if (text == nullptr) continue;
      const auto budget = ParseBudget(*text, metrics);
      if (budget) {
        for (const auto& other : plan_.budgets) {
          if (auto together = CheckTogether(other, *budget, metrics); !together) {
            fault_.Add(item.position, together.error().message);
          }
        }
        plan_.budgets.push_back(*budget);
      } else {
        fault_.Add(item.position, budget.error().message);
      }
    }
    section.RejectUnknownKeys();
  }

  const Value& document_;
  const Vocabulary& vocabulary_;
  const Board& board_;
  FirstFault& fault_;
  Section top_;
  Plan plan_;
  std::vector<CpuId> used_;  // by source and loops
};

}  // namespace

Result<Plan> ReadScenario(std::string_view text, std::string_view file, const std::vector<Override>& overrides,
                          const Vocabulary& vocabulary, const Board& board) {
  FirstFault fault;
  std::vector<std::string> set;
  for (const auto& each : overrides) set.push_back(StrCat(each.key, "=", each.value));
  if (board.cores.empty()) fault.Add({}, "there is no core that this process may run on");
  const auto document = ReadDocument(text, overrides, fault);
  if (!document || board.cores.empty()) return tl::unexpected<Error>(fault.ToError(file, set));
  const Plan plan = ScenarioReader(*document, vocabulary, board, fault).Read();
  if (fault.found()) return tl::unexpected<Error>(fault.ToError(file, set));
  return plan;
}

}  // namespace corerig
