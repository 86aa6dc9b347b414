#include "harness/os/dma_latency.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>

namespace corerig {
namespace {

std::string Remedy(int error) {
  if (error == EACCES || error == EPERM) return "run as root, or give the user write access to it by a udev rule";
  if (error == ENOENT || error == ENXIO || error == ENODEV)
    return "this kernel has no such device, or a container hides it: pass it in (--device), or boot with idle=poll";
  return "keep the idle states shallow otherwise (idle=poll, or cpupower idle-set)";
}

}  // namespace

// Documentation/power/pm_qos_interface.rst: "write an s32 number to it […] the number is in microseconds", and the
// request stands until the file is closed.
Result<DmaLatencyHold> DmaLatencyHold::Hold(Nanos latency, const std::string& device) {
  const auto microseconds = std::chrono::floor<std::chrono::microseconds>(latency).count();
  if (microseconds < 0 || microseconds > std::numeric_limits<std::int32_t>::max())
    return Fail("a CPU latency limit of ", latency.count(), " ns cannot be held; write 0 to 2147483647 us");
  const auto refused = [&](std::string_view call, int error) {
    return Fail("CPU latency limit of ", microseconds, "us not held: ", call, " ", device, ": ", ErrnoText(error), "; ",
                Remedy(error));
  };
  Fd file(open(device.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return refused("open", errno);
  const auto value = static_cast<std::int32_t>(microseconds);
  const ssize_t written = write(file.get(), &value, sizeof value);
  if (written != sizeof value) return refused("write", written < 0 ? errno : EIO);
  return DmaLatencyHold(std::move(file));
}

}  // namespace corerig
