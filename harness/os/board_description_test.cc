#include "harness/os/board_description.h"

#include <gtest/gtest.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "harness/os/cpu_list.h"
#include "harness/os/fd.h"
#include "harness/os/recorded_tree.h"
#include "harness/os/scheduling.h"

namespace corerig {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

BoardDescription Recorded(const std::string& name) {
  return DescribeBoard(LayOut("harness/os/testdata/board-" + name + ".tree"));
}

TEST(BoardDescription, RaspberryPi5UnderPreemptRt) {
  const auto board = Recorded("pi5");
  ASSERT_EQ(board.topology.cpus.size(), 4u);
  for (const auto& cpu : board.topology.cpus) {
    EXPECT_EQ(cpu.kind, "Cortex-A76");
    EXPECT_EQ(cpu.package, 0);
    EXPECT_EQ(cpu.core, cpu.cpu.value);
    EXPECT_TRUE(cpu.cluster.empty()) << "65535 is no cluster";
    EXPECT_EQ(cpu.siblings, std::vector<CpuId>{cpu.cpu});
  }
  EXPECT_EQ(board.record.machine, "aarch64");
  EXPECT_EQ(board.preemption.model, Preemption::Model::kRealTime);
  EXPECT_EQ(CpuListText(*board.isolation.isolated), "3");
  EXPECT_EQ(CpuListText(*board.isolation.nohz_full), "3");
  EXPECT_EQ(CpuListText(*board.isolation.rcu_nocbs), "2-3");
  EXPECT_EQ(CpuListText(*board.isolation.irq_affinity), "0-3");
  EXPECT_EQ(board.settings.rt_runtime, milliseconds(950));
  EXPECT_EQ(board.settings.rt_period, milliseconds(1000));
  EXPECT_EQ(board.settings.clock_source, "arch_sys_counter");
  EXPECT_EQ(board.settings.swap, Bytes{524272u * std::uint64_t{1024}});
  EXPECT_EQ(board.settings.version, std::pair(6, 12));
  EXPECT_EQ(board.boot_file, "/boot/firmware/cmdline.txt");
  EXPECT_EQ(board.virtualization.hypervisor, "");
  ASSERT_EQ(board.frequencies.cpus.size(), 4u);
  EXPECT_EQ(board.frequencies.cpus[0].governor, "ondemand");
  EXPECT_EQ(board.frequencies.cpus[0].highest, Rate::Hertz(2'400'000'000));
  EXPECT_FALSE(board.frequencies.boost->on);
  ASSERT_EQ(board.caches.size(), 13u) << "3 per CPU, and one for all";
  EXPECT_EQ(board.caches.back().level, 3);
  EXPECT_EQ(CpuListText(board.caches.back().shared), "0-3");
  EXPECT_EQ(board.caches.back().size, Bytes{2 << 20});
}

TEST(BoardDescription, BigAndLittleCpus) {
  const auto board = Recorded("biglittle");
  ASSERT_EQ(board.topology.cpus.size(), 5u);
  EXPECT_EQ(CpuListText(board.topology.offline), "5");
  EXPECT_EQ(board.topology.cpus[0].kind, "Cortex-A53");
  EXPECT_EQ(board.topology.cpus[4].kind, "Cortex-A72");
  EXPECT_EQ(CpuListText(board.topology.cpus[1].cluster), "0-3");
  EXPECT_EQ(board.topology.cpus[1].capacity, 485);
  EXPECT_EQ(board.topology.cpus[4].capacity, 1024);
  EXPECT_EQ(board.preemption.model, Preemption::Model::kVoluntary);
  EXPECT_EQ(board.preemption.origin, "kernel configuration");
  EXPECT_EQ(board.settings.huge_pages, "always");
  EXPECT_TRUE(board.isolation.isolated && board.isolation.isolated->empty());
  EXPECT_FALSE(board.isolation.nohz_full) << "not built into this kernel";
  EXPECT_TRUE(board.caches.empty());
  ASSERT_EQ(board.idle.states.size(), 3u);
  EXPECT_EQ(board.idle.states[1].name, "cpu-sleep-0");
  EXPECT_EQ(board.idle.states[1].exit_latency, microseconds(250));
  EXPECT_EQ(CpuListText(board.idle.states[1].enabled), "0-3");
  EXPECT_EQ(CpuListText(board.idle.states[1].disabled), "4");
}

TEST(BoardDescription, AServerOfTwoNodesWithTwoThreadsPerCore) {
  const auto board = Recorded("numa");
  ASSERT_EQ(board.topology.cpus.size(), 8u);
  EXPECT_TRUE(board.topology.has_siblings());
  EXPECT_EQ(CpuListText(board.topology.cpus[5].siblings), "1,5");
  EXPECT_TRUE(board.topology.cpus[5].cluster.empty()) << "the core itself";
  EXPECT_EQ(board.topology.cpus[6].package, 1);
  EXPECT_EQ(board.topology.cpus[6].node, 1);
  EXPECT_EQ(board.topology.nodes, (std::vector<int>{0, 1}));
  EXPECT_EQ(board.preemption.model, Preemption::Model::kVoluntary);
  EXPECT_TRUE(board.preemption.dynamic);
  EXPECT_LT(board.settings.rt_runtime, Nanos(0)) << "no throttling";
  EXPECT_EQ(board.settings.clock_source, "hpet");
  EXPECT_EQ(board.settings.clock_sources, (std::vector<std::string>{"hpet", "acpi_pm"}));
  EXPECT_TRUE(board.isolation.nohz_full && board.isolation.nohz_full->empty()) << "(null)";
  EXPECT_TRUE(board.frequencies.boost && board.frequencies.boost->on);
  EXPECT_EQ(board.frequencies.boost->off_value, "1");
  EXPECT_EQ(board.caches.size(), 14u) << "3 per core, and one per package";
}

TEST(BoardDescription, WhatIsMissingIsUnknown) {
  const auto board = DescribeBoard("/nowhere");
  EXPECT_EQ(CpuListText(board.cpus()), "0");
  EXPECT_EQ(board.record.model, "unknown");
  EXPECT_EQ(board.record.machine, "unknown");
  EXPECT_EQ(board.topology.cpus[0].kind, "unknown");
  EXPECT_FALSE(board.topology.cpus[0].package || board.topology.cpus[0].node);
  EXPECT_TRUE(board.caches.empty() && board.frequencies.cpus.empty() && board.idle.states.empty());
  EXPECT_EQ(board.idle.driver, "unknown");
  EXPECT_FALSE(board.isolation.isolated || board.isolation.rcu_nocbs || board.isolation.irq_affinity);
  EXPECT_FALSE(board.settings.rt_runtime || board.settings.swap || board.settings.clock_source);
  EXPECT_EQ(board.preemption.model, Preemption::Model::kUnknown);
  EXPECT_EQ(board.virtualization.hypervisor, "");
}

// Each kind of file of a recording in turn is gone, empty, or holds what it should not.
TEST(BoardDescription, NoDamageToATreeEndsInMoreThanUnknown) {
  const std::string root = LayOut("harness/os/testdata/board-numa.tree");
  std::set<std::string> kinds;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const auto& path = entry.path();
    if (!entry.is_regular_file() || !kinds.insert(path.filename()).second) continue;
    const auto whole = ReadFile(path);
    ASSERT_TRUE(whole);
    for (const std::string& content : {std::string(), std::string("-1\n"), std::string("99999999999999999999"),
                                       std::string("\0\xff:[(\n,-", 8), whole->substr(0, whole->size() / 2)}) {
      std::ofstream(path) << content;
      // Without a CPU that is online (an empty list) there is nothing to tell.
      if (path.filename() != "online") {
        EXPECT_EQ(DescribeBoard(root).topology.cpus.size(), 8u) << path;
      } else {
        DescribeBoard(root);
      }
    }
    std::filesystem::remove(path);
    EXPECT_FALSE(DescribeBoard(root).topology.cpus.empty()) << path;
    std::ofstream(path) << *whole;
  }
  EXPECT_GT(kinds.size(), 40u);
}

TEST(BoardDescription, ThisOneAgreesWithTheSystemCalls) {
  const auto board = DescribeBoard("");
  EXPECT_EQ(static_cast<int>(board.topology.cpus.size()), get_nprocs());
  EXPECT_EQ(static_cast<long>(board.topology.cpus.size()), sysconf(_SC_NPROCESSORS_ONLN));
  for (const CpuId cpu : AllowedCores()) EXPECT_TRUE(HasCpu(board.cpus(), cpu)) << cpu.value;
  utsname names = {};
  ASSERT_EQ(uname(&names), 0);
  EXPECT_EQ(board.record.machine, names.machine);
  struct sysinfo info = {};
  ASSERT_EQ(sysinfo(&info), 0);
  EXPECT_EQ(board.settings.swap, Bytes{static_cast<std::uint64_t>(info.totalswap) * info.mem_unit});
  std::ifstream clock("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string source;
  if (clock >> source) {
    EXPECT_EQ(board.settings.clock_source, source);
  }
  // glibc asks the CPU itself on x86, and says 0 elsewhere.
  const long line = sysconf(_SC_LEVEL1_DCACHE_LINESIZE);
  for (const auto& cache : board.caches) {
    if (line > 0 && cache.level == 1 && cache.type == "Data" && cache.line) {
      EXPECT_EQ(*cache.line, line);
    }
  }
}

TEST(CpuKinds, ArmPartsModelNamesAndRiscV) {
  auto kinds = ParseCpuKinds(
      "processor\t: 0\nmodel name\t: ARMv7 Processor rev 2 (v7l)\nCPU implementer\t: 0x41\nCPU part\t: 0xc08\n\n"
      "processor\t: 1\nCPU implementer\t: 0x51\nCPU part\t: 0x804\n\nprocessor\t: 2\nuarch\t\t: sifive,u74-mc\n"
      "processor : 9\n");
  EXPECT_EQ(kinds[0], "Cortex-A8");
  EXPECT_EQ(kinds[1], "implementer 0x51 part 0x804");
  EXPECT_EQ(kinds[2], "sifive,u74-mc");
  EXPECT_EQ(kinds.count(9), 0u);
  EXPECT_TRUE(ParseCpuKinds("").empty());
}

TEST(CommandLine, ValuesAsTheKernelTakesThem) {
  const auto value = [](std::string_view line, std::string_view key) {
    return CommandLineValue(line, key).value_or("(absent)");
  };
  EXPECT_EQ(value("quiet isolcpus=2-3 ro", "isolcpus"), "2-3");
  EXPECT_EQ(value("a=1 a=2", "a"), "2");
  EXPECT_EQ(value("quiet ro", "quiet"), "");
  EXPECT_EQ(value("x=\"b c\" y=1", "x"), "b c");
  EXPECT_EQ(value("a=1 -- a=2", "a"), "1") << "what follows is init's";
  EXPECT_EQ(value("aa=1", "a"), "(absent)");
}

TEST(PreemptionModel, IsFoundWhereverTheKernelTellsIt) {
  using Model = Preemption::Model;
  EXPECT_EQ(ParsePreemption({.version = "#1 SMP PREEMPT_RT Debian"}).model, Model::kRealTime);
  EXPECT_EQ(ParsePreemption({.version = "#1 SMP PREEMPT RT"}).model, Model::kRealTime);
  EXPECT_EQ(ParsePreemption({.version = "#1 SMP PREEMPT Thu"}).model, Model::kFull);
  const auto dynamic = ParsePreemption({.version = "#1 SMP PREEMPT_DYNAMIC", .debug = "none voluntary full (lazy)\n"});
  EXPECT_EQ(dynamic.model, Model::kLazy);
  EXPECT_TRUE(dynamic.dynamic);
  EXPECT_EQ(ParsePreemption({.version = "PREEMPT_DYNAMIC", .command_line = "ro preempt=none"}).model, Model::kNone);
  EXPECT_EQ(ParsePreemption({.version = "PREEMPT_DYNAMIC", .config = "CONFIG_PREEMPT=y\n"}).model, Model::kFull);
  EXPECT_EQ(ParsePreemption({.version = "PREEMPT_DYNAMIC", .debug = "((", .command_line = "preempt=fast"}).model,
            Model::kUnknown);
  EXPECT_EQ(ParsePreemption({.version = "#1 SMP Debian"}).model, Model::kUnknown);
  EXPECT_FALSE(ParsePreemption({.version = "#1 SMP Debian", .command_line = "preempt=full"}).dynamic);
}

TEST(Settings, VersionsAndChoices) {
  EXPECT_EQ(ParseKernelVersion("6.12.25-v8"), std::pair(6, 12));
  EXPECT_EQ(ParseKernelVersion("5.10-rc1"), std::pair(5, 10));
  EXPECT_FALSE(ParseKernelVersion("linux"));
  EXPECT_FALSE(ParseKernelVersion("6."));
  EXPECT_EQ(ParseChosen("always [madvise] never"), "madvise");
  EXPECT_FALSE(ParseChosen("]["));
  EXPECT_EQ(ParseCacheSize("512K"), Bytes{512 * 1024});
  EXPECT_FALSE(ParseCacheSize("512"));
}

}  // namespace
}  // namespace corerig
