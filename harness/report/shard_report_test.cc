#include "harness/report/shard_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/report/report_json.h"

namespace corerig {
namespace {

RunRecord RecordOf(int index) {
  RunRecord record;
  record.scenario_name = "parts";
  record.scenario_json =
      R"({"workers": [{"name": "price", "workload": "montecarlo/option", "units": 23,
          "parameters": [{"name": "strike", "value": "105"}]},
          {"name": "own", "workload": "exec", "command": {}, "parameters": []}]})";
  record.complete = true;
  record.shard = {index, 3};
  record.conditions.seed = 7;
  record.board.model = "a board";
  record.verdict = Verdict::kPass;
  ResultRecord result{.group = "price", .workload = "montecarlo/option", .figures = {}, .check = {}, .absent = {}};
  result.workers = 2;
  result.tally = Tally{.units = 8, .vector_bits = 256, .sums = std::vector<ExactSum>(2)};
  result.tally->sums[0].Add(0.1);
  result.tally->sums[0].Add(1e20);
  result.tally->sums[1].Add(-5e-324);
  record.results.push_back(result);
  return record;
}

TEST(ShardReport, ReadsWhatAReportSays) {
  const auto read = ReadShardReport(ReportToJson(RecordOf(1)), "b.json");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->file, "b.json");
  EXPECT_EQ(read->index, 1);
  EXPECT_EQ(read->count, 3);
  EXPECT_EQ(read->scenario_name, "parts");
  EXPECT_EQ(read->seed, 7u);
  EXPECT_EQ(read->board.model, "a board");
  EXPECT_EQ(read->verdict, Verdict::kPass);
  ASSERT_EQ(read->groups.size(), 1u) << "commands have no answer";
  EXPECT_EQ(read->groups[0].units, 23u);
  EXPECT_EQ(read->groups[0].parameters[0].second, "105");
  ASSERT_EQ(read->results.size(), 1u);
  const Tally& tally = *read->results[0].tally;
  EXPECT_EQ(tally.units, 8u);
  EXPECT_EQ(tally.vector_bits, 256u);
  ASSERT_EQ(tally.sums[0].parts().size(), 2u) << "no bit is lost in the file";
  EXPECT_EQ(tally.sums[0].parts()[0], 0.1);
  EXPECT_EQ(tally.sums[0].parts()[1], 1e20);
  EXPECT_EQ(tally.sums[1].Value(), -5e-324);
}

TEST(ShardReport, OfARunThatWasNotShardedIsTheOnlyOne) {
  RunRecord record = RecordOf(0);
  record.shard.reset();
  const auto read = ReadShardReport(ReportToJson(record), "a.json");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->count, 1);
}

TEST(ShardReport, WhatIsNoneIsRefusedWithItsFile) {
  const auto refusal = [](const std::string& text) {
    const auto read = ReadShardReport(text, "a.json");
    return read ? "accepted" : read.error().message;
  };
  EXPECT_EQ(refusal("[]"), "a.json: this is no report of corerig (its \"schema\" is not \"corerig-report/1\")");
  EXPECT_EQ(refusal("name = 1"),
            "a.json: this is no whole report of corerig: byte 2 of 8 cannot follow what is before it");
  EXPECT_EQ(refusal("{\"seed\": "), "a.json: this is no whole report of corerig: byte 10 of 9 is missing");
  auto json = nlohmann::json::parse(ReportToJson(RecordOf(1)));
  auto broken = json;
  broken.erase("results");
  EXPECT_TRUE(refusal(broken.dump()).starts_with("a.json: this is no whole report of corerig: "));
  broken = json;
  broken["complete"] = false;
  EXPECT_EQ(refusal(broken.dump()), "a.json: the run was not over when this report was written");
  broken = json;
  broken["shard"]["index"] = 3;
  EXPECT_EQ(refusal(broken.dump()), "a.json: shard 3/3 is none");
  for (const nlohmann::json& bad : {nlohmann::json(-5), nlohmann::json(1e300), nlohmann::json(4294967296.5)}) {
    broken = json;
    broken["results"]["price"]["tally"]["units"] = bad;
    EXPECT_NE(refusal(broken.dump()).find(" is no whole number up to "), std::string::npos) << bad;
  }
  broken = json;
  broken["shard"]["index"] = 4294967296;
  EXPECT_NE(refusal(broken.dump()).find("4294967296 is no whole number up to "), std::string::npos);
  EXPECT_EQ(refusal(std::string(300'000, '[')), "a.json: this is no report of corerig: it is nested too deeply");
  broken = json;
  broken["verdict"]["result"] = "GOOD";
  EXPECT_EQ(refusal(broken.dump()), "a.json: verdict \"GOOD\" is none");
  broken = json;
  broken["results"]["price"]["tally"]["sums"][0] = std::vector<double>(60, 1.0);
  EXPECT_EQ(refusal(broken.dump()), "a.json: result of price: a sum of 60 parts; it has at most 48");
}

TEST(ShardReport, ReportsAreOfOneRunIfTheyComputedTheSame) {
  const ShardReport a = ReadShardReport(ReportToJson(RecordOf(0)), "a.json").value();
  ShardReport b = ReadShardReport(ReportToJson(RecordOf(1)), "b.json").value();
  EXPECT_TRUE(SameRun(a, b));
  const auto difference = [&](const auto& change) {
    ShardReport changed = b;
    change(changed);
    const auto same = SameRun(a, changed);
    return same ? "none" : same.error().message;
  };
  const std::string are = "a.json and b.json are of different runs: ";
  EXPECT_EQ(difference([](ShardReport& r) { r.scenario_name = "other"; }), are + "scenario parts and scenario other");
  EXPECT_EQ(difference([](ShardReport& r) { r.seed = 8; }), are + "seed 7 and seed 8");
  EXPECT_EQ(difference([](ShardReport& r) { r.count = 4; }), are + "3 shards and 4 shards");
  EXPECT_EQ(difference([](ShardReport& r) { r.groups.clear(); }), are + "1 groups of workers and 0");
  EXPECT_EQ(difference([](ShardReport& r) { r.groups[0].workload = "montecarlo/pi"; }),
            are + "worker price with montecarlo/option and worker price with montecarlo/pi");
  EXPECT_EQ(difference([](ShardReport& r) { r.groups[0].units.reset(); }),
            are + "worker price has units = 23 and no fixed units");
  EXPECT_EQ(difference([](ShardReport& r) { r.groups[0].parameters[0].second = "90"; }),
            are + "worker price has strike = 105 and 90");
  EXPECT_EQ(difference([](ShardReport& r) { r.groups[0].parameters.clear(); }),
            are + "the parameters of worker price and others");
}

}  // namespace
}  // namespace corerig
