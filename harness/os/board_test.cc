#include "harness/os/board.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <cmath>

namespace corerig {
namespace {

const std::string kTrees = "harness/os/testdata/board-";

TEST(Board, X86) {
  const BoardRecord board = ReadBoard(kTrees + "x86", {CpuId{1}, CpuId{0}});
  EXPECT_EQ(board.model, "Intel(R) Pentium(R) Silver N5000 CPU @ 1.10GHz");
  EXPECT_EQ(board.kernel, "6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)");
  EXPECT_EQ(board.command_line, "BOOT_IMAGE=/boot/vmlinuz-6.1.0-18-amd64 root=/dev/sda1 ro quiet isolcpus=1");
  EXPECT_EQ(board.cores, (std::vector<int>{1, 0}));
  EXPECT_EQ(board.memory, 7920436u * std::uint64_t{1024});
  EXPECT_EQ(board.clock_source, "tsc");
  EXPECT_EQ(board.governor, "performance") << "the governor of the first core given, CPU 1";
  EXPECT_DOUBLE_EQ(ReadLoadAverage(kTrees + "x86"), 1.25);
}

TEST(Board, Aarch64IsNamedByItsDeviceTree) {
  const BoardRecord board = ReadBoard(kTrees + "aarch64", {CpuId{2}, CpuId{3}});
  EXPECT_EQ(board.model, "Raspberry Pi 4 Model B Rev 1.4") << "without the NUL that ends it";
  EXPECT_EQ(board.kernel, "6.1.0-rpi8-rpi-v8 #1 SMP PREEMPT Debian 1:6.1.73-1+rpt1 (2024-01-25)");
  EXPECT_EQ(board.memory, 3885396u * std::uint64_t{1024});
  EXPECT_EQ(board.clock_source, "arch_sys_counter");
  EXPECT_EQ(board.governor, "ondemand");
  EXPECT_DOUBLE_EQ(ReadLoadAverage(kTrees + "aarch64"), 0);
}

TEST(Board, TheDeviceTreeOutranksTheNameOfTheCpu) {
  EXPECT_EQ(ReadBoard(kTrees + "armv7", {CpuId{0}}).model, "TI AM335x BeagleBone Black");
}

TEST(Board, AServerWithoutDeviceTreeIsNamedByDmi) {
  EXPECT_EQ(ReadBoard(kTrees + "server", {CpuId{0}}).model, "HAC-1000");
}

TEST(Board, WhatIsNotToldIsUnknown) {
  const BoardRecord board = ReadBoard("/nowhere", {CpuId{0}});
  EXPECT_EQ(board.model, "unknown");
  EXPECT_EQ(board.kernel, "unknown unknown");
  EXPECT_EQ(board.command_line, "unknown");
  EXPECT_EQ(board.memory, 0u);
  EXPECT_EQ(board.clock_source, "unknown");
  EXPECT_EQ(board.governor, "none");
  EXPECT_TRUE(std::isnan(ReadLoadAverage("/nowhere")));
  EXPECT_EQ(ReadBoard("/nowhere", {}).governor, "unknown");
}

TEST(Board, ThisOneAgreesWithTheSystemCalls) {
  const BoardRecord board = ReadBoard("", {CpuId{0}});
  utsname names = {};
  ASSERT_EQ(uname(&names), 0);
  EXPECT_EQ(board.machine, names.machine);
  EXPECT_EQ(board.kernel, std::string(names.release) + " " + names.version);
  EXPECT_NE(board.model, "unknown");
  EXPECT_NE(board.clock_source, "unknown");
  struct sysinfo info = {};
  ASSERT_EQ(sysinfo(&info), 0);
  EXPECT_EQ(board.memory, static_cast<std::uint64_t>(info.totalram) * info.mem_unit);
}

TEST(Board, TheLoadAverageIsThatOfGetloadavg) {
  // It changes every 5 s: one of three readings lies between two equal ones.
  for (int attempt = 0; attempt < 3; ++attempt) {
    double before = 0, after = 0;
    ASSERT_EQ(getloadavg(&before, 1), 1);
    const double load = ReadLoadAverage("");
    ASSERT_EQ(getloadavg(&after, 1), 1);
    if (before != after) continue;
    EXPECT_NEAR(load, before, 0.01);
    return;
  }
  ADD_FAILURE() << "the load average changed three times within three readings";
}

}  // namespace
}  // namespace corerig
