#include "harness/measure/advice.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/os/cpu_list.h"

namespace corerig {
namespace {

using std::chrono::microseconds;

constexpr std::string_view kMountDebugFs =
    "mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug; ";

class Adviser {
 public:
  Adviser(const BoardDescription& board, const std::vector<Capability>& capabilities, const std::vector<CpuId>& allowed)
      : board_(board), capabilities_(capabilities), allowed_(allowed) {}

  std::vector<Advice> All() {
    Affinity();
    Governor();
    Boost();
    IdleStates();
    ClockSource();
    Preemption();
    Throttling();
    Isolation();
    Interrupts();
    Siblings();
    Swap();
    HugePages();
    TimerMigration();
    NumaBalancing();
    NmiWatchdog();
    Steal();
    return std::move(advice_);
  }

 private:
  void Add(std::string what, std::string why, std::string command) {
    advice_.push_back({std::move(what), std::move(why), std::move(command)});
  }

  bool Lacks(std::string_view capability) const {
    const auto* found = FindCapability(capabilities_, capability);
    return found != nullptr && !found->available;
  }

  bool VersionAtLeast(int major, int minor) const {
    return board_.settings.version && *board_.settings.version >= std::pair(major, minor);
  }

  // The command that adds words to the kernel's command line on this board.
  std::string AddToCommandLine(std::string_view words) const {
    if (board_.boot_file.ends_with("cmdline.txt")) {
      return StrCat("sed -i 's/$/ ", words, "/' ", board_.boot_file, " && reboot");
    }
    if (board_.boot_file == "/etc/default/grub") {
      return StrCat("sed -i 's/^GRUB_CMDLINE_LINUX=\"/&", words, " /' /etc/default/grub && update-grub && reboot");
    }
    return StrCat("add to the kernel's command line in the boot loader, and reboot: ", words);
  }

  // The kernel takes isolated CPUs out of every process's affinity.
  void Affinity() {
    std::vector<CpuId> missing;
    for (const CpuId cpu : board_.cpus()) {
      if (!HasCpu(allowed_, cpu)) missing.push_back(cpu);
    }
    if (missing.empty() || allowed_.empty()) return;
    Add(StrCat("this process may not run on CPUs ", CpuListText(missing)),
        "isolcpus, a cpuset or taskset keeps it off; scenarios cannot place anything there",
        StrCat("taskset -c ", CpuListText(board_.cpus()), " corerig run SCENARIO"));
  }

  void Governor() {
    std::vector<CpuId> scaled;
    std::string governor;
    for (const auto& cpu : board_.frequencies.cpus) {
      if (cpu.governor == "performance" || cpu.governor == "unknown" || cpu.governor == "userspace") continue;
      if (cpu.lowest && cpu.highest && *cpu.lowest == *cpu.highest) continue;
      if (governor.empty()) governor = cpu.governor;
      scaled.push_back(cpu.cpu);
    }
    if (scaled.empty()) return;
    Add(StrCat("the frequency governor of CPUs ", CpuListText(scaled), " is \"", governor, "\""),
        "a CPU that was idle starts slow: latencies and rates depend on what ran before",
        "echo performance | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor");
  }

  void Boost() {
    const auto& boost = board_.frequencies.boost;
    if (!boost || !boost->on) return;
    Add("frequencies above the nominal one are on",
        "how long a CPU keeps them depends on its temperature and on its neighbours",
        StrCat("echo ", boost->off_value, " | tee ", boost->file));
  }

  // During a run corerig holds the latency limit at 0 where it may; then deep states are not entered.
  void IdleStates() {
    if (!Lacks(kDmaLatencyCapability)) return;
    constexpr Nanos kShallow = microseconds(10);
    Nanos deepest{0};
    std::vector<int> numbers;
    for (const auto& state : board_.idle.states) {
      if (state.enabled.empty() || !state.exit_latency || *state.exit_latency <= kShallow) continue;
      deepest = std::max(deepest, *state.exit_latency);
      if (std::find(numbers.begin(), numbers.end(), state.number) == numbers.end()) numbers.push_back(state.number);
    }
    if (numbers.empty()) return;
    std::sort(numbers.begin(), numbers.end());
    std::string files;
    for (const int number : numbers) {
      files += StrCat(" /sys/devices/system/cpu/cpu*/cpuidle/state", number, "/disable");
    }
    Add(StrCat("idle states take up to ", FormatDuration(static_cast<double>(deepest.count())), " to leave"),
        "corerig may not hold /dev/cpu_dma_latency, which would keep CPUs out of them during a run",
        StrCat("echo 1 | tee", files));
  }

  void ClockSource() {
    const auto& settings = board_.settings;
    if (!settings.clock_source) return;
    const bool slow = *settings.clock_source == "hpet" || *settings.clock_source == "acpi_pm" ||
                      *settings.clock_source == "jiffies" || *settings.clock_source == "refined-jiffies";
    if (!slow) return;
    const auto& there = settings.clock_sources;
    const auto fast = std::find_if(there.begin(), there.end(), [](const std::string& name) {
      return name == "tsc" || name == "kvm-clock" || name == "arch_sys_counter";
    });
    Add(StrCat("the clock source is ", *settings.clock_source),
        "each reading of the clock is a system call and a slow device access, about 1 µs",
        fast != there.end()
            ? StrCat("echo ", *fast, " | tee /sys/devices/system/clocksource/clocksource0/current_clocksource")
            : AddToCommandLine("tsc=reliable"));
  }

  void Preemption() {
    using Model = corerig::Preemption::Model;
    const auto& preemption = board_.preemption;
    if (preemption.model == Model::kRealTime) return;
    if (preemption.dynamic && preemption.model != Model::kFull) {
      Add(StrCat("the preemption model is ", ToText(preemption.model)),
          "a woken task waits until the kernel code that runs gets to a place where it may be preempted",
          preemption.model == Model::kUnknown
              ? AddToCommandLine("preempt=full")
              : StrCat(kMountDebugFs, "echo full | tee /sys/kernel/debug/sched/preempt"));
    }
    Add("the kernel is not PREEMPT_RT",
        "code that holds spinlocks or serves interrupts cannot be preempted: worst cases", RealTimeKernel());
  }

  std::string RealTimeKernel() const {
    const auto& machine = board_.record.machine;
    const std::string_view flavour = machine == "x86_64"    ? "rt-amd64"
                                     : machine == "aarch64" ? "rt-arm64"
                                     : machine == "armv7l"  ? "rt-armmp"
                                                            : "";
    if (board_.distribution == "debian" && !flavour.empty() && board_.boot_file == "/etc/default/grub") {
      return StrCat("apt-get install linux-image-", flavour, " && reboot");
    }
    return VersionAtLeast(6, 12) ? "build this kernel with CONFIG_PREEMPT_RT=y"
                                 : "build a kernel with CONFIG_PREEMPT_RT=y (Linux 6.12 or later, or the patch set)";
  }

  // From 6.12 on real-time tasks are held back by deadline servers, and only for tasks that would starve.
  void Throttling() {
    const auto& settings = board_.settings;
    if (!settings.rt_runtime || !settings.rt_period || *settings.rt_runtime < Nanos(0)) return;
    if (*settings.rt_runtime >= *settings.rt_period) return;
    const auto off = *settings.rt_period - *settings.rt_runtime;
    const std::string held = StrCat(FormatDuration(static_cast<double>(off.count())), " of every ",
                                    FormatDuration(static_cast<double>(settings.rt_period->count())));
    if (VersionAtLeast(6, 12)) {
      Add("other tasks get 5 % of a core that a real-time task fills (deadline servers)",
          "a loop or worker under fifo that never sleeps is stopped for up to 50 ms of every second",
          StrCat(kMountDebugFs,
                 "for f in /sys/kernel/debug/sched/fair_server/cpu*/runtime; do "
                 "echo 0 > $f; done"));
    } else {
      Add(StrCat("real-time tasks are throttled for ", held),
          "a loop or worker under fifo that fills its core is stopped for that long; corerig ends runaways by "
          "RLIMIT_RTTIME",
          "sysctl kernel.sched_rt_runtime_us=-1");
    }
  }

  void Isolation() {
    const auto& isolation = board_.isolation;
    const auto cpus = board_.cpus();
    constexpr std::size_t kFewest = 2;
    if (cpus.size() < kFewest || !isolation.isolated) return;
    if (isolation.isolated->empty()) {
      // The last core with all its threads; the others keep house.
      const auto& last = board_.topology.cpus.back().siblings;
      std::vector<CpuId> house;
      for (const CpuId cpu : cpus) {
        if (!HasCpu(last, cpu)) house.push_back(cpu);
      }
      if (house.empty()) return;
      const std::string list = CpuListText(last);
      Add("no CPU is isolated",
          "tasks of the system run, and interrupts and timers are served, beside what is measured",
          AddToCommandLine(StrCat("isolcpus=managed_irq,domain,", list, isolation.nohz_full ? " nohz_full=" + list : "",
                                  " rcu_nocbs=", list, " irqaffinity=", CpuListText(house))));
    }
  }

  void Interrupts() {
    const auto& isolation = board_.isolation;
    if (!isolation.isolated || isolation.isolated->empty() || !isolation.irq_affinity) return;
    std::vector<CpuId> house, hit;
    for (const CpuId cpu : *isolation.irq_affinity) {
      (HasCpu(*isolation.isolated, cpu) ? hit : house).push_back(cpu);
    }
    if (hit.empty() || house.empty()) return;
    Add(StrCat("new interrupts may go to isolated CPUs ", CpuListText(hit)),
        "they take time from what is measured there",
        StrCat("echo ", CpuMaskText(house), " | tee /proc/irq/default_smp_affinity"));
  }

  void Siblings() {
    if (!board_.topology.has_siblings()) return;
    Add("cores run two hardware threads each",
        "siblings share one core's units: a worker's rate depends on its neighbour",
        "echo off | tee /sys/devices/system/cpu/smt/control");
  }

  void Swap() {
    if (!board_.settings.swap || board_.settings.swap->count == 0) return;
    Add(StrCat("there is swap (", FormatSize(static_cast<double>(board_.settings.swap->count)), ")"),
        "a page that was swapped out costs milliseconds at its next use", "swapoff -a");
  }

  void HugePages() {
    if (board_.settings.huge_pages != "always") return;
    Add("transparent huge pages are always on",
        "the kernel merges and splits pages when it sees fit: stalls, and a memory use that jumps by 2 MiB",
        "echo madvise | tee /sys/kernel/mm/transparent_hugepage/enabled");
  }

  void TimerMigration() {
    if (board_.settings.timer_migration != true || board_.topology.cpus.size() < 2) return;
    Add("timers move from idle CPUs to busy ones", "another CPU's timers are served on the one that is measured",
        "sysctl kernel.timer_migration=0");
  }

  void NumaBalancing() {
    if (board_.settings.numa_balancing != true || board_.topology.nodes.size() < 2) return;
    Add("memory is moved between NUMA nodes by need", "pages are unmapped to find out who uses them: page faults",
        "sysctl kernel.numa_balancing=0");
  }

  void NmiWatchdog() {
    if (board_.settings.nmi_watchdog != true) return;
    Add("the NMI watchdog is on", "it takes one hardware counter of every CPU, and interrupts it",
        "sysctl kernel.nmi_watchdog=0");
  }

  void Steal() {
    constexpr double kNoticed = 0.001;
    double most = 0;
    CpuId cpu;
    for (const auto& [of, share] : board_.virtualization.steal) {
      if (share > most) most = share, cpu = of;
    }
    if (most < kNoticed) return;
    Add(StrCat("the host has taken ", FormatShare(most), " of CPU ", cpu.value, " since boot"),
        "a virtual CPU that is not running shows as latency that no event here explains",
        "on the host: virsh vcpupin DOMAIN VCPU CORE; or measure on real hardware");
  }

  const BoardDescription& board_;
  const std::vector<Capability>& capabilities_;
  const std::vector<CpuId>& allowed_;
  std::vector<Advice> advice_;
};

}  // namespace

std::vector<Advice> Advise(const BoardDescription& board, const std::vector<Capability>& capabilities,
                           const std::vector<CpuId>& allowed) {
  return Adviser(board, capabilities, allowed).All();
}

}  // namespace corerig
