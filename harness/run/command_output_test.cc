#include "harness/run/command_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "harness/os/clock.h"

namespace corerig {
namespace {

struct Ends {
  Fd reading, writing;
};

Ends Pipe() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

LineCounter Counting(const std::string& expression) {
  return LineCounter(std::move(*LinePattern::Compile(expression)));
}

std::string PathOf(const std::string& name) { return std::string(getenv("TEST_TMPDIR")) + "/" + name; }

Fd FileAt(const std::string& path) { return Fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644)); }

// All of it, waiting for the reader.
void Write(const Fd& pipe, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(pipe.get(), text.data(), text.size());
    ASSERT_GT(written, 0);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

TEST(CommandOutput, EveryByteIsKeptAndEveryMatchingLineCounted) {
  const std::string path = PathOf("flood");
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += i % 4 == 0 ? "unit " + std::to_string(i) + "\n" : "something else\n";
  Ends ends = Pipe();
  auto output = CommandOutput::Start(std::move(ends.reading), FileAt(path), Counting("^unit "));
  ASSERT_TRUE(output) << output.error().message;
  Write(ends.writing, text);
  ends.writing.Close();
  (*output)->Finish();
  EXPECT_EQ((*output)->units().units, 25'000u);
  EXPECT_EQ((*output)->lost(), 0u);
  EXPECT_EQ(ReadFile(path).value_or(""), text);
}

TEST(CommandOutput, AnInstantIsThatOfTheLook) {
  Ends ends = Pipe();
  auto output = CommandOutput::Start(std::move(ends.reading), Fd(), Counting("unit"));
  ASSERT_TRUE(output);
  EXPECT_EQ((*output)->units().at, Nanos(0)) << "no unit is done";
  const Nanos before = MonotonicNow();
  Write(ends.writing, "unit\n");
  while ((*output)->units().units == 0) SleepUntil(MonotonicNow() + std::chrono::microseconds(100));
  const Nanos after = MonotonicNow();
  EXPECT_GE((*output)->units().at, before);
  EXPECT_LE((*output)->units().at, after);
}

TEST(CommandOutput, EndsThoughSomeoneHoldsThePipe) {
  Ends ends = Pipe();
  const std::string path = PathOf("held");
  auto output = CommandOutput::Start(std::move(ends.reading), FileAt(path), Counting("unit"));
  ASSERT_TRUE(output);
  Write(ends.writing, "unit\nunit");
  (*output)->Finish();
  EXPECT_EQ((*output)->units().units, 2u) << "what was written before is read, the last line without its LF";
  EXPECT_EQ(ReadFile(path).value_or(""), "unit\nunit");
}

TEST(CommandOutput, WhatTheDiskDoesNotTakeIsCounted) {
  Fd full(open("/dev/full", O_WRONLY));
  if (!full.valid()) GTEST_SKIP() << "no /dev/full";
  Ends ends = Pipe();
  auto output = CommandOutput::Start(std::move(ends.reading), std::move(full), Counting("unit"));
  ASSERT_TRUE(output);
  Write(ends.writing, "unit\nunit\n");
  ends.writing.Close();
  (*output)->Finish();
  EXPECT_EQ((*output)->units().units, 2u) << "the run goes on";
  EXPECT_EQ((*output)->lost(), 10u);
  EXPECT_NE((*output)->why_lost().find("ENOSPC"), std::string::npos) << (*output)->why_lost();
}

// A writer that never stops is kept waiting: the reader's thread uses a quarter of a core at most.
TEST(CommandOutput, AFloodCostsAQuarterOfACore) {
  Ends ends = Pipe();
  auto output = CommandOutput::Start(std::move(ends.reading), Fd(), Counting("^unit [0-9]+$"));
  ASSERT_TRUE(output);
  const std::string piece(65'536, '\n');
  const Nanos wall_before = MonotonicNow();
  const Nanos others_before = ThreadCpuTime();
  timespec process = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &process);
  const double all_before = static_cast<double>(process.tv_sec) + static_cast<double>(process.tv_nsec) / 1e9;
  while (MonotonicNow() - wall_before < std::chrono::milliseconds(300)) Write(ends.writing, piece);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &process);
  const double all = static_cast<double>(process.tv_sec) + static_cast<double>(process.tv_nsec) / 1e9 - all_before;
  const double ours = static_cast<double>((ThreadCpuTime() - others_before).count()) / 1e9;
  const double wall = static_cast<double>((MonotonicNow() - wall_before).count()) / 1e9;
  EXPECT_LT(all - ours, 0.35 * wall) << "reader " << all - ours << " s, writer " << ours << " s of " << wall << " s";
}

}  // namespace
}  // namespace corerig
