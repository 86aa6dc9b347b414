#include "harness/os/virtualization.h"

#include <unistd.h>

#include "harness/base/text.h"
#include "harness/os/procfs.h"

namespace corerig {
namespace {

bool HasHypervisorFlag(std::string_view cpuinfo) {
  for (const auto line : Split(cpuinfo, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || Trim(line.substr(0, colon)) != "flags") continue;
    for (const auto flag : Split(Trim(line.substr(colon + 1)), ' ')) {
      if (flag == "hypervisor") return true;
    }
    return false;
  }
  return false;
}

// Makers of virtual machines, as firmware writes them; Amazon's and Microsoft's real machines have other products.
std::string FromFirmware(const BoardTree& board) {
  constexpr std::pair<std::string_view, std::string_view> kMakers[] = {
      {"QEMU", "QEMU"}, {"VMware", "VMware"}, {"innotek", "VirtualBox"}, {"Xen", "Xen"}, {"Parallels", "Parallels"}};
  const auto vendor = board.Text("/sys/class/dmi/id/sys_vendor").value_or("");
  const auto product = board.Text("/sys/class/dmi/id/product_name").value_or("");
  for (const auto& [maker, name] : kMakers) {
    if (std::string_view(vendor).starts_with(maker)) return std::string(name);
  }
  if (product == "KVM") return "KVM";
  if (product == "Google Compute Engine") return "KVM (Google)";
  if (vendor == "Microsoft Corporation" && product == "Virtual Machine") return "Hyper-V";
  if (vendor == "Amazon EC2" && product.find(".metal") == std::string::npos) return "KVM (Amazon)";
  return "";
}

std::string Hypervisor(const BoardTree& board) {
  if (const auto type = board.Text("/sys/hypervisor/type"); type && !type->empty()) return *type;
  if (auto maker = FromFirmware(board); !maker.empty()) return maker;
  // "linux,kvm", "xen,xen-4.17\0xen,xen"
  if (const auto node = board.Text("/proc/device-tree/hypervisor/compatible")) {
    const auto name = node->substr(0, node->find('\0'));
    return name == "linux,kvm" ? "KVM" : name;
  }
  if (!HasHypervisorFlag(board.Text("/proc/cpuinfo").value_or(""))) return "";
  const auto clocks = board.Text("/sys/devices/system/clocksource/clocksource0/available_clocksource").value_or("");
  if (clocks.find("kvm-clock") != std::string::npos) return "KVM";
  if (clocks.find("hyperv") != std::string::npos) return "Hyper-V";
  return "unknown";
}

std::string Container(const BoardTree& board) {
  // systemd's convention, followed by podman and systemd-nspawn; docker leaves a mark of its own.
  if (const auto manager = board.Text("/run/systemd/container"); manager && !manager->empty()) return *manager;
  if (board.Has("/run/.containerenv")) return "podman";
  if (board.Has("/.dockerenv")) return "docker";
  return "";
}

}  // namespace

Virtualization ReadVirtualization(const BoardTree& board) {
  Virtualization found;
  found.hypervisor = Hypervisor(board);
  found.container = Container(board);
  // "/sys" as mounted here: "sysfs /sys sysfs ro,nosuid,nodev,noexec,relatime 0 0".
  const auto mounts = board.Text("/proc/self/mounts").value_or("");
  for (const auto line : Split(mounts, '\n')) {
    const auto fields = Split(line, ' ');
    if (fields.size() < 4 || fields[1] != "/sys") continue;
    found.sys_read_only = false;
    for (const auto option : Split(fields[3], ',')) found.sys_read_only |= option == "ro";
  }
  const auto uptime_text = board.Text("/proc/uptime").value_or("");
  const auto uptime = ParseNumber<double>(Split(uptime_text, ' ').front());
  const auto steal = ParseSteal(board.Text("/proc/stat").value_or(""), sysconf(_SC_CLK_TCK));
  if (uptime && *uptime > 0 && steal) {
    for (const auto& [cpu, seconds] : *steal) found.steal.emplace_back(cpu, seconds / *uptime);
  }
  return found;
}

}  // namespace corerig
