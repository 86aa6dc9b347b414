#include "harness/report/shard_report.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "harness/base/text.h"

namespace corerig {
namespace {

using json = nlohmann::ordered_json;

Result<Verdict> ReadVerdict(const std::string& text) {
  for (const Verdict verdict : {Verdict::kPass, Verdict::kFail, Verdict::kUndecided, Verdict::kSkipped}) {
    if (text == ToText(verdict)) return verdict;
  }
  return Fail("verdict \"", text, "\" is none");
}

// As many units as one of each microsecond makes in a year, and more boards than anybody has.
constexpr std::uint64_t kMostUnits = std::uint64_t{1} << 45, kMostShards = 1'000'000, kMostWorkers = 1'000'000;

// A whole number from 0 to `most`. Throws, as json's own readers do, which would convert what does not fit.
std::uint64_t Whole(const json& in, std::uint64_t most) {
  if (!in.is_number_unsigned() || in.get<std::uint64_t>() > most) {
    throw std::out_of_range(StrCat(in.dump(), " is no whole number up to ", most));
  }
  return in.get<std::uint64_t>();
}

// The deepest nesting of a report is about ten; a reader that follows any depth runs out of stack.
bool IsTooDeep(std::string_view text) {
  constexpr int kDeepest = 100;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == '[' || text[i] == '{')) {
      if (++depth > kDeepest) return true;
    } else if (!quoted && (text[i] == ']' || text[i] == '}')) {
      --depth;
    }
  }
  return false;
}

Result<Tally> ReadTallyOf(const json& in) {
  Tally tally;
  tally.units = Whole(in.at("units"), kMostUnits);
  tally.vector_bits = static_cast<std::uint32_t>(Whole(in.at("vector_bits"), 1 << 20));
  for (const json& parts : in.at("sums")) {
    auto sum = ExactSum::FromParts(parts.get<std::vector<double>>());
    if (!sum) return Forward(sum);
    tally.sums.push_back(*sum);
  }
  return tally;
}

// Throws where something is missing or of another kind.
Result<ShardReport> Read(const json& in) {
  if (!in.is_object() || !in.contains("schema") || in.at("schema") != RunRecord::kSchema) {
    return Fail("this is no report of corerig (its \"schema\" is not \"", RunRecord::kSchema, "\")");
  }
  if (!in.at("complete").get<bool>()) return Fail("the run was not over when this report was written");
  ShardReport report;
  if (!in.at("shard").is_null()) {
    report.index = static_cast<int>(Whole(in.at("shard").at("index"), kMostShards));
    report.count = static_cast<int>(Whole(in.at("shard").at("count"), kMostShards));
  }
  if (report.count < 1 || report.index < 0 || report.index >= report.count) {
    return Fail("shard ", report.index, "/", report.count, " is none");
  }
  const json& scenario = in.at("scenario");
  report.scenario_name = scenario.at("name").get<std::string>();
  report.scenario_about = scenario.at("about").get<std::string>();
  report.scenario_json = scenario.dump();
  report.seed = Whole(in.at("conditions").at("seed"), UINT64_MAX);
  for (const json& worker : scenario.at("workers")) {
    if (worker.contains("command")) continue;
    ShardReport::Group& group = report.groups.emplace_back();
    group.name = worker.at("name").get<std::string>();
    group.workload = worker.at("workload").get<std::string>();
    if (worker.contains("units")) group.units = Whole(worker.at("units"), UINT64_MAX);
    for (const json& parameter : worker.at("parameters")) {
      group.parameters.emplace_back(parameter.at("name").get<std::string>(), parameter.at("value").get<std::string>());
    }
  }
  const json& board = in.at("board");
  report.board.model = board.at("model").get<std::string>();
  report.board.machine = board.at("machine").get<std::string>();
  report.board.kernel = board.at("kernel").get<std::string>();
  const auto verdict = ReadVerdict(in.at("verdict").at("result").get<std::string>());
  if (!verdict) return Forward(verdict);
  report.verdict = *verdict;
  report.reasons = in.at("verdict").at("reasons").get<std::vector<std::string>>();
  for (const auto& [name, result] : in.at("results").items()) {
    ResultRecord& record = report.results.emplace_back();
    record.group = name;
    record.workload = result.at("workload").get<std::string>();
    record.workers = static_cast<int>(Whole(result.at("workers"), kMostWorkers));
    record.workers_planned = static_cast<int>(Whole(result.at("workers_planned"), kMostWorkers));
    if (!result.at("absent").is_null()) record.absent = result.at("absent").get<std::string>();
    if (result.at("tally").is_null()) continue;
    auto tally = ReadTallyOf(result.at("tally"));
    if (!tally) return ForwardWith(tally, "result of ", name, ": ");
    record.tally = std::move(*tally);
  }
  return report;
}

std::string UnitsText(const std::optional<std::uint64_t>& units) {
  return units ? StrCat("units = ", *units) : "no fixed units";
}

}  // namespace

Result<ShardReport> ReadShardReport(std::string_view text, std::string file) {
  if (IsTooDeep(text)) return Fail(file, ": this is no report of corerig: it is nested too deeply");
  try {
    auto report = Read(json::parse(text));
    if (!report) return ForwardWith(report, file, ": ");
    report->file = std::move(file);
    return report;
  } catch (const json::parse_error& error) {
    return Fail(file, ": this is no whole report of corerig: byte ", error.byte, " of ", text.size(),
                error.byte > text.size() ? " is missing" : " cannot follow what is before it");
  } catch (const std::exception& error) {
    return Fail(file, ": this is no whole report of corerig: ", error.what());
  }
}

Status SameRun(const ShardReport& a, const ShardReport& b) {
  const auto differ = [&](const auto& one, const auto& other) {
    return Fail(a.file, " and ", b.file, " are of different runs: ", one, " and ", other);
  };
  if (a.scenario_name != b.scenario_name) {
    return differ(StrCat("scenario ", a.scenario_name), StrCat("scenario ", b.scenario_name));
  }
  if (a.seed != b.seed) return differ(StrCat("seed ", a.seed), StrCat("seed ", b.seed));
  if (a.count != b.count) return differ(StrCat(a.count, " shards"), StrCat(b.count, " shards"));
  if (a.groups.size() != b.groups.size()) {
    return differ(StrCat(a.groups.size(), " groups of workers"), StrCat(b.groups.size()));
  }
  for (std::size_t i = 0; i < a.groups.size(); ++i) {
    const auto &one = a.groups[i], &other = b.groups[i];
    if (one.name != other.name || one.workload != other.workload) {
      return differ(StrCat("worker ", one.name, " with ", one.workload),
                    StrCat("worker ", other.name, " with ", other.workload));
    }
    if (one.units != other.units) {
      return differ(StrCat("worker ", one.name, " has ", UnitsText(one.units)), UnitsText(other.units));
    }
    for (std::size_t p = 0; p < std::max(one.parameters.size(), other.parameters.size()); ++p) {
      if (p < one.parameters.size() && p < other.parameters.size() && one.parameters[p] == other.parameters[p])
        continue;
      if (p >= one.parameters.size() || p >= other.parameters.size() ||
          one.parameters[p].first != other.parameters[p].first) {
        return differ(StrCat("the parameters of worker ", one.name), "others");
      }
      return differ(StrCat("worker ", one.name, " has ", one.parameters[p].first, " = ", one.parameters[p].second),
                    other.parameters[p].second);
    }
  }
  return {};
}

}  // namespace corerig
