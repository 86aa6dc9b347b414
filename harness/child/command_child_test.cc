#include "harness/child/command_child.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace corerig {
namespace {

CommandJob Job() {
  CommandJob job;
  job.command = {
      .argv = {"./prog", "", "a b\n\"c\""}, .env = {{"KEY", "value"}, {"EMPTY", ""}}, .workdir = "/somewhere"};
  job.added = {{"CORERIG_WORKER", "w"}};
  job.removed = {"GONE"};
  return job;
}

TEST(CommandJob, IsReadAsItWasWritten) {
  const auto read = ReadCommandJob(WriteCommandJob(Job()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->command, Job().command);
  EXPECT_EQ(read->added, Job().added);
  EXPECT_EQ(read->removed, Job().removed);
}

TEST(CommandJob, TextThatIsNoneIsRefused) {
  const std::string whole = WriteCommandJob(Job());
  for (std::size_t length = 0; length < whole.size(); ++length) EXPECT_FALSE(ReadCommandJob(whole.substr(0, length)));
  EXPECT_FALSE(ReadCommandJob("{}"));
  EXPECT_FALSE(ReadCommandJob(R"({"argv": [], "env": [], "workdir": "", "added": [], "removed": []})"));
  EXPECT_FALSE(ReadCommandJob(R"({"argv": ["x"], "env": [["A"]], "workdir": "", "added": [], "removed": []})"));
}

TEST(CommandJob, EveryVariableStandsOnceInTheEnvironment) {
  const char* inherited[] = {"PATH=/bin", "KEY=old", "KEYS=other", "GONE=x", "CORERIG_WORKER=outer", "ODD", nullptr};
  EXPECT_EQ(EnvironmentOf(Job(), inherited),
            (std::vector<std::string>{"PATH=/bin", "KEYS=other", "ODD", "KEY=value", "EMPTY=", "CORERIG_WORKER=w"}));
}

}  // namespace
}  // namespace corerig
