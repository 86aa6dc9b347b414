#include "scenarios/train/battery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace corerig {
namespace {

// The solution of the equations for a constant current.
TEST(Cell, FollowsTheClosedFormUnderConstantCurrent) {
  constexpr double kAmperes = 3;
  Cell cell({.charge = 0.9}, 25);
  EXPECT_NEAR(cell.fast_ohms(), 0.025, 1e-12);
  EXPECT_NEAR(cell.slow_ohms(), 0.015, 1e-12);
  for (int second = 1; second <= 300; ++second) {
    const double volts = cell.Step(kAmperes);
    const double charge = 0.9 - kAmperes * second / Cell::kCapacity;
    const double slow = 0.015 * kAmperes * (1 - std::exp(-second / Cell::kSlowSeconds));
    EXPECT_NEAR(cell.state().charge, charge, 1e-12);
    EXPECT_NEAR(volts, OpenCircuitVolts(charge) - 0.025 * kAmperes - slow, 1e-9) << second;
  }
}

TEST(Cell, RelaxesToItsOpenCircuitVoltage) {
  Cell cell({.charge = 0.5, .slow_volts = 0.1}, 25);
  double volts = 0;
  for (int second = 0; second < 400; ++second) volts = cell.Step(0);
  EXPECT_NEAR(volts, OpenCircuitVolts(0.5), 1e-9);
}

TEST(Cell, HasMoreResistanceWhereItIsColdAndStaysBetweenEmptyAndFull) {
  EXPECT_GT(Cell({}, 0).fast_ohms(), 1.8 * Cell({}, 25).fast_ohms());
  EXPECT_LT(Cell({}, 45).slow_ohms(), Cell({}, 25).slow_ohms());
  Cell full({.charge = 1}, 25), empty({.charge = 0}, 25);
  full.Step(-100);
  empty.Step(100);
  EXPECT_EQ(full.state().charge, 1);
  EXPECT_EQ(empty.state().charge, 0);
}

TEST(Cell, OpenCircuitVoltageRisesWithTheCharge) {
  for (int i = 1; i <= 1000; ++i) EXPECT_GT(OpenCircuitVolts(i / 1000.0), OpenCircuitVolts((i - 1) / 1000.0)) << i;
  EXPECT_NEAR(OpenCircuitVolts(1), 4.2, 0.01);
}

TEST(BatteryTable, RowsAreWhatAMonitorCouldSee) {
  const Examples table = BatteryTable(500, 42);
  EXPECT_EQ(table.rows(), 500u);
  EXPECT_EQ(table.targets.size(), 500u);
  for (std::size_t row = 0; row < 500; ++row) {
    const float* features = table.values.data() + row * kBatteryFeatures;
    EXPECT_GT(features[0], 2.2f);
    EXPECT_LT(features[0], 4.5f);
    EXPECT_GE(features[1], -2.7f);
    EXPECT_LE(features[1], 7.7f);
    EXPECT_GE(table.targets[row], 0);
    EXPECT_LE(table.targets[row], 1);
  }
  EXPECT_EQ(BatteryTable(500, 42).values, table.values);
  EXPECT_NE(BatteryTable(500, 43).values, table.values);
}

}  // namespace
}  // namespace corerig
