#include "harness/os/scheduling.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>

#include "harness/os/fd.h"

namespace corerig {
namespace {

// The mask sizes tried: the kernel refuses (EINVAL) one smaller than its own number of CPUs (man 2 sched_getaffinity).
constexpr int kMostCpus = 1 << 20;

// A set of CPUs of any size: cpu_set_t ends at 1023.
class CpuSet {
 public:
  explicit CpuSet(int cpus)
      : set_(CPU_ALLOC(static_cast<std::size_t>(cpus))), size_(CPU_ALLOC_SIZE(static_cast<std::size_t>(cpus))) {
    CPU_ZERO_S(size_, set_);
  }
  CpuSet(const CpuSet&) = delete;
  ~CpuSet() { CPU_FREE(set_); }
  cpu_set_t* get() const { return set_; }
  std::size_t size() const { return size_; }
  int cpus() const { return static_cast<int>(size_ * 8); }

 private:
  cpu_set_t* set_;
  std::size_t size_;
};

// CAP_SYS_NICE in our effective set: bit 23 of CapEff (linux/capability.h).
bool HasCapSysNice() {
  const auto status = ReadFile("/proc/self/status");
  if (!status) return false;
  constexpr std::string_view kKey = "\nCapEff:\t";
  const auto at = status->find(kKey);
  if (at == std::string::npos) return false;
  std::uint64_t bits = 0;
  const char* begin = status->data() + at + kKey.size();
  std::from_chars(begin, status->data() + status->size(), bits, 16);
  return (bits >> 23) & 1;
}

// /proc/self/status "Seccomp:\t2": a filter is in force, as in containers and sandboxes.
bool HasSeccompFilter() {
  const auto status = ReadFile("/proc/self/status");
  return status && status->find("\nSeccomp:\t2") != std::string::npos;
}

// Our cgroup has no real-time bandwidth of its own (CONFIG_RT_GROUP_SCHED; kernel: scheduler/sched-rt-group.rst).
bool CgroupWithoutRuntime() {
  const auto groups = ReadFile("/proc/self/cgroup");
  if (!groups) return false;
  for (const std::string_view line : Split(*groups, '\n')) {
    const auto parts = Split(line, ':');  // "4:cpu,cpuacct:/user.slice"
    if (parts.size() < 3) continue;
    for (const std::string_view controller : Split(parts[1], ',')) {
      if (controller != "cpu") continue;
      for (const std::string_view mount : {"/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu"}) {
        const auto runtime = ReadFile(StrCat(mount, parts[2], "/cpu.rt_runtime_us"));
        if (runtime && Trim(*runtime) == "0") return true;
      }
    }
  }
  return false;
}

std::string LockRefusal(int error) {
  rlimit limit = {};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  return StrCat("cannot lock memory: ", ErrnoText(error), "; RLIMIT_MEMLOCK is ",
                static_cast<std::uint64_t>(limit.rlim_cur / 1024),
                " KiB; run as root, or set memlock unlimited in limits.conf");
}

std::string NameOf(const Policy& policy) {
  const std::string nice = policy.nice == 0 ? "" : StrCat(", nice ", policy.nice);
  switch (policy.scheduling_class) {
    case Policy::Class::kOther:
      return "SCHED_OTHER" + nice;
    case Policy::Class::kBatch:
      return "SCHED_BATCH" + nice;
    case Policy::Class::kIdle:
      return "SCHED_IDLE";
    case Policy::Class::kFifo:
      return StrCat("SCHED_FIFO ", policy.priority);
  }
  return "";
}

}  // namespace

Status SetAffinity(pid_t tid, CpuId core) { return SetAffinity(tid, std::vector{core}); }

Status SetAffinity(pid_t tid, const std::vector<CpuId>& cores) {
  int highest = 0;
  std::string names;
  for (const CpuId core : cores) {
    if (core.value < 0 || core.value >= kMostCpus) {
      return Fail("core ", core.value, " is no number of a core; 0 to ", kMostCpus - 1, " were expected");
    }
    highest = std::max(highest, core.value);
    names += StrCat(names.empty() ? "" : ", ", core.value);
  }
  const CpuSet set(highest + 1);
  for (const CpuId core : cores) CPU_SET_S(static_cast<std::size_t>(core.value), set.size(), set.get());
  if (sched_setaffinity(tid, set.size(), set.get()) == 0) return {};
  const int error = errno;
  const std::string what = StrCat(cores.size() == 1 ? "core " : "cores ", names);
  if (error != EINVAL) return Fail("cannot pin to ", what, ": ", ErrnoText(error));
  std::string allowed;
  for (const CpuId cpu : AllowedCores()) allowed += StrCat(allowed.empty() ? "" : " ", cpu.value);
  return Fail("cannot pin to ", what, ": ", ErrnoText(error),
              "; the board lacks it, or it is offline, or a cpuset excludes it (allowed now: ", allowed, ")");
}

std::vector<CpuId> AllowedCores() {
  std::vector<CpuId> cores;
  for (int cpus = 1024; cpus <= kMostCpus; cpus *= 2) {
    const CpuSet set(cpus);
    if (sched_getaffinity(0, set.size(), set.get()) != 0) {
      if (errno == EINVAL) continue;
      break;
    }
    for (int cpu = 0; cpu < set.cpus(); ++cpu) {
      if (CPU_ISSET_S(static_cast<std::size_t>(cpu), set.size(), set.get())) cores.push_back({cpu});
    }
    break;
  }
  return cores;
}

std::string PolicyRefusal(const Policy& policy, int error) {
  const std::string name = NameOf(policy);
  if (error != EPERM && error != EACCES) return StrCat(name, " refused: ", ErrnoText(error));
  if (policy.scheduling_class != Policy::Class::kFifo) {
    rlimit limit = {};
    getrlimit(RLIMIT_NICE, &limit);
    return StrCat(name, " refused (RLIMIT_NICE is ", static_cast<std::uint64_t>(limit.rlim_cur),
                  ", no CAP_SYS_NICE); run as root, or set nice ", policy.nice, " in limits.conf");
  }
  if (CgroupWithoutRuntime()) {
    return StrCat(name,
                  " refused (cpu.rt_runtime_us of this cgroup is 0, RT_GROUP_SCHED); give the cgroup real-time run "
                  "time, or start from the root cgroup");
  }
  if (HasCapSysNice()) {
    return StrCat(name, " refused although CAP_SYS_NICE is there: a ",
                  HasSeccompFilter() ? "seccomp filter" : "sandbox",
                  " or user namespace forbids it; run outside of it (bazel: tags = [\"local\"])");
  }
  rlimit limit = {};
  getrlimit(RLIMIT_RTPRIO, &limit);
  if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < static_cast<rlim_t>(policy.priority)) {
    return StrCat(name, " refused (RLIMIT_RTPRIO is ", static_cast<std::uint64_t>(limit.rlim_cur),
                  ", no CAP_SYS_NICE); run as root, or set rtprio ", policy.priority, " in limits.conf");
  }
  return StrCat(name, " refused although RLIMIT_RTPRIO allows it: a sandbox forbids it; run outside of it");
}

int KernelPolicy(Policy::Class scheduling_class) {
  switch (scheduling_class) {
    case Policy::Class::kOther:
      return SCHED_OTHER;
    case Policy::Class::kBatch:
      return SCHED_BATCH;
    case Policy::Class::kIdle:
      return SCHED_IDLE;
    case Policy::Class::kFifo:
      return SCHED_FIFO;
  }
  return SCHED_OTHER;
}

Status SetPolicy(pid_t tid, const Policy& policy) {
  sched_param parameter = {};
  parameter.sched_priority = policy.priority;
  if (sched_setscheduler(tid, KernelPolicy(policy.scheduling_class), &parameter) != 0) {
    return Fail(PolicyRefusal(policy, errno));
  }
  // Linux sets the nice value of the one thread that is named (man 2 setpriority, "C library/kernel differences").
  if (policy.nice == 0 || setpriority(PRIO_PROCESS, static_cast<id_t>(tid), policy.nice) == 0) return {};
  return Fail(PolicyRefusal(policy, errno));
}

Status TryPolicy(const Policy& policy) {
  struct Attempt {
    Policy policy;
    Status granted;
  } attempt{policy, {}};
  const auto try_it = [](void* argument) -> void* {
    auto& attempt = *static_cast<Attempt*>(argument);
    attempt.granted = SetPolicy(0, attempt.policy);
    return nullptr;
  };
  pthread_t thread;
  if (const int error = pthread_create(&thread, nullptr, try_it, &attempt); error != 0) {
    return Fail("cannot try ", ToText(policy), ": no thread: ", ErrnoText(error));
  }
  pthread_join(thread, nullptr);
  return attempt.granted;
}

Status LockMemory() {
  if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) return {};
  return Fail(LockRefusal(errno));
}

[[gnu::hot]] void SetTimerSlack(Nanos slack) {
  prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(slack.count()), 0, 0, 0);
}

}  // namespace corerig
