#include "harness/base/quantity.h"
#include "harness/plan/placement.h"
#include "harness/plan/scenario_tables.h"

namespace corerig {
namespace {

const WorkloadInfo* ReadWorkload(Section& section, const Vocabulary& vocabulary, FirstFault& fault) {
  const auto name = section.RequiredText("workload", "\"montecarlo/option\"");
  if (!name) return nullptr;
  std::vector<std::string> known;
  for (const auto& workload : vocabulary.workloads) {
    if (workload.name == *name) return &workload;
    known.emplace_back(workload.name);
  }
  fault.Add(section.Find("workload")->position, "unknown workload \"", *name, "\"; ", DidYouMean(*name, known));
  return nullptr;
}

// cores = [0, 1]
std::vector<CpuId> ReadCoreList(const Value& value, const Board& board, FirstFault& fault) {
  std::vector<CpuId> cores;
  if (value.items.empty()) fault.Add(value.position, "cores is empty; write cores = \"rest\", \"all\" or a list");
  for (const auto& item : value.items) {
    const auto core = CheckCore(item, board, "; use cores = \"rest\"", fault);
    if (core && Contains(cores, *core)) {
      fault.Add(item.position, "core ", core->value,
                " is there twice; for several workers on a core write workers = ", value.items.size(),
                " beside the cores");
    }
    cores.push_back(core.value_or(board.cores[0]));
  }
  return cores;
}

std::vector<CpuId> ReadCores(Section& section, std::string_view group, const std::vector<CpuId>& used,
                             const Board& board, FirstFault& fault) {
  const Value* value = section.Find("cores");
  if (value != nullptr && value->kind == Value::Kind::kArray) return ReadCoreList(*value, board, fault);
  if (value != nullptr) {
    const std::string* word = AsText(*value, "cores", "\"rest\" or \"all\", or a list such as [1]", fault);
    if (word != nullptr && *word != "rest" && *word != "all") {
      fault.Add(value->position, "unknown cores \"", *word, "\"; write \"rest\", \"all\" or a list such as [",
                board.cores.back().value, "]");
    }
    if (word == nullptr || *word != "rest") return board.cores;
  }
  auto rest = Without(board.cores, used);
  if (!rest.empty()) return rest;
  fault.Add(value == nullptr ? section.position() : value->position, "no core is left for worker ", group,
            ": source and loops use ", CoresText(board.cores), "; write cores = [", board.cores.back().value, "]");
  return board.cores;
}

// workers = 4, floating = true: how many there are, and whether they are pinned. `worker.cores` are the group's.
void ReadPlaces(Section& section, WorkerPlan& worker, FirstFault& fault) {
  constexpr std::int64_t kMostWorkers = 1024;
  const std::vector<CpuId> cores = worker.cores;
  if (section.Boolean("floating").value_or(false)) worker.floats_over = cores;
  const auto workers = section.Whole("workers", 1, "4");
  if (!workers) return;
  if (*workers > kMostWorkers) {
    fault.Add(section.Find("workers")->position, "workers is ", *workers, "; a group has at most ", kMostWorkers);
    return;
  }
  worker.cores.clear();
  for (std::size_t i = 0; i < static_cast<std::size_t>(*workers); ++i) worker.cores.push_back(cores[i % cores.size()]);
}

RunAs ReadRunAs(Section& section, FirstFault& fault) {
  const auto text = section.Text("as", "\"spawn\"");
  if (!text) return RunAs::kSpawn;
  const auto as = ParseRunAs(*text);
  if (!as) {
    fault.Add(section.Find("as")->position, "unknown as \"", *text,
              "\"; write \"spawn\" (a process each, executed), \"fork\" (a process each, forked) or \"thread\"");
  }
  return as.value_or(RunAs::kSpawn);
}

// nice = 5, on top of policy = "other" or "batch".
void ReadNice(Section& section, Policy& policy, FirstFault& fault) {
  const Value* value = section.Find("nice");
  const auto nice = section.Whole("nice", kLeastNice, "5");
  if (!nice) return;
  if (*nice > kMostNice) {
    fault.Add(value->position, "nice is ", *nice, "; write a whole number from ", kLeastNice, " to ", kMostNice);
  } else if (!policy.has_nice()) {
    fault.Add(value->position, "nice has no effect under policy \"", ToText(policy),
              "\"; leave it out, or write policy = \"other\"");
  } else {
    policy.nice = static_cast<int>(*nice);
  }
}

void ReadMemory(Section& section, WorkerPlan& worker, FirstFault& fault) {
  // Below this no program starts.
  constexpr Bytes kLeast = {std::uint64_t{1} << 20};
  worker.memory = section.Quantity("memory", "\"64MiB\"", ParseSize);
  if (worker.memory && *worker.memory < kLeast) {
    fault.Add(section.Find("memory")->position, "memory is ", ToText(*worker.memory),
              "; a worker needs at least \"1MiB\" to start");
  }
  const auto counts = section.Text("memory_counts", "\"used\"");
  if (!counts) return;
  const Position at = section.Find("memory_counts")->position;
  worker.memory_counts_address_space = *counts == "address-space";
  if (*counts != "used" && *counts != "address-space") {
    fault.Add(at, "unknown memory_counts \"", *counts, "\"; write \"used\" or \"address-space\"");
  } else if (section.Find("memory") == nullptr) {
    fault.Add(at, "memory_counts says how memory counts, and there is no memory; write memory = \"64MiB\" beside it");
  }
}

// A text that a program can be handed: the kernel ends it at the first NUL.
const std::string* AsArgument(const Value& value, std::string_view what, std::string_view example, FirstFault& fault) {
  const std::string* text = AsText(value, what, example, fault);
  if (text == nullptr || text->find('\0') == std::string::npos) return text;
  fault.Add(value.position, what, " holds a NUL character, which no program can be handed; leave it out");
  return nullptr;
}

// command = ["./prog", "--flag"]
std::vector<std::string> ReadArguments(const Value& value, FirstFault& fault) {
  constexpr std::string_view kExample = "[\"./prog\", \"--flag\"]";
  std::vector<std::string> arguments;
  const auto* items = AsArray(value, "command", kExample, fault);
  if (items == nullptr) return arguments;
  for (const auto& item : *items) {
    const std::string* text = AsArgument(item, "an argument of command", "\"--flag\"", fault);
    if (text != nullptr) arguments.push_back(*text);
  }
  if (items->empty() || (!arguments.empty() && arguments[0].empty())) {
    fault.Add(value.position, "command names no program; write it as in ", kExample);
  }
  return arguments;
}

// env = { KEY = "value" }
std::vector<CommandPlan::Variable> ReadEnvironment(const Value& value, FirstFault& fault) {
  std::vector<CommandPlan::Variable> variables;
  if (!CheckTable(value, "env", "{ KEY = \"value\" }", fault)) return variables;
  for (const auto& entry : value.entries) {
    if (entry.key.empty() || entry.key.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      fault.Add(entry.position, "a variable's name is not empty and holds neither \"=\" nor NUL");
    }
    if (entry.key.starts_with("CORERIG_")) {
      fault.Add(entry.position, "the variables CORERIG_… are set by corerig itself; choose another name");
    }
    const std::string* text = AsArgument(entry.value, StrCat("env.", entry.key), "\"value\"", fault);
    if (text != nullptr) variables.push_back({entry.key, *text});
  }
  return variables;
}

// Whether the command can be run is checked here, so that the fault points to the key it is about.
CommandPlan ReadCommand(Section& section, const CommandChecks& checks, FirstFault& fault) {
  CommandPlan command;
  const Value* arguments = section.Require("command", "[\"./prog\", \"--flag\"]");
  if (arguments != nullptr) command.argv = ReadArguments(*arguments, fault);
  if (const Value* env = section.Find("env")) command.env = ReadEnvironment(*env, fault);

  const Value* workdir = section.Find("workdir");
  const std::string* folder = workdir == nullptr ? nullptr : AsArgument(*workdir, "workdir", "\"build\"", fault);
  if (folder != nullptr) command.workdir = *folder;
  if (folder != nullptr && folder->empty()) {
    fault.Add(workdir->position, "workdir is empty; name a folder, or leave it out");
  }

  const Value* pattern = section.Find("units_pattern");
  constexpr std::string_view kPatternExample = "\"^frame [0-9]+ done\"";
  const std::string* lines =
      pattern == nullptr ? nullptr : AsArgument(*pattern, "units_pattern", kPatternExample, fault);
  if (lines != nullptr) command.units_pattern = *lines;
  if (lines != nullptr && lines->empty()) {
    fault.Add(pattern->position, "units_pattern is empty; write one such as ", kPatternExample,
              ", or \".\" for any line");
  }

  if (const auto until = section.Text("until", "\"exit\"")) {
    command.until_exit = *until == kUntilExit;
    if (*until != kUntilExit && *until != kUntilWindow) {
      fault.Add(section.Find("until")->position, "unknown until \"", *until,
                "\"; write \"window\" (it is told to end with the window) or \"exit\" (it ends by itself)");
    }
  }
  if (section.Find("units") != nullptr) {
    fault.Add(
        section.Find("units")->position,
        "units are not handed out to a command; leave it out, and write until = \"exit\" for a program that ends by "
        "itself");
  }

  const auto check = [&](const Value* value, const std::function<Status(const CommandPlan&)>& holds) {
    if (value == nullptr || !holds) return true;
    const auto checked = holds(command);
    if (!checked) fault.Add(value->position, checked.error().message);
    return checked.has_value();
  };
  if (lines != nullptr && !lines->empty()) check(pattern, checks.units_pattern);
  // Where the folder is wrong, so is all that is looked for in it.
  const bool stands = folder == nullptr || (!folder->empty() && check(workdir, checks.workdir));
  if (stands && !command.argv.empty() && !command.argv[0].empty()) check(arguments, checks.program);
  return command;
}

}  // namespace

WorkerPlan ReadWorker(const Entry& table, const std::vector<CpuId>& used, const Vocabulary& vocabulary,
                      const Board& board, FirstFault& fault) {
  Section section(table.value, "worker." + table.key, fault);
  const WorkloadInfo* workload = ReadWorkload(section, vocabulary, fault);
  WorkerPlan worker;
  worker.name = table.key;
  if (workload != nullptr) worker.workload = workload->name;
  worker.cores = ReadCores(section, table.key, used, board, fault);
  ReadPlaces(section, worker, fault);
  worker.as = ReadRunAs(section, fault);
  worker.policy = ReadPolicy(section, fault);
  ReadNice(section, worker.policy, fault);
  if (const auto units = section.Whole("units", 1, "1000")) worker.units = static_cast<std::uint64_t>(*units);
  worker.time_limit = section.Quantity("time_limit", "\"20s\"", ParseDuration);
  if (worker.time_limit == Nanos(0)) {
    fault.Add(section.Find("time_limit")->position, "time_limit is zero; write one such as \"20s\", or leave it out");
  }
  worker.may_fail = section.Boolean("may_fail").value_or(false);
  ReadMemory(section, worker, fault);
  // Without the workload, there is no telling its parameters from mistyped keys.
  if (workload == nullptr) return worker;
  if (worker.as != RunAs::kSpawn && workload->command) {
    fault.Add(section.Find("as")->position, "a command is executed, not ",
              worker.as == RunAs::kFork ? "forked" : "run in a thread", "; leave \"as\" out");
  }
  constexpr std::size_t kMostThreads = 240;  // each has a descriptor of its own, handed over in one message
  if (worker.as == RunAs::kThread && worker.cores.size() > kMostThreads) {
    fault.Add(section.Find("as")->position, worker.cores.size(), " workers; a group of threads has at most ",
              kMostThreads);
  }
  if (worker.as == RunAs::kThread && worker.memory) {
    fault.Add(section.Find("memory")->position,
              "memory limits a process, and threads share theirs; leave it out, or write as = \"spawn\"");
  }
  if (workload->command) {
    worker.command = ReadCommand(section, *workload->command, fault);
  } else {
    worker.parameters = ReadParameters(section, workload->parameters, fault);
  }
  section.RejectUnknownKeys();
  if (workload->check) {
    if (const auto checked = workload->check(worker); !checked) {
      const std::string& message = checked.error().message;
      // What begins with a key is about its value.
      const auto* const key = section.Find(message.substr(0, message.find(' ')));
      fault.Add(key == nullptr ? section.position() : key->position, "worker ", worker.name, ": ", message);
    }
  }
  return worker;
}

}  // namespace corerig
