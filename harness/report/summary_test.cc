#include "harness/report/summary.h"

#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/report/columns.h"
#include "harness/report/golden.h"
#include "harness/report/sample_record.h"

namespace corerig {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kFull = "harness/report/testdata/summary.txt";
constexpr const char* kEarly = "harness/report/testdata/summary_early.txt";

TEST(Summary, FullRecordIsTheGolden) {
  EXPECT_EQ(GoldenFileDifference(Summary(FullRecord(), "corerig-out/report.json"), kFull), "");
}

TEST(Summary, RunThatMeasuredNothingShowsDashesAndIsTheGolden) {
  EXPECT_EQ(GoldenFileDifference(Summary(EarlyRecord(), ""), kEarly), "");
}

TEST(Summary, AnyOtherFigureIsNotTheGolden) {
  RunRecord record = FullRecord();
  *record.metrics[2].value += 1;
  EXPECT_EQ(GoldenDifference(Summary(record, "corerig-out/report.json"), ReadDataFile(kFull)),
            "line 11\n"
            "  is     \"imu      994 Hz  18.0 µs  42.2 µs        ∞   121       20   11      7\"\n"
            "  golden \"imu      994 Hz  18.0 µs  42.2 µs        ∞   120       20   11      7\"");
}

TEST(Summary, OfALosslessStreamShowsWhatItsReceiverTook) {
  RunRecord record = FullRecord();
  EXPECT_THAT(Summary(record, ""), Not(HasSubstr("lossless")));
  record.streams[0].lossless = true;
  const auto add = [&](const char* name, double value, const char* unit) {
    record.metrics.push_back({.name = name, .unit = unit, .value = value, .origin = "slab", .absent = ""});
  };
  add("stream.imu.sent", 12'000, "count");
  add("stream.imu.blocked", 0.75, "share");
  add("stream.imu.backlog", 8000, "count");
  add("stream.imu.unread", 31, "count");
  EXPECT_THAT(Summary(record, ""), HasSubstr("lossless    took  blocked   sent  not sent  unread\n"
                                             "imu       994 Hz   75.0 %  12000      8000      31\n"));
}

TEST(Summary, ThreeSpikesMatterMostAndOfOneStallOne) {
  RunRecord record = FullRecord();
  for (int i = 0; i < 4; ++i) {
    SpikeRecord spike = record.spikes[2];
    spike.at += std::chrono::seconds(i + 1);
    spike.text = "spike " + std::to_string(i);
    record.spikes.push_back(spike);
  }
  const std::string summary = Summary(record, "");
  EXPECT_THAT(summary, HasSubstr("stream imu sample 10432 was 2.31 ms late"));
  EXPECT_THAT(summary, Not(HasSubstr("\n  loop flight was ready")));
  EXPECT_THAT(summary, HasSubstr("stream tick sample 1 was"));
  EXPECT_THAT(summary, HasSubstr("  spike 0\n"));
  EXPECT_THAT(summary, Not(HasSubstr("spike 1")));
}

TEST(Summary, NoLineIsWiderThan100ColumnsWhateverTheRecordSays) {
  RunRecord record = FullRecord();
  const std::string lengthy = std::string(150, 'x') + " " + std::string(150, 'y');
  record.scenario_about = record.board.model = record.scenario_file = lengthy;
  record.streams[0].name = record.loops[0].policy = record.workers[0].workload = lengthy;
  record.workers[1].process.end = {EndRecord::Kind::kFailedToStart, 0, lengthy, false};
  record.results[0].check->text = record.results[1].absent = lengthy;
  record.budgets[0].limit = record.budgets[3].reason = lengthy;
  record.reasons = {lengthy};
  record.spikes[0].text = lengthy;
  record.warnings[0].text = lengthy;
  std::istringstream lines(Summary(record, "report.json"));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(DisplayWidth(line), 100) << line;
}

TEST(Summary, ColourAddsEscapesAndNothingElse) {
  const std::string coloured = Summary(FullRecord(), "r", true);
  EXPECT_THAT(coloured, HasSubstr("\x1b[31mFAIL\x1b[0m"));
  std::string plain;
  for (std::size_t at = 0; at < coloured.size(); ++at) {
    if (coloured[at] == '\x1b') {
      at = coloured.find('m', at);
    } else {
      plain += coloured[at];
    }
  }
  EXPECT_EQ(plain, Summary(FullRecord(), "r"));
}

TEST(Summary, EscapesOfAUsersProgramDoNotReachTheTerminal) {
  RunRecord record = FullRecord();
  record.workers[1].process.end = {EndRecord::Kind::kFailedToStart, 0, "\x1b[2J\n", false};
  record.reasons = {"worker price.1: \x1b]0;title\x07"};
  EXPECT_THAT(Summary(record, "\x1b[2J"), Not(HasSubstr("\x1b")));
}

TEST(Summary, ManyReasonsAreCounted) {
  RunRecord record = FullRecord();
  record.reasons.assign(64, "worker w killed by SIGKILL");
  EXPECT_THAT(Summary(record, ""), HasSubstr("\n  and 54 reasons more, in the report\n"));
}

TEST(Summary, SkippedRunSaysWhyAndShowsNoFigures) {
  RunRecord record;
  record.scenario_name = "drone";
  record.complete = true;
  record.verdict = Verdict::kSkipped;
  record.reasons = {"the board has no core 7"};
  const std::string text = Summary(record, "");
  EXPECT_THAT(text, HasSubstr("\nSKIPPED\n  the board has no core 7\n"));
  EXPECT_THAT(text, Not(HasSubstr("PSS")));
}

}  // namespace
}  // namespace corerig
