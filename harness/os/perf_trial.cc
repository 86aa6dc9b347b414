#include "harness/os/perf_trial.h"

#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <string>

#include "harness/base/text.h"
#include "harness/os/fd.h"

namespace corerig {
namespace {

Status Refused(int error, bool hardware) {
  const auto paranoid = ReadFile("/proc/sys/kernel/perf_event_paranoid");
  return Fail("perf_event_open: ", ErrnoText(error), "; ",
              PerfRemedy(error, paranoid ? Trim(*paranoid) : std::string_view(), hardware));
}

Fd Open(perf_event_attr attributes) {
  attributes.size = sizeof attributes;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  return Fd(static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
}

Result<std::uint64_t> Read(const Fd& counter) {
  std::uint64_t count = 0;
  if (read(counter.get(), &count, sizeof count) != sizeof count) return Fail("a perf counter cannot be read");
  return count;
}

// A mapping that goes with its object.
struct Mapping {
  Mapping(std::size_t size, int flags, int fd)
      : size(size), memory(mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0)) {}
  Mapping(const Mapping&) = delete;
  ~Mapping() {
    if (valid()) munmap(memory, size);
  }
  bool valid() const { return memory != MAP_FAILED; }
  std::size_t size;
  void* memory;
};

}  // namespace

std::string PerfRemedy(int error, std::string_view paranoid, bool hardware) {
  switch (error) {
    case ENOSYS:
      return "a kernel with CONFIG_PERF_EVENTS=y";
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP:
      if (!hardware) return "a kernel that has this event";
      return "the kernel sees no counters: in a virtual machine let the host hand them in (QEMU: -cpu host,pmu=on); "
             "else CONFIG_HW_PERF_EVENTS=y, and on Arm a pmu node in the device tree";
    case EACCES:
    case EPERM: {
      const auto level = ParseNumber<int>(paranoid);
      if (level && *level > 2) return "sysctl kernel.perf_event_paranoid=2";
      return "a seccomp filter or security module forbids it: run outside of the container, or start that with "
             "--cap-add PERFMON";
    }
    case EMFILE:
    case ENOMEM:
      return "ulimit -n 4096, and memory to spare";
    default:
      return "see man 2 perf_event_open";
  }
}

Status TrySoftwareCounter() {
  perf_event_attr attributes = {};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_PAGE_FAULTS;
  const Fd counter = Open(attributes);
  if (!counter.valid()) return Refused(errno, false);
  const auto before = Read(counter);
  if (!before) return Forward(before);
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const Mapping fresh(page, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (!fresh.valid()) return Fail("no memory for a trial: ", ErrnoText(errno));
  *static_cast<volatile char*>(fresh.memory) = 1;
  const auto after = Read(counter);
  if (!after) return Forward(after);
  if (*after <= *before) return Fail("the kernel's count of page faults stayed at ", *after, " over a page fault");
  return {};
}

Status TryHardwareCounter() {
  perf_event_attr attributes = {};
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
  const Fd counter = Open(attributes);
  if (!counter.valid()) return Refused(errno, true);
  const auto before = Read(counter);
  if (!before) return Forward(before);
  constexpr int kSteps = 100'000;
  volatile int step = 0;
  while (step < kSteps) {
    step = step + 1;
  }
  const auto after = Read(counter);
  if (!after) return Forward(after);
  // Each step is at least one instruction; fewer means that the counter was not on the CPU, or counts nothing.
  if (*after < *before + kSteps) {
    return Fail("only ", *after - *before, " instructions counted over ", kSteps, " steps of a loop; free a counter (",
                "sysctl kernel.nmi_watchdog=0), or let the host hand the counters in (QEMU: -cpu host,pmu=on)");
  }
  return {};
}

Status TrySwitchRecords() {
  perf_event_attr attributes = {};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_DUMMY;
  attributes.context_switch = 1;  // Linux 4.3
  attributes.sample_period = 1;
  const Fd recorder = Open(attributes);
  if (!recorder.valid()) return Refused(errno, false);
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const Mapping ring(2 * page, MAP_SHARED, recorder.get());
  if (!ring.valid()) {
    return Fail("no ring for perf records: ", ErrnoText(errno),
                "; sysctl kernel.perf_event_mlock_kb=4096, or ulimit -l unlimited");
  }
  // Sleeping leaves the CPU: a switch out, and one in.
  constexpr timespec kPause = {.tv_sec = 0, .tv_nsec = 1'000'000};
  nanosleep(&kPause, nullptr);
  const auto* head = static_cast<const perf_event_mmap_page*>(ring.memory);
  if (__atomic_load_n(&head->data_head, __ATOMIC_ACQUIRE) == 0)
    return Fail("the kernel recorded no switch of a thread that slept");
  return {};
}

}  // namespace corerig
