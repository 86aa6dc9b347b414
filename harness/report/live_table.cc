#include "harness/report/live_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/report/columns.h"

namespace corerig {
namespace {

using Align::kRight;

// A fixed number of digits after the point: a figure that changes several times a second must not jump about.
std::string Fixed(double value, int digits) {
  char buffer[64];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, digits);
  return error == std::errc{} ? std::string(buffer, end) : "∞";
}

std::string Seconds(Nanos time) { return Fixed(static_cast<double>(time.count()) / 1e9, 1) + " s"; }
std::string Percent(double share) { return Fixed(share * 100, 0) + " %"; }
std::string LatencyText(const LiveStream& stream) {
  return stream.latency ? FormatDuration(static_cast<double>(stream.latency->count())) : "–";
}

std::string Bar(double share, int width) {
  const double filled = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) * width : 0;
  std::string out;
  for (int i = 0; i < width; ++i) out += i < std::lround(filled) ? "█" : "░";
  return out;
}

double ShareOf(std::uint64_t part, std::uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

std::string PhaseLine(const LiveState& state) {
  std::string out = StrCat(state.phase, "  ", Seconds(state.elapsed));
  if (state.total <= Nanos(0)) return out;
  const double share = static_cast<double>(state.elapsed.count()) / static_cast<double>(state.total.count());
  return StrCat(out, " of ", Seconds(state.total), "  ", Bar(share, 30));
}

Table StreamTable(const LiveState& state) {
  Table table(
      {{"stream"}, {"rate", kRight}, {"latency", kRight}, {"received", kRight}, {"lost", kRight}, {"corrupt", kRight}});
  for (const auto& stream : state.streams) {
    table.Add({stream.name, FormatRate(stream.rate), LatencyText(stream), StrCat(stream.received), StrCat(stream.lost),
               StrCat(stream.corrupt)});
  }
  return table;
}

Table WorkerTable(const LiveState& state) {
  Table table(
      {{"worker"}, {"core", kRight}, {"progress"}, {"units", kRight}, {"rate", kRight}, {"uss", kRight}, {"state"}});
  for (const auto& worker : state.workers) {
    std::string progress = "–", units = worker.units ? StrCat(*worker.units) : "–";
    if (worker.units_planned > 0) {
      const double share = ShareOf(worker.units.value_or(0), worker.units_planned);
      progress = StrCat(Bar(share, 10), " ", Percent(share));
      units += StrCat("/", worker.units_planned);
    }
    table.Add({worker.name, worker.core < 0 ? "any" : StrCat(worker.core), progress, units,
               Fixed(worker.rate, 1) + " /s", worker.uss ? FormatSize(static_cast<double>(*worker.uss)) : "–",
               worker.state});
  }
  return table;
}

Table CoreTable(const LiveState& state) {
  Table table(
      {{"core"}, {"use"}, {"", kRight}, {"worker", kRight}, {"loop", kRight}, {"source", kRight}, {"rig", kRight}});
  for (const auto& core : state.cores) {
    const double use = core.worker + core.loop + core.source + core.rig;
    table.Add({StrCat(core.cpu), Bar(use, 10), Percent(use), Percent(core.worker), Percent(core.loop),
               Percent(core.source), Percent(core.rig)});
  }
  return table;
}

}  // namespace

std::vector<std::string> LiveTable(const LiveState& state) {
  constexpr int kAll = 10'000;
  std::vector<std::string> lines = {Printable(PhaseLine(state))};
  for (const Table& table : {StreamTable(state), WorkerTable(state), CoreTable(state)}) {
    if (table.empty()) continue;
    for (auto& line : table.Lines(kAll)) lines.push_back(std::move(line));
  }
  return lines;
}

std::string LiveLine(const LiveState& state) {
  std::string out = StrCat(Seconds(state.elapsed));
  if (state.total > Nanos(0)) out += StrCat(" of ", Seconds(state.total));
  out += StrCat(" ", state.phase);
  for (const auto& stream : state.streams) {
    out += StrCat("; ", stream.name, " ", FormatRate(stream.rate), " ", LatencyText(stream));
    if (stream.lost > 0) out += StrCat(" lost ", stream.lost);
    if (stream.corrupt > 0) out += StrCat(" corrupt ", stream.corrupt);
  }
  for (const auto& worker : state.workers) {
    out += StrCat("; ", worker.name, " ", worker.state);
    if (worker.units_planned > 0) {
      out += StrCat(" ", Percent(ShareOf(worker.units.value_or(0), worker.units_planned)));
    } else if (worker.units) {
      out += StrCat(" ", *worker.units, " units");
    }
  }
  return Printable(out);
}

}  // namespace corerig
