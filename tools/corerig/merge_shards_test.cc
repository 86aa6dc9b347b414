#include "tools/corerig/merge_shards.h"

#include <gtest/gtest.h>

#include <tuple>

#include "scenarios/monte_carlo.h"

namespace corerig {
namespace {

struct Sum {
  static constexpr std::size_t kSums = 1;
  static Result<Sum> Make(const WorkerJob&) { return Sum(); }
  static void Block(std::uint64_t, std::span<double>) {}
  static Result<Answer> Conclude(const WorkerJob& job, const Tally& tally) {
    return Answer{.units = tally.units,
                  .figures = {{"sum", tally.sums[0].Value(), ""}},
                  .check = CheckAgainst("nothing", tally.sums[0].Value(), 0, job.Number("scale"))};
  }
};

// One parameter of each kind; the first is a standard error.
using Kind = ParameterInfo::Kind;
const std::vector<ParameterInfo> kParameters = {{"scale", Kind::kNumber, "1", ""},
                                                {"positive", Kind::kPositiveNumber, "1", ""},
                                                {"not_negative", Kind::kNotNegative, "0", ""},
                                                {"whole", Kind::kWholeNumber, "-1", ""},
                                                {"share", Kind::kShare, "0.01", ""},
                                                {"duration", Kind::kDuration, "1ms", ""},
                                                {"size", Kind::kSize, "1MiB", ""},
                                                {"word", Kind::kWord, "any", ""}};
const WorkloadType kWorkloads[] = {
    MonteCarlo<Sum>({.name = "test/sum", .about = "", .unit = "", .parameters = kParameters})};
const Rig kRig = {.sensors = {}, .workloads = kWorkloads};

ShardReport Shard(int index, double value, const std::string& scale = "1") {
  ShardReport report;
  report.file = StrCat(index, ".json");
  report.index = index;
  report.count = 3;
  report.scenario_name = "parts";
  report.groups = {{.name = "w", .workload = "test/sum", .units = {}, .parameters = {}}};
  for (const ParameterInfo& info : kParameters) {
    report.groups[0].parameters.emplace_back(info.name, info.name == "scale" ? scale : info.default_value);
  }
  report.verdict = Verdict::kPass;
  ResultRecord result{.group = "w", .workload = "test/sum", .figures = {}, .check = {}, .absent = {}};
  result.workers = result.workers_planned = index + 1;
  result.tally = Tally{.units = 1, .vector_bits = 256, .sums = std::vector<ExactSum>(1)};
  result.tally->sums[0].Add(value);
  report.results = {result};
  return report;
}

std::vector<ShardReport> Three() { return {Shard(2, 1), Shard(0, 1e16), Shard(1, -1e16)}; }

TEST(MergeShards, AddsTheirSumsExactly) {
  const auto record = MergeShards(kRig, Three());
  ASSERT_TRUE(record.has_value()) << record.error().message;
  EXPECT_EQ(record->verdict, Verdict::kPass);
  ASSERT_EQ(record->results.size(), 1u);
  EXPECT_EQ(record->results[0].figures[0].value, 1) << "in whatever order: rounding would make it 0";
  EXPECT_EQ(record->results[0].units, 3u);
  EXPECT_EQ(record->results[0].workers, 6);
  ASSERT_EQ(record->merged.size(), 3u);
  EXPECT_EQ(record->merged[2].file, "2.json");
}

TEST(MergeShards, TheVerdictIsTheWorstOfAll) {
  std::vector<ShardReport> shards = {Shard(2, 0), Shard(0, 0), Shard(1, 0)};
  shards[1].verdict = Verdict::kUndecided;
  shards[1].reasons = {"interrupted"};
  auto record = MergeShards(kRig, shards);
  EXPECT_EQ(record->verdict, Verdict::kUndecided);
  EXPECT_EQ(record->reasons, std::vector<std::string>{"shard 0/3: interrupted"});
  shards[2].verdict = Verdict::kFail;
  EXPECT_EQ(MergeShards(kRig, shards)->verdict, Verdict::kFail);
  shards.pop_back();
  record = MergeShards(kRig, shards);
  EXPECT_EQ(record->verdict, Verdict::kUndecided);
  EXPECT_EQ(record->reasons[0], "shard 1/3 is missing");
}

TEST(MergeShards, TheMergedAnswerIsChecked) {
  std::vector<ShardReport> shards = {Shard(0, 2, "1"), Shard(1, 2, "1"), Shard(2, 2, "1")};
  const auto record = MergeShards(kRig, shards);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->verdict, Verdict::kFail) << "6 standard errors, of which each shard has 2";
  EXPECT_FALSE(record->results[0].check->passed);
}

TEST(MergeShards, AShardWithoutAnAnswerLeavesThoseOfTheOthers) {
  std::vector<ShardReport> shards = {Shard(0, 0), Shard(1, 0), Shard(2, 0)};
  shards[1].verdict = Verdict::kFail;
  shards[1].reasons = {"worker w.0 killed by SIGSEGV"};
  shards[1].results[0].tally.reset();
  auto record = MergeShards(kRig, shards);
  ASSERT_TRUE(record.has_value()) << record.error().message;
  EXPECT_EQ(record->verdict, Verdict::kFail);
  EXPECT_EQ(record->results[0].units, 2u);
  EXPECT_EQ(record->reasons, std::vector<std::string>{"shard 1/3: worker w.0 killed by SIGSEGV"});
  for (auto& shard : shards) shard.results[0].tally.reset();
  record = MergeShards(kRig, shards);
  EXPECT_EQ(record->verdict, Verdict::kFail);
  EXPECT_EQ(record->results[0].absent, "no shard has an answer");
}

TEST(MergeShards, ManyThatAreMissingAreOneLine) {
  ShardReport one = Shard(3, 0);
  one.count = 1'000'000;
  const auto record = MergeShards(kRig, {one});
  EXPECT_EQ(record->reasons, std::vector<std::string>{"shard 0/1000000, 1/1000000, 2/1000000, 4/1000000, 5/1000000 and "
                                                      "999994 more are missing"});
}

TEST(MergeShards, WhatCannotBeMergedIsRefused) {
  const auto refusal = [](const auto& change) {
    auto shards = Three();
    change(shards);
    const auto record = MergeShards(kRig, shards);
    return record ? "merged" : record.error().message;
  };
  EXPECT_EQ(refusal([](auto& s) { s.clear(); }), "there is no report to merge");
  EXPECT_EQ(refusal([](auto& s) { s[0].index = 1; }), "2.json and 1.json are both of shard 1/3");
  EXPECT_EQ(refusal([](auto& s) { s[1].seed = 5; }), "2.json and 0.json are of different runs: seed 0 and seed 5");
  EXPECT_EQ(refusal([](auto& s) { s[1].results.clear(); }), "0.json says nothing of worker w");
  EXPECT_EQ(refusal([](auto& s) {
              for (auto& each : s) each.groups.clear();
            }),
            "2.json has no workers whose answers could be merged");
  const std::tuple<std::size_t, const char*, const char*> values[] = {
      {0, "abc", "scale = \"abc\" is no number"},        {0, "nan", "scale = \"nan\" is no number"},
      {1, "0", "positive = \"0\" is no number above 0"}, {2, "-1", "not_negative = \"-1\" is no number from 0 up"},
      {3, "1.5", "whole = \"1.5\" is no whole number"},  {5, "1", "duration = \"1\" is no duration"},
      {6, "1 s", "size = \"1 s\" is no size"},
  };
  for (const auto& [which, value, said] : values) {
    EXPECT_EQ(refusal([&](auto& s) {
                for (auto& each : s) each.groups[0].parameters[which].second = value;
              }),
              StrCat("worker w: ", said));
  }
  EXPECT_EQ(refusal([](auto& s) {
              for (auto& each : s) each.groups[0].units = 2;
            }),
            "2.json: 1 units of worker w; 0 were its own");
  EXPECT_EQ(refusal([](auto& s) { s[1].results[0].tally->sums.emplace_back(); }), "1.json: another number of sums");
  EXPECT_EQ(refusal([](auto& s) {
              for (auto& each : s) each.results[0].tally->sums.emplace_back();
            }),
            "worker w: a tally of 2 sums; this workload has 1");
  EXPECT_EQ(refusal([](auto& s) {
              for (auto& each : s) each.groups[0].workload = "test/gone";
            }),
            "this rig has no workload test/gone; merge with the rig that ran it");
  EXPECT_EQ(refusal([](auto& s) {
              for (auto& each : s) each.groups[0].parameters.clear();
            }),
            "worker w has no parameter scale: another rig's report?");
}

}  // namespace
}  // namespace corerig
