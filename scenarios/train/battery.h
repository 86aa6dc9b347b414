// A lithium-ion cell under load, as a battery monitor measures it; and what is to be said of it: its state of charge.
//
// The cell is the Thevenin model of battery management (Plett, "Battery Management Systems", vol. 1, 2015, chapter 2):
//
//   dq/dt = -i / Q                          state of charge q, current i (positive: discharge), capacity Q
//   du/dt = (R1 i - u) / (R1 C1)            voltage u over the slow resistance
//   v = OCV(q) - R0 i - u                   at the terminals
//
// with a resistance that falls with temperature as Arrhenius says, and an open-circuit voltage of NMC form. Currents
// are constant over a second, over which the equations are solved exactly.
//
//   Cell cell(CellState{.charge = 0.8}, 25);
//   const double volts = cell.Step(2.5);       // a second of 2.5 A later
#pragma once

#include <cstdint>

#include "scenarios/train/examples.h"

namespace corerig {

struct CellState {
  double charge = 1;      // 0..1
  double slow_volts = 0;  // u
};

class Cell {
 public:
  static constexpr double kCapacity = 3600 * 2.5;  // A s: of an 18650
  static constexpr double kSlowSeconds = 20;       // R1 C1

  Cell(CellState state, double celsius);

  // One second of `amperes`; the voltage at its end.
  double Step(double amperes);

  const CellState& state() const { return state_; }
  double fast_ohms() const { return fast_ohms_; }  // R0
  double slow_ohms() const { return slow_ohms_; }  // R1

 private:
  CellState state_;
  double fast_ohms_, slow_ohms_;
};

// Volts at rest; rises with the charge.
double OpenCircuitVolts(double charge);

inline constexpr std::size_t kBatteryFeatures = 12;

// `rows` cells after a minute of random load each: voltage, current, temperature, their means over the last 5, 15 and
// 60 s and what they were 1 and 10 s before, with a monitor's noise; to be predicted: the state of charge.
Examples BatteryTable(std::size_t rows, std::uint64_t seed);

}  // namespace corerig
