#include "harness/plan/plan_json.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/base/quantity.h"
#include "harness/base/text.h"

namespace corerig {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kUsed = "used", kAddressSpace = "address-space";  // what counts against `memory`
constexpr std::string_view kSystem = "system";                               // cpu_dma_latency is left alone

// --- writing

template <typename T, typename Write>
Json ListOf(const std::vector<T>& values, const Write& write) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(write(value));
  return list;
}

Json CoresJson(const std::vector<CpuId>& cores) {
  return ListOf(cores, [](CpuId core) { return core.value; });
}

Json FaultJson(const FaultPlan& fault) {
  Json json = {{"kind", ToText(fault.kind)}};
  if (fault.span) {
    json["from"] = ToText(fault.span->from);
    if (fault.span->length) json["for"] = ToText(*fault.span->length);
  } else {
    json["share"] = fault.share;
    json["at"] = fault.at;
  }
  switch (InfoOf(fault.kind).key) {
    case FaultKindInfo::Key::kNone:
      break;
    case FaultKindInfo::Key::kBy:
      json["by"] = ToText(fault.by);
      break;
    case FaultKindInfo::Key::kPeriod:
      json["period"] = ToText(fault.period);
      break;
    case FaultKindInfo::Key::kOffset:
      json["offset"] = fault.amount;
      break;
    case FaultKindInfo::Key::kRate:
      json["rate"] = fault.amount;
      break;
    case FaultKindInfo::Key::kFactor:
      json["factor"] = fault.count;
      break;
    case FaultKindInfo::Key::kFrames:
      json["frames"] = fault.count;
      break;
  }
  return json;
}

Json LoopJson(const LoopPlan& loop) {
  return {{"name", loop.name}, {"core", loop.core.value}, {"policy", ToText(loop.policy)}};
}

Json ParameterJson(const Parameter& parameter) { return {{"name", parameter.name}, {"value", parameter.value}}; }

// The frames' due times are one text: a list of so many items takes half a minute to read.
Json RecordingJson(const StreamPlan& stream, bool with_due) {
  const RecordingPlan& recording = *stream.recording;
  Json json = {{"about", recording.about},
               {"frames", stream.pattern.size()},
               {"largest_frame", recording.largest_frame},
               {"cycle", ToText(recording.cycle)}};
  if (!with_due) return json;
  std::string due;
  due.reserve(stream.pattern.size() * 14);
  for (const Nanos offset : stream.pattern) {
    char text[24];
    due.append(text, std::to_chars(text, text + sizeof text, offset.count()).ptr);
    due += ' ';
  }
  json["due_ns"] = std::move(due);
  return json;
}

Json StreamJson(const StreamPlan& stream, bool with_due) {
  Json json = {{"name", stream.name},
               {"sensor", stream.sensor},
               {"format", stream.format},
               {"rate", ToText(stream.rate)},
               {"channel", ToText(stream.channel)},
               {"loop", stream.loop},
               {"fault", ListOf(stream.faults, FaultJson)}};
  if (stream.break_above) json["break"] = ToText(*stream.break_above);
  json["batch"] = stream.batch;
  json["clock_offset"] = ToText(stream.clock.offset);
  json["clock_ppb"] = stream.clock.ppb;
  if (stream.recording) {
    json["recording"] = RecordingJson(stream, with_due);
  } else {
    json["pattern"] = ListOf(stream.pattern, [](Nanos offset) { return ToText(offset); });
  }
  json["parameters"] = ListOf(stream.parameters, ParameterJson);
  if (stream.endpoint) json["endpoint"] = ToText(*stream.endpoint);
  if (stream.answers) json["answers"] = ToText(*stream.answers);
  json["pace"] = ToText(stream.pace);
  return json;
}

Json CommandJson(const CommandPlan& command) {
  Json json = {{"argv", command.argv}, {"env", Json::object()}};
  for (const auto& variable : command.env) json["env"][variable.name] = variable.value;
  if (!command.workdir.empty()) json["workdir"] = command.workdir;
  if (!command.units_pattern.empty()) json["units_pattern"] = command.units_pattern;
  json["until"] = command.until_exit ? kUntilExit : kUntilWindow;
  return json;
}

Json WorkerJson(const WorkerPlan& worker) {
  Json json = {{"name", worker.name},
               {"workload", worker.workload},
               {"as", ToText(worker.as)},
               {"cores", CoresJson(worker.cores)},
               {"policy", ToText(worker.policy)}};
  if (!worker.floats_over.empty()) json["floats_over"] = CoresJson(worker.floats_over);
  if (worker.units) json["units"] = *worker.units;
  if (worker.time_limit) json["time_limit"] = ToText(*worker.time_limit);
  json["may_fail"] = worker.may_fail;
  if (worker.memory) {
    json["memory"] = ToText(*worker.memory);
    json["memory_counts"] = worker.memory_counts_address_space ? kAddressSpace : kUsed;
  }
  if (worker.command) json["command"] = CommandJson(*worker.command);
  json["parameters"] = ListOf(worker.parameters, ParameterJson);
  return json;
}

Json BudgetJson(const BudgetPlan& budget) {
  return {{"text", budget.text},
          {"metric", budget.metric},
          {"comparison", ToText(budget.comparison)},
          {"limit", budget.limit}};
}

// --- reading

// One JSON value and its place in the plan. The first thing that is wrong is kept in `fault`; from then on what is read
// means nothing.
class Reader {
 public:
  Reader(const Json* json, std::string path, std::optional<Error>& fault)
      : json_(json), path_(std::move(path)), fault_(fault) {}

  Reader Field(std::string_view name) const {
    const std::string path = path_.empty() ? std::string(name) : StrCat(path_, ".", name);
    if (json_ == nullptr || !json_->is_object()) {
      if (json_ != nullptr) Say("is not an object");
      return {nullptr, path, fault_};
    }
    const auto at = json_->find(std::string(name));
    return {at == json_->end() ? nullptr : &*at, path, fault_};
  }

  bool present() const { return json_ != nullptr; }

  std::string Text() const {
    if (!Has(json_ != nullptr && json_->is_string(), "a text")) return {};
    return json_->get_ref<const std::string&>();
  }

  bool Boolean() const { return Has(json_ != nullptr && json_->is_boolean(), "a boolean") && json_->get<bool>(); }

  double Number() const { return Has(json_ != nullptr && json_->is_number(), "a number") ? json_->get<double>() : 0; }

  std::uint64_t Count() const {
    return Has(json_ != nullptr && json_->is_number_unsigned(), "a whole number from 0") ? json_->get<std::uint64_t>()
                                                                                         : 0;
  }

  template <typename Integer>
  Integer Whole(std::int64_t least, std::int64_t most) const {
    const bool holds = json_ != nullptr && json_->is_number_integer() && json_->get<double>() >= double(least) &&
                       json_->get<double>() <= double(most);
    return Has(holds, StrCat("a whole number from ", least, " to ", most)) ? json_->get<Integer>() : Integer();
  }

  CpuId Core() const {
    const std::uint64_t number = Count();
    if (number > std::numeric_limits<int>::max()) {
      Say("is too large for a core");
      return {};
    }
    return {static_cast<int>(number)};
  }

  // A text that `parse` makes an optional or a Result of.
  template <typename Value, typename Parse>
  Value Word(const Parse& parse, std::string_view what) const {
    const std::string text = Text();
    if (fault_) return Value();
    const auto value = parse(std::string_view(text));
    if (value) return *value;
    Say(StrCat("is not ", what, ": \"", text, "\""));
    return Value();
  }
  Nanos Duration() const { return Word<Nanos>(ParseDuration, "a duration"); }
  Policy SchedulingPolicy() const { return Word<Policy>(ParsePolicy, "a policy"); }

  // What is there is not right for a reason of the caller's.
  void Refuse(std::string_view why) const { Say(why); }

  // The members of an object, all of them texts.
  std::vector<std::pair<std::string, std::string>> Texts() const {
    std::vector<std::pair<std::string, std::string>> members;
    if (!Has(json_ != nullptr && json_->is_object(), "an object")) return members;
    for (const auto& [name, value] : json_->items()) members.emplace_back(name, Field(name).Text());
    return members;
  }

  template <typename Read>
  auto List(const Read& read) const {
    std::vector<decltype(read(*this))> values;
    if (!Has(json_ != nullptr && json_->is_array(), "an array")) return values;
    for (const auto& item : *json_)
      values.push_back(read(Reader(&item, StrCat(path_, "[", values.size(), "]"), fault_)));
    return values;
  }

 private:
  bool Has(bool holds, std::string_view what) const {
    if (!holds) Say(json_ == nullptr ? "is missing" : StrCat("is not ", what));
    return holds;
  }
  void Say(std::string_view what) const {
    if (!fault_) fault_ = Error{StrCat("plan: ", path_.empty() ? "it" : path_, " ", what)};
  }

  const Json* json_;  // null: not there
  std::string path_;
  std::optional<Error>& fault_;
};

FaultPlan ReadFault(const Reader& json) {
  FaultPlan fault = {.kind = json.Field("kind").Word<FaultKind>(ParseFaultKind, "a kind of fault")};
  if (json.Field("from").present()) {
    fault.span = {.from = json.Field("from").Duration()};
    if (json.Field("for").present()) fault.span->length = json.Field("for").Duration();
  } else {
    fault.share = json.Field("share").Number();
    fault.at = json.Field("at").List([](const Reader& item) { return item.Count(); });
  }
  switch (InfoOf(fault.kind).key) {
    case FaultKindInfo::Key::kNone:
      break;
    case FaultKindInfo::Key::kBy:
      fault.by = json.Field("by").Duration();
      break;
    case FaultKindInfo::Key::kPeriod:
      fault.period = json.Field("period").Duration();
      break;
    case FaultKindInfo::Key::kOffset:
      fault.amount = json.Field("offset").Number();
      break;
    case FaultKindInfo::Key::kRate:
      fault.amount = json.Field("rate").Number();
      break;
    case FaultKindInfo::Key::kFactor:
      fault.count = json.Field("factor").Whole<std::uint32_t>(2, 1 << 30);
      break;
    case FaultKindInfo::Key::kFrames:
      fault.count = json.Field("frames").Whole<std::uint32_t>(2, 1 << 30);
      break;
  }
  return fault;
}

Parameter ReadParameter(const Reader& json) { return {json.Field("name").Text(), json.Field("value").Text()}; }

LoopPlan ReadLoop(const Reader& json) {
  return {.name = json.Field("name").Text(),
          .core = json.Field("core").Core(),
          .policy = json.Field("policy").SchedulingPolicy()};
}

void ReadRecording(const Reader& json, StreamPlan& stream) {
  stream.recording = RecordingPlan{.cycle = json.Field("cycle").Duration(),
                                   .largest_frame = json.Field("largest_frame").Whole<std::uint32_t>(1, 1 << 20),
                                   .about = json.Field("about").Text()};
  const std::string text = json.Field("due_ns").Text();
  stream.pattern.reserve(json.Field("frames").Count() <= text.size() ? json.Field("frames").Count() : 0);
  for (const char *at = text.data(), *const end = at + text.size(); at != end;) {
    std::int64_t due = 0;
    const auto number = std::from_chars(at, end, due);
    if (number.ec != std::errc{} || number.ptr == end || *number.ptr != ' ') {
      return json.Field("due_ns").Refuse("is no list of whole numbers");
    }
    const Nanos previous = stream.pattern.empty() ? Nanos(0) : stream.pattern.back();
    if (Nanos(due) < previous) return json.Field("due_ns").Refuse("is not in order");
    stream.pattern.emplace_back(due);
    at = number.ptr + 1;
  }
  const bool fits = !stream.pattern.empty() && stream.pattern.back() < stream.recording->cycle;
  if (!fits) json.Field("cycle").Refuse("is not longer than its frames take");
}

StreamPlan ReadStream(const Reader& json) {
  StreamPlan stream = {.name = json.Field("name").Text(),
                       .sensor = json.Field("sensor").Text(),
                       .format = json.Field("format").Text(),
                       .rate = json.Field("rate").Word<Rate>(ParseRate, "a rate"),
                       .channel = json.Field("channel").Word<ChannelKind>(ParseChannelKind, "a channel"),
                       .loop = json.Field("loop").Text(),
                       .faults = json.Field("fault").List(ReadFault)};
  if (stream.faults.size() > kMostFaults) json.Field("fault").Refuse("has too many");
  if (json.Field("break").present()) stream.break_above = json.Field("break").Duration();
  stream.batch = json.Field("batch").Whole<std::uint32_t>(1, 1 << 20);
  stream.clock = {.offset = json.Field("clock_offset").Duration(),
                  .ppb = json.Field("clock_ppb").Whole<std::int32_t>(-1'000'000, 1'000'000)};
  if (const Reader recording = json.Field("recording"); recording.present()) {
    ReadRecording(recording, stream);
  } else {
    stream.pattern = json.Field("pattern").List([](const Reader& item) { return item.Duration(); });
  }
  stream.parameters = json.Field("parameters").List(ReadParameter);
  if (const Reader endpoint = json.Field("endpoint"); endpoint.present()) {
    stream.endpoint = endpoint.Word<Endpoint>(ParseEndpoint, "an endpoint");
  }
  if (const Reader answers = json.Field("answers"); answers.present()) {
    stream.answers = answers.Word<Answers>(ParseAnswers, "where answers come");
  }
  stream.pace = json.Field("pace").Word<Pace>(ParsePace, "a pace");
  return stream;
}

std::vector<CpuId> ReadCores(const Reader& json) {
  return json.List([](const Reader& item) { return item.Core(); });
}

CommandPlan ReadCommand(const Reader& json) {
  CommandPlan command;
  command.argv = json.Field("argv").List([](const Reader& item) { return item.Text(); });
  for (const auto& [name, value] : json.Field("env").Texts()) command.env.push_back({name, value});
  if (json.Field("workdir").present()) command.workdir = json.Field("workdir").Text();
  if (json.Field("units_pattern").present()) command.units_pattern = json.Field("units_pattern").Text();
  const auto until = [](std::string_view word) -> std::optional<bool> {
    if (word == kUntilExit) return true;
    return word == kUntilWindow ? std::optional(false) : std::nullopt;
  };
  command.until_exit = json.Field("until").Word<bool>(until, "an end");
  return command;
}

WorkerPlan ReadWorker(const Reader& json) {
  WorkerPlan worker{.name = json.Field("name").Text(),
                    .workload = json.Field("workload").Text(),
                    .cores = ReadCores(json.Field("cores")),
                    .policy = json.Field("policy").SchedulingPolicy(),
                    .units = std::nullopt,
                    .time_limit = std::nullopt,
                    .may_fail = json.Field("may_fail").Boolean(),
                    .parameters = json.Field("parameters").List(ReadParameter),
                    .memory = std::nullopt,
                    .memory_counts_address_space = false,
                    .command = std::nullopt,
                    .as = json.Field("as").Word<RunAs>(ParseRunAs, "a model of running")};
  if (json.Field("floats_over").present()) worker.floats_over = ReadCores(json.Field("floats_over"));
  if (json.Field("command").present()) worker.command = ReadCommand(json.Field("command"));
  if (json.Field("units").present()) worker.units = json.Field("units").Count();
  if (json.Field("time_limit").present()) worker.time_limit = json.Field("time_limit").Duration();
  if (json.Field("memory").present()) {
    worker.memory = json.Field("memory").Word<Bytes>(ParseSize, "a size");
    worker.memory_counts_address_space = json.Field("memory_counts")
                                             .Word<bool>(
                                                 [](std::string_view word) -> std::optional<bool> {
                                                   if (word == kUsed || word == kAddressSpace)
                                                     return word == kAddressSpace;
                                                   return std::nullopt;
                                                 },
                                                 "\"used\" or \"address-space\"");
  }
  return worker;
}

BudgetPlan ReadBudget(const Reader& json) {
  return {.text = json.Field("text").Text(),
          .metric = json.Field("metric").Text(),
          .comparison = json.Field("comparison").Word<Comparison>(ParseComparison, "a comparison"),
          .limit = json.Field("limit").Number()};
}

std::string ToJson(const Plan& plan, bool with_due) {
  Json json = {{"name", plan.name},
               {"about", plan.about},
               {"duration", ToText(plan.duration)},
               {"warmup", ToText(plan.warmup)},
               {"drain", ToText(plan.drain)},
               {"seed", plan.seed},
               {"require", plan.require},
               {"trace", plan.trace},
               {"max_foreign", plan.disturbance.max_foreign},
               {"max_steal", plan.disturbance.max_steal},
               {"max_frequency_change", plan.disturbance.max_frequency_change},
               {"cpu_dma_latency", plan.cpu_dma_latency ? ToText(*plan.cpu_dma_latency) : std::string(kSystem)}};
  if (plan.source) json["source"] = {{"core", plan.source->core.value}, {"policy", ToText(plan.source->policy)}};
  json["loops"] = ListOf(plan.loops, LoopJson);
  json["streams"] = ListOf(plan.streams, [&](const StreamPlan& stream) { return StreamJson(stream, with_due); });
  json["workers"] = ListOf(plan.workers, WorkerJson);
  json["budgets"] = ListOf(plan.budgets, BudgetJson);
  json["rig_core"] = plan.rig_core.value;
  json["cores"] = CoresJson(plan.cores);
  // A scenario is UTF-8; a plan made otherwise must not make this throw.
  return json.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace

std::string PlanToJson(const Plan& plan) { return ToJson(plan, /*with_due=*/true); }

std::string ScenarioToJson(const Plan& plan) { return ToJson(plan, /*with_due=*/false); }

Result<Plan> PlanFromJson(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Fail("plan: it is not JSON");
  std::optional<Error> fault;
  const Reader top(&json, "", fault);
  Plan plan;
  plan.name = top.Field("name").Text();
  plan.about = top.Field("about").Text();
  plan.duration = top.Field("duration").Duration();
  plan.warmup = top.Field("warmup").Duration();
  plan.drain = top.Field("drain").Duration();
  plan.seed = top.Field("seed").Count();
  plan.require = top.Field("require").List([](const Reader& item) { return item.Text(); });
  plan.trace = top.Field("trace").Boolean();
  plan.disturbance = {.max_foreign = top.Field("max_foreign").Number(),
                      .max_steal = top.Field("max_steal").Number(),
                      .max_frequency_change = top.Field("max_frequency_change").Number()};
  const Reader latency = top.Field("cpu_dma_latency");
  if (const std::string word = latency.Text(); word != kSystem) plan.cpu_dma_latency = latency.Duration();
  if (const Reader source = top.Field("source"); source.present()) {
    plan.source = SourcePlan{source.Field("core").Core(), source.Field("policy").SchedulingPolicy()};
  }
  plan.loops = top.Field("loops").List(ReadLoop);
  plan.streams = top.Field("streams").List(ReadStream);
  plan.workers = top.Field("workers").List(ReadWorker);
  plan.budgets = top.Field("budgets").List(ReadBudget);
  plan.rig_core = top.Field("rig_core").Core();
  plan.cores = ReadCores(top.Field("cores"));
  if (fault) return tl::unexpected<Error>(*fault);
  return plan;
}

}  // namespace corerig
