#include "harness/child/command_child.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "harness/base/text.h"
#include "harness/child/command.h"
#include "harness/os/fd.h"
#include "harness/os/scheduling.h"

namespace corerig {
namespace {

using json = nlohmann::ordered_json;

json WriteVariables(const std::vector<CommandPlan::Variable>& variables) {
  json list = json::array();
  for (const auto& variable : variables) list.push_back({variable.name, variable.value});
  return list;
}

std::vector<CommandPlan::Variable> ReadVariables(const json& list) {
  std::vector<CommandPlan::Variable> variables;
  for (const auto& pair : list) variables.push_back({pair.at(0).get<std::string>(), pair.at(1).get<std::string>()});
  return variables;
}

std::vector<char*> PointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Status TakeOutput(int from, int to) {
  if (dup2(from, to) < 0) return Fail("descriptor ", to, ": ", ErrnoText(errno));
  close(from);
  return {};
}

// Comes back only with an error.
Status Become(ChildContext& context) {
  auto job = ReadCommandJob(context.job());
  if (!job) return Forward(job);
  const std::string& workdir = job->command.workdir;
  if (!workdir.empty() && chdir(workdir.c_str()) != 0) {
    return Fail("cannot enter workdir ", workdir, ": ", ErrnoText(errno));
  }
  const auto path = FindProgram(job->command, "");
  if (!path) return Forward(path);
  // What it starts can be told by its session from what other commands started. We lead no group, so it succeeds.
  setsid();
  if (auto taken = TakeOutput(kCommandStdoutFd, STDOUT_FILENO); !taken) return taken;
  if (auto taken = TakeOutput(kCommandStderrFd, STDERR_FILENO); !taken) return taken;
  std::vector<std::string> environment = EnvironmentOf(*job, environ);
  const auto argv = PointersTo(job->command.argv), envp = PointersTo(environment);

  context.Arm();
  context.WaitForStart();
  SetTimerSlack(Nanos(0));  // 0: as it was when this thread began (man 2 prctl)
  context.MarkBegun();
  execve(path->c_str(), argv.data(), envp.data());
  return Fail(ExecRefusal(*path, errno));
}

}  // namespace

int CommandMain() { return RunChild("exec", Become); }

std::string WriteCommandJob(const CommandJob& job) {
  const json out = {{"argv", job.command.argv},
                    {"env", WriteVariables(job.command.env)},
                    {"workdir", job.command.workdir},
                    {"added", WriteVariables(job.added)},
                    {"removed", job.removed}};
  return out.dump();
}

Result<CommandJob> ReadCommandJob(std::string_view text) {
  try {
    const json in = json::parse(text);
    CommandJob job;
    job.command.argv = in.at("argv").get<std::vector<std::string>>();
    job.command.env = ReadVariables(in.at("env"));
    job.command.workdir = in.at("workdir").get<std::string>();
    job.added = ReadVariables(in.at("added"));
    job.removed = in.at("removed").get<std::vector<std::string>>();
    if (job.command.argv.empty()) return Fail("command job: argv is empty");
    return job;
  } catch (const json::exception& error) {
    return Fail("command job: ", error.what());
  }
}

std::vector<std::string> EnvironmentOf(const CommandJob& job, const char* const* inherited) {
  std::vector<std::string> environment;
  const auto remove = [&](std::string_view name) {
    std::erase_if(environment, [&](const std::string& variable) {
      return variable.size() > name.size() && variable.starts_with(name) && variable[name.size()] == '=';
    });
  };
  for (; *inherited != nullptr; ++inherited) environment.emplace_back(*inherited);
  for (const auto& name : job.removed) remove(name);
  for (const auto* variables : {&job.command.env, &job.added}) {
    for (const auto& [name, value] : *variables) {
      remove(name);
      environment.push_back(StrCat(name, "=", value));
    }
  }
  return environment;
}

}  // namespace corerig
