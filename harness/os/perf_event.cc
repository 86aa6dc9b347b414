#include "harness/os/perf_event.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <cerrno>

#include "harness/base/text.h"

namespace corerig {
namespace {

int OpenEvent(perf_event_attr& attr, const PerfTarget& target) {
  return static_cast<int>(
      syscall(SYS_perf_event_open, &attr, target.tid, target.cpu, target.group, PERF_FLAG_FD_CLOEXEC));
}

bool IsHardware(const perf_event_attr& attr) { return attr.type != PERF_TYPE_SOFTWARE; }

// The kernel tests an event's privilege against what it does in the kernel, where these happen. For whom it does not
// trust it would leave them at 0.
bool HappensInKernel(const perf_event_attr& attr) {
  return attr.type == PERF_TYPE_SOFTWARE &&
         (attr.config == PERF_COUNT_SW_CONTEXT_SWITCHES || attr.config == PERF_COUNT_SW_CPU_MIGRATIONS);
}

std::optional<std::string> Paranoid() {
  const auto text = ReadFile("/proc/sys/kernel/perf_event_paranoid");
  if (!text) return std::nullopt;
  return std::string(Trim(*text));
}

}  // namespace

std::string PerfErrorText(int error, bool hardware, const std::optional<std::string>& paranoid) {
  switch (error) {
    case EACCES:
    case EPERM: {
      const auto level = paranoid ? ParseNumber<int>(*paranoid) : std::nullopt;
      if (!level || *level <= 2) {
        return StrCat("perf_event_open is refused (", ErrnoText(error),
                      "): a container's seccomp filter, or a task of another user; give it CAP_PERFMON "
                      "(docker run --cap-add PERFMON)");
      }
      return StrCat("perf_event_open is refused (kernel.perf_event_paranoid is ", *level,
                    "); first: sudo sysctl kernel.perf_event_paranoid=2, or run with CAP_PERFMON");
    }
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP:
      if (!hardware) break;
      return StrCat("this board's PMU does not count it (", ErrnoText(error),
                    "): a virtual machine without a virtual PMU, or a kernel without its driver (on Arm: "
                    "CONFIG_ARM_PMU or CONFIG_ARM_PMUV3, and a pmu node in the device tree)");
    case ENOSYS:
      return "the kernel has no perf_event_open (CONFIG_PERF_EVENTS)";
    case EMFILE:
      return "too many open files for one counter per thread; raise ulimit -n";
    case ESRCH:
      return std::string(kTaskEnded);
    default:
      break;
  }
  return StrCat("perf_event_open: ", ErrnoText(error));
}

Result<PerfEvent> PerfEvent::Open(perf_event_attr attr, const PerfTarget& target) {
  bool user_only = attr.exclude_kernel != 0;
  Fd fd(OpenEvent(attr, target));
  if (!fd.valid() && (errno == EACCES || errno == EPERM) && !user_only) {
    // What perf_event_paranoid = 2, the default, leaves to everyone.
    const int refused = errno;
    user_only = true;
    attr.exclude_kernel = 1;
    attr.exclude_hv = 1;
    if (HappensInKernel(attr)) {
      return Fail("the kernel counts it for the privileged alone (", ErrnoText(refused),
                  "); first: sudo sysctl kernel.perf_event_paranoid=1, or run with CAP_PERFMON");
    }
    fd = Fd(OpenEvent(attr, target));
  }
  if (!fd.valid()) return Fail(PerfErrorText(errno, IsHardware(attr), Paranoid()));
  return PerfEvent(std::move(fd), user_only);
}

Result<PerfCount> PerfEvent::Read() const {
  std::uint64_t values[3];
  const ssize_t got = read(fd_.get(), values, sizeof values);
  // 0: a pinned event that lost its place on the hardware (we make none), or a group that failed.
  if (got != sizeof values) return Fail("reading a counter: ", got < 0 ? ErrnoText(errno) : "it stands in error");
  return PerfCount{.value = values[0],
                   .enabled = Nanos(static_cast<std::int64_t>(values[1])),
                   .running = Nanos(static_cast<std::int64_t>(values[2]))};
}

Result<std::uint64_t> PerfEvent::Id() const {
  std::uint64_t id = 0;
  if (ioctl(fd_.get(), PERF_EVENT_IOC_ID, &id) != 0) return Fail("PERF_EVENT_IOC_ID: ", ErrnoText(errno));
  return id;
}

Status PerfEvent::SendTo(const PerfEvent& other) const {
  if (ioctl(fd_.get(), PERF_EVENT_IOC_SET_OUTPUT, other.fd()) == 0) return {};
  return Fail("PERF_EVENT_IOC_SET_OUTPUT: ", ErrnoText(errno));
}

Status PerfEvent::Enable() const {
  if (ioctl(fd_.get(), PERF_EVENT_IOC_ENABLE, 0) == 0) return {};
  return Fail("PERF_EVENT_IOC_ENABLE: ", ErrnoText(errno));
}

perf_event_attr CountingAttr(std::uint32_t type, std::uint64_t config, bool inherit) {
  perf_event_attr attr = {};
  attr.size = sizeof attr;
  attr.type = type;
  attr.config = config;
  attr.inherit = inherit ? 1 : 0;
  // Not PERF_FORMAT_GROUP: with inherit the kernel has it since 4.13 only.
  attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  return attr;
}

Result<PerfRing> PerfRing::Map(int fd, std::size_t bytes) {
  const auto page = static_cast<std::size_t>(std::max(sysconf(_SC_PAGESIZE), 4096L));
  std::size_t size = std::bit_floor(std::max(bytes, page));
  for (;; size /= 2) {
    void* const base = mmap(nullptr, page + size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base != MAP_FAILED) return PerfRing(base, size, page);
    if (errno != EPERM && errno != ENOMEM) return Fail("mmap of a perf ring: ", ErrnoText(errno));
    if (size == page) break;
  }
  return Fail("no memory for perf rings is left to this user; first: sudo sysctl kernel.perf_event_mlock_kb=4096, or ",
              "raise ulimit -l");
}

PerfRing::~PerfRing() {
  if (base_ != nullptr) munmap(base_, page_ + size_);
}

}  // namespace corerig
