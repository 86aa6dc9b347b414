// What tests of scenarios share: reading them, whether they are taken or refused.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/text.h"
#include "harness/plan/sample_vocabulary.h"
#include "harness/plan/scenario.h"

namespace corerig {

// The plan of a scenario; a failure if it is refused.
inline Plan Read(std::string_view text, const Board& board, const std::vector<Override>& overrides = {}) {
  const auto plan = ReadScenario(text, "s.toml", overrides, SampleVocabulary(), board);
  EXPECT_TRUE(plan) << plan.error().message;
  return plan.value_or(Plan());
}

// The one line that a scenario is refused with; a failure if it is taken, or the line is none.
inline std::string Refusal(std::string_view text, const std::vector<Override>& overrides = {},
                           const Board& board = BoardOf({0, 1})) {
  const auto plan = ReadScenario(text, "s.toml", overrides, SampleVocabulary(), board);
  if (plan) {
    ADD_FAILURE() << "taken:\n" << text;
    return "";
  }
  for (const char c : plan.error().message) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << plan.error().message;
  return plan.error().message;
}

// Lines 1 and 2 of most cases, and a worker at the end.
inline std::string AtTop(std::string_view lines) {
  return StrCat("name = \"a\"\nduration = \"1s\"\n", lines, "\n[worker.w]\nworkload = \"train/mlp\"\n");
}

// The stream's table is in line 4; `lines` begin in line 7.
inline std::string InStream(std::string_view sensor, std::string_view lines) {
  return StrCat("name = \"a\"\nduration = \"1s\"\n[loop.l]\n[stream.s]\nsensor = \"", sensor, "\"\nloop = \"l\"\n",
                lines, "\n");
}

// The worker's table is in line 3; `lines` begin in line 5.
inline std::string InCommand(std::string_view lines) {
  return StrCat("name = \"a\"\nduration = \"1s\"\n[worker.w]\nworkload = \"exec\"\n", lines, "\n");
}

// The worker's table is in line 3; `lines` begin in line 5.
inline std::string InWorker(std::string_view lines) {
  return StrCat("name = \"a\"\nduration = \"1s\"\n[worker.w]\nworkload = \"montecarlo/option\"\n", lines, "\n");
}

}  // namespace corerig
