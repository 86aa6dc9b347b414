#include <nlohmann/json.hpp>
#include <optional>

#include "tools/corerig/board_text.h"

namespace corerig {
namespace {

using Json = nlohmann::ordered_json;

Json Value(const std::string& text) { return text; }
Json Value(int number) { return number; }
Json Value(bool is) { return is; }
Json Value(Nanos time) { return time.count(); }
Json Value(Bytes size) { return size.count; }
Json Value(Rate rate) { return rate.hertz(); }
Json Value(const std::vector<CpuId>& cpus) {
  Json list = Json::array();
  for (const CpuId cpu : cpus) list.push_back(cpu.value);
  return list;
}
// What the board does not tell is null.
template <typename T>
Json Value(const std::optional<T>& value) {
  return value ? Value(*value) : Json(nullptr);
}

Json FromCpus(const BoardDescription& board) {
  Json list = Json::array();
  for (const auto& cpu : board.topology.cpus) {
    Json one = {{"cpu", cpu.cpu.value},          {"kind", cpu.kind},
                {"package", Value(cpu.package)}, {"core", Value(cpu.core)},
                {"cluster", Value(cpu.cluster)}, {"siblings", Value(cpu.siblings)},
                {"node", Value(cpu.node)},       {"capacity", Value(cpu.capacity)},
                {"frequency", nullptr},          {"steal", nullptr}};
    for (const auto& frequency : board.frequencies.cpus) {
      if (frequency.cpu != cpu.cpu) continue;
      one["frequency"] = {{"governor", frequency.governor},
                          {"driver", frequency.driver},
                          {"current", Value(frequency.current)},
                          {"lowest", Value(frequency.lowest)},
                          {"highest", Value(frequency.highest)},
                          {"hardware_lowest", Value(frequency.hardware_lowest)},
                          {"hardware_highest", Value(frequency.hardware_highest)}};
    }
    for (const auto& [of, share] : board.virtualization.steal) {
      if (of == cpu.cpu) one["steal"] = share;
    }
    list.push_back(std::move(one));
  }
  return list;
}

Json FromCaches(const BoardDescription& board) {
  Json list = Json::array();
  for (const auto& cache : board.caches) {
    list.push_back({{"level", cache.level},
                    {"type", cache.type},
                    {"size", Value(cache.size)},
                    {"line", Value(cache.line)},
                    {"shared", Value(cache.shared)}});
  }
  return list;
}

Json FromIdle(const CpuIdle& idle) {
  Json states = Json::array();
  for (const auto& state : idle.states) {
    states.push_back({{"number", state.number},
                      {"name", state.name},
                      {"exit_latency", Value(state.exit_latency)},
                      {"residency", Value(state.residency)},
                      {"enabled", Value(state.enabled)},
                      {"disabled", Value(state.disabled)}});
  }
  return {{"driver", idle.driver}, {"governor", idle.governor}, {"states", std::move(states)}};
}

Json FromKernel(const BoardDescription& board) {
  const auto& settings = board.settings;
  return {{"preemption",
           {{"model", ToText(board.preemption.model)},
            {"dynamic", board.preemption.dynamic},
            {"origin", board.preemption.origin}}},
          {"rt_runtime", Value(settings.rt_runtime)},
          {"rt_period", Value(settings.rt_period)},
          {"clock_source", Value(settings.clock_source)},
          {"clock_sources", settings.clock_sources},
          {"isolated", Value(board.isolation.isolated)},
          {"nohz_full", Value(board.isolation.nohz_full)},
          {"rcu_nocbs", Value(board.isolation.rcu_nocbs)},
          {"irq_affinity", Value(board.isolation.irq_affinity)},
          {"huge_pages", Value(settings.huge_pages)},
          {"timer_migration", Value(settings.timer_migration)},
          {"numa_balancing", Value(settings.numa_balancing)},
          {"nmi_watchdog", Value(settings.nmi_watchdog)}};
}

}  // namespace

std::string BoardJson(const BoardReport& report) {
  const auto& board = report.board;
  const auto& boost = board.frequencies.boost;
  Json capabilities = Json::array(), advice = Json::array();
  for (const auto& capability : report.capabilities) {
    capabilities.push_back({{"name", capability.name},
                            {"available", capability.available},
                            {"detail", capability.detail},
                            {"needed_by", capability.needed_by},
                            {"remedy", capability.remedy}});
  }
  for (const auto& change : report.advice) {
    advice.push_back({{"what", change.what}, {"why", change.why}, {"command", change.command}});
  }
  const Json out = {{"schema", "corerig-board/1"},
                    {"model", board.record.model},
                    {"machine", board.record.machine},
                    {"kernel", board.record.kernel},
                    {"command_line", board.record.command_line},
                    {"memory", board.record.memory > 0 ? Json(board.record.memory) : Json(nullptr)},
                    {"swap", Value(board.settings.swap)},
                    {"hypervisor", board.virtualization.hypervisor},
                    {"container", board.virtualization.container},
                    {"sys_read_only", board.virtualization.sys_read_only},
                    {"cpus", FromCpus(board)},
                    {"offline", Value(board.topology.offline)},
                    {"allowed", Value(report.allowed)},
                    {"smt", board.topology.smt},
                    {"boost", boost ? Json(boost->on) : Json(nullptr)},
                    {"caches", FromCaches(board)},
                    {"idle", FromIdle(board.idle)},
                    {"kernel_settings", FromKernel(board)},
                    {"capabilities", std::move(capabilities)},
                    {"advice", std::move(advice)}};
  // A model or a command line may hold any bytes.
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace corerig
