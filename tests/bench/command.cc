#include "tests/bench/command.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>

namespace corerig {
namespace {

// Exit status, or -1.
int Execute(const std::vector<std::string>& argv, const std::string& stdout_file) {
  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, stdout_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (error != 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

// A folder of this process, removed with it.
const std::filesystem::path& Folder() {
  struct Owned {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("corerig-bench." + std::to_string(getpid()));
    Owned() { std::filesystem::create_directories(path); }
    ~Owned() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  };
  static const Owned folder;
  return folder.path;
}

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::optional<std::string> OutputOf(const std::vector<std::string>& argv) {
  const auto file = Folder() / "stdout";
  if (Execute(argv, file.string()) != 0) {
    std::cerr << argv[0] << " failed\n";
    return std::nullopt;
  }
  return Contents(file);
}

std::optional<nlohmann::json> ReportOf(const std::string& scenario) {
  const auto file = Folder() / "scenario.toml", out = Folder() / "out", log = Folder() / "stdout";
  std::ofstream(file) << scenario;
  const int status =
      Execute({"/bin/sh", "-c", "exec \"$0\" run \"$1\" --out \"$2\" 2> \"$3\"", DataFile("tools/corerig/corerig"),
               file.string(), out.string(), (Folder() / "stderr").string()},
              log.string());
  // 0 pass, 2 fail, 3 undecided: the figures are there all the same.
  auto report = nlohmann::json::parse(Contents(out / "report.json"), nullptr, false);
  if (status < 0 || status == 1 || report.is_discarded()) {
    std::cerr << Contents(Folder() / "stderr");
    return std::nullopt;
  }
  return report;
}

std::string OutputOfWorker(const std::string& group) {
  return Contents(Folder() / "out" / ("worker." + group + ".0.stdout"));
}

std::optional<double> MetricOf(const std::optional<nlohmann::json>& report, const std::string& name) {
  if (!report || !(*report)["metrics"].contains(name) || !(*report)["metrics"][name]["value"].is_number()) {
    std::cerr << name << " is absent\n";
    return std::nullopt;
  }
  return (*report)["metrics"][name]["value"].get<double>();
}

std::string DataFile(const std::string& path) {
  // Beside a program started by `bazel run` or from bazel-bin lie its data, under PROGRAM.runfiles.
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  for (const char* variable : {"RUNFILES_DIR", "TEST_SRCDIR"}) {
    if (const char* folder = getenv(variable)) return std::string(folder) + "/corerig/" + path;
  }
  return self + ".runfiles/corerig/" + path;
}

}  // namespace corerig
