#include "harness/os/cpu_isolation.h"

#include <algorithm>

#include "harness/base/text.h"
#include "harness/os/cpu_list.h"

namespace corerig {

std::optional<std::string> CommandLineValue(std::string_view command_line, std::string_view key) {
  std::optional<std::string> found;
  std::string word;
  bool quoted = false;
  const auto close = [&] {
    if (word == key) found = "";
    if (word.size() > key.size() && word.starts_with(key) && word[key.size()] == '=')
      found = word.substr(key.size() + 1);
    const bool end = word == "--";
    word.clear();
    return end;
  };
  for (const char c : command_line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ' ' || c == '\t' || c == '\n')) {
      if (close()) return found;
    } else {
      word += c;
    }
  }
  close();
  return found;
}

CpuIsolation ReadIsolation(const BoardTree& board) {
  CpuIsolation isolation;
  isolation.isolated = board.Cpus("/sys/devices/system/cpu/isolated");
  isolation.nohz_full = board.Cpus("/sys/devices/system/cpu/nohz_full");
  if (const auto command_line = board.Text("/proc/cmdline")) {
    const auto possible = board.Cpus("/sys/devices/system/cpu/possible");
    const CpuId last = possible && !possible->empty() ? possible->back() : CpuId{-1};
    // A CPU without the tick offloads its RCU callbacks as well.
    auto cpus = ParseCpuList(CommandLineValue(*command_line, "rcu_nocbs").value_or(""), last);
    if (cpus && isolation.nohz_full)
      cpus->insert(cpus->end(), isolation.nohz_full->begin(), isolation.nohz_full->end());
    if (cpus) {
      std::sort(cpus->begin(), cpus->end());
      cpus->erase(std::unique(cpus->begin(), cpus->end()), cpus->end());
      isolation.rcu_nocbs = std::move(*cpus);
    }
  }
  if (const auto mask = board.Text("/proc/irq/default_smp_affinity")) {
    if (auto cpus = ParseCpuMask(*mask)) {
      // The file has a bit for every CPU that could ever be: those that are not possible say nothing.
      const auto possible = board.Cpus("/sys/devices/system/cpu/possible");
      std::vector<CpuId> here;
      for (const CpuId cpu : *cpus) {
        if (!possible || HasCpu(*possible, cpu)) here.push_back(cpu);
      }
      isolation.irq_affinity = std::move(here);
    }
  }
  return isolation;
}

}  // namespace corerig
