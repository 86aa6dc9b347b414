#include "harness/run/warnings.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

bool Warns(const RunRecord& record, WarningId id) {
  for (const auto& warning : WarningsFrom(record)) {
    if (warning.id == id) return true;
  }
  return false;
}

TEST(Warnings, AGoodRunHasNone) {
  RunRecord record;
  record.streams.resize(1);
  record.cores = {{.cpu = 0, .steal = 0.009}};
  record.rig.scheduling.run = std::chrono::milliseconds(19);
  record.rig.scheduling.observed = std::chrono::seconds(1);
  EXPECT_TRUE(WarningsFrom(record).empty());
}

TEST(Warnings, EachFigureHasItsOwn) {
  RunRecord record;
  StreamRecord stream;
  stream.late_sends = 1;
  stream.truth_lost = 1;
  stream.stamps_discarded = 1;
  record.streams = {stream};
  record.cores = {{.cpu = 0, .steal = 0.02}};
  record.rig_core = record.source_core = 0;
  record.rig.scheduling.run = std::chrono::milliseconds(21);
  record.rig.scheduling.observed = std::chrono::seconds(1);
  for (const auto id : {WarningId::kSourceLate, WarningId::kTruthLost, WarningId::kStampsDiscarded,
                        WarningId::kRigHeavy, WarningId::kSteal}) {
    EXPECT_TRUE(Warns(record, id)) << ToText(id);
  }
}

TEST(Warnings, FramesThatAnExternalReceiverDidNotTake) {
  RunRecord record;
  StreamRecord stream;
  stream.name = "gnss";
  stream.sent = 10;
  stream.overruns = 3;
  record.streams = {stream};
  EXPECT_TRUE(WarningsFrom(record).empty()) << "of a loop they are in `lost`";
  record.streams[0].endpoint = "pty:/tmp/gps";
  ASSERT_TRUE(Warns(record, WarningId::kNotTaken));
  EXPECT_EQ(WarningsFrom(record)[0].text, "stream gnss: 3 of 10 frames were not taken at pty:/tmp/gps");
  record.streams[0].unheard = 2;
  EXPECT_EQ(WarningsFrom(record)[0].text,
            "stream gnss: 3 of 10 frames were not taken at pty:/tmp/gps, 2 of them without a reader");
}

TEST(Warnings, AHeavyRigDisturbsOnlyWhatIsOnItsCoreAndInAWindowWorthTheName) {
  RunRecord record;
  record.rig_core = 0;
  record.rig.scheduling.run = std::chrono::milliseconds(250);
  record.rig.scheduling.observed = std::chrono::seconds(1);
  record.source_core = 1;
  record.loops.resize(1);
  record.workers.resize(1);
  record.loops[0].core = record.workers[0].core = 1;
  EXPECT_FALSE(Warns(record, WarningId::kRigHeavy));
  for (int* core : {&record.source_core, &record.loops[0].core, &record.workers[0].core}) {
    *core = 0;
    EXPECT_TRUE(Warns(record, WarningId::kRigHeavy));
    *core = 1;
  }
  record.loops[0].core = 0;
  record.rig.scheduling.run = std::chrono::milliseconds(1);
  record.rig.scheduling.observed = std::chrono::milliseconds(1);
  EXPECT_FALSE(Warns(record, WarningId::kRigHeavy)) << "stopped at its first sample";
}

TEST(Warnings, RecordsOfSwitchesThatAreLostOrMayBeSaySo) {
  RunRecord record;
  EXPECT_FALSE(Warns(record, WarningId::kPerfBuffers));
  record.switches.gap = true;
  EXPECT_TRUE(Warns(record, WarningId::kPerfBuffers));
  record.switches.gap = false;
  record.switches.too_small = "rings of 4 KiB";
  EXPECT_TRUE(Warns(record, WarningId::kPerfBuffers));
}

}  // namespace
}  // namespace corerig
