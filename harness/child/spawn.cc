#include "harness/child/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>

#include "harness/os/process.h"
#include "harness/os/scheduling.h"

namespace corerig {
namespace {

constexpr rlim_t kRealTimeSoft = 3'000'000, kRealTimeHard = 3'500'000;  // us

enum class Step {
  kNone,
  kParent,
  kGroup,
  kSignals,
  kStandardStreams,
  kDescriptors,
  kLimits,
  kAffinity,
  kPolicy,
  kExec
};

// What the child needs, made ready beforehand: between clone and exec it only makes system calls.
struct Orders {
  std::vector<char*> argv;
  std::vector<std::pair<int, int>> fds;
  std::vector<int> parked;  // room for fds.size()
  int first_free = 3;       // above all numbers of `fds`
  std::vector<cpu_set_t> cores;
  std::size_t cores_size = 0;
  int scheduling_class = SCHED_OTHER;
  int priority = 0;
  int nice = 0;
  int group = -1;
  rlim_t address_space = 0;
  Lifetime lifetime = Lifetime::kOwn;
  pid_t spawner = 0;

  // The child's answer: it runs in our memory.
  Step failed = Step::kNone;
  int error = 0;
  int failed_fd = -1;
};

bool LowerLimit(__rlimit_resource resource, rlim_t soft, rlim_t hard) {
  rlimit limit = {};
  if (getrlimit(resource, &limit) != 0) return false;
  limit.rlim_max = std::min(limit.rlim_max, hard);  // RLIM_INFINITY is the largest value
  limit.rlim_cur = std::min(soft, limit.rlim_max);
  return setrlimit(resource, &limit) == 0;
}

// Nothing is ignored and nothing blocked (exec keeps both, and drops handlers only).
bool ResetSignals() {
  // The kernel's own struct, all zero: SIG_DFL and no flags. The C library's function would leave out the two signals
  // it keeps to itself, which may be ignored by inheritance too.
  const unsigned long standard[8] = {};
  // Fails for SIGKILL and SIGSTOP, which need no reset.
  for (int signal = 1; signal < NSIG; ++signal) syscall(SYS_rt_sigaction, signal, standard, nullptr, (NSIG - 1) / 8);
  sigset_t none;
  sigemptyset(&none);
  return sigprocmask(SIG_SETMASK, &none, nullptr) == 0;
}

bool SetStandardStreams() {
  const int null = open("/dev/null", O_RDONLY);
  if (null < 0) return false;
  if (null != STDIN_FILENO && (dup2(null, STDIN_FILENO) < 0 || close(null) != 0)) return false;
  return dup2(STDERR_FILENO, STDOUT_FILENO) >= 0;
}

void CloseFrom(int first) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, static_cast<unsigned>(first), ~0u, 0) == 0) return;
#endif
  // Linux before 5.9.
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  for (int fd = first; static_cast<rlim_t>(fd) < limit.rlim_cur; ++fd) close(fd);
}

// Gives each descriptor its number. All are moved up out of the way first: one's number may be another's source.
bool SetDescriptors(Orders& orders) {
  for (std::size_t i = 0; i < orders.fds.size(); ++i) {
    orders.failed_fd = orders.fds[i].second;
    orders.parked[i] = fcntl(orders.fds[i].first, F_DUPFD_CLOEXEC, orders.first_free);
    if (orders.parked[i] < 0) return false;
  }
  for (int number = 3; number < orders.first_free; ++number) close(number);
  for (std::size_t i = 0; i < orders.fds.size(); ++i) {
    orders.failed_fd = orders.fds[i].second;
    if (dup2(orders.parked[i], orders.fds[i].second) < 0) return false;
  }
  CloseFrom(orders.first_free);
  return true;
}

// All but parent and program. Only system calls: it may run in our memory, so it takes no lock and allocates nothing.
// Returns the step that failed, with errno.
Step SetUp(Orders& orders) {
  if (orders.group >= 0 && write(orders.group, "0", 1) != 1) return Step::kGroup;
  if (!ResetSignals()) return Step::kSignals;
  if (!LowerLimit(RLIMIT_CORE, 0, 0)) return Step::kLimits;
  if (!LowerLimit(RLIMIT_RTTIME, kRealTimeSoft, kRealTimeHard)) return Step::kLimits;
  if (sched_setaffinity(0, orders.cores_size, orders.cores.data()) != 0) return Step::kAffinity;
  sched_param parameter = {};
  parameter.sched_priority = orders.priority;
  if (sched_setscheduler(0, orders.scheduling_class, &parameter) != 0) return Step::kPolicy;
  if (orders.nice != 0 && setpriority(PRIO_PROCESS, 0, orders.nice) != 0) return Step::kPolicy;
  if (!SetStandardStreams()) return Step::kStandardStreams;
  if (orders.address_space > 0 && !LowerLimit(RLIMIT_AS, orders.address_space, orders.address_space)) {
    return Step::kLimits;
  }
  // Last: who forked us knows by the closing of what is not handed on that all is done.
  if (!SetDescriptors(orders)) return Step::kDescriptors;
  return Step::kNone;
}

// The child until exec. It shares our memory.
int RunChild(void* argument) {
  Orders& orders = *static_cast<Orders*>(argument);
  const auto fail = [&](Step step, int error) {
    orders.failed = step;
    orders.error = error;
    _exit(127);
  };
  if (orders.lifetime == Lifetime::kOfSpawner) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) fail(Step::kParent, errno);
    // The spawner may have died before the line above: no signal comes then.
    if (getppid() != orders.spawner) fail(Step::kParent, ESRCH);
  }
  if (const Step failed = SetUp(orders); failed != Step::kNone) fail(failed, errno);
  execv(orders.argv[0], orders.argv.data());
  fail(Step::kExec, errno);
  return 127;
}

// "core 1", "cores 0, 1".
std::string CoresText(const std::vector<CpuId>& cores) {
  std::string text = cores.size() == 1 ? "core " : "cores ";
  for (std::size_t i = 0; i < cores.size(); ++i) text += StrCat(i == 0 ? "" : ", ", cores[i].value);
  return text;
}

std::string Explain(const Orders& orders, const SpawnRequest& request) {
  const std::string cause = ErrnoText(orders.error);
  switch (orders.failed) {
    case Step::kNone:
      break;
    case Step::kParent:
      return StrCat("death signal: ", cause);
    case Step::kGroup:
      return StrCat("joining control group ", request.group_directory, ": ", cause);
    case Step::kSignals:
      return StrCat("signals: ", cause);
    case Step::kStandardStreams:
      return StrCat("standard streams: ", cause);
    case Step::kDescriptors:
      return StrCat("descriptor ", orders.failed_fd, ": ", cause);
    case Step::kLimits:
      return StrCat("limits: ", cause);
    case Step::kAffinity:
      return StrCat("affinity to ", CoresText(request.cores), ": ", cause);
    case Step::kPolicy:
      return StrCat("policy ", ToText(request.policy), ": ", PolicyRefusal(request.policy, orders.error));
    case Step::kExec:
      return StrCat("exec ", request.argv[0], ": ", cause);
  }
  return "";
}

Status Check(const SpawnRequest& request) {
  if (request.argv.empty()) return Fail("spawn: no program is named");
  constexpr int kMostCores = 1 << 20;
  if (request.cores.empty()) return Fail("spawn: no core is named");
  for (const CpuId core : request.cores) {
    if (core.value < 0 || core.value >= kMostCores) {
      return Fail("affinity to core ", core.value, ": no number of a core");
    }
  }
  for (const auto& [ours, theirs] : request.fds) {
    // Far below any limit, so that those in between are soon closed.
    if (theirs < 3 || theirs > 1023) return Fail("descriptor ", theirs, ": a number from 3 to 1023 was expected");
  }
  return {};
}

Orders OrdersFor(const SpawnRequest& request) {
  Orders orders;
  orders.fds = request.fds;
  orders.parked.resize(request.fds.size());
  for (const auto& [ours, theirs] : request.fds) orders.first_free = std::max(orders.first_free, theirs + 1);
  const auto highest = static_cast<std::size_t>(std::max_element(request.cores.begin(), request.cores.end())->value);
  orders.cores.resize(CPU_ALLOC_SIZE(highest + 1) / sizeof(cpu_set_t) + 1);
  orders.cores_size = orders.cores.size() * sizeof(cpu_set_t);
  for (const CpuId core : request.cores) {
    CPU_SET_S(static_cast<std::size_t>(core.value), orders.cores_size, orders.cores.data());
  }
  orders.scheduling_class = KernelPolicy(request.policy.scheduling_class);
  orders.priority = request.policy.priority;
  orders.nice = request.policy.nice;
  orders.group = request.group;
  orders.address_space = request.address_space;
  return orders;
}

}  // namespace

Result<ChildProcess> Spawn(const SpawnRequest& request, Lifetime lifetime) {
  if (auto checked = Check(request); !checked) return Forward(checked);

  Orders orders = OrdersFor(request);
  std::vector<std::string> argv = request.argv;
  for (std::string& argument : argv) orders.argv.push_back(argument.data());
  orders.argv.push_back(nullptr);
  orders.lifetime = lifetime;
  orders.spawner = getpid();

  // From the heap, of which the address sanitizer knows that it begins anew.
  constexpr std::size_t kStackSize = 64 * 1024;
  const auto stack = std::make_unique_for_overwrite<std::byte[]>(kStackSize);

  // No handler of ours may run in the child while it shares our memory.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int pidfd = -1;
  const pid_t pid =
      clone(RunChild, stack.get() + kStackSize, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &orders, &pidfd);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return Fail("spawn: cannot make a process: ", ErrnoText(error));

  ChildProcess child;
  child.pid = pid;
  child.pidfd = Fd(pidfd);
  auto start_time = StartTimeOf(pid);
  if (orders.failed == Step::kNone && start_time) {
    child.start_time = *start_time;
    return child;
  }
  // Not running, or not to be named: nothing of it stays.
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (orders.failed != Step::kNone) return Fail(Explain(orders, request));
  return ForwardWith(start_time, "spawn: ");
}

Status BecomeChild(const SpawnRequest& request) {
  if (auto checked = Check(request); !checked) return checked;
  Orders orders = OrdersFor(request);
  orders.failed = SetUp(orders);
  if (orders.failed == Step::kNone) return {};
  orders.error = errno;
  return Fail(Explain(orders, request));
}

}  // namespace corerig
