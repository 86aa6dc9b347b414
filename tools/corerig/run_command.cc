#include "tools/corerig/run_command.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include <iostream>

#include "harness/os/process.h"
#include "harness/report/live.h"
#include "harness/report/report_file.h"
#include "harness/report/report_json.h"
#include "harness/report/summary.h"
#include "harness/run/run.h"
#include "tools/corerig/folder_hold.h"
#include "tools/corerig/rig_main.h"
#include "tools/corerig/shard.h"
#include "tools/corerig/trace_export.h"

namespace corerig {
namespace {

std::string FolderOf(const RunArguments& arguments, const Plan& plan) {
  if (!arguments.out.empty()) return arguments.out;
  if (const char* outputs = getenv("TEST_UNDECLARED_OUTPUTS_DIR"); outputs != nullptr && *outputs != '\0')
    return outputs;
  const Shard& shard = plan.shard;
  return StrCat("corerig-out/", plan.name, shard.count > 1 ? StrCat(".shard-", shard.index, "-of-", shard.count) : "");
}

std::string BuildText() {
#ifdef __OPTIMIZE__
  constexpr std::string_view kOptimised = "optimised";
#else
  constexpr std::string_view kOptimised = "not optimised";
#endif
  return StrCat("g++ ", __VERSION__, ", ", kOptimised);
}

// A terminal that understands cursor movements.
bool IsTerminal(int fd) {
  const char* kind = getenv("TERM");
  return isatty(fd) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

int Complain(const std::string& message) {
  std::cerr << "corerig: " << message << "\n";
  return kWrongUse;
}

}  // namespace

int RunCommand(const Rig& rig, const RunArguments& arguments) {
  // What is large goes back to the kernel when it is freed: glibc would keep as much as the largest block so far
  // (mallopt(3)), such as the rows to learn from that were loaded for a check. The rig's memory is measured, too.
  constexpr int kLarge = 128 * 1024;
  mallopt(M_MMAP_THRESHOLD, kLarge);
  auto plan = ReadScenarioFile(rig, arguments.scenario);
  if (!plan) {
    // The message starts with file:line:column, which editors and people click on.
    std::cerr << plan.error().message << "\n";
    return kWrongUse;
  }
  const auto shard = ShardOf(arguments.shard, [](const char* name) { return static_cast<const char*>(getenv(name)); });
  if (!shard) return Complain(shard.error().message);
  if (auto checked = CheckShard(*plan, VocabularyOf(rig), *shard); !checked) {
    return Complain(StrCat(arguments.scenario.file, ": ", checked.error().message));
  }
  plan->shard = *shard;
  if (shard->count > 1 && !arguments.shard) {
    std::cerr << "shard " << shard->index << "/" << shard->count
              << ", as the environment says; --shard 0/1 would compute all\n";
  }
  const std::string folder = FolderOf(arguments, *plan);
  if (auto prepared = PrepareFolder(folder); !prepared) return Complain(prepared.error().message);
  const auto held = HoldFolder(folder);  // to the end
  if (!held) return Complain(held.error().message);

  LiveDisplay display(STDERR_FILENO, IsTerminal(STDERR_FILENO));
  RunOptions options;
  options.program = ProgramPath();
  options.folder = folder;
  options.scenario_file = arguments.scenario.file;
  options.command = arguments.command;
  options.version = kVersion;
  options.build = BuildText();
  std::unique_ptr<TraceExport> trace;
  if (plan->trace) {
    // A disk that refuses costs the file, not the run.
    if (auto created = TraceExport::Create(folder, *plan)) {
      trace = std::move(*created);
      options.on_trace = [&](std::span<const TraceEvent> events, const TraceNames& names) {
        trace->OnEvents(events, names);
      };
    } else {
      display.Message(created.error().message);
    }
  }
  options.on_live = [&](const LiveState& state) {
    display.Show(state);
    if (trace) trace->OnLive(state);
  };
  options.on_message = [&](const std::string& line) { display.Message(line); };
  Status written;
  options.on_record = [&](const RunRecord& record) {
    const bool complained = !written.has_value();
    written = WriteReport(folder, ReportToJson(record));
    // The run goes on: the disk may have room again at the end.
    if (!written && !complained && !record.complete) display.Message(written.error().message);
  };

  const auto record = Run(*plan, rig, options);
  if (trace && record) {
    // A trace that the disk did not take is a pity; the figures are whole.
    if (auto finished = trace->Finish(*record); !finished) display.Message(finished.error().message);
  }
  display.Finish();
  if (!record) return Complain(record.error().message);
  std::cout << Summary(*record, written ? folder + "/report.json" : "not written, see the error",
                       isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nullptr)
            << std::flush;
  if (!written) return Complain(written.error().message);
  return ExitCode(record->verdict);
}

}  // namespace corerig
