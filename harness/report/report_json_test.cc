#include "harness/report/report_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/report/field_table.h"
#include "harness/report/golden.h"
#include "harness/report/sample_record.h"

namespace corerig {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kDocs = "docs/report.md";

TEST(ReportJson, FullRecordIsTheGolden) {
  EXPECT_EQ(GoldenFileDifference(ReportToJson(FullRecord()), "harness/report/testdata/report.json"), "");
}

TEST(ReportJson, AnyOtherFigureIsNotTheGolden) {
  RunRecord record = FullRecord();
  ++record.workers[1].process.pid;
  EXPECT_NE(GoldenDifference(ReportToJson(record), ReadDataFile("harness/report/testdata/report.json")), "");
}

TEST(ReportJson, FullEarlyAndEmptyRecordsAreAsDocumented) {
  const std::string docs = ReadDataFile(kDocs);
  EXPECT_THAT(CheckAgainstDocs(ReportToJson(FullRecord()), docs), IsEmpty());
  EXPECT_THAT(CheckAgainstDocs(ReportToJson(EarlyRecord()), docs), IsEmpty());
  EXPECT_THAT(CheckAgainstDocs(ReportToJson(RunRecord()), docs), IsEmpty());
}

// So no row is a leftover of a field that is gone, and the check looks at every one.
TEST(ReportJson, EveryRowOfTheDocumentsIsNeededByTheFullRecord) {
  const std::string docs = ReadDataFile(kDocs);
  const std::string report = ReportToJson(FullRecord());
  int rows = 0;
  for (std::size_t at = docs.find("\n| `"); at != std::string::npos; at = docs.find("\n| `", at + 1)) {
    const std::size_t end = docs.find('\n', at + 1);
    const std::string row = docs.substr(at, end - at);
    ++rows;
    // The row of the scenario's other keys would take these, too.
    if (row.starts_with("\n| `scenario.") && !row.starts_with("\n| `scenario.*`")) continue;
    EXPECT_THAT(CheckAgainstDocs(report, docs.substr(0, at) + docs.substr(end)), Not(IsEmpty())) << row;
  }
  EXPECT_GT(rows, 100);
}

TEST(ReportJson, KeysComeInTheOrderOfTheDocuments) {
  std::vector<std::string> documented;
  const std::string docs = ReadDataFile(kDocs);
  for (std::size_t at = docs.find("\n| `"); at != std::string::npos; at = docs.find("\n| `", at + 1)) {
    const std::string path = docs.substr(at + 4, docs.find('`', at + 4) - at - 4);
    if (path.find_first_of(".[{") == std::string::npos) documented.push_back(path);
  }
  std::vector<std::string> keys;
  const auto report = nlohmann::ordered_json::parse(ReportToJson(FullRecord()));
  for (const auto& item : report.items()) keys.push_back(item.key());
  EXPECT_EQ(keys, documented);
}

TEST(ReportJson, WholeNumbersOf64BitsAreExact) {
  const json report = json::parse(ReportToJson(FullRecord()));
  EXPECT_EQ(report["conditions"]["seed"], 18'446'744'073'709'551'615u);
  EXPECT_EQ(report["started"]["realtime"], 1'763'690'000'123'456'789);
}

TEST(ReportJson, InfinityIsAStringInMetricsAndInPercentiles) {
  RunRecord record = FullRecord();
  record.streams[0].infinite = record.streams[0].latency.count();
  const json report = json::parse(ReportToJson(record));
  EXPECT_EQ(report["metrics"]["stream.imu.latency.max"]["value"], "inf");
  EXPECT_EQ(report["streams"][0]["latency"]["p99"], "inf");
  EXPECT_EQ(report["streams"][0]["latency"]["max"], "inf");
  EXPECT_EQ(report["streams"][0]["since_sent"]["p999"], "inf");
  EXPECT_TRUE(report["streams"][0]["latency"]["p50"].is_number()) << report["streams"][0]["latency"]["p50"];
  EXPECT_EQ(report["streams"][0]["service"]["max"], 900);
}

TEST(ReportJson, WhatWasNotMeasuredIsNeverZero) {
  const json report = json::parse(ReportToJson(EarlyRecord()));
  const json& latency = report["streams"][0]["latency"];
  EXPECT_EQ(latency["count"], 0);
  EXPECT_EQ(latency["min"], nullptr);
  EXPECT_EQ(latency["mean"], nullptr);
  EXPECT_EQ(report["workers"][0]["scheduling"], nullptr);
  EXPECT_EQ(report["workers"][0]["faults"], nullptr);
  EXPECT_EQ(report["workers"][0]["rss_peak"], nullptr);
  EXPECT_EQ(report["memory"]["total_pss"], nullptr);
  EXPECT_EQ(report["source"], nullptr);
  EXPECT_EQ(report["rig"]["core"], nullptr);
  EXPECT_EQ(report["metrics"]["rig.cpu"],
            json({{"absent", "no reading of the process in the window"}, {"unit", "share"}}));
}

TEST(ReportJson, NotANumberIsNull) {
  RunRecord record = FullRecord();
  record.results[0].figures[0].value = NAN;
  EXPECT_EQ(json::parse(ReportToJson(record))["results"]["price"]["figures"][0]["value"], nullptr);
}

TEST(ReportJson, ScenarioIsKeptAsReadBesideItsFile) {
  const json report = json::parse(ReportToJson(FullRecord()));
  EXPECT_EQ(report["scenario"]["file"], "scenarios/drone.toml");
  EXPECT_EQ(report["scenario"]["stream"]["imu"]["rate"], "1kHz");
  EXPECT_EQ(report["scenario"]["duration"], "20s");
}

TEST(ReportJson, FaultsStandSideBySideAndEndsSayHow) {
  const json report = json::parse(ReportToJson(FullRecord()));
  EXPECT_EQ(report["streams"][0]["faults"][0], json({{"kind", "drop"},
                                                     {"begin", nullptr},
                                                     {"end", nullptr},
                                                     {"injected", 100},
                                                     {"detected", 98},
                                                     {"undetected", 2},
                                                     {"undetectable", 0},
                                                     {"ambiguous", 0},
                                                     {"found_after", nullptr},
                                                     {"value_error_rms", nullptr}}));
  EXPECT_EQ(report["streams"][0]["faults"][2]["begin"], 2'000'000'000);
  EXPECT_EQ(report["streams"][0]["faults"][2]["found_after"], 14'020'000);
  EXPECT_EQ(report["streams"][0]["alarms"], json({{"repeating", 1}, {"implausible", 2}, {"late", 3}}));
  EXPECT_EQ(report["workers"][1]["end"],
            json({{"kind", "signalled"}, {"number", 11}, {"detail", "SIGSEGV"}, {"as_planned", false}}));
  EXPECT_EQ(report["rig"]["end"]["number"], nullptr);
}

TEST(ReportJson, BytesThatAreNotUtf8AreReplacedAndTheReportStaysValid) {
  RunRecord record = FullRecord();
  record.workers[1].process.end.detail = "exec ./\xFF\x1b[2J: No such file";
  const std::string text = ReportToJson(record);
  EXPECT_EQ(json::parse(text)["workers"][1]["end"]["detail"], "exec ./\uFFFD\x1b[2J: No such file");
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(ReportJson, MetricIsOneLineAndTheTextEndsWithANewline) {
  const std::string text = ReportToJson(FullRecord());
  EXPECT_NE(text.find("\n    \"stream.imu.lost\": {\"value\": 120.0, \"unit\": \"count\", \"origin\": \"slab\"},\n"),
            std::string::npos);
  EXPECT_EQ(text.back(), '\n');
  EXPECT_NE(text[text.size() - 2], '\n');
}

}  // namespace
}  // namespace corerig
