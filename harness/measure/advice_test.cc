#include "harness/measure/advice.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "harness/os/recorded_tree.h"

namespace corerig {
namespace {

const BoardDescription& Recorded(const std::string& name) {
  static std::map<std::string, BoardDescription> described;
  const auto known = described.find(name);
  if (known != described.end()) return known->second;
  return described[name] = DescribeBoard(LayOut("harness/os/testdata/board-" + name + ".tree"));
}

std::vector<Capability> DmaLatency(bool available) {
  return {{.name = std::string(kDmaLatencyCapability), .available = available}};
}

// The command of the first advice that holds these words; "" if there is none.
std::string Command(const BoardDescription& board, const std::string& words,
                    const std::vector<Capability>& capabilities = DmaLatency(true),
                    const std::vector<CpuId>* allowed = nullptr) {
  for (const auto& advice : Advise(board, capabilities, allowed == nullptr ? board.cpus() : *allowed)) {
    if (advice.what.find(words) == std::string::npos) continue;
    EXPECT_FALSE(advice.why.empty() || advice.command.empty()) << advice.what;
    EXPECT_EQ(advice.command.find('\n'), std::string::npos) << advice.command;
    return advice.command;
  }
  return "";
}

// For each piece of advice: it is given where it applies, with its command, and no longer once the board has changed.
TEST(Advice, Governor) {
  auto board = Recorded("biglittle");
  EXPECT_EQ(Command(board, "governor of CPUs 0-3 is \"schedutil\""),
            "echo performance | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor");
  for (auto& cpu : board.frequencies.cpus) cpu.governor = "performance";
  EXPECT_EQ(Command(board, "governor"), "");
  board.frequencies.cpus[0].governor = "ondemand";
  board.frequencies.cpus[0].lowest = board.frequencies.cpus[0].highest;
  EXPECT_EQ(Command(board, "governor"), "") << "it has no choice";
  board.frequencies.cpus[0] = Recorded("biglittle").frequencies.cpus[0];
  EXPECT_NE(Command(board, "governor of CPUs 0 is"), "");
  for (const char* fixed : {"userspace", "unknown"}) {
    board.frequencies.cpus[0].governor = fixed;
    EXPECT_EQ(Command(board, "governor"), "") << fixed;
  }
}

TEST(Advice, Boost) {
  auto board = Recorded("numa");
  EXPECT_EQ(Command(board, "frequencies above"), "echo 1 | tee /sys/devices/system/cpu/intel_pstate/no_turbo");
  board.frequencies.boost->on = false;
  EXPECT_EQ(Command(board, "frequencies above"), "");
}

TEST(Advice, IdleStatesOnlyWhereTheLatencyLimitCannotBeHeld) {
  auto board = Recorded("numa");
  EXPECT_EQ(Command(board, "idle states", DmaLatency(true)), "");
  EXPECT_EQ(Command(board, "idle states take up to 133", DmaLatency(false)),
            "echo 1 | tee /sys/devices/system/cpu/cpu*/cpuidle/state3/disable");
  for (auto& state : board.idle.states) state.enabled.clear();
  EXPECT_EQ(Command(board, "idle states", DmaLatency(false)), "");
}

TEST(Advice, ClockSource) {
  auto board = Recorded("numa");
  EXPECT_NE(Command(board, "clock source is hpet").find("tsc=reliable"), std::string::npos);
  board.settings.clock_sources = {"tsc", "hpet"};
  EXPECT_EQ(Command(board, "clock source is hpet"),
            "echo tsc | tee /sys/devices/system/clocksource/clocksource0/current_clocksource");
  board.settings.clock_source = "tsc";
  EXPECT_EQ(Command(board, "clock source"), "");
}

TEST(Advice, PreemptionAndRealTimeKernel) {
  auto board = Recorded("numa");
  EXPECT_NE(Command(board, "model is voluntary").find("echo full | tee /sys/kernel/debug/sched/preempt"),
            std::string::npos);
  EXPECT_EQ(Command(board, "not PREEMPT_RT"), "apt-get install linux-image-rt-amd64 && reboot");
  board.preemption = {.model = Preemption::Model::kFull, .dynamic = true, .origin = ""};
  EXPECT_EQ(Command(board, "model is"), "");
  EXPECT_EQ(Command(Recorded("pi5"), "PREEMPT_RT"), "");
}

TEST(Advice, ThrottlingByKernelVersion) {
  auto board = Recorded("biglittle");
  EXPECT_EQ(Command(board, "throttled for 50"), "sysctl kernel.sched_rt_runtime_us=-1");
  EXPECT_NE(Command(Recorded("pi5"), "deadline servers").find("fair_server"), std::string::npos);
  EXPECT_EQ(Command(Recorded("pi5"), "throttled"), "");
  board.settings.rt_runtime = Nanos(-1000);
  EXPECT_EQ(Command(board, "throttled"), "");
  board.settings.rt_runtime = board.settings.rt_period;
  EXPECT_EQ(Command(board, "real-time task"), "") << "nothing is held back";
  board.settings.rt_runtime = *board.settings.rt_period - Nanos(1);
  EXPECT_NE(Command(board, "real-time task"), "");
}

TEST(Advice, IsolationTakesTheLastCoreWithItsThreads) {
  EXPECT_EQ(Command(Recorded("numa"), "no CPU is isolated"),
            "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&isolcpus=managed_irq,domain,3,7 nohz_full=3,7 rcu_nocbs=3,7 "
            "irqaffinity=0-2,4-6 /' /etc/default/grub && update-grub && reboot");
  EXPECT_EQ(Command(Recorded("biglittle"), "no CPU is isolated"),
            "add to the kernel's command line in the boot loader, and reboot: isolcpus=managed_irq,domain,4 "
            "rcu_nocbs=4 irqaffinity=0-3")
      << "without nohz_full, which this kernel does not have";
  auto board = Recorded("pi5");
  EXPECT_EQ(Command(board, "no CPU is isolated"), "");
  board.isolation.isolated->clear();
  EXPECT_EQ(Command(board, "no CPU is isolated").find("sed -i 's/$/ isolcpus=managed_irq,domain,3 nohz_full=3"), 0u);
}

TEST(Advice, InterruptsOnIsolatedCpus) {
  auto board = Recorded("pi5");
  EXPECT_EQ(Command(board, "isolated CPUs 3"), "echo 7 | tee /proc/irq/default_smp_affinity");
  board.isolation.irq_affinity->pop_back();
  EXPECT_EQ(Command(board, "isolated CPUs"), "");
}

TEST(Advice, CpusThatThisProcessMayNotUse) {
  const auto board = Recorded("pi5");
  const std::vector<CpuId> house = {{0}, {1}, {2}};
  EXPECT_EQ(Command(board, "may not run on CPUs 3", {}, &house), "taskset -c 0-3 corerig run SCENARIO");
  EXPECT_EQ(Command(board, "may not run"), "");
}

TEST(Advice, ASwitchThatIsOn) {
  auto board = Recorded("numa");
  EXPECT_EQ(Command(board, "two hardware threads"), "echo off | tee /sys/devices/system/cpu/smt/control");
  EXPECT_EQ(Command(board, "timers move"), "sysctl kernel.timer_migration=0");
  EXPECT_EQ(Command(board, "between NUMA nodes"), "sysctl kernel.numa_balancing=0");
  board.topology.nodes.resize(1);
  EXPECT_EQ(Command(board, "between NUMA nodes"), "") << "there is no other";
  EXPECT_EQ(Command(board, "NMI watchdog"), "sysctl kernel.nmi_watchdog=0");
  EXPECT_EQ(Command(board, "swap"), "");
  EXPECT_EQ(Command(board, "huge pages"), "");
  EXPECT_EQ(Command(Recorded("pi5"), "there is swap"), "swapoff -a");
  EXPECT_EQ(Command(Recorded("biglittle"), "huge pages"),
            "echo madvise | tee /sys/kernel/mm/transparent_hugepage/enabled");
  EXPECT_EQ(Command(Recorded("pi5"), "timers move"), "");
  EXPECT_EQ(Command(board, "the host has taken"), "");
  board.virtualization.steal = {{CpuId{0}, 0.0001}, {CpuId{1}, 0.02}};
  EXPECT_NE(Command(board, "the host has taken 2.00 % of CPU 1").find("virsh vcpupin"), std::string::npos);
}

TEST(Advice, NothingIsKnownOfABoardThatTellsNothing) {
  const auto board = DescribeBoard("/nowhere");
  for (const auto& advice : Advise(board, {}, board.cpus())) {
    EXPECT_EQ(advice.what, "the kernel is not PREEMPT_RT");
  }
}

}  // namespace
}  // namespace corerig
