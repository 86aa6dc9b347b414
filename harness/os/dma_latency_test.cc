#include "harness/os/dma_latency.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "harness/os/fd.h"

namespace corerig {
namespace {

constexpr const char* kDevice = "/dev/cpu_dma_latency";

// The limit that now holds for the machine, in µs: reading the device gives the least of all requests.
std::optional<std::int32_t> MachineLimit() {
  const Fd device(open(kDevice, O_RDWR | O_CLOEXEC));
  std::int32_t value = 0;
  if (!device.valid() || read(device.get(), &value, sizeof value) != sizeof value) return std::nullopt;
  return value;
}

// An empty file in place of the device.
std::string FakeDevice(const char* name) {
  const char* directory = std::getenv("TEST_TMPDIR");
  const std::string path = std::string(directory ? directory : "/tmp") + "/" + name;
  const Fd file(open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
  EXPECT_TRUE(file.valid()) << path;
  return path;
}

std::int32_t WrittenFor(Nanos latency) {
  const std::string path = FakeDevice("cpu_dma_latency");
  const auto hold = DmaLatencyHold::Hold(latency, path);
  EXPECT_TRUE(hold) << hold.error().message;
  const std::string bytes = ReadFile(path).value_or("");
  EXPECT_EQ(bytes.size(), 4u) << "the kernel takes exactly an s32 as binary";
  std::int32_t value = -1;
  if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

TEST(DmaLatency, IsWrittenAsMicrosecondsRoundedDown) {
  EXPECT_EQ(WrittenFor(Nanos(0)), 0);
  EXPECT_EQ(WrittenFor(Nanos(999)), 0);
  EXPECT_EQ(WrittenFor(Nanos(1000)), 1);
  EXPECT_EQ(WrittenFor(std::chrono::milliseconds(2)), 2000);
  EXPECT_EQ(WrittenFor(Nanos(std::int64_t{2147483647} * 1000)), 2147483647);
}

TEST(DmaLatency, OutOfRangeSaysWhatWouldBeRight) {
  for (const std::int64_t nanos : {std::int64_t{-1}, std::int64_t{2147483648} * 1000}) {
    const auto hold = DmaLatencyHold::Hold(Nanos(nanos));
    ASSERT_FALSE(hold);
    EXPECT_EQ(hold.error().message,
              "a CPU latency limit of " + std::to_string(nanos) + " ns cannot be held; write 0 to 2147483647 us");
  }
}

TEST(DmaLatency, AMissingDeviceIsExplained) {
  const auto hold = DmaLatencyHold::Hold(Nanos(0), "/nowhere/cpu_dma_latency");
  ASSERT_FALSE(hold);
  EXPECT_EQ(
      hold.error().message,
      "CPU latency limit of 0us not held: open /nowhere/cpu_dma_latency: No such file or directory (ENOENT); this "
      "kernel has no such device, or a container hides it: pass it in (--device), or boot with idle=poll");
}

TEST(DmaLatency, AMissingPrivilegeIsExplained) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write any file";
  const std::string path = FakeDevice("cpu_dma_latency");
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  const auto hold = DmaLatencyHold::Hold(Nanos(0), path);
  ASSERT_FALSE(hold);
  EXPECT_EQ(hold.error().message, "CPU latency limit of 0us not held: open " + path +
                                      ": Permission denied (EACCES); run as root, or give the user write access to it "
                                      "by a udev rule");
}

TEST(DmaLatency, HoldsForTheMachineUntilItGoesOutOfScope) {
  if (!MachineLimit()) GTEST_SKIP() << "cannot open " << kDevice << ": " << ErrnoText(errno);
  // The limit is everyone's, and another rig may hold a lower one; ours can only be told apart above that.
  const std::int32_t others = *MachineLimit();
  {
    auto hold = DmaLatencyHold::Hold(Nanos(0));
    ASSERT_TRUE(hold) << hold.error().message;
    EXPECT_EQ(MachineLimit(), 0);
    const DmaLatencyHold moved = std::move(*hold);
    EXPECT_EQ(MachineLimit(), 0) << "moving the hold keeps it";
  }
  if (others == 0) GTEST_SKIP() << "another process holds 0 us, so the release cannot be seen";
  EXPECT_GT(*MachineLimit(), 0);
}

}  // namespace
}  // namespace corerig
