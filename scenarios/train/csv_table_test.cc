#include "scenarios/train/csv_table.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

// Fifty rows after `head`, of `row`.
std::string Rows(const std::string& head, const std::string& row = "1,2,a\n", int count = 50) {
  std::string text = head;
  for (int i = 0; i < count; ++i) text += row;
  return text;
}

std::string ErrorOf(std::string_view text, const CsvColumns& columns = {}) {
  const auto table = ReadCsv(text, "data.csv", columns);
  return table ? "taken" : table.error().message;
}

TEST(ReadCsv, TakesRowsWithAndWithoutNames) {
  for (const std::string head : {"", "x,y,state\n", "\nx , y,state\r\n"}) {
    const auto table = ReadCsv(Rows(head + "0.5,-1e3,b\r\n +7 , .25 , a\n\n"), "data.csv", {});
    ASSERT_TRUE(table.has_value()) << table.error().message;
    EXPECT_EQ(table->columns, 2u);
    EXPECT_EQ(table->rows(), 52u);
    EXPECT_EQ(table->values[0], 0.5f);
    EXPECT_EQ(table->values[1], -1000.0f);
    EXPECT_EQ(table->values[2], 7.0f);
    EXPECT_EQ(table->values[3], 0.25f);
    EXPECT_EQ(table->classes, (std::vector<std::string>{"b", "a"}));
    EXPECT_EQ(table->labels[0], 0);
    EXPECT_EQ(table->labels[1], 1);
    EXPECT_EQ(table->labels.back(), 1);
  }
}

TEST(ReadCsv, TheLastLineNeedsNoEnd) {
  const auto table = ReadCsv(Rows("") + "3,4,b", "data.csv", {});
  ASSERT_TRUE(table.has_value());
  EXPECT_EQ(table->rows(), 51u);
  EXPECT_EQ(table->values.back(), 4.0f);
}

TEST(ReadCsv, TheLabelIsTheColumnThatIsNamed) {
  const auto table = ReadCsv(Rows("x,state,y\n", "1,a,2\n"), "data.csv", {.label = "state"});
  ASSERT_TRUE(table.has_value()) << table.error().message;
  EXPECT_EQ(table->values[1], 2.0f);
  EXPECT_EQ(table->classes[0], "a");
  EXPECT_EQ(ErrorOf(Rows("x,state,y\n", "1,a,2\n"), {.label = "stat"}),
            "data.csv:1: no column is called \"stat\"; did you mean \"state\"?");
  EXPECT_EQ(ErrorOf(Rows("x,state,y\n", "1,a,2\n"), {.label = "condition"}),
            "data.csv:1: no column is called \"condition\"; there are x, state, y");
  EXPECT_EQ(ErrorOf(Rows(""), {.label = "state"}),
            "data.csv:1: label \"state\" is asked for, and the first line holds no names");
}

TEST(ReadCsv, EachGoalReadsTheLabelInItsOwnWay) {
  const auto value = ReadCsv(Rows("", "1,2,3.5\n"), "data.csv", {.goal = Goal::kPredict});
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->targets[0], 3.5f);
  EXPECT_TRUE(value->labels.empty());
  const auto healthy =
      ReadCsv(Rows("", "1,2,ok\n1,2,worn\n"), "data.csv", {.goal = Goal::kReconstruct, .healthy = "ok"});
  ASSERT_TRUE(healthy.has_value());
  EXPECT_EQ(healthy->labels[0], 0);
  EXPECT_EQ(healthy->labels[1], 1);
}

TEST(ReadCsv, WhatIsWrongIsSaidInOneLineWithItsPlace) {
  EXPECT_EQ(ErrorOf(Rows("1,2,a\n1,2\n")), "data.csv:2: 2 columns; the first row has 3");
  EXPECT_EQ(ErrorOf(Rows("x,y,state\n1,2,3,a\n")), "data.csv:2: 4 columns; the first row has 3");
  EXPECT_EQ(ErrorOf(Rows("1,2,a\n1,nan,a\n")), "data.csv:2:2: \"nan\" is no finite number");
  EXPECT_EQ(ErrorOf(Rows("1,2,a\ninf,2,a\n")), "data.csv:2:1: \"inf\" is no finite number");
  EXPECT_EQ(ErrorOf(Rows("1,2,a\n1,1e39,a\n")), "data.csv:2:2: \"1e39\" is no finite number");
  EXPECT_EQ(ErrorOf(Rows("1,2,a\n1,,a\n")), "data.csv:2:2: \"\" is no finite number");
  EXPECT_EQ(ErrorOf(Rows("1,2,a\n1,2x,a\n")), "data.csv:2:2: \"2x\" is no finite number");
  EXPECT_EQ(ErrorOf(Rows("1,2,a\n1,2,\n")), "data.csv:2:3: the label is empty");
  EXPECT_EQ(ErrorOf(Rows("1,2,3\n1,2,a\n"), {.goal = Goal::kPredict}), "data.csv:2:3: \"a\" is no finite number");
  EXPECT_EQ(ErrorOf("1\n2\n"), "data.csv:1: one column; at least two, one of them the label, are needed");
  EXPECT_EQ(ErrorOf(Rows("x,y,state\n", "1,2,a\n", 49)), "data.csv: 49 rows; at least 50 are needed to learn from");
  EXPECT_EQ(ErrorOf(""), "data.csv: 0 rows; at least 50 are needed to learn from");
  std::string many;
  for (int i = 0; i < 70; ++i) many += "1,2,c" + std::to_string(i) + "\n";
  EXPECT_EQ(ErrorOf(many),
            "data.csv:65:3: label \"c64\" is class 65; at most 64 are told apart; is this the label's column?");
  std::string wide = "1";
  for (int i = 0; i < 257; ++i) wide += ",1";
  EXPECT_EQ(ErrorOf(wide), "data.csv:1: 258 columns; at most 257 are taken");
}

}  // namespace
}  // namespace corerig
