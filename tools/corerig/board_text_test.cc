#include "tools/corerig/board_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/os/recorded_tree.h"
#include "harness/report/columns.h"
#include "harness/report/golden.h"

namespace corerig {
namespace {

// As on that board for a user without privileges; what it could measure is made up.
BoardReport Report(const std::string& root) {
  BoardReport report;
  report.board = DescribeBoard(root);
  report.allowed = report.board.cpus();
  report.capabilities = {
      {.name = "smaps_rollup", .available = true, .detail = "", .needed_by = "worker.NAME.I.pss"},
      {.name = std::string(kDmaLatencyCapability),
       .available = false,
       .detail = "CPU latency limit of 0us not held: open /dev/cpu_dma_latency: Permission denied (EACCES)",
       .needed_by = "latencies without the time to leave deep idle states",
       .remedy = "run as root"}};
  report.advice = Advise(report.board, report.capabilities, report.allowed);
  return report;
}

BoardReport Recorded(const std::string& name) { return Report(LayOut("harness/os/testdata/board-" + name + ".tree")); }

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, TextAndJson) {
  const auto report = Recorded(GetParam());
  const std::string path = "tools/corerig/testdata/board-" + GetParam();
  EXPECT_EQ(GoldenFileDifference(BoardText(report), path + ".txt"), "");
  EXPECT_EQ(GoldenFileDifference(BoardJson(report), path + ".json"), "");
}

// But for commands, which must stay in one piece to be copied.
TEST_P(Golden, NoLineIsWiderThanAHundredColumns) {
  const auto report = Recorded(GetParam());
  const std::string text = BoardText(report);
  for (const auto line : Split(text, '\n')) {
    bool command = false;
    for (const auto& advice : report.advice) command |= Trim(line) == advice.command;
    EXPECT_TRUE(command || DisplayWidth(line) <= 100) << line;
  }
}

INSTANTIATE_TEST_SUITE_P(Board, Golden, testing::Values("pi5", "biglittle", "numa"));

TEST(Board, OfCpusInOneRowTheFrequenciesGoFromTheLowestToTheHighest) {
  auto report = Recorded("pi5");
  auto& cpus = report.board.frequencies.cpus;
  ASSERT_GE(cpus.size(), 4u);
  const std::int64_t megahertz[] = {1700, 2300, 1600, 1800};
  for (std::size_t i = 0; i < 4; ++i) cpus[i].current = Rate::Hertz(megahertz[i] * 1'000'000);
  EXPECT_NE(BoardText(report).find(StrCat(FormatRate(1.6e9), " to ", FormatRate(2.3e9))), std::string::npos)
      << BoardText(report);
}

TEST(Board, CpusThatThisProcessMayNotUseAreTold) {
  auto report = Recorded("pi5");
  EXPECT_EQ(BoardText(report).find("this process may run on"), std::string::npos);
  report.allowed.pop_back();
  EXPECT_NE(BoardText(report).find("this process may run on 0-2 only"), std::string::npos) << BoardText(report);
}

TEST(Board, ATreeThatTellsNothingIsPrintedAsUnknown) {
  const auto report = Report("/nowhere");
  const auto text = BoardText(report);
  EXPECT_NE(text.find("unknown"), std::string::npos);
  const auto json = nlohmann::json::parse(BoardJson(report), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_TRUE(json["memory"].is_null());
  EXPECT_TRUE(json["kernel_settings"]["isolated"].is_null());
  EXPECT_TRUE(json["cpus"][0]["package"].is_null());
}

TEST(Board, ForeignBytesNeitherReachTheTerminalNorBreakTheJson) {
  auto report = Recorded("pi5");
  report.board.record.command_line = "quiet \x1b[31m\xff";
  EXPECT_EQ(BoardText(report).find('\x1b'), std::string::npos);
  EXPECT_TRUE(nlohmann::json::accept(BoardJson(report)));
}

// Each field of the JSON is a line of the document.
TEST(Board, TheDocumentNamesEveryField) {
  const std::string document = ReadDataFile("docs/board.md");
  const auto json = nlohmann::json::parse(BoardJson(Recorded("numa")));
  const auto check = [&](const nlohmann::json& object) {
    for (const auto& [key, value] : object.items()) {
      EXPECT_NE(document.find("`" + key + "`"), std::string::npos) << key;
    }
  };
  check(json);
  check(json["cpus"][0]);
  check(json["cpus"][0]["frequency"]);
  check(json["caches"][0]);
  check(json["idle"]);
  check(json["idle"]["states"][0]);
  check(json["kernel_settings"]);
  check(json["kernel_settings"]["preemption"]);
  check(json["capabilities"][0]);
  check(json["advice"][0]);
}

}  // namespace
}  // namespace corerig
