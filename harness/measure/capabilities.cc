#include "harness/measure/capabilities.h"

#include <dirent.h>
#include <linux/can.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

#include "harness/base/policy.h"
#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/base/warning.h"
#include "harness/measure/trace_reader.h"
#include "harness/os/cgroup.h"
#include "harness/os/dma_latency.h"
#include "harness/os/fd.h"
#include "harness/os/perf_trial.h"
#include "harness/os/scheduling.h"
#include "harness/os/taskstats.h"

namespace corerig {
namespace {

bool IsRoot() { return geteuid() == 0; }

// Root that is refused is root of a container or of a sandbox.
std::string RootRemedy(std::string_view in_container) {
  return IsRoot()
             ? StrCat("this root is confined: run outside of the container or sandbox, or start it with ", in_container)
             : std::string("run as root");
}

Capability From(const Status& tried, std::string_view name, std::string_view needed_by, std::string remedy) {
  Capability capability{.name = std::string(name), .available = tried.has_value(), .needed_by = std::string(needed_by)};
  if (!tried) {
    // What the message says would help is told by the remedy.
    const std::string& message = tried.error().message;
    capability.detail = remedy.empty() ? message : message.substr(0, message.rfind("; "));
    capability.remedy = std::move(remedy);
  }
  return capability;
}

// A trial's message that ends in "; remedy" is told in two parts.
Capability FromTrial(const Status& tried, std::string_view name, std::string_view needed_by) {
  Capability capability = From(tried, name, needed_by, "");
  if (const auto semicolon = capability.detail.find("; "); semicolon != std::string::npos) {
    capability.remedy = capability.detail.substr(semicolon + 2);
    capability.detail.resize(semicolon);
  }
  return capability;
}

void AddTrace(std::vector<Capability>& out) {
  constexpr std::size_t kBuffer = 64 * 1024;
  std::vector<TraceReader::Buffer> buffers;
  for (const CpuId core : AllowedCores()) buffers.push_back({core, kBuffer});
  const CpuId core = buffers.empty() ? CpuId{0} : buffers.front().cpu;
  auto reader = TraceReader::Start({.parts = {"rig"}, .faults_of = {}, .buffers = std::move(buffers), .core = core},
                                   [](auto, const auto&, Nanos) {});
  bool interrupts = false;
  std::uint64_t events = 0;
  if (reader) {
    // Going to sleep is an event, on whichever core we are.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    (*reader)->Stop();
    events = (*reader)->events();
    interrupts = events > 0 && (*reader)->sees_interrupts();
  }
  const Status tried = !reader       ? Status(Forward(reader))
                       : events == 0 ? Status(Fail("a trial trace stayed empty"))
                                     : Status();
  const std::string remedy =
      StrCat(RootRemedy("--privileged"), "; the kernel needs CONFIG_FTRACE=y, CONFIG_ENABLE_DEFAULT_TRACERS=y");
  out.push_back(From(tried, "scheduling trace",
                     "core.N.{foreign,irq,idle,switches,runqueue,migrations_in,frequency}, "
                     "loop.NAME.{runqueue,wake,preempted}, worker.NAME.I.{runqueue,slice,preempted}, "
                     "trace.perfetto-trace",
                     remedy));
  out.push_back(From(interrupts ? Status()
                     : tried    ? Status(Fail("the kernel has no irq events"))
                                : Status(Fail("there is no scheduling trace")),
                     "interrupts in the trace", "core.N.irq; without, it is time of the tasks they interrupt", remedy));
}

Status TryDeadline() {
  // sched_setattr(2): glibc has it from 2.41 on.
  struct Attributes {
    std::uint32_t size = sizeof(Attributes), policy = 6;  // SCHED_DEADLINE
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 1'000'000, deadline = 100'000'000, period = 100'000'000;  // ns: 1 % of a core
  };
  int error = 0;
  std::thread([&error] {
    const Attributes wanted;
    if (syscall(SYS_sched_setattr, 0, &wanted, 0) != 0) error = errno;
  }).join();
  if (error == 0) return {};
  return Fail("sched_setattr: ", ErrnoText(error));
}

std::string MemoryLockDetail() {
  rlimit limit = {};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  return limit.rlim_cur == RLIM_INFINITY ? std::string("no limit") : FormatSize(static_cast<double>(limit.rlim_cur));
}

// What loops and workers lock: their stacks, the slab and the program, a few MiB. Root is not bound by the limit.
constexpr rlim_t kLockedAtLeast = rlim_t{64} << 20;

Capability MemoryLock() {
  rlimit limit = {};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  const bool enough = IsRoot() || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= kLockedAtLeast;
  Capability capability{.name = "locked memory",
                        .available = enough,
                        .detail = StrCat("RLIMIT_MEMLOCK ", MemoryLockDetail(), IsRoot() ? ", root" : ""),
                        .needed_by = "loops without page faults (mlockall)"};
  if (!enough) capability.remedy = std::string(RemedyFor(WarningId::kMemoryNotLocked));
  return capability;
}

Status Readable(const std::string& path) {
  const auto text = ReadFile(path);
  return text ? Status() : Status(Forward(text));
}

Status TryCan() {
  const Fd socket_fd(socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW));
  if (!socket_fd.valid()) return Fail("socket(PF_CAN): ", ErrnoText(errno));
  return {};
}

int Entries(const char* folder, std::string_view prefix) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder), closedir);
  int count = 0;
  if (!entries) return 0;
  while (const dirent* entry = readdir(entries.get())) {
    count += std::string_view(entry->d_name).starts_with(prefix) ? 1 : 0;
  }
  return count;
}

}  // namespace

std::vector<Capability> TryCapabilities() {
  std::vector<Capability> all;
  AddTrace(all);
  all.push_back(
      FromTrial(TrySwitchRecords(), "switch records of own tasks",
                "loop.NAME.{switches,migrations,preempted}, worker.NAME.I.{switches,migrations,slice,preempted} "
                "where there is no scheduling trace"));
  all.push_back(
      FromTrial(TrySoftwareCounter(), "software counters",
                "faults, switches and migrations in report.json's counters, where there is no scheduling trace"));
  all.push_back(FromTrial(TryHardwareCounter(), kHardwareCounterCapability,
                          "{loop.NAME,worker.NAME.I}.{cycles,instructions,ipc,cache_misses,branch_misses}"));
  all.push_back(From(Readable("/proc/thread-self/schedstat"), "schedstat",
                     "{loop.NAME,worker.NAME.I}.cpu, core.N.{worker,loop,source,rig}, rig.cpu",
                     "a kernel with CONFIG_SCHED_INFO=y (CONFIG_SCHEDSTATS or CONFIG_TASK_DELAY_ACCT)"));
  constexpr Policy kTried = {.scheduling_class = Policy::Class::kFifo, .priority = 90};
  Capability fifo = FromTrial(TryPolicy(kTried), kFifoCapability, "policy = \"fifo:N\", require = [\"fifo\"]");
  if (fifo.detail.find("RLIMIT_RTPRIO") != std::string::npos) fifo.remedy = RemedyFor(WarningId::kPolicyRefused);
  all.push_back(std::move(fifo));
  all.push_back(From(TryDeadline(), "SCHED_DEADLINE", "commands under test that ask for it",
                     IsRoot() ? "free bandwidth: sysctl kernel.sched_rt_runtime_us=950000; else this root is confined: "
                                "run outside of the container, or start it with --cap-add SYS_NICE"
                              : "run as root"));
  all.push_back(MemoryLock());
  {
    const auto hold = DmaLatencyHold::Hold(Nanos(0));
    Capability capability = FromTrial(hold ? Status() : Status(Forward(hold)), kDmaLatencyCapability,
                                      "latencies without the time to leave deep idle states");
    if (capability.detail.ends_with("(EACCES)")) capability.remedy = RemedyFor(WarningId::kDmaLatencyNotHeld);
    all.push_back(std::move(capability));
  }
  all.push_back(From(Readable("/proc/self/smaps_rollup"), "smaps_rollup",
                     "worker.NAME.I.{pss,uss,shared}, memory.*, rig.pss",
                     "a kernel with CONFIG_PROC_PAGE_MONITOR=y, Linux 4.14 or later"));
  {
    // Resets our own peak, which nobody reads.
    constexpr std::string_view kResetPeak = "5";
    all.push_back(From(WriteExisting("/proc/self/clear_refs", kResetPeak), "peak memory of the window",
                       "worker.NAME.I.rss.max", "a kernel with CONFIG_PROC_PAGE_MONITOR=y"));
  }
  {
    const auto groups = MemoryGroups::Find();
    Capability capability = From(groups ? Status() : Status(Forward(groups)), "memory control group",
                                 "exact memory = \"64MiB\" of a worker, worker.NAME.I.cgroup.peak",
                                 std::string(RemedyFor(WarningId::kMemorySampled)));
    if (groups) {
      capability.detail =
          StrCat(groups->version() == CgroupVersion::kV2 ? "v2" : "v1", ", below ", groups->directory());
    }
    all.push_back(std::move(capability));
  }
  {
    const auto stats = TaskStats::Open();
    all.push_back(From(stats ? Status() : Status(Forward(stats)), "copy-on-write faults", "worker.NAME.I.faults.cow",
                       access("/proc/sys/kernel/task_delayacct", F_OK) != 0
                           ? std::string("a kernel with CONFIG_TASK_DELAY_ACCT=y, Linux 6.0 or later")
                           : StrCat("sysctl kernel.task_delayacct=1", IsRoot() ? "" : ", and run as root")));
  }
  all.push_back(From(Readable("/proc/pressure/cpu"), "pressure stall information",
                     "commands under test that watch /proc/pressure",
                     "boot with psi=1, on a kernel with CONFIG_PSI=y"));
  all.push_back(From(TryCan(), "CAN sockets", "commands under test that speak SocketCAN",
                     "modprobe can_raw, on a kernel with CONFIG_CAN_RAW"));
  {
    const int devices = Entries("/sys/bus/iio/devices", "iio:device");
    Capability iio{.name = "IIO sensors",
                   .available = devices > 0,
                   .detail = devices > 0 ? StrCat(devices, devices == 1 ? " device" : " devices") : "no iio device",
                   .needed_by = "commands under test that read real sensors"};
    if (devices == 0) iio.remedy = "modprobe iio_dummy, or load the sensor's driver or device tree overlay";
    all.push_back(std::move(iio));
  }
  return all;
}

const Capability* FindCapability(const std::vector<Capability>& capabilities, std::string_view name) {
  for (const auto& capability : capabilities) {
    if (capability.name == name) return &capability;
  }
  return nullptr;
}

}  // namespace corerig
