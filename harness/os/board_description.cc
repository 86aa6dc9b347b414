#include "harness/os/board_description.h"

#include "harness/base/text.h"
#include "harness/os/board.h"
#include "harness/os/board_tree.h"

namespace corerig {
namespace {

// "ID=debian" of os-release; the value may be quoted.
std::string DistributionOf(const BoardTree& board) {
  const auto text = board.Text("/etc/os-release").value_or("");
  for (const auto line : Split(text, '\n')) {
    if (!line.starts_with("ID=")) continue;
    auto id = Trim(line.substr(3));
    if (id.size() >= 2 && (id.front() == '"' || id.front() == '\'')) id = id.substr(1, id.size() - 2);
    return std::string(id);
  }
  return "";
}

std::string BootFile(const BoardTree& board) {
  // Raspberry Pi's firmware (since Debian 12, before), then GRUB.
  for (const std::string_view file : {"/boot/firmware/cmdline.txt", "/boot/cmdline.txt", "/etc/default/grub"}) {
    if (board.Has(file)) return std::string(file);
  }
  return "";
}

}  // namespace

std::vector<CpuId> BoardDescription::cpus() const {
  std::vector<CpuId> cpus;
  for (const auto& cpu : topology.cpus) cpus.push_back(cpu.cpu);
  return cpus;
}

BoardDescription DescribeBoard(const std::string& root) {
  const BoardTree board(root);
  BoardDescription found;
  found.topology = ReadTopology(board);
  const auto cpus = found.cpus();
  found.record = ReadBoard(root, cpus);
  // Told from Linux 6.1 on, and in a recorded tree not that of the machine we run on.
  if (const auto machine = board.Text("/proc/sys/kernel/arch"); machine && !machine->empty()) {
    found.record.machine = *machine;
  } else if (!root.empty()) {
    found.record.machine = "unknown";
  }
  found.distribution = DistributionOf(board);
  found.boot_file = BootFile(board);
  found.caches = ReadCaches(board, cpus);
  found.frequencies = ReadFrequencies(board, cpus);
  found.idle = ReadIdle(board, cpus);
  found.isolation = ReadIsolation(board);
  found.settings = ReadKernelSettings(board);
  const auto debug = root.empty() ? ReadPreemptOfDebugFs() : board.Text("/sys/kernel/debug/sched/preempt");
  const auto version = board.TextOrUnknown("/proc/sys/kernel/version");
  found.preemption =
      ParsePreemption({.version = version,
                       .debug = debug,
                       .command_line = found.record.command_line,
                       .config = board.Text("/boot/config-" + board.TextOrUnknown("/proc/sys/kernel/osrelease"))});
  found.virtualization = ReadVirtualization(board);
  return found;
}

}  // namespace corerig
