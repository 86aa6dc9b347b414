#include "harness/report/live_table.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace corerig {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

LiveState State() {
  LiveState state;
  state.phase = "measuring";
  state.elapsed = 12'345ms;
  state.total = 22s;
  state.streams = {{.name = "imu", .rate = 1000, .latency = 18'900ns, .received = 12'345, .lost = 3, .corrupt = 1},
                   {.name = "gnss", .rate = 0, .latency = {}, .received = 0, .lost = 0, .corrupt = 0}};
  state.workers = {{.name = "price.0",
                    .core = 1,
                    .state = "running",
                    .units = 600,
                    .units_planned = 1200,
                    .rate = 60.25,
                    .left = 9'900ms,
                    .uss = 4'194'304},
                   {.name = "detect.0",
                    .core = 2,
                    .state = "killed by SIGSEGV",
                    .units = 7,
                    .units_planned = 0,
                    .rate = 0,
                    .uss = {}}};
  state.cores = {{.cpu = 0, .worker = 0, .loop = 0.21, .source = 0.1, .rig = 0.01},
                 {.cpu = 1, .worker = 0.998, .loop = 0, .source = 0, .rig = 0}};
  return state;
}

TEST(LiveTable, ShowsStreamsWorkersAndCores) {
  EXPECT_THAT(LiveTable(State()),
              ElementsAre("measuring  12.3 s of 22.0 s  █████████████████░░░░░░░░░░░░░",
                          "stream      rate  latency  received  lost  corrupt",
                          "imu     1.00 kHz  18.9 µs     12345     3        1",
                          "gnss        0 Hz        –         0     0        0",
                          "worker    core  progress            units   left     rate       uss  state",
                          "price.0      1  █████░░░░░ 50 %  600/1200  9.9 s  60.2 /s  4.00 MiB  running",
                          "detect.0     2  –                       7      –   0.0 /s         –  killed by SIGSEGV",
                          "core  use                worker  loop  source  rig",
                          "0     ███░░░░░░░   32 %     0 %  21 %    10 %  1 %",
                          "1     ██████████  100 %   100 %   0 %     0 %  0 %"));
}

TEST(LiveTable, PartsThatTheRunHasNotTakeNoLine) {
  LiveState state;
  state.phase = "starting";
  EXPECT_THAT(LiveTable(state), ElementsAre("starting  0.0 s"));
}

TEST(LiveTable, UseBeyondOneCoreDoesNotLengthenTheBar) {
  LiveState state;
  state.phase = "measuring";
  state.cores = {{.cpu = 0, .worker = 1.2, .loop = 0.1, .source = 0, .rig = 0}};
  EXPECT_THAT(LiveTable(state)[2], testing::StartsWith("0     ██████████  130 %"));
}

TEST(LiveTable, LineForALogSaysTheSameInShort) {
  EXPECT_EQ(LiveLine(State()),
            "12.3 s of 22.0 s measuring; imu 1.00 kHz 18.9 µs lost 3 corrupt 1; gnss 0 Hz –; price.0 running 50 %, 9.9 "
            "s left; "
            "detect.0 killed by SIGSEGV 7 units");
}

}  // namespace
}  // namespace corerig
