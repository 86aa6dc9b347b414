#include "harness/report/field_table.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace corerig {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kDocs = R"(# Title

| path | what | other | table |
|---|---|---|---|
| `elsewhere` | string | | |

| path | type | unit | meaning |
|---|---|---|---|
| `name` | string | | |
| `verdict` | "PASS" or "FAIL" | | |
| `streams` | array | | |
| `streams[]` | object | | |
| `streams[].{sent,lost}` | integer | samples | |
| `streams[].latency` | number or "inf" or null | ns | |
| `metrics` | object | | |
| `metrics.*` | object | | |
| `metrics.*.value` | number, optional | | |
| `metrics.*.absent` | string, optional | | |
| `source` | object or null | | |
| `source.pid` | integer | | |
| `scenario` | any | | |
)";

constexpr const char* kReport = R"({
  "name": "drone", "verdict": "PASS",
  "streams": [{"sent": 1, "lost": 0, "latency": 1.5}, {"sent": 1, "lost": 0, "latency": "inf"}],
  "metrics": {"a.b": {"value": 1}, "c": {"absent": "why"}},
  "source": {"pid": 1},
  "scenario": {"anything": [1, "two", {"three": null}]}
})";

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) {
    ADD_FAILURE() << from << " is not in " << text;
    return text;
  }
  return text.replace(at, from.size(), to);
}

TEST(FieldTable, ReportAsDocumentedEarnsNoComplaint) { EXPECT_THAT(CheckAgainstDocs(kReport, kDocs), IsEmpty()); }

TEST(FieldTable, FieldThatIsNotDocumentedIsAComplaint) {
  EXPECT_THAT(CheckAgainstDocs(Replaced(kReport, "\"pid\": 1", "\"pid\": 1, \"tid\": 2"), kDocs),
              ElementsAre("source.tid: not in the documents"));
  EXPECT_THAT(CheckAgainstDocs(Replaced(kReport, "\"value\": 1", "\"value\": 1, \"x\": {}"), kDocs),
              ElementsAre("metrics.a.b.x: not in the documents"));
  EXPECT_THAT(CheckAgainstDocs(Replaced(kReport, "\"drone\"", "\"drone\", \"elsewhere\": \"\""), kDocs),
              ElementsAre("elsewhere: not in the documents"));
}

TEST(FieldTable, FieldThatIsPromisedAndMissingIsAComplaint) {
  EXPECT_THAT(CheckAgainstDocs(Replaced(kReport, "\"lost\": 0, ", ""), kDocs),
              ElementsAre("streams[0]: has no lost, which the documents promise"));
  EXPECT_THAT(CheckAgainstDocs(Replaced(kReport, "\"name\": \"drone\", ", ""), kDocs),
              ElementsAre("the report: has no name, which the documents promise"));
}

TEST(FieldTable, ValueOfAnotherTypeIsAComplaint) {
  EXPECT_THAT(CheckAgainstDocs(Replaced(kReport, "\"sent\": 1", "\"sent\": 1.5"), kDocs),
              ElementsAre("streams[0].sent: is 1.5, and streams[].sent is documented as integer"));
  EXPECT_THAT(CheckAgainstDocs(Replaced(kReport, "\"PASS\"", "\"MAYBE\""), kDocs),
              ElementsAre("verdict: is \"MAYBE\", and verdict is documented as \"PASS\" or \"FAIL\""));
  EXPECT_THAT(CheckAgainstDocs(Replaced(kReport, "\"value\": 1", "\"value\": null"), kDocs),
              ElementsAre("metrics.a.b.value: is null, and metrics.*.value is documented as number"));
}

TEST(FieldTable, NullWhereItIsAllowedPromisesNothingBelow) {
  EXPECT_THAT(CheckAgainstDocs(Replaced(kReport, "{\"pid\": 1}", "null"), kDocs), IsEmpty());
}

TEST(FieldTable, RowThatCannotBeReadIsAComplaint) {
  EXPECT_THAT(CheckAgainstDocs(kReport, Replaced(kDocs, "`name` | string", "`name` | text")),
              ElementsAre("documents: name: unknown type: text", "name: is \"drone\", and name is documented as text"));
  EXPECT_THAT(CheckAgainstDocs(kReport, Replaced(kDocs, "| `scenario` | any |", "| scenario | any |")),
              ElementsAre("documents: not a row of four cells with the path in backquotes: | scenario | any | | |",
                          "scenario: not in the documents"));
  EXPECT_THAT(CheckAgainstDocs(kReport, std::string(kDocs) + "| `name` | string | | |\n"),
              ElementsAre("documents: name is described twice"));
}

TEST(FieldTable, DocumentsWithoutATableAndReportsThatAreNoJsonAreComplaints) {
  EXPECT_THAT(CheckAgainstDocs("{}", "# nothing"),
              ElementsAre("the documents have no table \"| path | type | unit | meaning |\""));
  EXPECT_THAT(CheckAgainstDocs("{", kDocs), ElementsAre("the report is not one JSON object"));
}

}  // namespace
}  // namespace corerig
