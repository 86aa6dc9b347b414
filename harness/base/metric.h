// Named figures: which there are, and one measured value of one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace corerig {

// One row of `corerig list`: the figure `stream.NAME.latency` with its statistics, unit and meaning. A component in
// capitals stands for any one: the name of a part ([a-z0-9-]) or a number.
struct MetricKind {
  std::string_view part;    // "stream.NAME", "worker.NAME.I", "core.N", "memory", "rig"
  std::string_view figure;  // "latency", "switches.voluntary"
  std::string_view
      unit;  // "ns" "bytes" "share" "count" "per_s" "per_cycle" "bytes_per_s" "Hz"; of its statistics see UnitOf
  std::string_view statistics;  // "p50 p90 p99 p999 max mean min count", or "" for a figure that is one number
  std::string_view meaning;
};

// Why memory of a worker that is a thread is absent; its process has it, as worker.NAME.all.
inline constexpr std::string_view kOneAddressSpace = "one address space: a thread has no memory of its own";

// All of them, in the order of the report.
std::span<const MetricKind> MetricKinds();

// The full names of all metrics of `part_kind` ("stream.NAME") for one part ("stream.imu"), e.g.
// "stream.imu.latency.p99"; figures in table order, each with its statistics in theirs.
std::vector<std::string> MetricNames(std::string_view part_kind, std::string_view part);

// The kind that a full metric name belongs to, e.g. for "worker.price.0.uss.max"; nullptr if there is none.
const MetricKind* FindMetricKind(std::string_view metric);

// The unit of a full metric name: its figure's, but "count" for the statistic `count` and "bytes_per_min" for `growth`.
// Empty if there is no such metric.
std::string_view UnitOf(std::string_view metric);

// The share of samples that a percentile statistic stands for: "p50" 0.5, "p999" 0.999; nothing for other statistics.
std::optional<double> PercentileOf(std::string_view metric);

// The name matches a pattern whose components may be "*": each stands for exactly one component of the name.
bool MatchesPattern(std::string_view pattern, std::string_view metric);

// A figure of a run: a value with its origin, or the reason why there is none. Never 0 for "unknown".
struct Metric {
  std::string name;
  std::string unit;
  std::optional<double> value;  // may be +infinity: a percentile that falls among samples that never arrived
  std::string origin;           // "slab", "schedstat", "procfs", "smaps_rollup"; empty if absent
  std::string absent;           // why there is no value; empty if there is one
};

}  // namespace corerig
