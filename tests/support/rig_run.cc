#include "tests/support/rig_run.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "harness/report/field_table.h"

namespace corerig {
namespace {

constexpr std::string_view kMark = "CORERIG_TEST_MARK=";

std::string Runfile(const std::string& path) {
  return std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") + "/" + path;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// NUL-separated texts of a file of /proc, each followed by a newline.
std::string Lines(const std::string& path) {
  std::string text = Contents(path);
  for (char& c : text) {
    if (c == '\0') c = '\n';
  }
  return text;
}

std::string UniqueName() {
  static int count = 0;
  return std::to_string(getpid()) + "-" + std::to_string(++count);
}

bool IsZombie(const std::string& process) {
  const std::string stat = Contents(process + "/stat");
  const auto name_end = stat.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= stat.size() || stat[name_end + 2] == 'Z';
}

}  // namespace

double FinishedRun::Metric(const std::string& name) const {
  if (!report.is_object() || !report.contains("metrics") || !report["metrics"].contains(name)) return NAN;
  const auto& metric = report["metrics"][name];
  if (!metric.contains("value")) return NAN;
  return metric["value"] == "inf" ? INFINITY : metric["value"].get<double>();
}

std::string FinishedRun::verdict() const {
  return report.is_object() ? report["verdict"]["result"].get<std::string>() : "";
}

nlohmann::json FinishedRun::Part(const std::string& list, const std::string& name, int index) const {
  if (!report.is_object()) return nullptr;
  for (const auto& part : report[list]) {
    if (part["name"] == name && (index < 0 || part["index"] == index)) return part;
  }
  return nullptr;
}

RigRun::RigRun(const std::string& scenario, const std::vector<std::string>& arguments,
               const std::vector<std::string>& under) {
  mark_ = UniqueName();
  const std::string base = std::string(getenv("TEST_TMPDIR")) + "/" + mark_;
  folder_ = base + ".out";
  scenario_file_ = base + ".toml";
  std::ofstream(scenario_file_, std::ios::binary) << scenario;
  std::vector<std::string> all = {"run", scenario_file_, "--out", folder_};
  all.insert(all.end(), arguments.begin(), arguments.end());
  Start(all, under);
}

RigRun RigRun::Call(const std::vector<std::string>& arguments) {
  RigRun run;
  run.mark_ = UniqueName();
  run.Start(arguments);
  return run;
}

RigRun::RigRun(RigRun&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      mark_(other.mark_),
      folder_(other.folder_),
      scenario_file_(other.scenario_file_),
      out_(other.out_),
      err_(other.err_),
      started_(other.started_) {}

RigRun::~RigRun() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void RigRun::Start(const std::vector<std::string>& arguments, const std::vector<std::string>& under) {
  const std::string base = std::string(getenv("TEST_TMPDIR")) + "/" + mark_;
  out_ = base + ".stdout";
  err_ = base + ".stderr";
  std::vector<std::string> words = under;
  const char* rig = getenv("CORERIG_TEST_RIG");
  words.push_back(Runfile(rig == nullptr ? "tests/rig/test_rig" : rig));
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::string mark = std::string(kMark) + mark_;
  std::vector<char*> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    // That this test is sharded says nothing of the run.
    const std::string_view name = *variable;
    if (!name.starts_with("TEST_SHARD") && !name.starts_with("TEST_TOTAL_SHARDS")) environment.push_back(*variable);
  }
  environment.push_back(mark.data());
  environment.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_addopen(&actions, 2, err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  started_ = std::chrono::steady_clock::now();
  if (posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environment.data()) != 0) pid_ = 0;
  posix_spawn_file_actions_destroy(&actions);
}

FinishedRun RigRun::Wait() {
  FinishedRun finished;
  int status = 0;
  if (pid_ != 0 && waitpid(std::exchange(pid_, 0), &status, 0) > 0) {
    finished.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  finished.took = std::chrono::steady_clock::now() - started_;
  finished.out = Contents(out_);
  finished.err = Contents(err_);
  finished.report_text = Contents(folder_ + "/report.json");
  finished.report = nlohmann::json::parse(finished.report_text, nullptr, /*allow_exceptions=*/false);
  if (finished.report.is_discarded()) finished.report = nullptr;
  return finished;
}

std::vector<pid_t> RigRun::Living() const {
  std::vector<pid_t> living;
  const std::string wanted = std::string(kMark) + mark_ + "\n";
  DIR* processes = opendir("/proc");
  while (const dirent* entry = readdir(processes)) {
    const int pid = atoi(entry->d_name);
    if (pid <= 0) continue;
    const std::string process = std::string("/proc/") + entry->d_name;
    if (Lines(process + "/environ").find(wanted) != std::string::npos && !IsZombie(process)) living.push_back(pid);
  }
  closedir(processes);
  return living;
}

std::vector<pid_t> RigRun::LivingAfter(std::chrono::milliseconds limit) const {
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    auto living = Living();
    if (living.empty() || std::chrono::steady_clock::now() > until) return living;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

pid_t RigRun::Find(const std::string& name) const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < until) {
    if (const auto found = FindAll(name); !found.empty()) return found.front();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return 0;
}

bool RigRun::AwaitWindow() const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < until) {
    if (Contents(err_).find("measuring") != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

std::vector<pid_t> RigRun::FindAll(const std::string& name) const {
  std::vector<pid_t> found;
  for (const pid_t pid : Living()) {
    if (Lines("/proc/" + std::to_string(pid) + "/cmdline").find("\n" + name + "\n") != std::string::npos) {
      found.push_back(pid);
    }
  }
  return found;
}

std::vector<std::string> CheckReport(const FinishedRun& run) {
  return CheckAgainstDocs(run.report_text, Contents(Runfile("docs/report.md")));
}

bool InFirstPidNamespace() {
  // PROC_PID_INIT_INO of include/linux/proc_ns.h.
  std::error_code unknown;
  return std::filesystem::read_symlink("/proc/self/ns/pid", unknown) == "pid:[4026531836]";
}

std::vector<int> TestCores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  std::vector<int> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) cores.push_back(cpu);
  }
  return cores;
}

}  // namespace corerig
