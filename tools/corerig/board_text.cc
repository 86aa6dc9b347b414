#include "tools/corerig/board_text.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/os/cpu_list.h"
#include "harness/report/columns.h"

namespace corerig {
namespace {

constexpr int kWidth = 100, kLabel = 15;

std::string NumberOr(const std::optional<int>& number) { return number ? StrCat(*number) : std::string("-"); }

std::string DurationOr(const std::optional<Nanos>& time) {
  return time ? FormatDuration(static_cast<double>(time->count())) : std::string("unknown");
}

std::string RateOr(const std::optional<Rate>& rate) {
  return rate ? FormatRate(rate->hertz()) : std::string("unknown");
}

std::string CpusOr(const std::optional<std::vector<CpuId>>& cpus, std::string_view otherwise) {
  return cpus ? CpuListText(*cpus) : std::string(otherwise);
}

std::string RangeOr(const std::optional<Rate>& low, const std::optional<Rate>& high) {
  if (!low && !high) return "unknown";
  return low == high ? RateOr(low) : StrCat(RateOr(low), " to ", RateOr(high));
}

// Rows of equal cells become one, which begins with the list of their CPUs.
class CpuRows {
 public:
  void Add(CpuId cpu, std::vector<std::string> cells) {
    for (auto& [cpus, of] : rows_) {
      if (of == cells) {
        cpus.push_back(cpu);
        return;
      }
    }
    rows_.emplace_back(std::vector<CpuId>{cpu}, std::move(cells));
  }
  // `last`, if given, makes one more cell of each row's CPUs.
  void AddTo(Table& table, const std::function<std::string(const std::vector<CpuId>&)>& last = {}) const {
    for (const auto& [cpus, cells] : rows_) {
      std::vector<std::string> row = {CpuListText(cpus)};
      row.insert(row.end(), cells.begin(), cells.end());
      if (last) row.push_back(last(cpus));
      table.Add(std::move(row));
    }
  }

 private:
  std::vector<std::pair<std::vector<CpuId>, std::vector<std::string>>> rows_;
};

class Page {
 public:
  explicit Page(const BoardReport& report) : report_(report), board_(report.board) {}

  std::string Text() {
    Board();
    Cpus();
    Caches();
    Frequencies();
    Idle();
    Kernel();
    Capabilities();
    Changes();
    return std::move(text_);
  }

 private:
  void Line(std::string_view line) { text_ += StrCat(line, "\n"); }
  void Title(std::string_view title) { text_ += StrCat("\n", title, "\n"); }

  // "label   text", wrapped below itself.
  void Entry(std::string_view label, std::string_view text, int indent = 2, int label_width = kLabel) {
    std::string begin(static_cast<std::size_t>(indent), ' ');
    begin += label;
    begin.resize(static_cast<std::size_t>(indent + std::max(label_width, static_cast<int>(label.size()) + 1)), ' ');
    const int at = static_cast<int>(begin.size());
    auto lines = Wrap(Printable(text), kWidth - at);
    if (lines.empty()) lines.emplace_back("-");
    for (const auto& line : lines) {
      Line(begin + line);
      begin.assign(static_cast<std::size_t>(at), ' ');
    }
  }

  // One line of its own however long: a command that is broken cannot be copied.
  void Command(std::string_view command, int indent) {
    Line(std::string(static_cast<std::size_t>(indent), ' ') + Printable(command));
  }

  void Print(const Table& table) {
    for (const auto& line : table.Lines(kWidth - 2)) Line("  " + line);
  }

  void Board() {
    const auto& record = board_.record;
    const auto& machine = board_.virtualization;
    Entry("board", StrCat(record.model, ", ", record.machine), 0);
    Entry("kernel", record.kernel, 0);
    Entry("command line", record.command_line, 0);
    Entry("memory",
          StrCat(record.memory > 0 ? FormatSize(static_cast<double>(record.memory)) : std::string("unknown"), ", swap ",
                 !board_.settings.swap             ? std::string("unknown")
                 : board_.settings.swap->count > 0 ? FormatSize(static_cast<double>(board_.settings.swap->count))
                                                   : std::string("none"),
                 ", transparent huge pages ", board_.settings.huge_pages.value_or("unknown")),
          0);
    if (!machine.hypervisor.empty()) {
      double most = 0;
      for (const auto& [cpu, share] : machine.steal) most = std::max(most, share);
      Entry("virtual",
            StrCat("hypervisor ", machine.hypervisor, "; stolen since boot at most ", FormatShare(most), " of a CPU"),
            0);
    }
    if (!machine.container.empty() || machine.sys_read_only) {
      Entry("container",
            StrCat(machine.container.empty() ? "one of some kind" : machine.container,
                   machine.sys_read_only ? "; /sys is read-only: run the commands below on the host" : ""),
            0);
    }
  }

  void Cpus() {
    Title("CPUs");
    Table table({{"cpu"},
                 {"package", Align::kRight},
                 {"cluster"},
                 {"node", Align::kRight},
                 {"threads", Align::kRight},
                 {"capacity", Align::kRight},
                 {"kind"}});
    CpuRows rows;
    for (const auto& cpu : board_.topology.cpus) {
      rows.Add(cpu.cpu, {NumberOr(cpu.package), cpu.cluster.empty() ? "-" : CpuListText(cpu.cluster),
                         NumberOr(cpu.node), StrCat(cpu.siblings.size()), NumberOr(cpu.capacity), cpu.kind});
    }
    rows.AddTo(table);
    Print(table);
    if (board_.topology.has_siblings()) {
      std::string pairs;
      for (const auto& cpu : board_.topology.cpus) {
        if (cpu.siblings.front() != cpu.cpu || cpu.siblings.size() < 2) continue;
        pairs += pairs.empty() ? "" : "  ";
        for (const CpuId sibling : cpu.siblings) pairs += StrCat(sibling == cpu.cpu ? "" : "+", sibling.value);
      }
      Entry("siblings", pairs);
    }
    if (!board_.topology.offline.empty()) Entry("offline", CpuListText(board_.topology.offline));
    if (report_.allowed != board_.cpus()) {
      Entry("allowed", StrCat("this process may run on ", CpuListText(report_.allowed), " only"));
    }
  }

  void Caches() {
    Title("caches");
    if (board_.caches.empty()) {
      Line("  the kernel tells none");
      return;
    }
    Table table({{"cache"}, {"size", Align::kRight}, {"line", Align::kRight}, {"shared by CPUs"}});
    // Alike ones in one row: "0 1 2 3" each alone, "0-3 4-7" by fours.
    std::vector<std::pair<std::vector<std::string>, std::string>> rows;
    for (const auto& cache : board_.caches) {
      const std::string letter = cache.type == "Data" ? "d" : cache.type == "Instruction" ? "i" : "";
      std::vector<std::string> cells = {StrCat("L", cache.level, letter),
                                        cache.size ? FormatSize(static_cast<double>(cache.size->count)) : "unknown",
                                        cache.line ? StrCat(*cache.line, " B") : std::string("-")};
      const auto same = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.first == cells; });
      if (same == rows.end()) {
        rows.emplace_back(std::move(cells), CpuListText(cache.shared));
      } else {
        same->second += " | " + CpuListText(cache.shared);
      }
    }
    for (auto& [cells, shared] : rows) {
      cells.push_back(shared);
      table.Add(cells);
    }
    Print(table);
  }

  void Frequencies() {
    Title("frequency");
    if (board_.frequencies.cpus.empty()) {
      Line("  no frequency scaling that this kernel knows");
      return;
    }
    Table table({{"cpu"}, {"governor"}, {"driver"}, {"allowed"}, {"of the hardware"}, {"now"}});
    CpuRows rows;
    for (const auto& cpu : board_.frequencies.cpus) {
      rows.Add(cpu.cpu, {cpu.governor, cpu.driver, RangeOr(cpu.lowest, cpu.highest),
                         RangeOr(cpu.hardware_lowest, cpu.hardware_highest)});
    }
    rows.AddTo(table, [&](const std::vector<CpuId>& cpus) { return Now(cpus); });
    Print(table);
    if (board_.frequencies.boost) Entry("boost", board_.frequencies.boost->on ? "on" : "off");
  }

  // The frequencies of these CPUs at this moment: from the lowest to the highest.
  std::string Now(const std::vector<CpuId>& cpus) const {
    std::optional<Rate> lowest, highest;
    for (const auto& cpu : board_.frequencies.cpus) {
      if (!HasCpu(cpus, cpu.cpu) || !cpu.current) continue;
      lowest = lowest ? std::min(*lowest, *cpu.current) : *cpu.current;
      highest = highest ? std::max(*highest, *cpu.current) : *cpu.current;
    }
    return RangeOr(lowest, highest);
  }

  void Idle() {
    Title(StrCat("idle states (driver ", Printable(board_.idle.driver), ", governor ", Printable(board_.idle.governor),
                 ")"));
    if (board_.idle.states.empty()) {
      Line("  none that the kernel tells");
      return;
    }
    Table table(
        {{"state"}, {"name"}, {"to leave it", Align::kRight}, {"worth a stay of", Align::kRight}, {"on"}, {"off"}});
    for (const auto& state : board_.idle.states) {
      table.Add({StrCat(state.number), state.name, DurationOr(state.exit_latency), DurationOr(state.residency),
                 CpuListText(state.enabled), CpuListText(state.disabled)});
    }
    Print(table);
  }

  void Kernel() {
    const auto& settings = board_.settings;
    const auto& isolation = board_.isolation;
    const auto switched = [](const std::optional<bool>& on) {
      return !on ? std::string_view("unknown") : *on ? std::string_view("on") : std::string_view("off");
    };
    Title("kernel");
    Entry("preemption", StrCat(ToText(board_.preemption.model), " (", board_.preemption.origin, ")",
                               board_.preemption.dynamic ? ", can be changed" : ""));
    std::string throttling = "unknown";
    if (settings.rt_runtime && settings.rt_period) {
      throttling = *settings.rt_runtime < Nanos(0) ? std::string("off")
                                                   : StrCat("real-time tasks may run ", DurationOr(settings.rt_runtime),
                                                            " of every ", DurationOr(settings.rt_period));
    }
    Entry("RT throttling", throttling);
    Entry("clock source",
          StrCat(settings.clock_source.value_or("unknown"), " (available: ",
                 settings.clock_sources.empty() ? std::string("unknown") : Join(settings.clock_sources, " "), ")"));
    Entry("isolated", CpusOr(isolation.isolated, "unknown"));
    Entry("nohz_full", CpusOr(isolation.nohz_full, "not in this kernel (CONFIG_NO_HZ_FULL)"));
    Entry("rcu_nocbs", CpusOr(isolation.rcu_nocbs, "unknown"));
    Entry("interrupts", StrCat("new ones go to CPUs ", CpusOr(isolation.irq_affinity, "unknown")));
    Entry("timers", StrCat("migration ", switched(settings.timer_migration)));
    Entry("NUMA", StrCat("balancing ", switched(settings.numa_balancing)));
    Entry("NMI watchdog", switched(settings.nmi_watchdog));
  }

  void Capabilities() {
    if (report_.capabilities.empty()) return;
    Title("what can be measured here");
    for (const bool available : {true, false}) {
      for (const auto& capability : report_.capabilities) {
        if (capability.available != available) continue;
        Line(StrCat("  ", available ? "yes" : "no ", "  ", capability.name,
                    available && !capability.detail.empty() ? StrCat(" (", Printable(capability.detail), ")") : ""));
        Entry("for", capability.needed_by, 7, 9);
        if (available) continue;
        Entry("because", capability.detail, 7, 9);
        if (!capability.remedy.empty()) Entry("remedy", capability.remedy, 7, 9);
      }
    }
  }

  void Changes() {
    Title("what to change for stable figures (commands are for a root shell)");
    if (report_.advice.empty()) Line("  nothing that is known here");
    int number = 0;
    for (const auto& advice : report_.advice) {
      Entry(StrCat(++number, "."), StrCat(advice.what, ": ", advice.why), 2, 4);
      Command(advice.command, 6);
    }
  }

  const BoardReport& report_;
  const BoardDescription& board_;
  std::string text_;
};

}  // namespace

std::string BoardText(const BoardReport& report) { return Page(report).Text(); }

}  // namespace corerig
