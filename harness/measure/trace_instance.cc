#include "harness/measure/trace_instance.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "harness/base/text.h"
#include "harness/os/clock.h"

namespace corerig {
namespace {

constexpr std::string_view kPrefix = "corerig-";
constexpr std::string_view kPageFault = "exceptions/page_fault_user";

// What a run that was killed together with its keeper has left behind.
void RemoveLeftovers(const TraceFs& tracefs) {
  for (const auto& name : tracefs.List("instances")) {
    if (!name.starts_with(kPrefix)) continue;
    const auto pid = ParseNumber<pid_t>(Split(std::string_view(name).substr(kPrefix.size()), '-')[0]);
    // In another pid namespace it may well be alive; then its open pipes keep its folder.
    if (pid && access(StrCat("/proc/", *pid).c_str(), F_OK) != 0) (void)tracefs.RemoveFolder("instances/" + name);
  }
}

}  // namespace

Result<TraceInstance> TraceInstance::Create(TraceFs tracefs, const std::vector<std::string>& events) {
  RemoveLeftovers(tracefs);
  const std::string folder = StrCat("instances/", kPrefix, getpid(), "-", MonotonicNow().count());
  if (auto made = tracefs.MakeFolder(folder); !made) {
    return ForwardWith(made, "a scheduling trace needs root (CAP_SYS_ADMIN, and tracefs writable): ");
  }
  TraceInstance instance(std::move(tracefs), folder);
  const TraceFs& files = instance.tracefs_;
  if (auto off = files.Write(folder + "/tracing_on", "0"); !off) return Forward(off);
  if (auto clock = files.Write(folder + "/trace_clock", "mono"); !clock) return Forward(clock);
  for (const auto& event : events) {
    const std::string path = StrCat(folder, "/events/", event);
    // No task has this number: none, until it is said whose.
    if (event == kPageFault) {
      if (auto filtered = files.Write(path + "/filter", "common_pid == -1"); !filtered) continue;
    }
    // What writes to trace_marker is in the trace without being asked for.
    if (event == "ftrace/print") continue;
    if (auto enabled = files.Write(path + "/enable", "1"); !enabled) return Forward(enabled);
  }
  auto marker = files.OpenFile(folder + "/trace_marker", O_WRONLY);
  if (!marker) return Forward(marker);
  instance.marker_ = std::move(*marker);
  auto traces = files.OpenFile("instances", O_RDONLY | O_DIRECTORY);
  if (!traces) return Forward(traces);
  instance.traces_ = std::move(*traces);
  auto trace_switch = files.OpenFile(folder + "/tracing_on", O_WRONLY);
  if (!trace_switch) return Forward(trace_switch);
  instance.switch_ = std::move(*trace_switch);
  return instance;
}

TraceInstance::~TraceInstance() {
  if (folder_.empty()) return;
  pipes_.clear();
  marker_.Close();
  switch_.Close();
  (void)tracefs_.Write(folder_ + "/tracing_on", "0");
  (void)tracefs_.RemoveFolder(folder_);
}

Status TraceInstance::SetBuffer(CpuId cpu, std::size_t bytes) const {
  return tracefs_.Write(StrCat(folder_, "/per_cpu/cpu", cpu.value, "/buffer_size_kb"), StrCat((bytes + 1023) / 1024));
}

Status TraceInstance::WatchPageFaults(const std::vector<std::int32_t>& tids) const {
  const std::string path = StrCat(folder_, "/events/", kPageFault, "/filter");
  if (tids.empty() || !tracefs_.Has(path)) return {};
  std::vector<std::string> terms;
  for (const auto tid : tids) terms.push_back(StrCat("common_pid == ", tid));
  return tracefs_.Write(path, Join(terms, " || "));
}

// Documentation/trace/ftrace.rst, "buffer_percent".
Status TraceInstance::WakeWhenFilled() const { return tracefs_.Write(folder_ + "/buffer_percent", "25"); }

Status TraceInstance::Begin(const std::vector<CpuId>& cpus) {
  for (const CpuId cpu : cpus) {
    auto pipe = tracefs_.OpenFile(StrCat(folder_, "/per_cpu/cpu", cpu.value, "/trace_pipe_raw"), O_RDONLY | O_NONBLOCK);
    if (!pipe) return Forward(pipe);
    pipes_.push_back(std::move(*pipe));
  }
  return tracefs_.Write(folder_ + "/tracing_on", "1");
}

Result<std::uint64_t> TraceInstance::Overwritten(CpuId cpu) const {
  constexpr std::string_view kKey = "overrun: ";
  const auto stats = tracefs_.Read(StrCat(folder_, "/per_cpu/cpu", cpu.value, "/stats"));
  if (!stats) return Forward(stats);
  for (const auto line : Split(*stats, '\n')) {
    if (!line.starts_with(kKey)) continue;
    if (const auto count = ParseNumber<std::uint64_t>(Trim(line.substr(kKey.size())))) return *count;
  }
  return Fail("tracefs ", folder_, ": the statistics of CPU ", cpu.value, " have no \"", Trim(kKey), "\"");
}

Status TraceInstance::End() const { return tracefs_.Write(folder_ + "/tracing_on", "0"); }

}  // namespace corerig
