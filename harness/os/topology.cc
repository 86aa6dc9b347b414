#include "harness/os/topology.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "harness/base/text.h"
#include "harness/os/cpu_list.h"

namespace corerig {
namespace {

std::optional<int> ParseHex(std::string_view text) {
  if (!text.starts_with("0x")) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string ArmKind(std::string_view implementer, std::string_view part) {
  constexpr int kArm = 0x41;
  constexpr std::pair<int, std::string_view> kParts[] = {
      {0xc05, "Cortex-A5"},   {0xc07, "Cortex-A7"},   {0xc08, "Cortex-A8"},    {0xc09, "Cortex-A9"},
      {0xc0e, "Cortex-A17"},  {0xc0f, "Cortex-A15"},  {0xd01, "Cortex-A32"},   {0xd02, "Cortex-A34"},
      {0xd03, "Cortex-A53"},  {0xd04, "Cortex-A35"},  {0xd05, "Cortex-A55"},   {0xd06, "Cortex-A65"},
      {0xd07, "Cortex-A57"},  {0xd08, "Cortex-A72"},  {0xd09, "Cortex-A73"},   {0xd0a, "Cortex-A75"},
      {0xd0b, "Cortex-A76"},  {0xd0c, "Neoverse-N1"}, {0xd0d, "Cortex-A77"},   {0xd0e, "Cortex-A76AE"},
      {0xd40, "Neoverse-V1"}, {0xd41, "Cortex-A78"},  {0xd42, "Cortex-A78AE"}, {0xd44, "Cortex-X1"},
      {0xd46, "Cortex-A510"}, {0xd47, "Cortex-A710"}, {0xd48, "Cortex-X2"},    {0xd49, "Neoverse-N2"},
      {0xd4a, "Neoverse-E1"}, {0xd4b, "Cortex-A78C"}, {0xd4d, "Cortex-A715"},  {0xd4e, "Cortex-X3"},
      {0xd4f, "Neoverse-V2"}, {0xd80, "Cortex-A520"}, {0xd81, "Cortex-A720"},  {0xd82, "Cortex-X4"},
  };
  const auto number = ParseHex(part);
  if (ParseHex(implementer) == kArm && number) {
    for (const auto& [known, name] : kParts) {
      if (known == *number) return std::string(name);
    }
  }
  return StrCat("implementer ", implementer, " part ", part);
}

// From Linux 5.16 on. What is not in a cluster has the id 65535 or -1; a cluster of one core is none.
std::vector<CpuId> ClusterOf(const BoardTree& board, const std::string& folder, const std::vector<CpuId>& siblings) {
  const auto id = board.Figure<int>(folder + "cluster_id");
  constexpr int kNone = 65535;
  if (!id || *id < 0 || *id == kNone) return {};
  auto cpus = board.Cpus(folder + "cluster_cpus_list").value_or(std::vector<CpuId>());
  return cpus == siblings ? std::vector<CpuId>() : cpus;
}

}  // namespace

bool Topology::has_siblings() const {
  return std::any_of(cpus.begin(), cpus.end(), [](const CpuTopology& cpu) { return cpu.siblings.size() > 1; });
}

std::map<int, std::string> ParseCpuKinds(std::string_view cpuinfo) {
  std::map<int, std::string> kinds;
  std::optional<int> cpu;
  std::string name, implementer, part;
  const auto close = [&] {
    if (cpu && !part.empty()) {
      kinds[*cpu] = ArmKind(implementer, part);
    } else if (cpu && !name.empty()) {
      kinds[*cpu] = name;
    }
    cpu.reset();
    name.clear(), implementer.clear(), part.clear();
  };
  for (const auto line : Split(cpuinfo, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto key = Trim(line.substr(0, colon)), value = Trim(line.substr(colon + 1));
    if (key == "processor") {
      close();
      cpu = ParseNumber<int>(value);
    } else if (key == "model name" || key == "uarch") {  // uarch: RISC-V
      name = value;
    } else if (key == "CPU implementer") {
      implementer = value;
    } else if (key == "CPU part") {
      part = value;
    }
  }
  close();
  return kinds;
}

Topology ReadTopology(const BoardTree& board) {
  Topology topology;
  const std::string cpus = "/sys/devices/system/cpu/";
  auto kinds = ParseCpuKinds(board.Text("/proc/cpuinfo").value_or(""));
  std::map<int, int> node_of;
  for (const int node : board.Numbered("/sys/devices/system/node", "node")) {
    const auto members = board.Cpus(StrCat("/sys/devices/system/node/node", node, "/cpulist"));
    if (!members || members->empty()) continue;
    topology.nodes.push_back(node);
    for (const CpuId cpu : *members) node_of[cpu.value] = node;
  }
  const auto online = board.Cpus(cpus + "online").value_or(std::vector<CpuId>{{0}});
  for (const CpuId cpu : online) {
    const std::string folder = StrCat(cpus, "cpu", cpu.value, "/topology/");
    CpuTopology found{.cpu = cpu};
    // -1 where firmware says nothing.
    const auto known = [&](const std::string& file) {
      const auto id = board.Figure<int>(folder + file);
      return id && *id >= 0 ? id : std::nullopt;
    };
    found.package = known("physical_package_id");
    found.core = known("core_id");
    found.siblings = board.Cpus(folder + "thread_siblings_list").value_or(std::vector<CpuId>{cpu});
    found.cluster = ClusterOf(board, folder, found.siblings);
    if (const auto node = node_of.find(cpu.value); node != node_of.end()) found.node = node->second;
    found.capacity = board.Figure<int>(StrCat(cpus, "cpu", cpu.value, "/cpu_capacity"));
    if (const auto kind = kinds.find(cpu.value); kind != kinds.end()) found.kind = kind->second;
    topology.cpus.push_back(std::move(found));
  }
  for (const CpuId cpu : board.Cpus(cpus + "present").value_or(std::vector<CpuId>())) {
    if (!HasCpu(online, cpu)) topology.offline.push_back(cpu);
  }
  topology.smt = board.TextOrUnknown(cpus + "smt/control");
  return topology;
}

}  // namespace corerig
