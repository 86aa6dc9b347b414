// What it takes to have a worker stand ready at the barrier, what it has of memory besides its data, and how far apart
// workers start:
//
//   spawned to armed         beside posix_spawn of an empty static program, until that has ended
//   the same                 beside Python's multiprocessing, start method "spawn", until its function is called
//   PSS                      the largest of a worker that has no data
//   start                    from the common instant to the workload's first instruction, over many runs
//
//   bazel run -c opt //tests/bench:spawn_bench [-- PAIRS]
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/child/child_context.h"
#include "harness/child/spawn.h"
#include "harness/child/worker_child.h"
#include "harness/child/worker_job.h"
#include "harness/child/worker_slab.h"
#include "harness/os/clock.h"
#include "harness/os/scheduling.h"
#include "scenarios/workloads.h"
#include "tests/bench/command.h"
#include "tests/bench/pairs.h"

namespace corerig {
namespace {

constexpr Nanos kPatience{2'000'000'000};

// Both sides on one core, the child before the one who waits for it: it runs from its first instruction on, nothing
// else does, and it is seen at once when it sleeps or has ended.
constexpr Policy kOurs{Policy::Class::kFifo, 40}, kChild{Policy::Class::kFifo, 41}, kOrdinary{};

// The job of a worker that has no data of its own.
WorkerJob LightJob() {
  WorkerJob job{.group = "light", .index = 0, .workers = 1, .seed = 1, .units = {}, .parameters = {}};
  for (const WorkloadType& type : AllWorkloads()) {
    if (type.info.name != "load/periodic") continue;
    for (const ParameterInfo& parameter : type.info.parameters) {
      job.parameters.push_back({std::string(parameter.name), std::string(parameter.default_value)});
    }
  }
  return job;
}

Result<std::pair<Fd, Mapping>> Memory(const char* name, std::size_t size) {
  auto fd = CreateSharedMemory(name, size);
  if (!fd) return Forward(fd);
  auto mapping = Mapping::Map(fd->get(), size, Mapping::Access::kReadWrite);
  if (!mapping) return Forward(mapping);
  return std::pair(std::move(*fd), std::move(*mapping));
}

// As the rig starts it, up to the barrier: microseconds.
std::optional<double> SpawnedToArmed(const std::string& program, CpuId core) {
  const std::string text = WriteWorkerJob(LightJob(), "load/periodic");
  auto job = Memory("bench-job", text.size());
  auto slab = Memory("bench-slab", WorkerSlabLayout(64 * 1024).size);
  auto control = Memory("bench-control", sizeof(ControlPage));
  if (!job || !slab || !control) return std::nullopt;
  std::copy(text.begin(), text.end(), reinterpret_cast<char*>(job->second.data()));
  {
    // As the supervisor's: readable alone, so that the child may seal it.
    auto readable = Mapping::Map(slab->first.get(), slab->second.size(), Mapping::Access::kRead);
    if (!readable) return std::nullopt;
    slab->second = std::move(*readable);
  }
  SpawnRequest request;
  request.argv = {program, std::string(kWorkerVerb), "light.0"};
  request.fds = {{job->first.get(), kJobFd}, {slab->first.get(), kSlabFd}, {control->first.get(), kControlFd}};
  request.cores = {core};
  request.policy = kChild;
  const auto& state = slab->second.At<SlabHeader>(0)->state;

  const Nanos begin = MonotonicNow();
  const auto child = Spawn(request, Lifetime::kOfSpawner);
  if (!child) {
    std::cerr << child.error().message << "\n";
    return std::nullopt;
  }
  Nanos now = MonotonicNow();
  while (state.load(std::memory_order_acquire) == ChildState::kStarting && now - begin < kPatience) {
    now = MonotonicNow();
  }
  kill(child->pid, SIGKILL);
  waitpid(child->pid, nullptr, 0);
  if (now - begin >= kPatience) {
    std::cerr << program << ": " << slab->second.At<SlabHeader>(0)->error.Read() << "\n";
    return std::nullopt;
  }
  return static_cast<double>((now - begin).count());
}

std::optional<double> SpawnedToEnded(const std::string& program) {
  std::string name = program;
  char* argv[] = {name.data(), nullptr};
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSCHEDULER);
  posix_spawnattr_setschedpolicy(&attributes, SCHED_FIFO);
  const sched_param parameter = {.sched_priority = kChild.priority};
  posix_spawnattr_setschedparam(&attributes, &parameter);
  pid_t pid = 0;
  const Nanos begin = MonotonicNow();
  const int error = posix_spawn(&pid, program.c_str(), nullptr, &attributes, argv, environ);
  if (error != 0) {
    std::cerr << program << ": " << ErrnoText(error) << "\n";
    return std::nullopt;
  }
  while (waitpid(pid, nullptr, WNOHANG) == 0) {
  }
  return static_cast<double>((MonotonicNow() - begin).count());
}

// Python's own measure, in one process of it.
std::optional<double> PythonSpawn() {
  constexpr const char* kScript =
      "import multiprocessing as m, time\n"
      "def f(c):\n"
      "    c.send(time.monotonic_ns())\n"
      "if __name__ == '__main__':\n"
      "    x = m.get_context('spawn')\n"
      "    a, b = x.Pipe()\n"
      "    t = time.monotonic_ns()\n"
      "    p = x.Process(target=f, args=(b,))\n"
      "    p.start()\n"
      "    print(a.recv() - t)\n"
      "    p.join()\n";
  const std::string file = StrCat("/tmp/corerig-spawn-bench-", getpid(), ".py");
  {
    // From a file, as multiprocessing wants it.
    FILE* const script = std::fopen(file.c_str(), "w");
    if (script == nullptr) return std::nullopt;
    std::fputs(kScript, script);
    std::fclose(script);
  }
  const auto output = OutputOf({"python3", file});
  unlink(file.c_str());
  return output ? std::optional(std::stod(*output)) : std::nullopt;
}

std::string LightScenario(const std::string& core, const std::string& duration, const std::string& policy) {
  return StrCat("name = \"light\"\ntrace = false\nwarmup = \"10ms\"\ndrain = \"10ms\"\nduration = \"", duration,
                "\"\n[worker.light]\nworkload = \"load/periodic\"\npolicy = \"", policy, "\"\ncores = ", core, "\n");
}

double Percentile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(p * static_cast<double>(values.size() - 1) + 0.5)];
}

// Of all workers of many runs.
void ShowStarts(int runs, std::size_t cores, const std::string& policy) {
  std::vector<double> starts, skews;
  for (int run = 0; run < runs; ++run) {
    const auto report = ReportOf(LightScenario("\"all\"", "20ms", policy));
    double first = 0, last = 0;
    bool whole = report.has_value();
    for (std::size_t i = 0; whole && i < cores; ++i) {
      const auto start = MetricOf(report, StrCat("worker.light.", i, ".start"));
      whole = start.has_value();
      if (!whole) break;
      starts.push_back(*start);
      first = i == 0 ? *start : std::min(first, *start);
      last = std::max(last, *start);
    }
    if (whole) skews.push_back(last - first);
  }
  if (skews.empty()) return;
  const auto show = [&](const char* what, const std::vector<double>& values) {
    std::cout << what << ", " << policy << ", " << values.size() << " of them: p50 "
              << FormatDuration(Percentile(values, 0.5)) << ", p99 " << FormatDuration(Percentile(values, 0.99))
              << ", max " << FormatDuration(Percentile(values, 1)) << "\n";
  };
  show("start after the common instant", starts);
  show("skew between the workers of a run", skews);
}

}  // namespace
}  // namespace corerig

int main(int argc, char** argv) {
  using namespace corerig;
  const int count = CountFrom(argc, argv, 200);
  const auto cores = AllowedCores();
  const CpuId core = cores.back();
  const std::string program = DataFile("tools/corerig/corerig"), empty = DataFile("tests/bench/empty");
  const auto ours = [&] { return SpawnedToArmed(program, core); };
  cpu_set_t before, one;
  CPU_ZERO(&one);
  CPU_SET(core.value, &one);
  sched_getaffinity(0, sizeof before, &before);
  sched_setaffinity(0, sizeof one, &one);
  if (const auto set = SetPolicy(0, kOurs); !set) {
    std::cerr << set.error().message << "\n";
    return 1;
  }
  const Pairs with_empty = Pairs::Measure(count, ours, [&] { return SpawnedToEnded(empty); });
  const auto python = [&] {
    (void)SetPolicy(0, kOrdinary);
    sched_setaffinity(0, sizeof before, &before);
    const auto took = PythonSpawn();
    sched_setaffinity(0, sizeof one, &one);
    (void)SetPolicy(0, kOurs);
    return took;
  };
  const Pairs with_python = Pairs::Measure(std::max(count / 20, 6), ours, python);
  (void)SetPolicy(0, kOrdinary);
  sched_setaffinity(0, sizeof before, &before);
  std::cout << Conditions() << "\n"
            << Line("spawn to armed", with_empty, "corerig", "posix_spawn of an empty static program", FormatDuration)
            << "\n"
            << Line("spawn to armed", with_python, "corerig", "Python multiprocessing, spawn", FormatDuration) << "\n";
  if (const auto pss =
          MetricOf(ReportOf(LightScenario(StrCat("[", core.value, "]"), "2s", "fifo:50")), "worker.light.0.pss.max")) {
    std::cout << "PSS of a worker without data: " << FormatSize(*pss) << "\n";
  }
  for (const char* policy : {"fifo:50", "other"}) ShowStarts(std::max(count / 4, 10), cores.size(), policy);
  return 0;
}
