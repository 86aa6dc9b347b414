#include "harness/run/launch_workers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

#include "harness/base/text.h"
#include "harness/child/child_context.h"
#include "harness/child/command_child.h"
#include "harness/child/exchange.h"
#include "harness/child/worker_child.h"
#include "harness/child/worker_slab.h"
#include "harness/child/worker_threads.h"
#include "harness/child/zygote.h"
#include "harness/os/clock.h"
#include "harness/os/line_pattern.h"
#include "harness/plan/parts.h"

namespace corerig {
namespace {

// How long a zygote may take to load what its workers share.
constexpr Nanos kLoadLimit = std::chrono::seconds(20);
// And to end, once it has forked them.
constexpr int kEndMs = 1'000;

// A file for a command's output. Appended to, so that several descriptions of it (/dev/stdout opened anew) do not
// overwrite one another.
Result<Fd> OutputFile(const std::string& folder, const std::string& name) {
  const std::string path = folder.empty() ? "/dev/null" : StrCat(folder, "/", name);
  Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  if (!file.valid()) return Fail("cannot create ", path, ": ", ErrnoText(errno));
  return file;
}

// What we set in our own environment and the caller did not: it is not to reach the user's command.
std::vector<std::string> OurVariables() {
  constexpr std::string_view kSetByUs = "UV_USE_IO_URING=";  // EventLoop::Create
  // The environment as this process was handed it: changes made since do not show there.
  const auto handed = ReadFile("/proc/self/environ");
  if (!handed) return {};
  for (const auto variable : Split(*handed, '\0')) {
    if (variable.starts_with(kSetByUs)) return {};
  }
  return {std::string(kSetByUs.substr(0, kSetByUs.size() - 1))};
}

// The limit of RLIMIT_AS that its memory is to be kept to; 0: none.
std::uint64_t AddressSpaceOf(const WorkerPlan& group) {
  return group.memory && group.memory_counts_address_space ? group.memory->count : 0;
}

// One of a group of commands, its output going to files in the run's folder.
Status StartCommand(Launcher& launcher, LaunchedChild& child, const WorkerPlan& group) {
  const std::string& folder = launcher.context().folder;
  const std::string base = StrCat("worker.", group.name, ".", child.index);
  child.mark = StrCat("CORERIG_ID=", getpid(), ".", MonotonicNow().count(), ".", group.name, ".", child.index);
  const auto number = [](auto value) { return StrCat(value); };
  const CommandJob job = {.command = *group.command,
                          .added = {{"CORERIG_ID", child.mark.substr(child.mark.find('=') + 1)},
                                    {"CORERIG_WORKER", group.name},
                                    {"CORERIG_INDEX", number(child.index)},
                                    {"CORERIG_WORKERS", number(group.cores.size())},
                                    {"CORERIG_CORE", number(child.core())}},
                          .removed = OurVariables()};
  auto out = OutputFile(folder, base + ".stdout"), err = OutputFile(folder, base + ".stderr");
  if (!out) return Forward(out);
  if (!err) return Forward(err);
  if (!folder.empty()) child.stdout_file = base + ".stdout", child.stderr_file = base + ".stderr";
  if (!group.command->units_pattern.empty()) {
    auto pattern = LinePattern::Compile(group.command->units_pattern);
    if (!pattern) return Forward(pattern);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return Fail("cannot make a pipe: ", ErrnoText(errno));
    Fd reading(ends[0]), writing(ends[1]);
    auto output = CommandOutput::Start(std::move(reading), std::move(*out), LineCounter(std::move(*pattern)));
    if (!output) return Forward(output);
    child.output = std::move(*output);
    out = std::move(writing);
  }
  const auto slab = launcher.MakeSlab(child, WorkerSlabLayout(child.result_capacity).size);
  if (!slab) return Forward(slab);
  return launcher.Start(child, kCommandVerb, WriteCommandJob(job), *slab,
                        {.fds = {out->get(), err->get()}, .address_space = AddressSpaceOf(group)});
}

// One group of the plan, worker by worker.
class GroupLauncher {
 public:
  GroupLauncher(const Plan& plan, const Rig& rig, std::size_t group, Launcher& launcher,
                std::vector<LaunchedChild>& children)
      : plan_(plan),
        group_index_(group),
        group_(plan.workers[group]),
        type_(group_.command ? nullptr : FindWorkload(rig, group_.workload)),
        launcher_(launcher),
        children_(children) {}

  Status Launch() {
    if (group_.command) return LaunchCommands();
    if (const std::size_t size = ExchangeSize(*type_, Job(0)); size > 0) {
      auto exchange = CreateSharedMemory("corerig-exchange", size);
      if (!exchange) return ForwardWith(exchange, "worker ", group_.name, ": ");
      exchange_ = std::move(*exchange);
    }
    switch (group_.as) {
      case RunAs::kSpawn:
        return LaunchProcesses(0, "");
      case RunAs::kFork:
        return LaunchForked();
      case RunAs::kThread:
        return LaunchThreads();
    }
    return {};
  }

 private:
  int workers() const { return static_cast<int>(group_.cores.size()); }
  WorkerJob Job(int index) const { return JobOf(group_, index, plan_.seed, plan_.shard); }

  LaunchedChild Worker(int index) const {
    return {.role = Role::kWorker,
            .group = group_index_,
            .index = index,
            .name = WorkerPart(group_.name, index),
            .cores = group_.CoresOf(index),
            .policy = group_.policy,
            .result_capacity = type_ == nullptr ? 0 : type_->result_size(Job(index))};
  }

  // Its own control group, if it has a limit that one enforces.
  void LimitMemory(LaunchedChild& worker) const {
    const MemoryGroups* const groups = launcher_.context().memory_groups;
    if (!group_.memory || group_.memory_counts_address_space || groups == nullptr) return;
    auto made = groups->Make(static_cast<int>(children_.size()), *group_.memory);
    if (made) {
      worker.memory_group = std::move(*made);
    } else {
      worker.failure = made.error().message;
    }
  }

  Status LaunchCommands() {
    for (int i = 0; i < workers(); ++i) {
      LaunchedChild worker = Worker(i);
      LimitMemory(worker);
      if (auto started = StartCommand(launcher_, worker, group_); !started) {
        return ForwardWith(started, worker.name, ": ");
      }
      children_.push_back(std::move(worker));
    }
    return {};
  }

  // A process each, executed, or forked from a zygote; `failure` is why none of them can be.
  Status LaunchProcesses(pid_t zygote, const std::string& failure) {
    for (int i = 0; i < workers(); ++i) {
      LaunchedChild worker = Worker(i);
      LimitMemory(worker);
      if (!failure.empty()) worker.failure = failure;
      const auto slab = launcher_.MakeSlab(worker, WorkerSlabLayout(worker.result_capacity).size);
      if (!slab) return ForwardWith(slab, worker.name, ": ");
      Launcher::Extra extra = {.address_space = AddressSpaceOf(group_), .forked_from = zygote};
      if (exchange_.valid()) extra.fds = {exchange_.get()};
      auto started = launcher_.Start(worker, kWorkerVerb, WriteWorkerJob(Job(i), group_.workload), *slab, extra);
      if (!started) return ForwardWith(started, worker.name, ": ");
      children_.push_back(std::move(worker));
    }
    return {};
  }

  Status LaunchForked() {
    LaunchedChild zygote{
        .role = Role::kGroup, .group = group_index_, .name = GroupPart(group_.name), .cores = group_.CoresOf(0)};
    const auto slab = launcher_.MakeSlab(zygote, sizeof(SlabHeader));
    if (!slab) return ForwardWith(slab, zygote.name, ": ");
    const std::string job = WriteWorkerJob(Job(0), group_.workload);
    if (auto started = launcher_.Start(zygote, kZygoteVerb, job, *slab, {.zygote = true}); !started) {
      return ForwardWith(started, zygote.name, ": ");
    }
    if (!zygote.process) return LaunchProcesses(0, StrCat("its zygote: ", zygote.failure));
    const std::string failure = AwaitLoaded(zygote);
    auto launched = LaunchProcesses(zygote.process->pid, failure);
    // It ends, and the workers go on without it. One that does not end by itself (it was stopped, or destroys much) is
    // not waited for.
    if (auto released = launcher_.keeper().Release(*zygote.process); !released) return released;
    pollfd ended = {.fd = zygote.process->pidfd.get(), .events = POLLIN, .revents = 0};
    if (poll(&ended, 1, kEndMs) <= 0) (void)Keeper::Kill(*zygote.process, SIGKILL);
    if (auto reaped = launcher_.keeper().Reap(*zygote.process); !reaped) return Forward(reaped);
    return launched;
  }

  // Until the zygote has loaded its input. Why it has not, else; it then has ended.
  std::string AwaitLoaded(const LaunchedChild& zygote) const {
    const SlabHeader& header = *zygote.slab.At<SlabHeader>(0);
    const Nanos limit = MonotonicNow() + kLoadLimit;
    for (;;) {
      if (header.state.load(std::memory_order_acquire) != ChildState::kStarting) return {};
      pollfd entries[] = {{.fd = zygote.process->pidfd.get(), .events = POLLIN, .revents = 0},
                          {.fd = launcher_.context().interrupts, .events = POLLIN, .revents = 0}};
      poll(entries, 2, /*timeout ms=*/1);
      if (entries[0].revents != 0) {
        const std::string error = header.error.Read();
        return error.empty() ? "its zygote ended while it loaded what they share" : error;
      }
      const bool interrupted = entries[1].revents != 0;
      if (!interrupted && MonotonicNow() < limit) continue;
      (void)Keeper::Kill(*zygote.process, SIGKILL);
      return interrupted ? std::string(kInterruptedStart) : "its zygote did not load what they share within 20 s";
    }
  }

  // One process for all of them. Each has a slab of its own, which the process gets.
  Status LaunchThreads() {
    const std::size_t host = children_.size();
    LaunchedChild process{
        .role = Role::kGroup, .group = group_index_, .name = GroupPart(group_.name), .cores = group_.CoresOf(0)};
    const auto slab = launcher_.MakeSlab(process, sizeof(SlabHeader));
    if (!slab) return ForwardWith(slab, process.name, ": ");
    ThreadGroupJob job = {.first = {.job = Job(0), .workload = group_.workload}, .cores = {}, .policy = group_.policy};
    std::vector<LaunchedChild> threads;
    std::vector<Fd> slabs;
    Fd none(open("/dev/null", O_RDONLY | O_CLOEXEC));
    Launcher::Extra extra = {.fds = {exchange_.valid() ? exchange_.get() : none.get()}};
    for (int i = 0; i < workers(); ++i) {
      LaunchedChild worker = Worker(i);
      worker.host = host;
      auto own = launcher_.MakeSlab(worker, WorkerSlabLayout(worker.result_capacity).size);
      if (!own) return ForwardWith(own, worker.name, ": ");
      slabs.push_back(std::move(*own));
      extra.fds.push_back(slabs.back().get());
      job.cores.push_back(worker.cores);
      threads.push_back(std::move(worker));
    }
    auto started = launcher_.Start(process, kThreadsVerb, WriteThreadGroupJob(job), *slab, extra);
    if (!started) return ForwardWith(started, process.name, ": ");
    for (auto& worker : threads) {
      worker.failure = process.failure;
      worker.host_pid = process.process ? process.process->pid : 0;
    }
    children_.push_back(std::move(process));
    for (auto& worker : threads) children_.push_back(std::move(worker));
    return {};
  }

  const Plan& plan_;
  const std::size_t group_index_;
  const WorkerPlan& group_;
  const WorkloadType* type_;  // null: commands
  Launcher& launcher_;
  std::vector<LaunchedChild>& children_;
  Fd exchange_;
};

}  // namespace

Status LaunchWorkers(const Plan& plan, const Rig& rig, Launcher& launcher, std::vector<LaunchedChild>& children) {
  for (std::size_t g = 0; g < plan.workers.size(); ++g) {
    if (auto launched = GroupLauncher(plan, rig, g, launcher, children).Launch(); !launched) return launched;
  }
  return {};
}

}  // namespace corerig
