#include "tools/corerig/rig_main.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <iostream>
#include <string>
#include <vector>

#include "tools/corerig/board_command.h"
#include "tools/corerig/check_command.h"
#include "tools/corerig/emit_command.h"
#include "tools/corerig/list_command.h"
#include "tools/corerig/merge_command.h"
#include "tools/corerig/run_command.h"

namespace corerig {
namespace {

// What `run`, `check` and `emit` have in common.
void AddScenarioOptions(CLI::App& command, ScenarioArguments& arguments) {
  command.add_option("SCENARIO", arguments.file, "the scenario file (TOML)")->required();
  const auto override_key = [&arguments](const std::string& key) {
    return [&arguments, key](const std::string& value) { arguments.overrides.push_back({key, value}); };
  };
  command.add_option_function<std::string>("--duration", override_key("duration"), "length of the window, e.g. 10s");
  command.add_option_function<std::string>("--seed", override_key("seed"), "seed of every random number of the run");
  command
      .add_option_function<std::vector<std::string>>(
          "--set",
          [&arguments](const std::vector<std::string>& settings) {
            for (const auto& setting : settings) {
              const auto equals = setting.find('=');
              if (equals == std::string::npos || equals == 0) {
                throw CLI::ValidationError("--set", setting + " is not KEY=VALUE; write --set stream.imu.rate=2kHz");
              }
              arguments.overrides.push_back({setting.substr(0, equals), setting.substr(equals + 1)});
            }
          },
          "change a key of the scenario: --set stream.imu.rate=2kHz; any number of times")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->trigger_on_parse();
}

// Without a standard descriptor the next file opened would be taken for it, and written to.
[[gnu::hot]] void OpenStandardDescriptors() {
  int fd;
  while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO) {
  }
  if (fd >= 0) close(fd);
}

// A full disk behind stdout is an error; a reader that had enough (| head) is none.
int Flushed(int status) {
  errno = 0;
  if (std::cout.flush() || errno == EPIPE || status == kWrongUse) return status;
  std::cerr << "corerig: cannot write to standard output\n";
  return kWrongUse;
}

int RunCommandLine(const Rig& rig, int argc, char** argv);

}  // namespace

[[gnu::hot]] int RigMain(const RigTables& tables, int argc, char** argv) {
  OpenStandardDescriptors();
  if (const auto status = ChildMain(tables, argc, argv)) return *status;
  const auto sensors = tables.sensors();
  const auto workloads = tables.workloads();
  return Flushed(RunCommandLine({sensors, workloads, tables.cgroup_root}, argc, argv));
}

namespace {

int RunCommandLine(const Rig& rig, int argc, char** argv) {
  // A reader of the summary that went away (| head) is no reason to leave children behind.
  signal(SIGPIPE, SIG_IGN);
  // `bazel run` starts programs in a folder of its own; paths are meant from where the user stands.
  if (const char* folder = getenv("BUILD_WORKING_DIRECTORY"); folder != nullptr && chdir(folder) != 0) {
    std::cerr << "corerig: cannot enter " << folder << "\n";
    return kWrongUse;
  }

  CLI::App app("corerig: simulated sensors, pinned workers, measured scheduling and memory, a verdict");
  app.set_version_flag("--version", "corerig " + std::string(kVersion));
  app.require_subcommand(1);

  RunArguments run;
  CLI::App* run_command = app.add_subcommand("run", "run a scenario and judge it");
  AddScenarioOptions(*run_command, run.scenario);
  run_command
      ->add_option("--out", run.out,
                   "folder for report.json (default: $TEST_UNDECLARED_OUTPUTS_DIR, else corerig-out/NAME)")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  run_command->add_option_function<std::string>(
      "--break",
      [&run](const std::string& above) {
        run.scenario.overrides.push_back({"break", above});
      },
      "stop at the first sample of a stream that is later than this, e.g. 500us, and say why; exit status 2");
  run_command->add_option_function<std::string>(
      "--shard", [&run](const std::string& shard) { run.shard = shard; },
      "compute part i of n of the units of work, i from 0: 0/4; default: what TEST_SHARD_INDEX or SLURM_PROCID say");
  run.command.assign(argv, argv + argc);

  ScenarioArguments check;
  CLI::App* check_command = app.add_subcommand("check", "validate a scenario without running it; prints the plan");
  AddScenarioOptions(*check_command, check);

  EmitArguments emit;
  CLI::App* emit_command =
      app.add_subcommand("emit", "emit the streams of a scenario alone, to endpoints that your own program reads");
  AddScenarioOptions(*emit_command, emit.scenario);
  emit_command->add_option("--stream", emit.streams, "only this stream; any number of times")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  emit_command
      ->add_option("--to", emit.to,
                   "NAME=ENDPOINT, or ENDPOINT where one stream is meant: pty:PATH (makes a link there), "
                   "udp:HOST:PORT, tcp:HOST:PORT, tcp-listen:HOST:PORT, unix:PATH, file:PATH; any number of times")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);

  bool board_as_json = false;
  CLI::App* board_command =
      app.add_subcommand("board", "what this board is, what can be measured on it, what to change on it");
  board_command->add_flag("--json", board_as_json, "print JSON (docs/board.md)");

  MergeArguments merge;
  CLI::App* merge_command = app.add_subcommand("merge", "join the reports of the shards of a run into one");
  merge_command->add_option("REPORT", merge.reports, "report.json of each shard, or its folder")->required();
  merge_command->add_option("--out", merge.out, "folder for the merged report.json (default: none is written)");

  CLI::App* list_command = app.add_subcommand("list", "sensors, channels, workloads and metrics of this rig");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    std::cerr << "corerig: " << error.what() << "; see corerig --help\n";
    return kWrongUse;
  }
  if (run_command->parsed()) return RunCommand(rig, run);
  if (check_command->parsed()) return CheckCommand(rig, check);
  if (emit_command->parsed()) return EmitCommand(rig, emit);
  if (board_command->parsed()) return BoardCommand(board_as_json);
  if (merge_command->parsed()) return MergeCommand(rig, merge);
  if (list_command->parsed()) return ListCommand(rig);
  return kWrongUse;
}

}  // namespace
}  // namespace corerig
